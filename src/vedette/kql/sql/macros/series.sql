-- Series: arrays of numbers inside dynamic values. What is no number, or has no partner, is null in the result.
-- Arrays of whole numbers give whole numbers where the operation has them. Arguments that are used more than once
-- are bound by a list of one, so that nested calls do not multiply.

CREATE OR REPLACE MACRO kql_series_text_real(s) AS
  CASE WHEN regexp_matches(s, '^-?(?i:nan|inf|infinity)$') THEN TRY_CAST(s AS DOUBLE)
       WHEN regexp_matches(s, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T') THEN CAST(kql_todatetime_string(s) AS DOUBLE) END;
CREATE OR REPLACE MACRO kql_series_real(e) AS
  CASE json_type(e) WHEN 'VARCHAR' THEN kql_series_text_real(json_extract_string(e, '$'))
    WHEN 'DOUBLE' THEN CAST(e AS DOUBLE) WHEN 'BIGINT' THEN CAST(e AS DOUBLE) WHEN 'UBIGINT' THEN CAST(e AS DOUBLE) END;
CREATE OR REPLACE MACRO kql_series_reals(x) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN
    CASE WHEN regexp_matches(CAST(x AS VARCHAR), '["tf{]|.\[')
         THEN list_transform(json_transform(x, '["JSON"]'), lambda e: kql_series_real(e))
         ELSE json_transform(x, '["DOUBLE"]') END END;
CREATE OR REPLACE MACRO kql_series_whole(x) AS NOT regexp_matches(CAST(x AS VARCHAR), '[.eE"tf{]|[0-9]{20}|.\[');
CREATE OR REPLACE MACRO kql_series_longs(x) AS json_transform(x, '["BIGINT"]');
CREATE OR REPLACE MACRO kql_series_json(l) AS
  CASE WHEN list_bool_and(list_transform(l, lambda v: coalesce(isfinite(v), true))) = false
       THEN to_json(list_transform(l, lambda v: kql_embed_real(v))) ELSE to_json(l) END;

-- Two series of equal length: a number instead of a series stands for a series of it.
CREATE OR REPLACE MACRO kql_series_beside(x, other) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN kql_series_reals(x)
       ELSE list_transform(kql_series_reals(other), lambda v: kql_series_real(x)) END;
CREATE OR REPLACE MACRO kql_series_longs_beside(x, other) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN kql_series_longs(x)
       ELSE list_transform(kql_series_longs(other), lambda v: CAST(x AS BIGINT)) END;
CREATE OR REPLACE MACRO kql_series_fits(x) AS json_type(x) IN ('ARRAY', 'BIGINT', 'UBIGINT', 'DOUBLE');
CREATE OR REPLACE MACRO kql_series_pairs(a, b) AS
  CASE WHEN kql_series_fits(a) AND kql_series_fits(b) AND 'ARRAY' IN (json_type(a), json_type(b))
       THEN list_zip(kql_series_beside(a, b), kql_series_beside(b, a)) END;
CREATE OR REPLACE MACRO kql_series_long_pairs(a, b) AS
  CASE WHEN 'ARRAY' IN (json_type(a), json_type(b)) THEN list_zip(kql_series_longs_beside(a, b), kql_series_longs_beside(b, a)) END;

CREATE OR REPLACE MACRO kql_series_add(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s: CASE WHEN kql_series_whole(s.a) AND kql_series_whole(s.b)
    THEN to_json(list_transform(kql_series_long_pairs(s.a, s.b), lambda p: kql_wrap(CAST(p[1] AS HUGEINT) + p[2])))
    ELSE kql_series_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] + p[2])) END)[1];
CREATE OR REPLACE MACRO kql_series_subtract(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s: CASE WHEN kql_series_whole(s.a) AND kql_series_whole(s.b)
    THEN to_json(list_transform(kql_series_long_pairs(s.a, s.b), lambda p: kql_wrap(CAST(p[1] AS HUGEINT) - p[2])))
    ELSE kql_series_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] - p[2])) END)[1];
CREATE OR REPLACE MACRO kql_series_multiply(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s: CASE WHEN kql_series_whole(s.a) AND kql_series_whole(s.b)
    THEN to_json(list_transform(kql_series_long_pairs(s.a, s.b), lambda p: kql_wrap(CAST(p[1] AS HUGEINT) * p[2])))
    ELSE kql_series_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] * p[2])) END)[1];
CREATE OR REPLACE MACRO kql_series_divide(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s:
    kql_series_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] / p[2])))[1];
CREATE OR REPLACE MACRO kql_series_pow(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s:
    kql_series_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: kql_pow(p[1], p[2]))))[1];
CREATE OR REPLACE MACRO kql_series_greater(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s:
    to_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] > p[2] AND NOT isnan(p[1]))))[1];
CREATE OR REPLACE MACRO kql_series_greater_equals(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s:
    to_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] >= p[2] AND NOT isnan(p[1]))))[1];
CREATE OR REPLACE MACRO kql_series_less(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s:
    to_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] < p[2] AND NOT isnan(p[2]))))[1];
CREATE OR REPLACE MACRO kql_series_less_equals(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s:
    to_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] <= p[2] AND NOT isnan(p[2]))))[1];
CREATE OR REPLACE MACRO kql_series_equals(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s:
    to_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] = p[2] AND NOT isnan(p[1]))))[1];
CREATE OR REPLACE MACRO kql_series_not_equals(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s:
    to_json(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] <> p[2] OR isnan(p[1]))))[1];

