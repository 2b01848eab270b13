"""Path templates: `/security/incidents/{id}`, `/machines/findbyip(ip='{ip}',timestamp={time})`.

Literals match without regard to case. A parameter in quotes is an OData string: doubled quotes are undone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from vedette.errors import ContractError

T = TypeVar("T")

_PLAIN = re.compile(r"'?\(\?P<\w+>.*?\)'?")
_PARAMETER = re.compile(r"('?)\{(\w+)\}\1")


class PathTree(Generic[T]):
    """Values by path template and method, found by walking the segments of a path; literals before parameters."""

    def __init__(self) -> None:
        self._literals: dict[str, PathTree[T]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], frozenset[str], PathTree[T]]] = {}
        self._values: dict[str, T] = {}

    def add(self, template: str, method: str, value: T) -> None:
        """Add a value. Raises ContractError if template and method are taken."""
        node = self
        for segment in template.strip("/").split("/"):
            node = node._child(segment)
        if method in node._values:
            raise ContractError(f"two operations answer {method} {template}")
        node._values[method] = value

    def _child(self, segment: str) -> "PathTree[T]":
        if "{" not in segment:
            return self._literals.setdefault(segment.lower(), PathTree())
        # Patterns that differ only in the names of their parameters are two nodes: each names its own.
        pattern, quoted = _compile(segment)
        if pattern.pattern not in self._patterns:
            self._patterns[pattern.pattern] = (pattern, quoted, PathTree())
            # The more a pattern says itself, the earlier it is asked: `findbyip(…)` before `{id}`.
            self._patterns = dict(sorted(self._patterns.items(), key=lambda item: -len(_PLAIN.sub("", item[0]))))
        return self._patterns[pattern.pattern][2]

    def find(self, segments: tuple[str, ...]) -> Iterator[tuple[Mapping[str, T], Mapping[str, str]]]:
        """Every node that the path fits, best first: values by method, and the parameters."""
        if not segments:
            if self._values:
                yield self._values, {}
            return
        first, rest = segments[0], segments[1:]
        literal = self._literals.get(first.lower())
        if literal is not None:
            yield from literal.find(rest)
        for pattern, quoted, node in self._patterns.values():
            match = pattern.fullmatch(first)
            if match is not None:
                own = {n: v.replace("''", "'") if n in quoted else v for n, v in match.groupdict().items()}
                for values, parameters in node.find(rest):
                    yield values, {**own, **parameters}

    def depth(self, segments: tuple[str, ...]) -> int:
        """How many of the leading segments fit something: the next one is where a path goes astray."""
        if not segments:
            return 0
        first, rest = segments[0], segments[1:]
        nodes = [node for pattern, _, node in self._patterns.values() if pattern.fullmatch(first)]
        if (literal := self._literals.get(first.lower())) is not None:
            nodes.append(literal)
        return max((1 + node.depth(rest) for node in nodes), default=0)


def _compile(segment: str) -> tuple[re.Pattern[str], frozenset[str]]:
    parts, quoted, position = [], set(), 0
    for match in _PARAMETER.finditer(segment):
        parts.append(re.escape(segment[position : match.start()]))
        quote, name = match.groups()
        if quote:
            quoted.add(name)
        parts.append(f"'(?P<{name}>(?:[^']|'')*)'" if quote else f"(?P<{name}>.+?)")
        position = match.end()
    parts.append(re.escape(segment[position:]))
    return re.compile("".join(parts), re.IGNORECASE), frozenset(quoted)
