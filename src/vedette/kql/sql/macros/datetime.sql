-- Calendar arithmetic on ticks. Days are counted from 0001-01-01, a Monday.
-- TRY stands inside kql_in_calendar: what a macro uses twice the engine computes once, outside of a TRY around both.

-- A count that leaves the calendar anyway, cut so that its product fits into 63 bits.
CREATE OR REPLACE MACRO kql_capped(n, most) AS CASE WHEN n > most THEN most WHEN n < -most THEN -most ELSE n END;

CREATE OR REPLACE MACRO kql_floor_to(t, span) AS t - ((t % span) + span) % span;

CREATE OR REPLACE MACRO kql_bin_long(x, size) AS
  CASE WHEN size > 0 THEN x - ((x % size) + size) % size END;

CREATE OR REPLACE MACRO kql_bin_real(x, size) AS CASE WHEN size > 0 THEN floor(x / size) * size END;

CREATE OR REPLACE MACRO kql_bin_at_long(x, size, fixed) AS CASE WHEN size > 0 THEN kql_bin_long(x - fixed, size) + fixed END;

CREATE OR REPLACE MACRO kql_bin_at_real(x, size, fixed) AS CASE WHEN size > 0 THEN floor((x - fixed) / size) * size + fixed END;

CREATE OR REPLACE MACRO kql_truncated(unit, t) AS kql_ticks(date_trunc(unit, kql_timestamp(t)));

CREATE OR REPLACE MACRO kql_month_shifted(t, months) AS kql_ticks(kql_timestamp(t) + to_months(TRY_CAST(months AS INTEGER))) + t % 10;

CREATE OR REPLACE MACRO kql_startofday(t) AS t - t % 864000000000,
  (t, n) AS kql_in_calendar(t - t % 864000000000 + kql_capped(n, 4000000) * 864000000000);

CREATE OR REPLACE MACRO kql_endofday(t) AS t - t % 864000000000 + 863999999999,
  (t, n) AS kql_in_calendar(t - t % 864000000000 + kql_capped(n, 4000000) * 864000000000 + 863999999999);

CREATE OR REPLACE MACRO kql_startofweek(t, n := 0) AS kql_in_calendar(greatest(t - (t + 864000000000) % 6048000000000, 0) + kql_capped(n, 600000) * 6048000000000);

CREATE OR REPLACE MACRO kql_endofweek(t, n := 0) AS kql_in_calendar(t - (t + 864000000000) % 6048000000000 + kql_capped(n, 600000) * 6048000000000 + 6047999999999);

CREATE OR REPLACE MACRO kql_startofmonth(t) AS kql_truncated('month', t),
  (t, n) AS kql_in_calendar(TRY(kql_month_shifted(kql_truncated('month', t), kql_capped(n, 200000))));

CREATE OR REPLACE MACRO kql_endofmonth(t, n := 0) AS kql_in_calendar(TRY(kql_month_shifted(kql_truncated('month', t), kql_capped(n, 200000) + 1) - 1));

CREATE OR REPLACE MACRO kql_startofyear(t) AS kql_truncated('year', t),
  (t, n) AS kql_in_calendar(TRY(kql_month_shifted(kql_truncated('year', t), 12 * kql_capped(n, 20000))));

CREATE OR REPLACE MACRO kql_endofyear(t, n := 0) AS kql_in_calendar(TRY(kql_month_shifted(kql_truncated('year', t), 12 * (kql_capped(n, 20000) + 1)) - 1));

