-- What aggregates need around the engine's own.

CREATE OR REPLACE MACRO kql_list_items(x) AS
  CASE WHEN json_type(x) = 'ARRAY' THEN json_transform(x, '["JSON"]') ELSE [x::JSON] END;
CREATE OR REPLACE MACRO kql_as_array(l) AS coalesce(to_json(l), '[]'::JSON);
CREATE OR REPLACE MACRO kql_flat_array(l) AS coalesce(to_json(flatten(l)), '[]'::JSON);
CREATE OR REPLACE MACRO kql_flat_set(l) AS
  coalesce(to_json(kql_unique(list_filter(flatten(l), lambda e: e IS NOT NULL))), '[]'::JSON);
CREATE OR REPLACE MACRO kql_merged_bags(l) AS
  coalesce(kql_bag_merge_list(list_filter(l, lambda b: json_type(b) = 'OBJECT')), '{}'::JSON);
CREATE OR REPLACE MACRO kql_weighted_until(b) AS
  list_reduce(list_transform(b['s'], lambda e: {'v': e['v'], 'w': e['w']::DOUBLE, 'done': e['w'] >= b['t']}),
    lambda x, y: CASE WHEN x['done'] THEN x ELSE {'v': y['v'], 'w': x['w'] + y['w'], 'done': x['w'] + y['w'] >= b['t']} END).v;
CREATE OR REPLACE MACRO kql_weighted_percentile(pairs, p) AS
  list_transform([{'s': list_sort(pairs), 't': list_sum(list_transform(pairs, lambda e: e['w'])) * p / 100}], lambda b:
    kql_weighted_until(b))[1];
CREATE OR REPLACE MACRO kql_rounded(x) AS round(x, 10);
CREATE OR REPLACE MACRO kql_bucket_long(x, start, step) AS (x - start) // nullif(step, 0);
CREATE OR REPLACE MACRO kql_bucket_real(x, start, step) AS CAST(floor((x - start) / nullif(step, 0)) AS BIGINT);
CREATE OR REPLACE MACRO kql_bucket_count_long(start, stop, step) AS greatest((stop - start + step - 1) // nullif(step, 0), 0);
CREATE OR REPLACE MACRO kql_bucket_count_real(start, stop, step) AS greatest(CAST(ceil((stop - start) / nullif(step, 0)) AS BIGINT), 0);
CREATE OR REPLACE MACRO kql_bucket_map(entries) AS map_from_entries(entries);
CREATE OR REPLACE MACRO kql_axis_long(start, step, n) AS list_transform(range(0, n), lambda i: start + i * step);
CREATE OR REPLACE MACRO kql_axis_real(start, step, n) AS list_transform(range(0, n), lambda i: start + i * step);
CREATE OR REPLACE MACRO kql_series_values(found, n, filler) AS
  to_json(list_transform(range(0, n), lambda i: coalesce(found[i], filler)));
CREATE OR REPLACE MACRO kql_session_start(times, longest, gap) AS
  list_reduce(list_transform(times, lambda t: {'s': t, 'p': t}), lambda a, b:
    CASE WHEN b.s - a.s > longest OR b.s - a.p > gap THEN {'s': b.s, 'p': b.s} ELSE {'s': a.s, 'p': b.s} END).s;
