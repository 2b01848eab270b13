"""User patterns: translated where RE2 can do the same, refused by name where it cannot."""

import pytest

from vedette.kql.sql.regex import RegexError, groups, translate


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("abc", "abc"),
        (r"\d+", r"\p{Nd}+"),
        (r"(?<name>a)", "(?P<name>a)"),
        (r"\u0041b", r"\x{0041}b"),
        (r"a\/b", "a/b"),
        (r"[\w\s]", r"[\w\s]"),
    ],
)
def test_translation(pattern: str, expected: str) -> None:
    assert translate(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a(?=b)", "lookahead"),
        ("a(?!b)", "negative lookahead"),
        ("(?<=a)b", "lookbehind"),
        ("(?<!a)b", "negative lookbehind"),
        (r"(a)\1", "reference to a group"),
        ("(?>a)", "atomic group"),
        ("a(b", "missing"),
    ],
)
def test_refusal_names_the_construct(pattern: str, reason: str) -> None:
    with pytest.raises(RegexError, match=reason):
        translate(pattern)


def test_groups_are_counted() -> None:
    assert groups("(a)(?:b)(c)") == 2
