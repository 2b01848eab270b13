-- Points on Earth as a sphere of 6,371,010 m. Coordinates out of range give null, hashes of them the empty string.

CREATE OR REPLACE MACRO kql_geo_valid(lng, lat) AS lng BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90;
CREATE OR REPLACE MACRO kql_geo_arc(lng1, lat1, lng2, lat2) AS
  2 * asin(sqrt(least(1.0, pow(sin(radians(lat2 - lat1) / 2), 2)
    + cos(radians(lat1)) * cos(radians(lat2)) * pow(sin(radians(lng2 - lng1) / 2), 2))));
CREATE OR REPLACE MACRO kql_geo_distance_2points(lng1, lat1, lng2, lat2) AS
  CASE WHEN kql_geo_valid(lng1, lat1) AND kql_geo_valid(lng2, lat2)
       THEN 6371010.0::DOUBLE * kql_geo_arc(lng1, lat1, lng2, lat2) END;
CREATE OR REPLACE MACRO kql_geo_point_in_circle(lng, lat, lng_c, lat_c, radius) AS
  CASE WHEN radius > 0 AND isfinite(radius) THEN kql_geo_distance_2points(lng, lat, lng_c, lat_c) <= radius END;
CREATE OR REPLACE MACRO kql_geo_turn(angle) AS
  CASE WHEN angle < 0 THEN angle + 2 * pi() WHEN angle >= 2 * pi() THEN angle - 2 * pi() ELSE angle END;
CREATE OR REPLACE MACRO kql_geo_azimuth(lng1, lat1, lng2, lat2) AS
  CASE WHEN kql_geo_valid(lng1, lat1) AND kql_geo_valid(lng2, lat2)
        AND kql_geo_arc(lng1, lat1, lng2, lat2) BETWEEN 1e-15 AND pi() - 1e-7
       THEN kql_geo_turn(atan2(sin(radians(lng2 - lng1)) * cos(radians(lat2)),
              cos(radians(lat1)) * sin(radians(lat2)) - sin(radians(lat1)) * cos(radians(lat2)) * cos(radians(lng2 - lng1)))) END;
CREATE OR REPLACE MACRO kql_geo_angle(lng1, lat1, lng2, lat2, lng3, lat3) AS
  kql_geo_turn(kql_geo_azimuth(lng2, lat2, lng3, lat3) - kql_geo_azimuth(lng2, lat2, lng1, lat1));
CREATE OR REPLACE MACRO kql_geo_cell(fraction) AS
  least(greatest(CAST(floor(fraction * 35184372088832.0) AS BIGINT), 0), 35184372088831);
CREATE OR REPLACE MACRO kql_geo_bit(east, north, place) AS
  CASE WHEN place % 2 = 0 THEN (east >> CAST(44 - place // 2 AS INTEGER)) & 1 ELSE (north >> CAST(44 - place // 2 AS INTEGER)) & 1 END;
CREATE OR REPLACE MACRO kql_geo_hash(east, north, accuracy) AS
  array_to_string(list_transform(range(0, accuracy), lambda k:
    substr('0123456789bcdefghjkmnpqrstuvwxyz', CAST(1 + list_sum(list_transform(range(0, 5), lambda i:
      kql_geo_bit(east, north, 5 * k + i) << CAST(4 - i AS INTEGER))) AS INTEGER), 1)), '');
CREATE OR REPLACE MACRO kql_geo_point_to_geohash(lng, lat, accuracy) AS
  CASE WHEN kql_geo_valid(lng, lat) AND accuracy BETWEEN 1 AND 18
       THEN kql_geo_hash(kql_geo_cell((lng + 180) / 360), kql_geo_cell((lat + 90) / 180), CAST(accuracy AS BIGINT))
       ELSE '' END;