CREATE OR REPLACE MACRO kql_series_abs(x) AS
  list_transform([x], lambda s: CASE WHEN kql_series_whole(s) AND json_type(s) = 'ARRAY'
    THEN to_json(list_transform(kql_series_longs(s), lambda v: kql_wrap(abs(CAST(v AS HUGEINT)))))
    ELSE kql_series_json(list_transform(kql_series_reals(s), lambda v: abs(v))) END)[1];
CREATE OR REPLACE MACRO kql_series_sign(x) AS
  list_transform([x], lambda s:
    to_json(list_transform(kql_series_reals(s), lambda v: CASE WHEN NOT isnan(v) THEN CAST(sign(v) AS BIGINT) END)))[1];
CREATE OR REPLACE MACRO kql_series_ceiling(x) AS
  list_transform([x], lambda s: kql_series_json(list_transform(kql_series_reals(s), lambda v: ceil(v))))[1];
CREATE OR REPLACE MACRO kql_series_floor(x) AS
  list_transform([x], lambda s: kql_series_json(list_transform(kql_series_reals(s), lambda v: floor(v))))[1];
CREATE OR REPLACE MACRO kql_series_exp(x) AS
  list_transform([x], lambda s: kql_series_json(list_transform(kql_series_reals(s), lambda v: exp(v))))[1];
CREATE OR REPLACE MACRO kql_series_log(x) AS
  list_transform([x], lambda s: kql_series_json(list_transform(kql_series_reals(s), lambda v: kql_log(v))))[1];
CREATE OR REPLACE MACRO kql_series_sin(x) AS
  list_transform([x], lambda s: kql_series_json(list_transform(kql_series_reals(s), lambda v: kql_sin(v))))[1];
CREATE OR REPLACE MACRO kql_series_cos(x) AS
  list_transform([x], lambda s: kql_series_json(list_transform(kql_series_reals(s), lambda v: kql_cos(v))))[1];
CREATE OR REPLACE MACRO kql_series_tan(x) AS
  list_transform([x], lambda s: kql_series_json(list_transform(kql_series_reals(s), lambda v: kql_tan(v))))[1];
CREATE OR REPLACE MACRO kql_series_asin(x) AS
  list_transform([x], lambda s: kql_series_json(list_transform(kql_series_reals(s), lambda v: kql_asin(v))))[1];
CREATE OR REPLACE MACRO kql_series_acos(x) AS
  list_transform([x], lambda s: kql_series_json(list_transform(kql_series_reals(s), lambda v: kql_acos(v))))[1];
CREATE OR REPLACE MACRO kql_series_atan(x) AS
  list_transform([x], lambda s: kql_series_json(list_transform(kql_series_reals(s), lambda v: atan(v))))[1];

CREATE OR REPLACE MACRO kql_series_sum(x) AS list_transform([x], lambda s: list_sum(kql_series_reals(s)))[1];
CREATE OR REPLACE MACRO kql_series_product(x) AS list_transform([x], lambda s: list_product(kql_series_reals(s)))[1];
CREATE OR REPLACE MACRO kql_series_dot_product(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s: list_sum(list_transform(kql_series_pairs(s.a, s.b), lambda p: p[1] * p[2])))[1];
CREATE OR REPLACE MACRO kql_series_magnitude(x) AS
  list_transform([x], lambda s: sqrt(list_sum(list_transform(kql_series_reals(s), lambda v: v * v))))[1];
CREATE OR REPLACE MACRO kql_series_cosine_similarity(a, b) AS
  list_transform([{'a': a, 'b': b}], lambda s:
    kql_series_dot_product(s.a, s.b) / (kql_series_magnitude(s.a) * kql_series_magnitude(s.b)))[1],
  (a, b, length) AS list_transform([{'a': a, 'b': b}], lambda s:
    kql_series_dot_product(s.a, s.b) / (length * kql_series_magnitude(s.b)))[1],
  (a, b, length, other) AS kql_series_dot_product(a, b) / (length * other);
CREATE OR REPLACE MACRO kql_series_deviations(l) AS
  list_transform([{'l': l, 'mean': list_avg(l)}], lambda s: list_transform(s.l, lambda v: v - s.mean))[1];
CREATE OR REPLACE MACRO kql_series_correlation(l, m) AS
  list_transform([{'p': list_zip(kql_series_deviations(l), kql_series_deviations(m))}], lambda s:
    list_sum(list_transform(s.p, lambda p: p[1] * p[2]))
    / sqrt(list_sum(list_transform(s.p, lambda p: p[1] * p[1])) * list_sum(list_transform(s.p, lambda p: p[2] * p[2]))))[1];
CREATE OR REPLACE MACRO kql_series_pearson_correlation(a, b) AS
  list_transform([{'a': kql_series_reals(a), 'b': kql_series_reals(b)}], lambda s:
    CASE WHEN len(s.a) = len(s.b) AND len(list_filter(s.a, lambda v: v IS NULL)) + len(list_filter(s.b, lambda v: v IS NULL)) = 0
         THEN kql_series_correlation(s.a, s.b) END)[1];

CREATE OR REPLACE MACRO kql_series_fill_const(x, filler) AS
  list_transform([x], lambda s: CASE WHEN json_type(s) = 'ARRAY' THEN
    to_json(list_transform(json_transform(s, '["JSON"]'), lambda e: coalesce(e, filler))) END)[1],
  (x, filler, placeholder) AS
  list_transform([x], lambda s: CASE WHEN json_type(s) = 'ARRAY' THEN
    to_json(list_transform(json_transform(s, '["JSON"]'), lambda e:
      CASE WHEN placeholder IS NULL THEN coalesce(e, filler)
           WHEN kql_series_real(e) = placeholder THEN filler ELSE e END)) END)[1];
