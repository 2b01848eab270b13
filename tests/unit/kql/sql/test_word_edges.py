"""Where terms begin and end, for letters and delimiters within ASCII and beyond it: with needles that are constant,
that come from the rows, and that are one of a list."""

import itertools
import json
import unicodedata

import pytest

from vedette.testing import run_kql

EDGES = " _.-“”«»–…·、。€🙂é日я٣ⅷab1\u00a0\u200b\u0301"
"""Delimiters and letters to stand beside a needle: punctuation, signs, an emoji, digits of other scripts, a blank that
does not break, one without width, an accent that combines."""

NEEDLES = ("mimi", "é", "日本", "я-я", "a–b", "“x", "x”", "–")
TEXTS = tuple(
    f"{left}{needle}{right}"
    for needle in NEEDLES
    for left, right in itertools.product(("", *EDGES), repeat=2)
)  # fmt: skip


def is_of_term(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"


def has(text: str, needle: str, *, left: bool = True, right: bool = True) -> bool:
    """What the page says, place by place."""
    places = (place for place in range(len(text)) if text.startswith(needle, place))
    return any(
        not (left and is_of_term(needle[0]) and text[:place][-1:] and is_of_term(text[place - 1]))
        and not (right and is_of_term(needle[-1]) and (rest := text[place + len(needle) :]) and is_of_term(rest[0]))
        for place in places
    )


def literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def found(condition: str, needle: str) -> set[str]:
    rows = ", ".join(f"{literal(text)}, {literal(needle)}" for text in TEXTS)
    _, answers = run_kql(f"datatable(Text:string, Needle:string)[{rows}] | where {condition} | distinct Text")
    return {str(text) for (text,) in answers}


@pytest.mark.parametrize("needle", NEEDLES)
@pytest.mark.parametrize(
    "condition",
    ["Text has_cs {0}", "Text has {0}", "Text has Needle", "Text has_any ({0}, 'absent')", "Text has_all ({0}, {0})",
     "has_any_index(Text, pack_array({0})) == 0", "Text has_any (pack_array(Needle, 'absent'))",
     "strcat(Text, '') has {0}"],
)  # fmt: skip
def test_terms_end_where_a_character_is_neither_letter_nor_digit(condition: str, needle: str) -> None:
    expected = {text for text in set(TEXTS) if has(text, needle)}
    assert found(condition.format(literal(needle)), needle) == expected


@pytest.mark.parametrize("needle", NEEDLES)
@pytest.mark.parametrize("form", ["{0}", "Needle"])
def test_prefixes_and_suffixes_have_one_edge(form: str, needle: str) -> None:
    written = form.format(literal(needle))
    prefixed = {text for text in set(TEXTS) if has(text, needle, right=False)}
    suffixed = {text for text in set(TEXTS) if has(text, needle, left=False)}
    assert found(f"Text hasprefix_cs {written}", needle) == prefixed
    assert found(f"Text hassuffix_cs {written}", needle) == suffixed


@pytest.mark.parametrize(
    ("text", "expected"),
    [("“10.1.2.3”", True), ("é10.1.2.3", False), ("10.1.2.3…", True), ("10.1.2.3.é", False), ("10.1.2.3.”", True)],
)
def test_addresses_in_texts_have_the_same_edges(text: str, expected: bool) -> None:
    _, rows = run_kql(f"print has_ipv4({literal(text)}, '10.1.2.3'), has_ipv4_prefix({literal(text)}, '10.1.')")
    assert rows == [(expected, expected)]
