WITH t2 AS NOT MATERIALIZED (
  SELECT t1."Timestamp" AS "Timestamp", t1."DeviceId" AS "DeviceId", t1."RemoteIP" AS "RemoteIP", row_number() OVER (ORDER BY t1."DeviceId" ASC NULLS FIRST, t1."Timestamp" ASC NULLS FIRST) AS "_place" FROM "DeviceNetworkEvents" AS t1),
t3 AS NOT MATERIALIZED (
  SELECT t2."Timestamp" AS "Timestamp", t2."DeviceId" AS "DeviceId", t2."RemoteIP" AS "RemoteIP", lag(t2."DeviceId", CAST(1 AS BIGINT), '') OVER (ORDER BY t2."_place" ASC) AS "_window1", t2."_place" AS "_place" FROM t2),
t4 AS NOT MATERIALIZED (
  SELECT t3."Timestamp" AS "Timestamp", t3."DeviceId" AS "DeviceId", t3."RemoteIP" AS "RemoteIP", t3."_window1" AS "_window1", lag(t3."Timestamp", CAST(1 AS BIGINT), CAST(NULL AS BIGINT)) OVER (ORDER BY t3."_place" ASC) AS "_window2", t3."_place" AS "_place" FROM t3),
t5 AS NOT MATERIALIZED (
  SELECT t4."Timestamp" AS "Timestamp", t4."DeviceId" AS "DeviceId", t4."RemoteIP" AS "RemoteIP", t4."_window1" AS "_window1", t4."_window2" AS "_window2", row_number() OVER (ORDER BY t4."_place" ASC) + (CAST(1 AS BIGINT) - 1) AS "_window3", t4."_place" AS "_place" FROM t4)
SELECT t5."DeviceId" AS "DeviceId", t5."_window3" AS "Row", t5."RemoteIP" AS "RemoteIP", CASE WHEN t5."_window1" = t5."DeviceId" THEN t5."Timestamp" - t5."_window2" ELSE CAST(NULL AS BIGINT) END AS "SincePrevious" FROM t5 ORDER BY t5."_place" ASC
