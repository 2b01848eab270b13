-- Reals as text, as the service writes them: the fewest digits that read back as the same real, by the algorithm Grisu2.
-- Where more than eight of them stand behind the point of its scaled number the last digit is not brought nearest to the
-- value (recorded: 0.1+0.2 is 0.30000000000000007): the greatest such digits are kept. Fixed form from 1e-6 to below 1e21.

-- 10^(8i-348) as 64 bits times a power of two.
CREATE OR REPLACE MACRO kql_tens(i) AS (CAST([
  18054884314459144840, 13451937075301367670, 10022474136428063862, 14934650266808366570, 11127181549972568877,
  16580792590934885855, 12353653155963782858, 18408377700990114895, 13715310171984221708, 10218702384817765436,
  15227053142812498563, 11345038669416679861, 16905424996341287883, 12595523146049147757, 9384396036005875287,
  13983839803942852151, 10418772551374772303, 15525180923007089351, 11567161174868858868, 17236413322193710309,
  12842128665889583758, 9568131466127621947, 14257626930069360058, 10622759856335341974, 15829145694278690180,
  11793632577567316726, 17573882009934360870, 13093562431584567480, 9755464219737475723, 14536774485912137811,
  10830740992659433045, 16139061738043178685, 12024538023802026127, 17917957937422433684, 13349918974505688015,
  9946464728195732843, 14821387422376473014, 11042794154864902060, 16455045573212060422, 12259964326927110867,
  18268770466636286478, 13611294676837538539, 10141204801825835212, 15111572745182864684, 11258999068426240000,
  16777216000000000000, 12500000000000000000, 9313225746154785156, 13877787807814456755, 10339757656912845936,
  15407439555097886824, 11479437019748901445, 17105694144590052135, 12744735289059618216, 9495567745759798747,
  14149498560666738074, 10542197943230523224, 15709099088952724970, 11704190886730495818, 17440603504673385349,
  12994262207056124023, 9681479787123295682, 14426529090290212157, 10748601772107342003, 16016664761464807395,
  11933345169920330789, 17782069995880619868, 13248674568444952270, 9871031767461413346, 14708983551653345445,
  10959046745042015199, 16330252207878254650, 12166986024289022870, 18130221999122236476, 13508068024458167312,
  10064294952495520794, 14996968138956309548, 11173611982879273257, 16649979327439178909, 12405201291620119593,
  9242595204427927429, 13772540099066387757, 10261342003245940623, 15290591125556738113, 11392378155556871081,
  16975966327722178521, 12648080533535911531
  ] AS UHUGEINT[]))[i + 1];
CREATE OR REPLACE MACRO kql_tens_power(i) AS [
  -1220, -1193, -1166, -1140, -1113, -1087, -1060, -1034, -1007, -980, -954, -927, -901, -874, -847, -821, -794,
  -768, -741, -715, -688, -661, -635, -608, -582, -555, -529, -502, -475, -449, -422, -396, -369, -343, -316, -289,
  -263, -236, -210, -183, -157, -130, -103, -77, -50, -24, 3, 30, 56, 83, 109, 136, 162, 189, 216, 242, 269, 295,
  322, 348, 375, 402, 428, 455, 481, 508, 534, 561, 588, 614, 641, 667, 694, 720, 747, 774, 800, 827, 853, 880, 907,
  933, 960, 986, 1013, 1039, 1066
  ][i + 1];

CREATE OR REPLACE MACRO kql_upper_half(a, b) AS
  CAST(((a * b) >> 64) + (((a * b) >> 63) & 1::UHUGEINT) AS HUGEINT);

-- A real that is not subnormal, as 53 bits times a power of two; its upper neighbour's boundary has 64 bits at `power`.
CREATE OR REPLACE MACRO kql_real_bits(x) AS {
  'bits': (CAST(CAST(CAST(x AS BIT) AS UBIGINT) & 4503599627370495 AS UHUGEINT) | 4503599627370496::UHUGEINT),
  'power': CAST((CAST(CAST(x AS BIT) AS UBIGINT) >> 52) & 2047 AS INTEGER) - 1086};
