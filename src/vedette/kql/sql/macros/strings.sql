-- Text. A term is a maximal run of letters and digits; `_` and everything else delimits.

-- Delimiters beyond ASCII get blanks around them, so that an edge is where ASCII delimits: a pattern that says which
-- characters of Unicode are letters takes RE2 a millisecond to compile, and one made of the row's needle is compiled anew.
CREATE OR REPLACE MACRO kql_words(s) AS
  CASE WHEN strlen(s) = length(s) THEN s ELSE regexp_replace(s, '([^\x00-\x7F\p{L}\p{N}])', ' \1 ', 'g') END;
CREATE OR REPLACE MACRO kql_left_edge(n) AS
  CASE WHEN regexp_matches(n, '^[\p{L}\p{N}]') THEN '(?:^|[\x00-/:-@\[-`{-\x7F])' ELSE '' END;
CREATE OR REPLACE MACRO kql_right_edge(n) AS
  CASE WHEN regexp_matches(n, '[\p{L}\p{N}]$') THEN '(?:$|[\x00-/:-@\[-`{-\x7F])' ELSE '' END;
CREATE OR REPLACE MACRO kql_needle(n) AS regexp_escape(kql_words(n));

CREATE OR REPLACE MACRO kql_has(h, n) AS
  CASE WHEN contains(lower(h), lower(n))
       THEN regexp_matches(kql_words(h), '(?i)' || kql_left_edge(n) || kql_needle(n) || kql_right_edge(n)) ELSE false END;
CREATE OR REPLACE MACRO kql_has_cs(h, n) AS
  CASE WHEN contains(h, n)
       THEN regexp_matches(kql_words(h), kql_left_edge(n) || kql_needle(n) || kql_right_edge(n)) ELSE false END;
CREATE OR REPLACE MACRO kql_hasprefix(h, n) AS
  CASE WHEN contains(lower(h), lower(n)) THEN regexp_matches(kql_words(h), '(?i)' || kql_left_edge(n) || kql_needle(n)) ELSE false END;
CREATE OR REPLACE MACRO kql_hasprefix_cs(h, n) AS
  CASE WHEN contains(h, n) THEN regexp_matches(kql_words(h), kql_left_edge(n) || kql_needle(n)) ELSE false END;
CREATE OR REPLACE MACRO kql_hassuffix(h, n) AS
  CASE WHEN contains(lower(h), lower(n)) THEN regexp_matches(kql_words(h), '(?i)' || kql_needle(n) || kql_right_edge(n)) ELSE false END;
CREATE OR REPLACE MACRO kql_hassuffix_cs(h, n) AS
  CASE WHEN contains(h, n) THEN regexp_matches(kql_words(h), kql_needle(n) || kql_right_edge(n)) ELSE false END;
CREATE OR REPLACE MACRO kql_contains(h, n) AS contains(lower(h), lower(n));
CREATE OR REPLACE MACRO kql_contains_cs(h, n) AS contains(h, n);
CREATE OR REPLACE MACRO kql_startswith(h, n) AS starts_with(lower(h), lower(n));
CREATE OR REPLACE MACRO kql_startswith_cs(h, n) AS starts_with(h, n);
CREATE OR REPLACE MACRO kql_endswith(h, n) AS suffix(lower(h), lower(n));
CREATE OR REPLACE MACRO kql_endswith_cs(h, n) AS suffix(h, n);

-- The needles of a list are lower case already.
CREATE OR REPLACE MACRO kql_has_any_list(h, needles) AS
  list_transform([lower(h)], lambda l: coalesce(list_bool_or(list_transform(needles, lambda n: kql_has_cs(l, n))), false))[1];
CREATE OR REPLACE MACRO kql_has_all_list(h, needles) AS
  list_transform([lower(h)], lambda l: coalesce(list_bool_and(list_transform(needles, lambda n: n <> '' AND kql_has_cs(l, n))), true))[1];
