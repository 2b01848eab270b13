"""How much a macro writes out, and how often it names what it is given: read off the macros themselves."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from vedette.kql.sql.macros import macros

_ELEMENTS = 10
"""What a lambda names counts as often as this: it is computed once for each element of a list."""

_TOKEN = re.compile(r"'(?:[^']|'')*'|[A-Za-z_]\w*|[0-9.]*[0-9]\w*|[^\s\w]")
_CLOSING = {"(": ")", "[": "]", "{": "}"}

Tokens = Sequence[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Uses:
    """One formulation of a macro: its own size in tokens, written out, and how often each parameter is computed."""

    size: int
    parameters: tuple[int, ...]


def uses(name: str, given: int) -> Uses:
    """Those of the formulation of a macro that takes `given` arguments, or more where others have defaults."""
    return Uses(_uses(name, given, 1).size, _uses(name, given, _ELEMENTS).parameters)


@functools.cache
def _uses(name: str, given: int, elements: int) -> Uses:
    found = dict(_formulations(macros()[name]))
    parameters = min((each for each in found if len(each) >= given), key=len)
    measured = _measured(found[parameters], frozenset(parameters), elements)
    return Uses(measured[""], tuple(measured[each] for each in parameters))


def _formulations(statement: str) -> Iterator[tuple[tuple[str, ...], Tokens]]:
    """The parameters and the body of each formulation: `(a, b := 0) AS body, (a) AS body`."""
    tokens = _TOKEN.findall(statement)
    start = tokens.index("(")
    while start < len(tokens):
        end = _end(tokens, start)
        assert tokens[end + 1] == "AS", statement
        stop = end + 2
        while stop < len(tokens) and tokens[stop] != ",":
            stop = _after(tokens, stop)
        yield tuple(part[0] for part in _parts(tokens[start + 1 : end])), tokens[end + 2 : stop]
        start = stop + 1


def _end(tokens: Tokens, start: int) -> int:
    """Where the bracket at `start` is closed."""
    at, closing = start + 1, _CLOSING[tokens[start]]
    while tokens[at] != closing:
        at = _after(tokens, at)
    return at


def _after(tokens: Tokens, at: int) -> int:
    return (_end(tokens, at) if tokens[at] in _CLOSING else at) + 1


def _parts(tokens: Tokens) -> list[Tokens]:
    """What commas separate."""
    parts: list[Tokens] = []
    start = at = 0
    while at < len(tokens):
        if tokens[at] == ",":
            parts.append(tokens[start:at])
            start = at + 1
        at = _after(tokens, at)
    return [*parts, tokens[start:]] if tokens else []


def _branches(tokens: Tokens, start: int) -> tuple[int, int]:
    """Of the CASE at `start`: how many branches it has, each of which compares its operand, and where they begin."""
    within, whens, first, at = 1, 0, 0, start + 1
    while within:
        if tokens[at] == "WHEN" and within == 1:
            whens += 1
            first = first or at
        within += {"CASE": 1, "END": -1}.get(tokens[at], 0)
        at = _after(tokens, at)
    return whens, first


def _measured(tokens: Tokens, names: frozenset[str], elements: int) -> Counter[str]:
    """How often `tokens`, with the macros in them written out, name each of `names`; their size is under ""."""
    found: Counter[str] = Counter()
    at = 0
    while at < len(tokens):
        word = tokens[at]
        if word == "lambda":
            colon = tokens.index(":", at)
            stop = colon + 1
            while stop < len(tokens) and tokens[stop] not in ",)]}":
                stop = _after(tokens, stop)
            _add(found, _measured(tokens[colon + 1 : stop], names.difference(tokens[at:colon]), elements), elements)
            at = stop
        elif word in macros():
            stop = _end(tokens, at + 1)
            arguments = _parts(tokens[at + 2 : stop])
            called = _uses(word, len(arguments), elements)
            found[""] += called.size
            for argument, times in zip(arguments, called.parameters, strict=False):
                _add(found, _measured(argument, names, elements), times)
            at = stop + 1
        elif word == "CASE":
            whens, stop = _branches(tokens, at)
            _add(found, _measured(tokens[at + 1 : stop], names, elements), whens)
            at = stop
        else:
            found[""] += 1
            if word in names and tokens[at - 1 : at] != ["."]:
                found[word] += 1
            at += 1
    return found


def _add(found: Counter[str], more: Counter[str], times: int) -> None:
    for name, count in more.items():
        found[name] += count * times
