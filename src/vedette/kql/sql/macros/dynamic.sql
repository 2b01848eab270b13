-- Dynamic values are JSON text. SQL NULL stands for both the missing value and JSON null at the top;
-- inside arrays and bags JSON null stays. datetime and timespan inside are KQL text; real NaN is the string "NaN".

CREATE OR REPLACE MACRO kql_item(x) AS json_transform(x, '"JSON"');
-- The engine's JSON also has NaN, infinities and commas behind the last element: looked for outside of texts where
-- there are signs of them.
CREATE OR REPLACE MACRO kql_is_lax_json(s) AS
  regexp_matches(s, ',\s*[\]}]|(?:^|[\[:,])\s*-?(?:[nN][aA][nN]|[iI][nN][fF])');
CREATE OR REPLACE MACRO kql_is_json(s) AS
  json_valid(s) AND (NOT kql_is_lax_json(s) OR NOT kql_is_lax_json(regexp_replace(s, '"(?:[^"\\]|\\.)*"', '""', 'g')));
CREATE OR REPLACE MACRO kql_parse_json(s) AS
  CASE WHEN s = '' THEN NULL WHEN kql_is_json(s) THEN kql_item(TRY(json(s))) ELSE to_json(s) END;
-- The empty name has no path in `$` notation: it is written as a pointer.
CREATE OR REPLACE MACRO kql_key_path(k) AS CASE WHEN k = '' THEN '/' ELSE '$."' || replace(replace(k, '\', '\\'), '"', '\"') || '"' END;
CREATE OR REPLACE MACRO kql_property(x, k) AS
  kql_item(TRY(json_extract(x, kql_key_path(k))));
CREATE OR REPLACE MACRO kql_element(x, i) AS kql_item(TRY(json_extract(x, '$[' || i || ']')));
CREATE OR REPLACE MACRO kql_elements(x) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN json_transform(x, '["JSON"]') END;
CREATE OR REPLACE MACRO kql_strings(x) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN list_transform(json_transform(x, '["VARCHAR"]'), lambda v: coalesce(v, ''))
       WHEN x IS NOT NULL THEN [coalesce(json_extract_string(x, '$'), '')] END;
CREATE OR REPLACE MACRO kql_strings_lower(x) AS list_transform(kql_strings(x), lambda s: lower(s));
CREATE OR REPLACE MACRO kql_array(l) AS to_json(l);
CREATE OR REPLACE MACRO kql_unique(l) AS list_filter(l, lambda e, i: list_position(l, e) = i);
CREATE OR REPLACE MACRO kql_bag_item(x, k) AS json_extract(x, kql_key_path(k));
CREATE OR REPLACE MACRO kql_bag_from(keys, items) AS
  CASE WHEN len(keys) = 0 THEN '{}'::JSON
       ELSE ('{' || array_to_string(list_transform(keys, lambda k, i: CAST(to_json(k) AS VARCHAR) || ':' || coalesce(CAST(items[i] AS VARCHAR), 'null')), ',') || '}')::JSON END;

CREATE OR REPLACE MACRO kql_embed_plain(x) AS to_json(x);
CREATE OR REPLACE MACRO kql_embed_real(x) AS
  CASE WHEN isfinite(x) THEN to_json(x) WHEN x IS NOT NULL THEN to_json(kql_tostring_real(x)) END;
CREATE OR REPLACE MACRO kql_embed_datetime(x) AS CASE WHEN x IS NOT NULL THEN to_json(kql_tostring_datetime(x)) END;
CREATE OR REPLACE MACRO kql_embed_timespan(x) AS CASE WHEN x IS NOT NULL THEN to_json(kql_tostring_timespan(x)) END;
CREATE OR REPLACE MACRO kql_embed_text(x) AS CASE WHEN x IS NOT NULL THEN to_json(CAST(x AS VARCHAR)) END;

-- A list of one element binds a value that is expensive to compute and needed several times.
CREATE OR REPLACE MACRO kql_tolong_item(v) AS
  CASE json_type(v) WHEN 'UBIGINT' THEN TRY_CAST(v AS BIGINT) WHEN 'BIGINT' THEN TRY_CAST(v AS BIGINT)
                    WHEN 'DOUBLE' THEN kql_tolong_real(TRY_CAST(v AS DOUBLE))
                    WHEN 'BOOLEAN' THEN CASE CAST(v AS VARCHAR) WHEN 'true' THEN 1 ELSE 0 END
                    WHEN 'VARCHAR' THEN kql_tolong_string(json_extract_string(v, '$')) END;
CREATE OR REPLACE MACRO kql_tolong_dynamic(x) AS list_transform([x], lambda v: kql_tolong_item(v))[1];
CREATE OR REPLACE MACRO kql_toint_dynamic(x) AS
  list_transform([x], lambda v: CASE json_type(v) WHEN 'VARCHAR' THEN kql_toint_string(json_extract_string(v, '$'))
    ELSE kql_toint_long(kql_tolong_item(v)) END)[1];
CREATE OR REPLACE MACRO kql_todouble_dynamic(x) AS
  list_transform([x], lambda v: CASE json_type(v) WHEN 'BOOLEAN' THEN CASE CAST(v AS VARCHAR) WHEN 'true' THEN 1.0::DOUBLE ELSE 0.0::DOUBLE END
    WHEN 'VARCHAR' THEN kql_todouble_string(json_extract_string(v, '$')) ELSE TRY_CAST(v AS DOUBLE) END)[1];
CREATE OR REPLACE MACRO kql_tobool_dynamic(x) AS
  list_transform([x], lambda v: CASE json_type(v) WHEN 'DOUBLE' THEN TRY_CAST(v AS DOUBLE) <> 0
    ELSE kql_tobool_string(json_extract_string(v, '$')) END)[1];
CREATE OR REPLACE MACRO kql_array_datetimes(x) AS
  list_transform(json_transform(x, '["VARCHAR"]'), lambda v: kql_todatetime_string(v));

CREATE OR REPLACE MACRO kql_gettype_dynamic(x) AS
  CASE json_type(x) WHEN 'ARRAY' THEN 'array' WHEN 'OBJECT' THEN 'dictionary' WHEN 'VARCHAR' THEN 'string'
    WHEN 'BOOLEAN' THEN 'bool' WHEN 'UBIGINT' THEN 'long' WHEN 'BIGINT' THEN 'long' WHEN 'DOUBLE' THEN 'real' ELSE 'null' END;

CREATE OR REPLACE MACRO kql_array_length(x) AS CASE WHEN json_type(x) = 'ARRAY' THEN CAST(json_array_length(x) AS BIGINT) END;
CREATE OR REPLACE MACRO kql_array_reverse(x) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN to_json(list_reverse(kql_elements(x))) ELSE x END;
CREATE OR REPLACE MACRO kql_array_sum(x) AS 
  CASE WHEN json_type(x) = 'ARRAY' AND len(list_filter(kql_elements(x), lambda e: e IS NOT NULL AND kql_series_real(e) IS NULL)) = 0
       THEN kql_series_sum(x) END;
CREATE OR REPLACE MACRO kql_bound(i, n) AS CASE WHEN i < 0 THEN n + i ELSE i END;
CREATE OR REPLACE MACRO kql_array_slice(x, a, b) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN to_json(list_filter(kql_elements(x), lambda e, i:
    i - 1 >= kql_bound(a, json_array_length(x)::BIGINT) AND i - 1 <= kql_bound(b, json_array_length(x)::BIGINT))) END;
CREATE OR REPLACE MACRO kql_array_rotate_left(x, n) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN CASE WHEN json_array_length(x) = 0 THEN x ELSE
    to_json(list_transform(kql_elements(x), lambda e, i: kql_elements(x)[kql_modulo(i - 1 + n, json_array_length(x)::BIGINT) + 1])) END END;
CREATE OR REPLACE MACRO kql_array_rotate_right(x, n) AS kql_array_rotate_left(x, -n);
-- Places without an element are null, in arrays of text the empty text.
CREATE OR REPLACE MACRO kql_array_filler(x) AS
  CASE WHEN list_bool_and(list_transform(kql_elements(x), lambda e: json_type(e) = 'VARCHAR')) THEN '""'::JSON END;
CREATE OR REPLACE MACRO kql_array_shift_left(x, n) AS kql_array_shifted(x, n, kql_array_filler(x)),
  (x, n, filler) AS kql_array_shifted(x, n, filler);
CREATE OR REPLACE MACRO kql_array_shifted(x, n, filler) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN to_json(list_transform(kql_elements(x), lambda e, i:
    CASE WHEN i + n BETWEEN 1 AND json_array_length(x)::BIGINT THEN kql_elements(x)[i + n] ELSE filler END)) END;
CREATE OR REPLACE MACRO kql_array_shift_right(x, n) AS kql_array_shifted(x, -n, kql_array_filler(x)),
  (x, n, filler) AS kql_array_shifted(x, -n, filler);
CREATE OR REPLACE MACRO kql_array_cuts(x, indices) AS
  list_transform(indices, lambda i: greatest(least(kql_bound(i, json_array_length(x)::BIGINT), json_array_length(x)::BIGINT), 0));
CREATE OR REPLACE MACRO kql_array_split_at(x, cuts) AS
  to_json(list_transform(range(1, len(cuts) + 2), lambda c: list_filter(kql_elements(x), lambda e, i:
    i - 1 >= CASE WHEN c = 1 THEN 0 ELSE cuts[c - 1] END AND (c > len(cuts) OR i - 1 < cuts[c]))));
CREATE OR REPLACE MACRO kql_array_split(x, indices) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN kql_array_split_at(x, kql_array_cuts(x, json_transform(
    CASE WHEN json_type(indices) = 'ARRAY' THEN indices ELSE to_json([indices]) END, '["BIGINT"]'))) END;
CREATE OR REPLACE MACRO kql_array_index_of(x, v, start := 0, size := -1, occurrence := 1) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN coalesce(list_filter(range(0, json_array_length(x)::BIGINT), lambda i:
    i >= kql_bound(start, json_array_length(x)::BIGINT) AND (size < 0 OR i < kql_bound(start, json_array_length(x)::BIGINT) + size)
    AND kql_elements(x)[i + 1] = v)[occurrence], -1) END;
CREATE OR REPLACE MACRO kql_array_iff(c, a, b) AS
  CASE WHEN json_type(c) = 'ARRAY' THEN to_json(list_transform(kql_elements(c), lambda t, i:
    CASE kql_tobool_dynamic(t) WHEN true THEN CASE WHEN json_type(a) = 'ARRAY' THEN kql_elements(a)[i] ELSE a END
         WHEN false THEN CASE WHEN json_type(b) = 'ARRAY' THEN kql_elements(b)[i] ELSE b END END)) END;
CREATE OR REPLACE MACRO kql_strcat_array(x, d) AS
  coalesce(array_to_string(list_transform(json_transform(x, '["VARCHAR"]'), lambda v: coalesce(v, '')), d), '');
-- The engine joins only with a constant between: with one of each row the parts are added up.
CREATE OR REPLACE MACRO kql_joined(parts, d) AS
  CASE WHEN len(parts) > 0 THEN list_reduce(parts, lambda a, b: a || d || b) ELSE '' END;
CREATE OR REPLACE MACRO kql_strcat_array_by(x, d) AS
  coalesce(kql_joined(list_transform(json_transform(x, '["VARCHAR"]'), lambda v: coalesce(v, '')), d), '');
CREATE OR REPLACE MACRO kql_sortable(e) AS
  {'n': TRY_CAST(CASE WHEN json_type(e) IN ('UBIGINT', 'BIGINT', 'DOUBLE') THEN json_extract_string(e, '$') END AS DOUBLE), 't': json_extract_string(e, '$'), 'e': e};
CREATE OR REPLACE MACRO kql_sorted(x, direction) AS
  list_concat(list_transform(list_sort(list_transform(list_filter(kql_elements(x), lambda e: e IS NOT NULL), lambda e: kql_sortable(e)), direction), lambda s: s.e),
              list_filter(kql_elements(x), lambda e: e IS NULL));
CREATE OR REPLACE MACRO kql_array_sort_asc(x) AS CASE WHEN json_type(x) = 'ARRAY' THEN to_json(kql_sorted(x, 'ASC')) END,
  (x, nulls_last) AS CASE WHEN json_type(x) = 'ARRAY' THEN to_json(CASE WHEN nulls_last THEN kql_sorted(x, 'ASC') ELSE kql_nulls_first(kql_sorted(x, 'ASC')) END) END;
CREATE OR REPLACE MACRO kql_array_sort_desc(x) AS CASE WHEN json_type(x) = 'ARRAY' THEN to_json(kql_sorted(x, 'DESC')) END,
  (x, nulls_last) AS CASE WHEN json_type(x) = 'ARRAY' THEN to_json(CASE WHEN nulls_last THEN kql_sorted(x, 'DESC') ELSE kql_nulls_first(kql_sorted(x, 'DESC')) END) END;
CREATE OR REPLACE MACRO kql_nulls_first(l) AS list_concat(list_filter(l, lambda e: e IS NULL), list_filter(l, lambda e: e IS NOT NULL));

CREATE OR REPLACE MACRO kql_bag_keys(x) AS
  CASE WHEN json_type(x) = 'OBJECT' THEN to_json(json_keys(x)) END;
CREATE OR REPLACE MACRO kql_bag_has_key(x, k) AS
  CASE WHEN json_type(x) = 'OBJECT' THEN CASE WHEN starts_with(k, '$.') OR starts_with(k, '$[') THEN coalesce(TRY(json_exists(x, kql_json_path(k))), false)
    ELSE list_contains(json_keys(x), k) END END;
CREATE OR REPLACE MACRO kql_json_path(k) AS replace(replace(k, '[''', '."'), ''']', '"');
CREATE OR REPLACE MACRO kql_bag_remove_keys(x, keys) AS
  CASE WHEN json_type(x) = 'OBJECT' THEN kql_bag_kept(x, list_filter(json_keys(x), lambda k: NOT list_contains(kql_strings(keys), k))) END;
CREATE OR REPLACE MACRO kql_bag_kept(x, keys) AS kql_bag_from(keys, list_transform(keys, lambda k: kql_bag_item(x, k)));
CREATE OR REPLACE MACRO kql_bag_merge_pair(a, b) AS
  CASE WHEN json_type(a) = 'OBJECT' AND json_type(b) = 'OBJECT'
       THEN kql_bag_from(list_concat(json_keys(a), list_filter(json_keys(b), lambda k: NOT list_contains(json_keys(a), k))),
              list_concat(list_transform(json_keys(a), lambda k: kql_bag_item(a, k)),
                          list_transform(list_filter(json_keys(b), lambda k: NOT list_contains(json_keys(a), k)), lambda k: kql_bag_item(b, k))))
       WHEN json_type(a) = 'OBJECT' THEN a WHEN json_type(b) = 'OBJECT' THEN b END;
-- The bags are bound first: a pair names each of them six times and more, and merges are nested.
CREATE OR REPLACE MACRO kql_bag_merge_two(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda p: kql_bag_merge_pair(p.a, p.b))[1];
CREATE OR REPLACE MACRO kql_bag_merge_list(bags) AS
  list_reduce(list_concat([NULL::JSON], bags), lambda a, b: kql_bag_merge_pair(a, b));
CREATE OR REPLACE MACRO kql_bag_set_key(x, k, v) AS kql_bag_merge_two(kql_bag_from([k], [v]), x);
CREATE OR REPLACE MACRO kql_text_elements(x) AS
  list_transform(list_filter(kql_elements(x), lambda e: json_type(e) = 'VARCHAR'), lambda e: json_extract_string(e, '$'));
CREATE OR REPLACE MACRO kql_bag_zip(keys, items) AS
  CASE WHEN json_type(keys) = 'ARRAY'
       THEN kql_bag_from(kql_unique(kql_text_elements(keys)), list_transform(kql_unique(kql_text_elements(keys)), lambda k:
         CASE WHEN json_type(items) = 'ARRAY' THEN kql_elements(items)[list_position(kql_strings(keys), k)] END)) END;

CREATE OR REPLACE MACRO kql_set_union_two(a, b) AS
  CASE WHEN json_type(a) = 'ARRAY' AND json_type(b) = 'ARRAY' THEN to_json(kql_unique(list_concat(kql_elements(a), kql_elements(b)))) END;
CREATE OR REPLACE MACRO kql_set_intersect_two(a, b) AS
  CASE WHEN json_type(a) = 'ARRAY' AND json_type(b) = 'ARRAY'
       THEN to_json(list_filter(kql_unique(kql_elements(a)), lambda e: list_contains(kql_elements(b), e))) END;
CREATE OR REPLACE MACRO kql_set_difference_two(a, b) AS
  CASE WHEN json_type(a) = 'ARRAY' AND json_type(b) = 'ARRAY'
       THEN to_json(list_filter(kql_unique(kql_elements(a)), lambda e: NOT list_contains(kql_elements(b), e))) END;
CREATE OR REPLACE MACRO kql_set_has_element(x, v) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN list_contains(kql_elements(x), v) ELSE false END;
CREATE OR REPLACE MACRO kql_set_equals(a, b) AS
  CASE WHEN json_type(a) = 'ARRAY' AND json_type(b) = 'ARRAY' THEN
    json_array_length(kql_set_difference_two(a, b)) = 0 AND json_array_length(kql_set_difference_two(b, a)) = 0 END;
CREATE OR REPLACE MACRO kql_jaccard_index(a, b) AS kql_embed_real(kql_jaccard(a, b));
CREATE OR REPLACE MACRO kql_jaccard(a, b) AS
  CASE WHEN json_array_length(kql_set_union_two(a, b)) > 0 THEN
    CAST(json_array_length(kql_set_intersect_two(a, b)) AS DOUBLE) / json_array_length(kql_set_union_two(a, b))
    WHEN json_type(a) = 'ARRAY' AND json_type(b) = 'ARRAY' THEN 'nan'::DOUBLE END;
CREATE OR REPLACE MACRO kql_repeat(v, n) AS
  CASE WHEN n >= 0 THEN to_json(list_transform(range(0, CASE WHEN n > 1048576 THEN 1048576 ELSE n END), lambda i: v)) END;
CREATE OR REPLACE MACRO kql_untexted(x) AS CASE WHEN json_type(x) <> 'VARCHAR' THEN x END;
CREATE OR REPLACE MACRO kql_expanded_item(x, kind) AS
  CASE WHEN x IS NULL OR CAST(x AS VARCHAR) = 'null' THEN [NULL::JSON]
       WHEN json_type(x) = 'ARRAY' THEN json_transform(x, '["JSON"]')
       WHEN json_type(x) = 'OBJECT' THEN list_transform(json_keys(x), lambda k:
         CASE WHEN kind = 'array' THEN json_array(k, kql_bag_item(x, k)) ELSE kql_bag_from([k], [kql_bag_item(x, k)]) END)
       ELSE [x::JSON] END;
CREATE OR REPLACE MACRO kql_expanded(x, kind) AS list_transform([x], lambda v: kql_expanded_item(v, kind))[1];
CREATE OR REPLACE MACRO kql_access(x, k) AS
  CASE WHEN json_type(k) = 'VARCHAR' THEN kql_property(x, json_extract_string(k, '$')) ELSE kql_element(x, CAST(k AS VARCHAR)) END;
CREATE OR REPLACE MACRO kql_tostring_parsed(s) AS
  CASE WHEN s = '' THEN '' WHEN kql_is_json(s) THEN coalesce(TRY(json_extract_string(s, '$')), '') ELSE s END;
CREATE OR REPLACE MACRO kql_range(a, b, step) AS
  generate_series(a::BIGINT, (CASE WHEN b IS NULL THEN NULL WHEN step > 0 THEN least(b, a + 1048575::HUGEINT * step) ELSE greatest(b, a + 1048575::HUGEINT * step) END)::BIGINT, nullif(step, 0)::BIGINT);
CREATE OR REPLACE MACRO kql_range_real(a, b, step) AS
  CASE WHEN isfinite(a) AND NOT isnan(b) AND isfinite(step) AND step <> 0 THEN
    list_transform(range(0, TRY_CAST(least(1048575, coalesce(floor((b - a) / nullif(step, 0) + 1e-9), 0)) AS BIGINT) + 1), lambda i: (a + i * step)::DOUBLE) END;
CREATE OR REPLACE MACRO kql_texts_of_datetimes(l) AS list_transform(l, lambda t: kql_tostring_datetime(t));
CREATE OR REPLACE MACRO kql_texts_of_timespans(l) AS list_transform(l, lambda t: kql_tostring_timespan(t));
CREATE OR REPLACE MACRO kql_elements_or_empty(x) AS coalesce(kql_elements(x), []::JSON[]);
CREATE OR REPLACE MACRO kql_zip(arrays) AS
  to_json(list_transform(range(1, list_max(list_transform(arrays, lambda a: coalesce(json_array_length(a), 0)::BIGINT)) + 1), lambda i:
    list_transform(arrays, lambda a: kql_elements(a)[i])));
CREATE OR REPLACE MACRO kql_by_rows(arrays, places) AS
  to_json(list_transform(arrays, lambda a, k: CASE WHEN json_array_length(a) = json_array_length(arrays[1])
    THEN to_json(list_transform(places, lambda p: kql_elements(a)[p])) END));
CREATE OR REPLACE MACRO kql_null_places(x) AS
  list_filter(range(1, json_array_length(x)::BIGINT + 1), lambda i: kql_elements(x)[i] IS NULL);
CREATE OR REPLACE MACRO kql_keyed_places(x) AS
  list_transform(list_filter(range(1, json_array_length(x)::BIGINT + 1), lambda i: kql_elements(x)[i] IS NOT NULL), lambda i:
    {'key': kql_sortable(kql_elements(x)[i]), 'at': i});
CREATE OR REPLACE MACRO kql_order_of(x, ascending, nulls_last) AS
  list_concat(
    CASE WHEN nulls_last THEN [] ELSE kql_null_places(x) END,
    list_transform(CASE WHEN ascending THEN list_sort(kql_keyed_places(x), 'ASC') ELSE list_sort(kql_keyed_places(x), 'DESC') END, lambda s: s.at),
    CASE WHEN nulls_last THEN kql_null_places(x) ELSE [] END);
CREATE OR REPLACE MACRO kql_array_sort_asc_many(arrays, nulls_last) AS kql_by_rows(arrays, kql_order_of(arrays[1], true, nulls_last));
CREATE OR REPLACE MACRO kql_array_sort_desc_many(arrays, nulls_last) AS kql_by_rows(arrays, kql_order_of(arrays[1], false, nulls_last));
CREATE OR REPLACE MACRO kql_bag_patched(x, patch) AS CASE WHEN json_type(x) = 'OBJECT' THEN json_merge_patch(x, patch) END;
CREATE OR REPLACE MACRO kql_bag_of_present(keys, items) AS
  kql_bag_from(list_filter(keys, lambda k, i: items[i] IS NOT NULL), list_filter(items, lambda v: v IS NOT NULL));
CREATE OR REPLACE MACRO kql_kv_bag(keys, items) AS
  kql_bag_from(kql_unique(list_transform(keys, lambda k: trim(k))),
    list_transform(kql_unique(list_transform(keys, lambda k: trim(k))), lambda k:
      to_json(trim(items[list_position(list_transform(keys, lambda o: trim(o)), k)]))));
CREATE OR REPLACE MACRO kql_kv_of_tokens(tokens) AS
  kql_kv_bag(tokens[1:-2], tokens[2:]);
CREATE OR REPLACE MACRO kql_before_last(s, d) AS
  CASE WHEN contains(s, d) THEN left(s, length(s) - strpos(reverse(s), reverse(d)) - length(d) + 1) ELSE '' END;
CREATE OR REPLACE MACRO kql_after_last(s, d) AS
  CASE WHEN contains(s, d) THEN right(s, strpos(reverse(s), reverse(d)) - 1) ELSE s END;
CREATE OR REPLACE MACRO kql_kv_greedy(s, pair, kv) AS
  kql_kv_bag(
    list_transform(string_split(s, kv)[1:-2], lambda p: kql_after_last(p, pair)),
    list_transform(string_split(s, kv)[2:], lambda p, i: CASE WHEN i = len(string_split(s, kv)) - 1 THEN p ELSE kql_before_last(p, pair) END));
CREATE OR REPLACE MACRO kql_unquoted(texts, opening, closing, escape) AS
  list_transform(texts, lambda t: CASE WHEN length(t) >= 2 AND starts_with(t, opening) AND suffix(t, closing)
    THEN CASE WHEN escape = '' THEN t[2:-2] ELSE replace(replace(t[2:-2], escape || escape, chr(57344)), escape, '').replace(chr(57344), escape) END
    ELSE t END);