CREATE OR REPLACE MACRO kql_has_any_index(h, needles) AS
  coalesce(list_position(list_transform(needles, lambda n: kql_has(h, n)), true), 0) - 1;

CREATE OR REPLACE MACRO kql_substring(s, start) AS
  CASE WHEN start < -length(s) THEN '' WHEN start < 0 THEN substring(s, length(s) + least(start, 0) + 1)
       ELSE coalesce(substring(s, least(start, 2147483647)::BIGINT + 1), '') END,
  (s, start, n) AS
  CASE WHEN n <= 0 OR start < -length(s) THEN '' WHEN start < 0 THEN substring(s, length(s) + least(start, 0) + 1, least(n, 2147483647))
       ELSE coalesce(substring(s, least(start, 2147483647)::BIGINT + 1, least(n, 2147483647)), '') END;

CREATE OR REPLACE MACRO kql_positions(s, n) AS
  list_filter(range(0, length(s)), lambda i: starts_with(substring(s, i + 1), n));
CREATE OR REPLACE MACRO kql_indexof_first(s, n) AS CASE WHEN n <> '' THEN strpos(s, n) - 1 END;
-- The range counts anew from behind each occurrence, as the page's example of a second one shows.
CREATE OR REPLACE MACRO kql_indexof_at(p, from_, size, width, occurrence) AS
  CASE WHEN size < 0 OR list_bool_and(list_transform(p[:occurrence], lambda i, k:
         i + width <= CASE WHEN k = 1 THEN from_ ELSE p[k - 1] + 1 END + size)) THEN p[occurrence] END;
CREATE OR REPLACE MACRO kql_indexof(s, n, start, size := -1, occurrence := 1) AS
  CASE WHEN n <> '' AND occurrence > 0 AND size >= -1 THEN coalesce(kql_indexof_at(list_filter(kql_positions(s, n), lambda i:
         i >= CASE WHEN start < 0 THEN length(s) + start ELSE start END),
         CASE WHEN start < 0 THEN length(s) + start ELSE start END, size, length(n), occurrence), -1) END;
-- Each match is looked up behind the one before: matches do not overlap.
CREATE OR REPLACE MACRO kql_regex_starts(w, r) AS
  list_reduce(list_concat([{'rest': w, 'at': []::BIGINT[], 'cut': 0::BIGINT}], list_transform(regexp_extract_all(w, r), lambda m:
      {'rest': m, 'at': []::BIGINT[], 'cut': 0::BIGINT})), lambda a, m:
    {'rest': substring(a['rest'], strpos(a['rest'], m['rest']) + length(m['rest'])),
     'at': list_append(a['at'], a['cut'] + strpos(a['rest'], m['rest']) - 1),
     'cut': a['cut'] + strpos(a['rest'], m['rest']) - 1 + length(m['rest'])})['at'];
CREATE OR REPLACE MACRO kql_indexof_regex(s, r, start := 0, size := -1, occurrence := 1) AS
  CASE WHEN start >= 0 AND occurrence > 0 AND size >= -1 THEN
    coalesce(kql_regex_starts(CASE WHEN size < 0 THEN substring(s, start + 1) ELSE substring(s, start + 1, size) END, r)[occurrence] + start, -1) END;
CREATE OR REPLACE MACRO kql_countof(s, n) AS len(kql_positions(s, n));
CREATE OR REPLACE MACRO kql_countof_regex(s, r) AS len(regexp_extract_all(s, r));

