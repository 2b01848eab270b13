"""What `reduce` does: texts grouped by the words they share, after Vaarandi's clustering of event logs (SLCT).

A word is frequent if more than the threshold's share of the rows has it at the same place. Numbers are never frequent:
they are what varies. A text's pattern keeps its frequent words and has `*` for runs of others; texts without any
frequent word are `others`.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence

OTHERS = "others"


@dataclasses.dataclass(frozen=True, slots=True)
class TextGroup:
    """A pattern, how many rows have it, and the first of their texts."""

    pattern: str
    count: int
    representative: str


def patterns_of(texts: Sequence[tuple[str, int]], *, threshold: float, separators: str | None) -> list[str]:
    """The pattern of each text; `texts` are distinct, with how many rows have each.

    `separators` are the characters between words, None: all but ASCII letters and digits.
    """
    splitter = re.compile(f"([{re.escape(separators)}]+)" if separators else r"([^A-Za-z0-9]+)")
    split = [splitter.split(text) for text, _ in texts]
    counts: Counter[tuple[int, str]] = Counter()
    for parts, (_, count) in zip(split, texts, strict=True):
        for place, word in enumerate(parts[::2]):
            counts[place, word] += count
    least = threshold * sum(count for _, count in texts)
    frequent = {key for key, count in counts.items() if count > least and key[1] and not key[1].isdigit()}
    return [_pattern(parts, frequent) for parts in split]


def _pattern(parts: list[str], frequent: set[tuple[int, str]]) -> str:
    if not any((place, word) in frequent for place, word in enumerate(parts[::2])):
        return OTHERS
    pieces: list[str] = []
    for place, part in enumerate(parts):
        is_separator = place % 2 == 1
        if not is_separator and part and (place // 2, part) not in frequent:
            _add_wildcard(pieces)
        elif part:
            pieces.append(part)
    return "".join(pieces)


def _add_wildcard(pieces: list[str]) -> None:
    """A separator made of letters, which reads like part of a word, goes into the wildcard."""
    if pieces and len(pieces) > 1 and pieces[-1].isalnum():
        pieces.pop()
    if not pieces or pieces[-1] != "*":
        pieces.append("*")


def groups(texts: Sequence[tuple[str, int]], patterns: Sequence[str]) -> list[TextGroup]:
    """Patterns with their counts, most frequent first, `others` last."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {OTHERS: ""}
    for (text, count), pattern in zip(texts, patterns, strict=True):
        counts[pattern] += count
        first.setdefault(pattern, text)
    ranked = sorted(counts.items(), key=lambda each: (each[0] == OTHERS, -each[1]))
    return [TextGroup(pattern, count, first[pattern]) for pattern, count in ranked]
