"""For any text whatever: the parser answers with a tree or with `KqlError`, and spans nest."""

import dataclasses
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.kql import syntax
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import KqlError
from vedette.kql.lexer import tokenize
from vedette.kql.parser import parse, parse_tolerant

SEEDS = (
    'let f = (T: (*), n: long = 5) { T | where a has_any ("x", @"y") | take n }; DeviceEvents | invoke f(3)',
    "T | where a between (1d .. 2d) and b !in~ ('x') or not(c) | summarize n = count() by bin(t, 1h), d.e['f'][0]",
    "T | join kind=inner (U | project-away a, b*) on $left.a == $right.b | sort by x asc nulls last | top 5 by y",
    "union withsource=s T*, (U | extend (a, b) = f(*)) | parse x with * 'a' b: long * | render card with (title='t')",
    "G | graph-match (a)-[e*1..3]->(b)<-[f]-(c) where a.x == 1 project x | make-series n = count() on t step 1d",
    "datatable (a: long, ['b c']: dynamic) [1, dynamic({'x': [1, null, 1d]}), datetime(2020-01-01), h'secret']",
    "search in (T, U*) 'x' and a: 'y' | scan declare (x: long) with (step s: true => x = 1;) | fork (count) (take 1)",
)


@st.composite
def mutated_queries(draw: st.DrawFn) -> str:
    """A query with tokens left out, doubled, exchanged or brought in from another one."""
    pieces = [
        piece for seed in draw(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=2)) for piece in tokens(seed)
    ]
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(pieces) - 1))
        other = draw(st.integers(0, len(pieces) - 1))
        match draw(st.sampled_from(["drop", "double", "swap"])):
            case "drop" if len(pieces) > 1:
                del pieces[at]
            case "double":
                pieces.insert(other, pieces[at])
            case _:
                pieces[at], pieces[other] = pieces[other], pieces[at]
    return draw(st.sampled_from([" ", "", "\n"])).join(pieces)


def tokens(text: str) -> list[str]:
    found = tokenize(text, Diagnostics(text))
    return [text[start:end] for start, end in zip(found.starts, found.ends, strict=True) if end > start]


def check(text: str) -> None:
    query, diagnostics = parse_tolerant(text)
    for each in diagnostics:
        assert 0 <= each.span.start <= each.span.end <= len(text)
        assert each.line >= 1
        assert each.column >= 1
    check_spans(query, text)
    if any(each.severity == "error" for each in diagnostics):
        with pytest.raises(KqlError) as caught:
            parse(text)
        assert caught.value.diagnostics == diagnostics
    else:
        assert parse(text) == query


def check_spans(node: syntax.Node, text: str) -> None:
    assert 0 <= node.span.start <= node.span.end <= len(text), node
    for child in children(node):
        assert node.span.start <= child.span.start, (node, child)
        assert child.span.end <= node.span.end, (node, child)
        check_spans(child, text)


def children(node: syntax.Node) -> Iterator[syntax.Node]:
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, syntax.Node):
                yield each


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    check(text)


@given(st.text(alphabet="aT1.|()[]{}'\"`~@h\\;,=<>!-*:# \n/", max_size=80))
def test_any_punctuation(text: str) -> None:
    check(text)


@given(mutated_queries())
def test_any_mutation_of_a_query(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", SEEDS)
def test_spans_of_whole_queries(text: str) -> None:
    query = parse(text)
    check_spans(query, text)
    assert (query.span.start, query.span.end) == (0, len(text))
    assert not [each for each in names(query) if text[each.span.start : each.span.end].strip("['\"]") != each.text]


def names(node: syntax.Node) -> Iterator[syntax.Name]:
    if isinstance(node, syntax.Name):
        yield node
    for child in children(node):
        yield from names(child)