CREATE OR REPLACE MACRO kql_trim_start(r, s) AS regexp_replace(s, '^(?:' || r || ')', '');
CREATE OR REPLACE MACRO kql_trim_end(r, s) AS regexp_replace(s, '(?:' || r || ')$', '');
CREATE OR REPLACE MACRO kql_trim(r, s) AS kql_trim_end(r, kql_trim_start(r, s));
CREATE OR REPLACE MACRO kql_split_texts(s, d) AS CASE WHEN d = '' THEN [s] ELSE string_split(s, d) END;
CREATE OR REPLACE MACRO kql_split(s, d) AS to_json(kql_split_texts(s, d)),
  (s, d, i) AS CASE WHEN string_split(s, d)[least(i, 2147483647)::BIGINT + 1] IS NOT NULL AND i >= 0 THEN to_json([string_split(s, d)[least(i, 2147483647)::BIGINT + 1]]) END;
CREATE OR REPLACE MACRO kql_strcmp(a, b) AS CASE WHEN a = b THEN 0 WHEN a < b THEN -1 ELSE 1 END;
CREATE OR REPLACE MACRO kql_strrep(s, n) AS coalesce(repeat(s, least(greatest(n, 0), 1024)), ''),
  (s, n, d) AS coalesce(array_to_string(list_transform(range(0, CASE WHEN n > 1024 THEN 1024 ELSE n END), lambda i: s), d), '');
CREATE OR REPLACE MACRO kql_strrep_by(s, n, d) AS coalesce(kql_joined(list_transform(range(0, CASE WHEN n > 1024 THEN 1024 ELSE n END), lambda i: s), d), '');
CREATE OR REPLACE MACRO kql_translate(search, replacement, s) AS
  CASE WHEN replacement = '' THEN translate(s, search, '')
       ELSE translate(s, search, rpad(replacement, greatest(length(search), length(replacement))::INTEGER, right(replacement, 1))) END;
-- A lookup whose replacement is no text stays as it is, and what is found inside it too.
CREATE OR REPLACE MACRO kql_texts_or_null(x) AS
  list_transform(kql_elements(x), lambda e: CASE WHEN json_type(e) = 'VARCHAR' THEN json_extract_string(e, '$') END);
CREATE OR REPLACE MACRO kql_marked(s, lookups) AS
  list_reduce(list_concat([s], lookups), lambda a, n, i: CASE WHEN coalesce(n, '') = '' THEN a ELSE replace(a, n, chr(CAST(57342 + i AS INTEGER))) END);
CREATE OR REPLACE MACRO kql_replace_strings(s, lookups, rewrites) AS
  list_reduce(list_concat([kql_marked(s, lookups)], lookups), lambda a, n, i:
    replace(a, chr(CAST(57342 + i AS INTEGER)), coalesce(rewrites[i - 1], n, '')));
CREATE OR REPLACE MACRO kql_isascii(s) AS strlen(s) = length(s);
CREATE OR REPLACE MACRO kql_isutf8(s) AS true;

CREATE OR REPLACE MACRO kql_url_encode(s) AS
  array_to_string(list_transform(string_split(s, ''), lambda c:
    CASE WHEN c = ' ' THEN '+' WHEN length(url_encode(c)) = 1 THEN c ELSE lower(url_encode(c)) END), '');
CREATE OR REPLACE MACRO kql_url_encode_component(s) AS
  array_to_string(list_transform(string_split(s, ''), lambda c:
    CASE WHEN length(url_encode(c)) = 1 THEN c ELSE lower(url_encode(c)) END), '');
CREATE OR REPLACE MACRO kql_url_decode(s) AS coalesce(TRY(url_decode(replace(s, '+', ' '))), '');
CREATE OR REPLACE MACRO kql_base64_encode_tostring(s) AS base64(encode(s));
CREATE OR REPLACE MACRO kql_base64_decode_tostring(s) AS coalesce(TRY(decode(from_base64(s))), '');
CREATE OR REPLACE MACRO kql_base64_decode_toguid(s) AS
  TRY_CAST(kql_guid_bytes(hex(TRY(from_base64(s)))) AS UUID);
