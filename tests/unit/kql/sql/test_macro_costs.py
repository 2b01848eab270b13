"""Macros do not multiply: what they name several times is computed once, so that calls within calls stay plannable."""

import pytest

from vedette.testing import run_kql


def test_merges_within_merges() -> None:
    merged = "iff(b, d, dynamic({}))"
    for _ in range(6):
        merged = f"bag_merge({merged}, iff(b, d, dynamic({{'z': 2}})))"
    _, rows = run_kql(f"datatable(d:dynamic, b:bool)[dynamic({{'a': 1}}), true] | project {merged}")
    assert rows == [({"a": 1},)]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("ipv6_compare('::ffff:7f00:1', '127.0.0.1')", 0),
        ("ipv6_compare(' fe80::1 ', 'fe80::2')", -1),
        ("ipv6_compare('', 'x')", None),
        ("ipv6_is_match('fe80::1', 'fe80::2/64')", True),
        ("ipv6_is_in_range('fe80::1', 'fe80::/10')", True),
        ("ipv6_is_in_range('1:2:3', 'fe80::/10')", None),
        ("parse_ipv6_mask('fe80::85d:e82c:9446:7994', 120)", "fe80:0000:0000:0000:085d:e82c:9446:7900"),
        ("parse_ipv6('1::2::3')", ""),
    ],
)
def test_addresses_of_128_bits(call: str, expected: object) -> None:
    _, rows = run_kql(f"print {call}")
    assert rows == [(expected,)]


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("erf({})", "r"),
        ("erfc({})", "r"),
        ("isascii({})", "r"),
        ("geo_azimuth({}, 1, 2, 3)", "r"),
        ("geo_angle(1, 2, {}, 3, 4, 5)", "r"),
        ("toreal(tostring({}))", "r"),
        ("toreal(iff(b, 'a', {}))", "r"),
        ("convert_length(1.5, 'Meter', tostring({}))", "r"),
        ("convert_angle({}, 'Tilt', 'Tilt')", "r"),
        ("tolong(repeat('a', {}))", "tolong(r)"),
        ("array_rotate_left({}, 1)", "d"),
        ("array_rotate_right({}, 1)", "d"),
        ("array_split({}, 1)", "d"),
        ("jaccard_index({}, d)", "d"),
        ("bag_zip({}, d)", "d"),
        ("bag_remove_keys(d, {})", "d"),
        ("todynamic(tostring({}))", "d"),
        ("series_add({}, d)", "d"),
    ],
)
def test_calls_within_calls(call: str, given: str) -> None:
    nested = given
    for _ in range(6):
        nested = call.format(nested)
    _, rows = run_kql(f"datatable(d:dynamic, r:real, b:bool)[dynamic([1, 2]), 0.5, true] | project {nested}")
    assert len(rows) == 1


def test_nested_calls_over_groups() -> None:
    _, rows = run_kql(
        "range x from 1 to 4 step 1 | summarize n = count(), e = erf(erf(avg(x))) by k = toreal(tostring(erf(x % 2.0)))"
        " | extend k = round(k, 4), e = round(e, 4) | order by k asc"
    )
    assert rows == [(0.0, 2, 0.8427), (0.8427, 2, 0.8407)]
