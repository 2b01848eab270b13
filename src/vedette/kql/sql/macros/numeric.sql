-- Numbers: what SQL raises, KQL answers with null, NaN or an infinity.

CREATE OR REPLACE MACRO kql_remainder(r, b) AS CASE WHEN r >= 0 THEN r WHEN b > 0 THEN r + b ELSE r - b END;
CREATE OR REPLACE MACRO kql_modulo(a, b) AS CASE WHEN b = -1 THEN a - a ELSE kql_remainder(a % nullif(nullif(b, 0), -1), b) END;
CREATE OR REPLACE MACRO kql_modulo_real(a, b) AS a - floor(a / abs(b)) * abs(b);
CREATE OR REPLACE MACRO kql_sqrt(x) AS CASE WHEN x < 0 THEN 'nan'::DOUBLE ELSE sqrt(x) END;
CREATE OR REPLACE MACRO kql_log(x) AS
  CASE WHEN x < 0 THEN 'nan'::DOUBLE WHEN x = 0 THEN '-inf'::DOUBLE ELSE ln(x) END;
CREATE OR REPLACE MACRO kql_log2(x) AS
  CASE WHEN x < 0 THEN 'nan'::DOUBLE WHEN x = 0 THEN '-inf'::DOUBLE ELSE log2(x) END;
CREATE OR REPLACE MACRO kql_log10(x) AS
  CASE WHEN x < 0 THEN 'nan'::DOUBLE WHEN x = 0 THEN '-inf'::DOUBLE ELSE log10(x) END;
CREATE OR REPLACE MACRO kql_exp(x) AS exp(x);
CREATE OR REPLACE MACRO kql_exp2(x) AS pow(2, x);
CREATE OR REPLACE MACRO kql_exp10(x) AS pow(10, x);
CREATE OR REPLACE MACRO kql_pow(x, y) AS TRY(pow(x, y));
CREATE OR REPLACE MACRO kql_acos(x) AS CASE WHEN abs(x) > 1 THEN 'nan'::DOUBLE ELSE acos(x) END;
CREATE OR REPLACE MACRO kql_asin(x) AS CASE WHEN abs(x) > 1 THEN 'nan'::DOUBLE ELSE asin(x) END;
CREATE OR REPLACE MACRO kql_cot(x) AS 1 / tan(x);
CREATE OR REPLACE MACRO kql_sin(x) AS CASE WHEN isinf(x) THEN 'nan'::DOUBLE ELSE sin(x) END;
CREATE OR REPLACE MACRO kql_cos(x) AS CASE WHEN isinf(x) THEN 'nan'::DOUBLE ELSE cos(x) END;
CREATE OR REPLACE MACRO kql_tan(x) AS CASE WHEN isinf(x) THEN 'nan'::DOUBLE ELSE tan(x) END;
CREATE OR REPLACE MACRO kql_gamma(x) AS TRY(gamma(x));
CREATE OR REPLACE MACRO kql_loggamma(x) AS TRY(lgamma(x));
CREATE OR REPLACE MACRO kql_round(x) AS round(x), (x, n) AS TRY(round(x, CAST(n AS INTEGER)));
CREATE OR REPLACE MACRO kql_binary_shift_right(a, n) AS CASE WHEN n >= 0 THEN a >> (n % 64) END;
CREATE OR REPLACE MACRO kql_binary_shift_left(a, n) AS
  CASE WHEN n >= 0 THEN kql_wrap((CAST(a AS HUGEINT) & (18446744073709551615::HUGEINT >> CAST(n % 64 AS INTEGER))) * CAST(pow(2, n % 64) AS HUGEINT)) END;
CREATE OR REPLACE MACRO kql_hex_digits(x) AS
  coalesce(CASE WHEN x >= 0 THEN lower(to_hex(x)) ELSE lower(to_hex(CAST(x::HUGEINT + 18446744073709551616::HUGEINT AS UBIGINT))) END, '');
CREATE OR REPLACE MACRO kql_tohex(x, n := 0) AS lpad(kql_hex_digits(x), greatest(least(n, 1024), length(kql_hex_digits(x)))::INTEGER, '0');
CREATE OR REPLACE MACRO kql_erf(x) AS
  CASE WHEN abs(x) > 6 THEN sign(x)::DOUBLE
       ELSE 1.1283791670955126 * exp(-x * x) * x * list_sum(list_transform(range(0, 150), lambda n:
            coalesce(list_product(list_transform(range(1, n + 1), lambda k: 2 * x * x / (2 * k + 1))), 1))) END;
