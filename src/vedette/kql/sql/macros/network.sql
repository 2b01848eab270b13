-- IPv4 as 32-bit numbers in BIGINT. Text is `a.b.c.d` or `a.b.c.d/n`.

CREATE OR REPLACE MACRO kql_ipv4_octets(o) AS
  CASE WHEN list_max(o) <= 255 THEN o[1] * 16777216 + o[2] * 65536 + o[3] * 256 + o[4] END;
CREATE OR REPLACE MACRO kql_ipv4_address(s) AS
  CASE WHEN regexp_full_match(s, '\s*\d{1,3}(\.\d{1,3}){3}(/\d{1,2})?\s*')
       THEN kql_ipv4_octets(list_transform(string_split(split_part(trim(s), '/', 1), '.'), lambda o: TRY_CAST(o AS BIGINT))) END;
CREATE OR REPLACE MACRO kql_ipv4_prefix(s) AS
  CASE WHEN contains(s, '/') THEN CASE WHEN TRY_CAST(split_part(trim(s), '/', 2) AS BIGINT) <= 32 THEN TRY_CAST(split_part(trim(s), '/', 2) AS BIGINT) END ELSE 32 END;
CREATE OR REPLACE MACRO kql_ipv4_mask(bits) AS CASE WHEN bits BETWEEN 0 AND 32 THEN 4294967296 - (1::BIGINT << CAST(32 - bits AS INTEGER)) END;
CREATE OR REPLACE MACRO kql_parse_ipv4(s) AS kql_ipv4_address(s) & kql_ipv4_mask(kql_ipv4_prefix(s));
CREATE OR REPLACE MACRO kql_parse_ipv4_mask(s, bits) AS
  kql_ipv4_address(s) & kql_ipv4_mask(least(bits, kql_ipv4_prefix(s)));
CREATE OR REPLACE MACRO kql_ipv4_netmask_suffix(s) AS CASE WHEN kql_ipv4_address(s) IS NOT NULL THEN kql_ipv4_prefix(s) END;
CREATE OR REPLACE MACRO kql_ipv4_text(n) AS
  coalesce((n >> 24 & 255) || '.' || (n >> 16 & 255) || '.' || (n >> 8 & 255) || '.' || (n & 255), '');
CREATE OR REPLACE MACRO kql_format_ipv4_number(n, bits) AS
  CASE WHEN n BETWEEN 0 AND 4294967295 AND bits BETWEEN 0 AND 32 THEN kql_ipv4_text(n & kql_ipv4_mask(bits)) ELSE '' END;
CREATE OR REPLACE MACRO kql_ipv4_shared_mask(a, b, bits) AS
  kql_ipv4_mask(least(bits, kql_ipv4_prefix(a), kql_ipv4_prefix(b)));
CREATE OR REPLACE MACRO kql_ipv4_compare(a, b, bits := 32) AS CAST(sign((kql_ipv4_address(a) & kql_ipv4_shared_mask(a, b, bits)) - (kql_ipv4_address(b) & kql_ipv4_shared_mask(a, b, bits))) AS BIGINT);
CREATE OR REPLACE MACRO kql_ipv4_is_match(a, b, bits := 32) AS kql_ipv4_compare(a, b, bits) = 0;
CREATE OR REPLACE MACRO kql_ipv4_is_in_range(ip, cidr) AS
  (kql_ipv4_address(ip) & kql_ipv4_mask(kql_ipv4_prefix(cidr))) = (kql_ipv4_address(cidr) & kql_ipv4_mask(kql_ipv4_prefix(cidr)));
CREATE OR REPLACE MACRO kql_ipv4_is_in_any_list(ip, ranges) AS
  CASE WHEN kql_ipv4_address(ip) IS NOT NULL THEN coalesce(list_bool_or(list_transform(ranges, lambda r: coalesce(kql_ipv4_is_in_range(ip, r), false))), false) END;
CREATE OR REPLACE MACRO kql_ipv4_private_number(n) AS
  n >> 24 = 10 OR n >> 20 = 2753 OR n >> 16 = 49320;
CREATE OR REPLACE MACRO kql_ipv4_is_private(s) AS kql_ipv4_private_number(kql_ipv4_address(s));
CREATE OR REPLACE MACRO kql_has_ipv4(s, ip) AS
  kql_ipv4_address(ip) IS NOT NULL AND regexp_matches(kql_words(s), '(?:^|[\x00-\-/:-@\[-`{-\x7F])' || regexp_escape(ip) || '(?:$|[\x00-\-/:-@\[-`{-\x7F]|\.$|\.[\x00-/:-@\[-`{-\x7F])');
CREATE OR REPLACE MACRO kql_has_ipv4_prefix(s, p) AS
  regexp_full_match(p, '(\d{1,3}\.){1,3}|\d{1,3}(\.\d{1,3}){3}') AND regexp_matches(kql_words(s), '(?:^|[\x00-\-/:-@\[-`{-\x7F])' || CASE
    WHEN suffix(p, '.') THEN regexp_escape(p) || '(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){' || (3 - length(p) + length(replace(p, '.', ''))) || '}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:$|[\x00-\-/:-@\[-`{-\x7F]|\.$|\.[\x00-/:-@\[-`{-\x7F])'
    ELSE regexp_escape(p) || '(?:$|[\x00-\-/:-@\[-`{-\x7F]|\.$|\.[\x00-/:-@\[-`{-\x7F])' END);
CREATE OR REPLACE MACRO kql_has_any_ipv4(s, ips) AS
  coalesce(list_bool_or(list_transform(ips, lambda ip: coalesce(kql_has_ipv4(s, ip), false))), false);
CREATE OR REPLACE MACRO kql_has_any_ipv4_prefix(s, ps) AS
  coalesce(list_bool_or(list_transform(ps, lambda p: coalesce(kql_has_ipv4_prefix(s, p), false))), false);
CREATE OR REPLACE MACRO kql_format_ipv4_masked(n, bits) AS
  CASE WHEN n BETWEEN 0 AND 4294967295 AND bits BETWEEN 0 AND 32 THEN kql_ipv4_text(n & kql_ipv4_mask(bits)) || '/' || bits ELSE '' END;