CREATE OR REPLACE MACRO kql_tens_place(power) AS CAST(ceil((-61 - power) * 0.30102999566398114::DOUBLE + 347) AS INTEGER) // 8 + 1;
CREATE OR REPLACE MACRO kql_real_bounds(r, i) AS {
  'value': kql_upper_half(r.bits << 11, kql_tens(i)),
  'upper': kql_upper_half((r.bits * 2 + 1) << 10, kql_tens(i)) - 1,
  'lower': kql_upper_half(CASE WHEN r.bits = 4503599627370496 THEN (r.bits * 4 - 1) << 9 ELSE (r.bits * 2 - 1) << 10 END, kql_tens(i)) + 1,
  'one': 1::HUGEINT << -(r.power + kql_tens_power(i) + 64),
  'exponent': 348 - 8 * i};
-- The upper bound cut behind `n` digits: what is cut off, and how far the bounds and the value lie apart, in that unit.
CREATE OR REPLACE MACRO kql_real_cut(b, n) AS {
  'places': n - length(CAST(b.upper // b.one AS VARCHAR)),
  'scaled': b.upper * CAST(pow(10, n - length(CAST(b.upper // b.one AS VARCHAR))) AS HUGEINT),
  'width': (b.upper - b.lower) * CAST(pow(10, n - length(CAST(b.upper // b.one AS VARCHAR))) AS HUGEINT),
  'distance': (b.upper - b.value) * CAST(pow(10, n - length(CAST(b.upper // b.one AS VARCHAR))) AS HUGEINT),
  'one': b.one, 'exponent': b.exponent};
CREATE OR REPLACE MACRO kql_real_steps(c) AS
  CASE WHEN c.places < 9 THEN len(list_filter(range(0, 9), lambda i:
    c.scaled % c.one + i * c.one < c.distance AND c.width - c.scaled % c.one - i * c.one >= c.one
    AND (c.scaled % c.one + (i + 1) * c.one < c.distance
         OR c.distance - c.scaled % c.one - i * c.one > c.scaled % c.one + (i + 1) * c.one - c.distance))) ELSE 0 END;
CREATE OR REPLACE MACRO kql_real_digits(b) AS
  list_transform([list_filter([kql_real_cut(b, 16), kql_real_cut(b, 17)], lambda c: c.scaled % c.one < c.width)[1]], lambda c:
    {'digits': CAST(c.scaled // c.one - kql_real_steps(c) AS VARCHAR), 'exponent': c.exponent - c.places})[1];
CREATE OR REPLACE MACRO kql_real_exact(x) AS
  list_transform([kql_real_bits(x)], lambda r: list_transform([kql_real_bounds(r, kql_tens_place(r.power))], lambda b: kql_real_digits(b))[1])[1];

-- Digits and exponent of a text as the engine writes it.
CREATE OR REPLACE MACRO kql_real_read(m) AS
  {'digits': ltrim(rtrim(m.whole || m.fraction, '0'), '0'),
   'exponent': coalesce(TRY_CAST(m.power AS INTEGER), 0) - length(m.fraction)
               + length(m.whole || m.fraction) - length(rtrim(m.whole || m.fraction, '0'))};
CREATE OR REPLACE MACRO kql_real_shaped(d, point) AS
  CASE WHEN d.exponent >= 0 AND point <= 21 THEN d.digits || repeat('0', d.exponent) || '.0'
       WHEN point > 0 AND point <= 21 THEN left(d.digits, point) || '.' || substr(d.digits, point + 1)
       WHEN point > -6 AND point <= 0 THEN '0.' || repeat('0', -point) || d.digits
       ELSE left(d.digits, 1) || CASE WHEN length(d.digits) > 1 THEN '.' || substr(d.digits, 2) ELSE '' END || 'e' || (point - 1) END;
CREATE OR REPLACE MACRO kql_real_chosen(d, x) AS
  CASE WHEN length(d.digits) > 15 AND abs(x) > 1e-300 THEN coalesce(kql_real_exact(x), d) ELSE d END;
CREATE OR REPLACE MACRO kql_real_long(t, x) AS
  CASE WHEN t[1] = '-' THEN '-' ELSE '' END
  || list_transform([kql_real_chosen(kql_real_read(regexp_extract(t, '^-?(\d+)(?:\.(\d+))?(?:e([-+]\d+))?$', ['whole', 'fraction', 'power'])), x)],
       lambda d: kql_real_shaped(d, length(d.digits) + d.exponent))[1];

CREATE OR REPLACE MACRO kql_real_text(t, x) AS
  CASE WHEN length(t) < 17 AND NOT contains(t, 'e') THEN replace(t, 'nan', 'NaN') ELSE kql_real_long(t, x) END;
CREATE OR REPLACE MACRO kql_tostring_real(x) AS coalesce(kql_real_text(CAST(x AS VARCHAR), x), '');