CREATE OR REPLACE MACRO kql_getyear(t) AS year(kql_timestamp(t));
CREATE OR REPLACE MACRO kql_monthofyear(t) AS month(kql_timestamp(t));
CREATE OR REPLACE MACRO kql_dayofmonth(t) AS CAST(day(kql_timestamp(t)) AS INTEGER);
CREATE OR REPLACE MACRO kql_dayofyear(t) AS CAST(dayofyear(kql_timestamp(t)) AS INTEGER);
CREATE OR REPLACE MACRO kql_hourofday(t) AS CAST(t // 36000000000 % 24 AS INTEGER);
-- The service goes through the day after: the last day of the calendar has none.
CREATE OR REPLACE MACRO kql_dayofweek(t) AS
  CASE WHEN t < 3155378112000000000 THEN (t // 864000000000 + 1) % 7 * 864000000000 END;
CREATE OR REPLACE MACRO kql_week_of_year(t) AS weekofyear(kql_timestamp(t));

CREATE OR REPLACE MACRO kql_datetime_part(part, t) AS
  CASE lower(part)
    WHEN 'year' THEN year(kql_timestamp(t)) WHEN 'quarter' THEN quarter(kql_timestamp(t))
    WHEN 'month' THEN month(kql_timestamp(t)) WHEN 'week_of_year' THEN weekofyear(kql_timestamp(t)) WHEN 'weekofyear' THEN weekofyear(kql_timestamp(t))
    WHEN 'day' THEN day(kql_timestamp(t)) WHEN 'dayofyear' THEN dayofyear(kql_timestamp(t))
    WHEN 'hour' THEN t // 36000000000 % 24 WHEN 'minute' THEN t // 600000000 % 60
    WHEN 'second' THEN t // 10000000 % 60 WHEN 'millisecond' THEN t // 10000 % 1000
    WHEN 'microsecond' THEN t // 10 % 1000000 WHEN 'nanosecond' THEN t % 10000000 * 100 END;

CREATE OR REPLACE MACRO kql_datetime_add(part, amount, t) AS
  kql_in_calendar(TRY(CASE lower(part)
    WHEN 'year' THEN kql_month_shifted(t, 12 * kql_capped(amount, 20000)) WHEN 'quarter' THEN kql_month_shifted(t, 3 * kql_capped(amount, 70000))
    WHEN 'month' THEN kql_month_shifted(t, kql_capped(amount, 200000)) WHEN 'week' THEN t + 6048000000000 * kql_capped(amount, 600000)
    WHEN 'day' THEN t + 864000000000 * kql_capped(amount, 4000000) WHEN 'hour' THEN t + 36000000000 * kql_capped(amount, 100000000)
    WHEN 'minute' THEN t + 600000000 * kql_capped(amount, 6000000000) WHEN 'second' THEN t + 10000000 * kql_capped(amount, 360000000000)
    WHEN 'millisecond' THEN t + 10000 * kql_capped(amount, 360000000000000) WHEN 'microsecond' THEN t + 10 * kql_capped(amount, 360000000000000000)
    WHEN 'nanosecond' THEN t + amount // 100 END));

-- datetime_diff counts the boundaries between two moments, as whole units.
CREATE OR REPLACE MACRO kql_datetime_diff(part, a, b) AS
  CASE lower(part)
    WHEN 'year' THEN CAST(kql_getyear(a) - kql_getyear(b) AS BIGINT)
    WHEN 'quarter' THEN (kql_getyear(a) - kql_getyear(b)) * 4 + quarter(kql_timestamp(a)) - quarter(kql_timestamp(b))
    WHEN 'month' THEN (kql_getyear(a) - kql_getyear(b)) * 12 + month(kql_timestamp(a)) - month(kql_timestamp(b))
    WHEN 'week' THEN (a + 864000000000) // 6048000000000 - (b + 864000000000) // 6048000000000
    WHEN 'day' THEN a // 864000000000 - b // 864000000000
    WHEN 'hour' THEN a // 36000000000 - b // 36000000000
    WHEN 'minute' THEN a // 600000000 - b // 600000000
    WHEN 'second' THEN a // 10000000 - b // 10000000
    WHEN 'millisecond' THEN a // 10000 - b // 10000
    WHEN 'microsecond' THEN a // 10 - b // 10
    WHEN 'nanosecond' THEN (a - b) * 100 END;

CREATE OR REPLACE MACRO kql_make_datetime(y, mo, d) AS kql_in_calendar(TRY(kql_ticks(make_timestamp(y, mo, d, 0, 0, 0)))),
  (y, mo, d, h, mi) AS kql_in_calendar(TRY(kql_ticks(make_timestamp(y, mo, d, h, mi, 0)))),
  (y, mo, d, h, mi, s) AS
    CASE WHEN s >= 0 AND s < 60 THEN kql_in_calendar(TRY(kql_ticks(make_timestamp(y, mo, d, h, mi, 0)) + CAST(trunc(round(s * 1e8) / 10) AS BIGINT))) END;

CREATE OR REPLACE MACRO kql_make_timespan_full(d, h, mi, s) AS
    CASE WHEN h BETWEEN 0 AND 23 AND mi BETWEEN 0 AND 59 AND s >= 0 AND s < 60
         THEN TRY(d * 864000000000 + h * 36000000000 + mi * 600000000 + CAST(round(s * 1e7) AS BIGINT)) END;

CREATE OR REPLACE MACRO kql_make_timespan(a, b) AS kql_make_timespan_full(0, a, b, 0),
  (a, b, c) AS kql_make_timespan_full(0, a, b, c),
  (a, b, c, d) AS kql_make_timespan_full(a, b, c, d);

CREATE OR REPLACE MACRO kql_unixtime_seconds_todatetime(x) AS
  kql_in_calendar(TRY(TRY_CAST(round(x * 1e7) AS BIGINT) + 621355968000000000));
CREATE OR REPLACE MACRO kql_unixtime_milliseconds_todatetime(x) AS
  kql_in_calendar(TRY(TRY_CAST(round(x * 1e4) AS BIGINT) + 621355968000000000));
CREATE OR REPLACE MACRO kql_unixtime_microseconds_todatetime(x) AS
  kql_in_calendar(TRY(TRY_CAST(x * 10.0 AS BIGINT) + 621355968000000000));
CREATE OR REPLACE MACRO kql_unixtime_nanoseconds_todatetime(x) AS
  kql_in_calendar(TRY(TRY_CAST(x AS BIGINT) // 100 + 621355968000000000));

CREATE OR REPLACE MACRO kql_datetime_utc_to_local(t, zone) AS
  TRY(kql_ticks(timezone(zone, timezone('UTC', kql_timestamp(t)))) + t % 10);
-- A time that a change of clocks leaves out is taken by the offset after it.
CREATE OR REPLACE MACRO kql_zone_to_utc(t, zone) AS TRY(kql_ticks(timezone('UTC', timezone(zone, kql_timestamp(t)))) + t % 10);
CREATE OR REPLACE MACRO kql_datetime_local_to_utc(t, zone) AS
  kql_zone_to_utc(t, zone) - (kql_datetime_utc_to_local(kql_zone_to_utc(t, zone), zone) - t);
