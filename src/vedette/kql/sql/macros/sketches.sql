-- Sketches. A count of distinct values keeps the 16384 least hashes of them, exact up to that many. A digest is a list
-- of [value, weight] pairs in order of value, exact up to 2048 of them, then thinned out evenly by rank.

CREATE OR REPLACE MACRO kql_hll_of(hashes) AS
  CASE WHEN len(hashes) > 0 THEN to_json(list_sort(list_distinct(hashes))[:16384]) END;
CREATE OR REPLACE MACRO kql_hll_hashes(sketch) AS
  CASE WHEN json_type(sketch) = 'ARRAY' THEN coalesce(TRY(json_transform(sketch, '["UBIGINT"]')), []) ELSE [] END;
CREATE OR REPLACE MACRO kql_hll_merged(sketches) AS
  kql_hll_of(flatten(list_transform(list_filter(coalesce(sketches, []), lambda s: s IS NOT NULL), lambda s: kql_hll_hashes(s))));
CREATE OR REPLACE MACRO kql_hll_estimate(h) AS
  CASE WHEN len(h) < 16384 THEN len(h) ELSE CAST(round(16383 * (18446744073709551615::DOUBLE / h[16384]::DOUBLE)) AS BIGINT) END;
CREATE OR REPLACE MACRO kql_dcount_hll(sketch) AS
  CASE WHEN json_type(sketch) = 'ARRAY' THEN list_transform([kql_hll_hashes(sketch)], lambda h: CAST(kql_hll_estimate(h) AS BIGINT))[1] END;
-- Of sketches that are full only hashes up to the least of their greatest ones are known to be complete.
CREATE OR REPLACE MACRO kql_hll_known(sets) AS
  coalesce(list_min(list_transform(list_filter(sets, lambda s: len(s) >= 16384), lambda s: s[16384])), 18446744073709551615::UBIGINT);
CREATE OR REPLACE MACRO kql_hll_common_below(sets, known) AS
  list_transform([len(list_filter(list_reduce(sets, lambda a, b: list_intersect(a, b)), lambda h: h <= known))], lambda n:
    CAST(round(n * (18446744073709551615::DOUBLE / known::DOUBLE)) AS BIGINT))[1];
CREATE OR REPLACE MACRO kql_hll_common_count(sketches) AS
  list_transform([list_transform(sketches, lambda s: kql_hll_hashes(s))], lambda sets: kql_hll_common_below(sets, kql_hll_known(sets)))[1];

CREATE OR REPLACE MACRO kql_points(p) AS CAST(p AS STRUCT(v DOUBLE, w DOUBLE)[]);
CREATE OR REPLACE MACRO kql_digest_chunks(p, size) AS
  list_transform(range(0, CAST(ceil(len(p) / size) AS BIGINT)), lambda i:
    {'v': kql_points(p)[least(i * size + size // 2 + 1, len(p))].v,
     'w': list_sum(list_transform(kql_points(p)[i * size + 1 : (i + 1) * size], lambda e: e.w))});
CREATE OR REPLACE MACRO kql_digest_thinned(p) AS
  CASE WHEN len(p) <= 2048 THEN kql_points(p)
       ELSE list_concat([kql_points(p)[1]], kql_digest_chunks(kql_points(p)[2:-2], CAST(ceil(len(p) / 2046) AS BIGINT)), [kql_points(p)[-1]]) END;
CREATE OR REPLACE MACRO kql_digest_of(pairs) AS
  CASE WHEN len(pairs) > 0 THEN to_json(list_transform(list_transform([list_sort(kql_points(pairs))], lambda p: kql_digest_thinned(p))[1], lambda e: [e.v, e.w])) END;
CREATE OR REPLACE MACRO kql_digest_pairs(digest) AS
  list_transform(TRY(json_transform(digest, '[["DOUBLE"]]')), lambda e: {'v': e[1], 'w': e[2]});
CREATE OR REPLACE MACRO kql_digest_merged(digests) AS
  list_transform([flatten(list_transform(list_filter(coalesce(digests, []), lambda d: d IS NOT NULL), lambda d: kql_digest_pairs(d)))], lambda p:
    CASE WHEN len(p) > 0 THEN kql_digest_of(p) END)[1];
CREATE OR REPLACE MACRO kql_digest_upto(p, value) AS
  list_sum(list_transform(list_filter(kql_points(p), lambda e: e.v <= value), lambda e: e.w));
CREATE OR REPLACE MACRO kql_digest_total(p) AS list_sum(list_transform(kql_points(p), lambda e: e.w));
CREATE OR REPLACE MACRO kql_rank_tdigest(digest, value) AS
  list_transform([kql_digest_pairs(digest)], lambda p: CASE WHEN len(p) > 0 THEN coalesce(kql_digest_upto(p, value), 0)::DOUBLE END)[1];
CREATE OR REPLACE MACRO kql_percentrank_tdigest(digest, value) AS
  list_transform([kql_digest_pairs(digest)], lambda p:
    CASE WHEN len(p) > 0 THEN 100 * coalesce(kql_digest_upto(p, value), 0)::DOUBLE / kql_digest_total(p) END)[1];
CREATE OR REPLACE MACRO kql_digest_at(digest, rank) AS
  list_transform([kql_digest_pairs(digest)], lambda p: CASE WHEN len(p) > 0 THEN kql_weighted_percentile(p, rank) END)[1];
CREATE OR REPLACE MACRO kql_reals(x) AS json_transform(x, '["DOUBLE"]');
CREATE OR REPLACE MACRO kql_digest_at_each(digest, ranks) AS
  list_transform([kql_digest_pairs(digest)], lambda p: CASE WHEN len(p) > 0 THEN
    to_json(list_transform(ranks, lambda r: kql_weighted_percentile(p, r))) END)[1];