CREATE OR REPLACE MACRO kql_bytes_text(bytes) AS
  CASE WHEN len(list_filter(bytes, lambda b: b NOT BETWEEN 0 AND 255)) = 0
       THEN TRY(unhex(array_to_string(list_transform(bytes, lambda b: lpad(to_hex(b), 2, '0')), ''))) END;
CREATE OR REPLACE MACRO kql_octets(b) AS
  list_transform(range(0, octet_length(b)), lambda i: CAST('0x' || substring(hex(b), 2 * i + 1, 2) AS BIGINT));
CREATE OR REPLACE MACRO kql_base64_decode_toarray(s) AS to_json(kql_octets(TRY(from_base64(s))));
CREATE OR REPLACE MACRO kql_base64_encode_fromarray(a) AS
  coalesce(base64(kql_bytes_text(json_transform(a, '["BIGINT"]'))), '');
CREATE OR REPLACE MACRO kql_guid_bytes(h) AS
  h[7:8] || h[5:6] || h[3:4] || h[1:2] || h[11:12] || h[9:10] || h[15:16] || h[13:14] || h[17:32];
CREATE OR REPLACE MACRO kql_base64_encode_fromguid(g) AS coalesce(base64(unhex(kql_guid_bytes(replace(CAST(g AS VARCHAR), '-', '')))), '');
CREATE OR REPLACE MACRO kql_unicode_codepoints_from_string(s) AS
  to_json(CASE WHEN s = '' THEN [] ELSE list_transform(string_split(s, ''), lambda c: unicode(c)) END);
CREATE OR REPLACE MACRO kql_unicode_codepoints_to_string(points) AS
  coalesce(array_to_string(list_transform(points, lambda p:
    CASE WHEN p BETWEEN 1 AND 55295 OR p BETWEEN 57344 AND 1114111 THEN chr(CAST(p AS INTEGER)) ELSE '' END), ''), '');
CREATE OR REPLACE MACRO kql_bag_from_pairs(pairs) AS
  kql_bag_of_pairs(list_transform(pairs, lambda p: split_part(p, '=', 1)),
    list_transform(pairs, lambda p: to_json(CASE WHEN contains(p, '=') THEN substring(p, strpos(p, '=') + 1) ELSE '' END)));
-- A name that comes again keeps its last value.
CREATE OR REPLACE MACRO kql_bag_of_pairs(names, items) AS
  kql_bag_from(kql_unique(names), list_transform(kql_unique(names), lambda k: items[len(names) + 1 - list_position(list_reverse(names), k)]));

-- Addresses of the web.
CREATE OR REPLACE MACRO kql_query_parameters(q) AS
  CASE WHEN q = '' THEN '{}'::JSON ELSE
    coalesce(kql_bag_from_pairs(list_filter(string_split(q, '&'), lambda p: p <> '')), '{}'::JSON) END;
CREATE OR REPLACE MACRO kql_parse_urlquery(q) AS
  json_object('Query Parameters', kql_query_parameters(regexp_replace(q, '^\?', '')));
CREATE OR REPLACE MACRO kql_url_parts(m) AS
  CASE WHEN m.scheme = '' THEN json_object('Scheme', '', 'Host', '', 'Port', '', 'Path', '', 'Username', '', 'Password', '', 'Query Parameters', '{}'::JSON, 'Fragment', '')
       ELSE json_object('Scheme', m.scheme, 'Host', m.host, 'Port', m.port, 'Path', m.path, 'Username', m.user_name,
         'Password', m.password, 'Query Parameters', kql_query_parameters(m.query), 'Fragment', m.fragment) END;
CREATE OR REPLACE MACRO kql_parse_url(u) AS
  kql_url_parts(regexp_extract(u,
    '^\s*([a-zA-Z][-+.a-zA-Z0-9]*):(?://)?(?:([^:@/?#]*)(?::([^@/?#]*))?@)?(\[[^\]]*\]|[^:/?#]*)(?::([0-9]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$',
    ['scheme', 'user_name', 'password', 'host', 'port', 'path', 'query', 'fragment']));
