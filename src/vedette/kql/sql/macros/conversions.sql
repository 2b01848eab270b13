-- Values between types. Ticks count 100 ns from year 1; 62135596800000000 is 1970 in microseconds of that scale.

CREATE OR REPLACE MACRO kql_wrap(x) AS
  CAST(((x + 9223372036854775808::HUGEINT) & 18446744073709551615::HUGEINT) - 9223372036854775808::HUGEINT AS BIGINT);

CREATE OR REPLACE MACRO kql_timestamp(t) AS make_timestamp(t // 10 - 62135596800000000);

CREATE OR REPLACE MACRO kql_ticks(ts) AS (epoch_us(ts) + 62135596800000000) * 10;

CREATE OR REPLACE MACRO kql_in_calendar(t) AS CASE WHEN t BETWEEN 0 AND 3155378975999999999 THEN t END;

CREATE OR REPLACE MACRO kql_tostring_bool(x) AS CASE WHEN x THEN 'True' WHEN NOT x THEN 'False' ELSE '' END;

CREATE OR REPLACE MACRO kql_tostring_plain(x) AS coalesce(CAST(x AS VARCHAR), '');

CREATE OR REPLACE MACRO kql_tostring_datetime(t) AS
  coalesce(lpad(strftime(kql_timestamp(t), '%Y-%m-%dT%H:%M:%S'), 19, '0') || '.'
           || lpad(CAST(t % 10000000 AS VARCHAR), 7, '0') || 'Z', '');

CREATE OR REPLACE MACRO kql_clock_digits(a) AS
  lpad(CAST(a // 36000000000 % 24 AS VARCHAR), 2, '0') || ':' || lpad(CAST(a // 600000000 % 60 AS VARCHAR), 2, '0')
  || ':' || lpad(CAST(a // 10000000 % 60 AS VARCHAR), 2, '0')
  || CASE WHEN a % 10000000 = 0 THEN '' ELSE '.' || lpad(CAST(a % 10000000 AS VARCHAR), 7, '0') END;

CREATE OR REPLACE MACRO kql_tostring_timespan(t) AS
  coalesce(CASE WHEN t < 0 THEN '-' ELSE '' END
           || CASE WHEN abs(CAST(t AS HUGEINT)) >= 864000000000
                   THEN CAST(abs(CAST(t AS HUGEINT)) // 864000000000 AS VARCHAR) || '.' ELSE '' END
           || kql_clock_digits(abs(CAST(t AS HUGEINT))), '');

CREATE OR REPLACE MACRO kql_tostring_dynamic(x) AS coalesce(json_extract_string(x, '$'), '');

CREATE OR REPLACE MACRO kql_tolong_string(s) AS
  CASE WHEN regexp_full_match(s, '\s*([-+]?[0-9]+|0[xX][0-9a-fA-F]+)\s*') THEN TRY_CAST(trim(s, e' \t\r\n') AS BIGINT) END;

CREATE OR REPLACE MACRO kql_toint_string(s) AS
  CASE WHEN regexp_full_match(s, '\s*([-+]?[0-9]+|0[xX][0-9a-fA-F]+)\s*') THEN TRY_CAST(trim(s, e' \t\r\n') AS INTEGER) END;

CREATE OR REPLACE MACRO kql_tolong_real(x) AS
  CASE WHEN isnan(x) THEN NULL WHEN x >= 9223372036854775807 THEN 9223372036854775807
       WHEN x <= -9223372036854775808 THEN (-9223372036854775807 - 1)::BIGINT ELSE TRY_CAST(trunc(x) AS BIGINT) END;

CREATE OR REPLACE MACRO kql_toint_real(x) AS
  CASE WHEN isnan(x) THEN NULL WHEN x >= 2147483647 THEN 2147483647
       WHEN x <= -2147483648 THEN (-2147483648)::INTEGER ELSE TRY_CAST(trunc(x) AS INTEGER) END;

CREATE OR REPLACE MACRO kql_toint_long(x) AS
  CAST(xor(x & 4294967295, 2147483648) - 2147483648 AS INTEGER);

CREATE OR REPLACE MACRO kql_todouble_string(s) AS
  CASE WHEN regexp_full_match(s, '\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*')
       THEN TRY_CAST(trim(s, e' \t\r\n') AS DOUBLE)
       WHEN lower(trim(s)) IN ('inf', '+inf', 'infinity', '+infinity') AND trim(s) <> 'INF' THEN 'inf'::DOUBLE
       WHEN lower(trim(s)) IN ('-inf', '-infinity') THEN '-inf'::DOUBLE
       WHEN lower(trim(s)) IN ('nan', '-nan') THEN 'nan'::DOUBLE END;

CREATE OR REPLACE MACRO kql_tobool_string(s) AS
  CASE lower(s) WHEN 'true' THEN true WHEN 'false' THEN false ELSE kql_tolong_string(s) <> 0 END;

CREATE OR REPLACE MACRO kql_toguid_string(s) AS
  TRY_CAST(nullif(regexp_extract(s, '^\s*[{(]?([0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12})', 1), '') AS UUID);

-- Date texts: ISO 8601 first (fraction to 100 ns, offset applied), then the other documented shapes.
CREATE OR REPLACE MACRO kql_fraction_ticks(digits) AS CAST(rpad(left(digits, 7), 7, '0') AS BIGINT);

CREATE OR REPLACE MACRO kql_offset_ticks(zone) AS
  CASE WHEN zone IN ('', 'Z', 'z', 'GMT', 'UTC') THEN 0
       ELSE (CASE WHEN zone[1] = '-' THEN -1 ELSE 1 END)
            * (CAST(zone[2:3] AS BIGINT) * 36000000000 + CAST(right(zone, 2) AS BIGINT) * 600000000) END;

CREATE OR REPLACE MACRO kql_datetime_iso(m) AS
  CASE WHEN m.day <> '' THEN
    kql_ticks(TRY_CAST(m.day || ' ' || CASE m.clock WHEN '' THEN '00:00:00' ELSE m.clock || CASE WHEN length(m.clock) < 6 THEN ':00' ELSE '' END END AS TIMESTAMP))
    + kql_fraction_ticks(m.fraction) - kql_offset_ticks(m.zone) END;

CREATE OR REPLACE MACRO kql_datetime_other(s) AS
  kql_ticks(try_strptime(regexp_replace(regexp_replace(s, '\s*(GMT|UTC|Z)$', ''), '(:\d{2})\s*[-+]\d{2}:?\d{2}$', '\1'), [
    '%a, %d %b %y %H:%M:%S', '%a, %d %b %y %H:%M', '%d %b %y %H:%M:%S', '%d %b %y %H:%M', '%A, %d-%b-%y %H:%M:%S',
    '%A, %d-%b-%y %H:%M', '%d-%b-%y %H:%M:%S', '%d-%b-%y %H:%M', '%m/%d/%y', 
    '%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %H:%M', '%m/%d/%Y', '%a, %d %b %Y %H:%M:%S',
    '%d %b %Y %H:%M:%S', '%d %b %Y', '%a %b %d %H:%M:%S %Y', '%B %d, %Y', '%b %d, %Y',
    '%b %d %Y', '%Y %B %d', '%d %B %Y', '%d %B %Y %H:%M:%S', '%B %d %Y', '%m/%d/%Y %I:%M %p', '%Y-%m-%dT%H',
    '%a, %d %b %Y %H:%M', '%a, %d %b %Y', '%d %b %Y %H:%M',
    '%d-%b-%Y %H:%M:%S', '%d-%b-%Y', '%b %d, %Y %H:%M:%S', '%B %d, %Y %H:%M:%S',
    '%Y/%m/%d %H:%M:%S', '%Y/%m/%d', '%m-%d-%Y %H:%M:%S', '%m-%d-%Y', '%Y%m%d', '%Y-%m', '%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M %p']))
  - coalesce(kql_offset_ticks(nullif(regexp_extract(s, ':\d{2}\s*([-+]\d{2}:?\d{2})$', 1), '')), 0);

CREATE OR REPLACE MACRO kql_todatetime_text(s) AS
  CASE WHEN regexp_full_match(s, '\s*\d{4}-\d{1,2}-\d{1,2}(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?\s*(?:[Zz]|GMT|UTC|[-+]\d{2}:?\d{2})?\s*')
       THEN TRY(kql_in_calendar(kql_datetime_iso(regexp_extract(s, '^\s*(\d{4}-\d{1,2}-\d{1,2})(?:[T ]+(\d{1,2}:\d{2}(?::\d{2})?)(?:[.,](\d+))?)?\s*([Zz]|GMT|UTC|[-+]\d{2}:?\d{2})?\s*$',
            ['day', 'clock', 'fraction', 'zone']))))
       WHEN s = '' THEN NULL
       WHEN regexp_full_match(s, '\s*\d{4}\s*') THEN kql_in_calendar(kql_ticks(make_timestamp(CAST(s AS BIGINT), 1, 1, 0, 0, 0)))
       ELSE TRY(kql_datetime_other(trim(s))) END;
CREATE OR REPLACE MACRO kql_todatetime_string(s) AS list_transform([s], lambda v: kql_todatetime_text(v))[1];

-- Timespan texts: `1.02:03:04.5`, `13:00`, `1d`, a plain number of days.
CREATE OR REPLACE MACRO kql_timespan_clock(m) AS
  (CASE m.sign WHEN '-' THEN -1 ELSE 1 END)
  * (coalesce(TRY_CAST(m.days AS BIGINT), 0) * 864000000000 + CAST(m.hours AS BIGINT) * 36000000000
     + CAST(m.minutes AS BIGINT) * 600000000 + coalesce(TRY_CAST(m.seconds AS BIGINT), 0) * 10000000
     + kql_fraction_ticks(m.fraction));

CREATE OR REPLACE MACRO kql_unit_ticks(unit) AS
  CASE unit WHEN 'd' THEN 864000000000 WHEN 'day' THEN 864000000000 WHEN 'days' THEN 864000000000
            WHEN 'h' THEN 36000000000 WHEN 'hr' THEN 36000000000 WHEN 'hrs' THEN 36000000000 WHEN 'hour' THEN 36000000000 WHEN 'hours' THEN 36000000000
            WHEN 'm' THEN 600000000 WHEN 'min' THEN 600000000 WHEN 'minute' THEN 600000000 WHEN 'minutes' THEN 600000000
            WHEN 's' THEN 10000000 WHEN 'sec' THEN 10000000 WHEN 'second' THEN 10000000 WHEN 'seconds' THEN 10000000
            WHEN 'ms' THEN 10000 WHEN 'milli' THEN 10000 WHEN 'millis' THEN 10000 WHEN 'millisec' THEN 10000 WHEN 'millisecond' THEN 10000 WHEN 'milliseconds' THEN 10000
            WHEN 'micro' THEN 10 WHEN 'micros' THEN 10 WHEN 'microsec' THEN 10 WHEN 'microsecond' THEN 10 WHEN 'microseconds' THEN 10
            WHEN 'tick' THEN 1 WHEN 'ticks' THEN 1 WHEN '' THEN 864000000000 END;

CREATE OR REPLACE MACRO kql_totimespan_string(s) AS
  CASE WHEN regexp_full_match(s, '\s*-?(?:\d+[.:])?\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{1,7})?)?\s*')
       THEN TRY(kql_timespan_clock(regexp_extract(s, '^\s*(-?)(?:(\d+)[.:])??(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?\s*$',
            ['sign', 'days', 'hours', 'minutes', 'seconds', 'fraction'])))
       WHEN regexp_full_match(s, '\s*-?\d+(?:\.\d+)?\s*[a-z]*\s*')
       THEN TRY(CAST(round(CAST(regexp_extract(s, '-?\d+(?:\.\d+)?') AS DOUBLE) * kql_unit_ticks(regexp_extract(s, '[a-z]+'))) AS BIGINT)) END;
