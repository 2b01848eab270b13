WITH t2 AS NOT MATERIALIZED (
  SELECT t1."FileName" AS "FileName", t1."AdditionalFields" AS "AdditionalFields", kql_parse_json(t1."AdditionalFields") AS "Fields", kql_toint_dynamic(try(json_extract(t1."AdditionalFields", '$."Risk"."Score"'))) AS "Score", COALESCE(try(json_extract_string(t1."AdditionalFields", '$."Risk"."Tags"[0]')), '') AS "FirstTag" FROM "DeviceProcessEvents" AS t1),
t3 AS NOT MATERIALIZED (
  SELECT t2."FileName" AS "FileName", t2."AdditionalFields" AS "AdditionalFields", t2."Fields" AS "Fields", t2."Score" AS "Score", t2."FirstTag" AS "FirstTag", unnest(kql_expanded(kql_item(try(json_extract(t2."Fields", '$."Risk"."Tags"'))), 'bag')) AS "Tag" FROM t2 WHERE t2."FirstTag" <> '' OR suffix(lower(t2."FileName"), lower('_trunk.exe'))),
t4 AS NOT MATERIALIZED (
  SELECT t3."FileName" AS "FileName", t3."Score" AS "Score", t3."FirstTag" AS "FirstTag", kql_tostring_dynamic(t3."Tag") AS "Tag" FROM t3)
SELECT t4."FileName" AS "FileName", t4."Score" AS "Score", t4."FirstTag" AS "FirstTag", t4."Tag" AS "Tag" FROM t4 ORDER BY t4."FileName" ASC NULLS FIRST, t4."Tag" ASC NULLS FIRST