CREATE OR REPLACE MACRO kql_path_parts(m, p) AS
  json_object('Scheme', m.scheme, 'RootPath', m.root, 'DirectoryPath', rtrim(regexp_replace(regexp_replace(p, '^[a-z]+://', ''), '[^\\/]*$', ''), '\/'),
    'DirectoryName', regexp_extract(p, '([^\\/]+)[\\/][^\\/]*$', 1), 'Filename', regexp_extract(m.leaf, '^[^:]*'),
    'Extension', regexp_extract(regexp_extract(m.leaf, '^[^:]*'), '\.([^.]*)$', 1), 'AlternateDataStreamName', regexp_extract(m.leaf, ':(.*)$', 1));
CREATE OR REPLACE MACRO kql_parse_path(p) AS
  kql_path_parts(regexp_extract(p, '^(?:([a-z]+)://)?([A-Za-z]:|\\\\[^\\/]+|/)?(?:.*[\\/])?([^\\/]*)$', ['scheme', 'root', 'leaf']), p);
CREATE OR REPLACE MACRO kql_parse_version(s) AS
  CASE WHEN regexp_full_match(s, '\d{1,8}(\.\d{1,8}){0,3}')
       THEN array_to_string(list_transform(range(1, 5), lambda i: lpad(coalesce(nullif(split_part(s, '.', i), ''), '0'), 8, '0')), '') END;
CREATE OR REPLACE MACRO kql_parse_csv(s) AS
  to_json(list_transform(regexp_extract_all(regexp_extract(s, '^(?:[^"\r\n]|"(?:[^"]|"")*")*') || ',', '("(?:[^"]|"")*"|[^,]*),', 1), lambda f:
    CASE WHEN starts_with(f, '"') THEN replace(f[2:-2], '""', '"') ELSE f END));
CREATE OR REPLACE MACRO kql_parse_command_line(s) AS
  CASE WHEN trim(s) <> '' THEN to_json(list_transform(
    regexp_extract_all(s, '(?:\\+"|"(?:\\.|""|[^"\\])*(?:"|$)|[^\s"\\]|\\+)+'), lambda a:
    replace(replace(replace(a, '\"', chr(57344)), '"', ''), chr(57344), '"'))) END;
CREATE OR REPLACE MACRO kql_matches(found) AS CASE WHEN len(found) > 0 THEN to_json(found) END;
CREATE OR REPLACE MACRO kql_match_groups(found) AS
  CASE WHEN len(found[1]) > 0 THEN
    to_json(list_transform(range(1, len(found[1]) + 1), lambda i: list_transform(found, lambda g: g[i]))) END;
CREATE OR REPLACE MACRO kql_byte_unit(size) AS
  CASE WHEN abs(size) >= 1152921504606846976 THEN 'EB' WHEN abs(size) >= 1125899906842624 THEN 'PB' WHEN abs(size) >= 1099511627776 THEN 'TB'
       WHEN abs(size) >= 1073741824 THEN 'GB' WHEN abs(size) >= 1048576 THEN 'MB' WHEN abs(size) >= 1024 THEN 'KB' ELSE 'Bytes' END;
CREATE OR REPLACE MACRO kql_in_unit(size, digits, unit) AS
  regexp_replace(CAST(round(size / pow(1024, CASE unit WHEN 'KB' THEN 1 WHEN 'MB' THEN 2 WHEN 'GB' THEN 3 WHEN 'TB' THEN 4 WHEN 'PB' THEN 5 WHEN 'EB' THEN 6 ELSE 0 END),
    CAST(digits AS INTEGER)) AS VARCHAR), '\.0$', '') || ' ' || unit;
CREATE OR REPLACE MACRO kql_format_bytes(size, digits, unit) AS
  coalesce(kql_in_unit(size, digits, CASE unit WHEN '' THEN kql_byte_unit(size) ELSE unit END), '');
