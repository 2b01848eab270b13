WITH t3 AS NOT MATERIALIZED (
  SELECT 'DeviceProcessEvents' AS "Source", t1."Timestamp" AS "Timestamp", t1."DeviceId" AS "DeviceId" FROM "DeviceProcessEvents" AS t1 UNION ALL SELECT 'DeviceNetworkEvents' AS "Source", t2."Timestamp" AS "Timestamp", t2."DeviceId" AS "DeviceId" FROM "DeviceNetworkEvents" AS t2),
t4 AS NOT MATERIALIZED (
  SELECT t3."Source" AS "Source", count(*) AS "Events", count(DISTINCT t3."DeviceId") AS "Devices" FROM t3 WHERE t3."Timestamp" > CAST($1 AS BIGINT) GROUP BY 1),
t5 AS NOT MATERIALIZED (
  SELECT 'DeviceNetworkEvents' AS "Source", 'network' AS "Note")
SELECT t6."Source" AS "Source", t6."Events" AS "Events", t6."Devices" AS "Devices", COALESCE(t7."Note", '') AS "Note" FROM t4 AS t6 LEFT JOIN t5 AS t7 ON t6."Source" = t7."Source" ORDER BY t6."Source" ASC NULLS FIRST
