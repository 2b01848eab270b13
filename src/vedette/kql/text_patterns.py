"""Runs of tokens that texts of one set have more often than those of another. Pure computation over counted texts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

MOST_PATTERNS = 100
"""More patterns than these help nobody; those that differ most are kept."""

_Run = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class SplitText:
    """A text, and how many rows have it in either set."""

    text: str
    first: int
    second: int


@dataclasses.dataclass(frozen=True, slots=True)
class TextPattern:
    """A run of tokens, how many rows of either set have it, and their percentages."""

    text: str
    first: int
    second: int
    first_percent: float
    second_percent: float


def differences(
    texts: Sequence[SplitText], *, threshold: float, least_tokens: int, most_tokens: int
) -> list[TextPattern]:
    """Runs of `least_tokens` to `most_tokens` whose share differs by `threshold` at least between the sets.

    A run that is part of a longer one with the same rows is left out.
    """
    totals = sum(each.first for each in texts), sum(each.second for each in texts)
    found: dict[_Run, TextPattern] = {}
    level: set[_Run] = {()}
    for length in range(1, most_tokens + 1):
        counts = _counted(texts, length, level)
        runs = [_pattern(run, *both, totals) for run, both in counts.items()]
        level = {
            tuple(each.text.split()) for each in runs if max(each.first_percent, each.second_percent) >= 100 * threshold
        }
        found.update({tuple(each.text.split()): each for each in runs if _differs(each, threshold)})
        if not level:
            break
    kept = [each for run, each in found.items() if len(run) >= least_tokens and not _is_part(run, each, found)]
    ranked = sorted(kept, key=lambda each: (-abs(each.first_percent - each.second_percent), each.text))
    return ranked[:MOST_PATTERNS]


def _counted(texts: Iterable[SplitText], length: int, level: set[_Run]) -> dict[_Run, tuple[int, int]]:
    """The rows that have each run of a length whose first tokens, one less, are in `level`."""
    counts: dict[_Run, tuple[int, int]] = {}
    for each in texts:
        tokens = each.text.split()
        runs = {tuple(tokens[place : place + length]) for place in range(len(tokens) - length + 1)}
        for run in runs:
            if run[:-1] in level:
                first, second = counts.get(run, (0, 0))
                counts[run] = (first + each.first, second + each.second)
    return counts


def _pattern(run: _Run, first: int, second: int, totals: tuple[int, int]) -> TextPattern:
    shares = [100.0 * count / total if total else 0.0 for count, total in zip((first, second), totals, strict=True)]
    return TextPattern(" ".join(run), first, second, shares[0], shares[1])


def _differs(pattern: TextPattern, threshold: float) -> bool:
    return abs(pattern.first_percent - pattern.second_percent) >= 100 * threshold


def _is_part(run: _Run, pattern: TextPattern, found: dict[_Run, TextPattern]) -> bool:
    """A longer run with the same counts has the same rows, as each of them has the shorter one too."""
    return any(
        len(other) == len(run) + 1
        and run in {other[:-1], other[1:]}
        and (each.first, each.second) == (pattern.first, pattern.second)
        for other, each in found.items()
    )
