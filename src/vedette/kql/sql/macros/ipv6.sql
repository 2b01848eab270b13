-- IPv6 addresses, and IPv4 ones mapped into them, as 128-bit numbers. Text is an address with or without `/bits`.

CREATE OR REPLACE MACRO kql_ipv6_octet_pair(o, i) AS to_hex(TRY_CAST(o[i] AS BIGINT) * 256 + TRY_CAST(o[i + 1] AS BIGINT));
CREATE OR REPLACE MACRO kql_ipv6_from_octets(head, o) AS
  CASE WHEN list_max(list_transform(o, lambda b: TRY_CAST(b AS BIGINT))) <= 255
       THEN CASE WHEN head IN ('', '::') THEN '::ffff:' ELSE head END || kql_ipv6_octet_pair(o, 1) || ':' || kql_ipv6_octet_pair(o, 3) END;
CREATE OR REPLACE MACRO kql_ipv6_groups_text(a) AS
  CASE WHEN contains(a, '.')
       THEN CASE WHEN regexp_full_match(a, '(?:.*:)?\d{1,3}(?:\.\d{1,3}){3}')
                 THEN kql_ipv6_from_octets(regexp_extract(a, '^(.*:)?', 0), string_split(regexp_extract(a, '[\d.]+$', 0), '.')) END
       ELSE a END;
CREATE OR REPLACE MACRO kql_ipv6_side(t) AS CASE WHEN t = '' THEN [] ELSE string_split(t, ':') END;
CREATE OR REPLACE MACRO kql_ipv6_filled(l, r) AS
  list_concat(l, list_transform(range(0, 8 - len(l) - len(r)), lambda i: '0'), r);
CREATE OR REPLACE MACRO kql_ipv6_groups(t) AS
  CASE WHEN contains(t, '::') THEN CASE WHEN length(t) - length(replace(t, '::', '')) = 2 AND NOT contains(t, ':::')
         THEN kql_ipv6_filled(kql_ipv6_side(split_part(t, '::', 1)), kql_ipv6_side(split_part(t, '::', 2))) END
       ELSE string_split(t, ':') END;
CREATE OR REPLACE MACRO kql_ipv6_number_of(g) AS
  CASE WHEN len(g) = 8 AND list_bool_and(list_transform(g, lambda h: regexp_full_match(h, '[0-9a-fA-F]{1,4}')))
       THEN list_reduce(list_prepend(0::UHUGEINT, list_transform(g, lambda h: TRY_CAST('0x' || h AS UHUGEINT))), lambda a, b: a * 65536 + b) END;
CREATE OR REPLACE MACRO kql_ipv6_bits(s, n) AS
  CASE WHEN contains(s, '.') AND n <= 32 THEN 96 + n WHEN contains(s, ':') AND n <= 128 THEN n END;
-- What each step makes is bound: the steps name it up to six times, and the planner would see the product of that.
CREATE OR REPLACE MACRO kql_ipv6_number_of_text(t) AS
  list_transform(list_transform([t], lambda t: kql_ipv6_groups(t)), lambda g: kql_ipv6_number_of(g))[1];
CREATE OR REPLACE MACRO kql_ipv6_number(a) AS
  list_transform(list_transform([a], lambda a: kql_ipv6_groups_text(a)), lambda t: kql_ipv6_number_of_text(t))[1];
CREATE OR REPLACE MACRO kql_ipv6_parts_of(s) AS
  {'a': kql_ipv6_number(split_part(s, '/', 1)),
   'n': CASE WHEN contains(s, '/') THEN kql_ipv6_bits(s, TRY_CAST(regexp_extract(s, '/(\d{1,3})$', 1) AS BIGINT)) ELSE 128 END};
CREATE OR REPLACE MACRO kql_ipv6_parts(s) AS list_transform([trim(s)], lambda s: kql_ipv6_parts_of(s))[1];
CREATE OR REPLACE MACRO kql_ipv6_masked(a, bits) AS
  CASE WHEN bits BETWEEN 0 AND 128 THEN a - (a & (340282366920938463463374607431768211455::UHUGEINT >> CAST(bits AS UHUGEINT))) END;
CREATE OR REPLACE MACRO kql_ipv6_hex(n) AS lower(lpad(to_hex(n), 32, '0'));
CREATE OR REPLACE MACRO kql_ipv6_text(n) AS
  coalesce(array_to_string(list_transform(range(0, 8), lambda i: substring(kql_ipv6_hex(n), CAST(4 * i + 1 AS INTEGER), 4)), ':'), '');
CREATE OR REPLACE MACRO kql_ipv6_written(n) AS CASE WHEN n IS NULL THEN '' ELSE kql_ipv6_text(n) END;
CREATE OR REPLACE MACRO kql_parse_ipv6_parts(p, bits) AS kql_ipv6_written(kql_ipv6_masked(p.a, least(p.n, bits)));
CREATE OR REPLACE MACRO kql_parse_ipv6(s) AS list_transform([kql_ipv6_parts(s)], lambda p: kql_parse_ipv6_parts(p, 128))[1];
CREATE OR REPLACE MACRO kql_parse_ipv6_mask(s, bits) AS list_transform([kql_ipv6_parts(s)], lambda p: kql_parse_ipv6_parts(p, bits))[1];
CREATE OR REPLACE MACRO kql_ipv6_order(a, b) AS CASE WHEN a = b THEN 0::BIGINT WHEN a > b THEN 1::BIGINT WHEN a < b THEN -1::BIGINT END;
CREATE OR REPLACE MACRO kql_ipv6_compare_parts(p, bits) AS
  CASE WHEN p[1].a IS NOT NULL AND p[2].a IS NOT NULL AND p[1].n IS NOT NULL AND p[2].n IS NOT NULL THEN
    kql_ipv6_order(kql_ipv6_masked(p[1].a, least(p[1].n, p[2].n, bits)), kql_ipv6_masked(p[2].a, least(p[1].n, p[2].n, bits))) END;
CREATE OR REPLACE MACRO kql_ipv6_compare(a, b, bits := 128) AS
  list_transform([[kql_ipv6_parts(a), kql_ipv6_parts(b)]], lambda p: kql_ipv6_compare_parts(p, bits))[1];
CREATE OR REPLACE MACRO kql_ipv6_is_match(a, b, bits := 128) AS kql_ipv6_compare(a, b, bits) = 0;
CREATE OR REPLACE MACRO kql_ipv6_within(p) AS kql_ipv6_masked(p[1].a, p[2].n) = kql_ipv6_masked(p[2].a, p[2].n);
CREATE OR REPLACE MACRO kql_ipv6_is_in_range(ip, cidr) AS
  list_transform([[kql_ipv6_parts(ip), kql_ipv6_parts(cidr)]], lambda p: kql_ipv6_within(p))[1];
CREATE OR REPLACE MACRO kql_ipv6_is_in_any_list(ip, ranges) AS
  CASE WHEN kql_ipv6_parts(ip).a IS NOT NULL
       THEN coalesce(list_bool_or(list_transform(ranges, lambda r: coalesce(kql_ipv6_is_in_range(ip, r), false))), false) END;
