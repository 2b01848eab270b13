"""Patterns in rows of discrete attributes: which values many rows share. Pure computation over counted rows.

A pattern has a value or None, for any value, per attribute.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

Pattern = tuple[object, ...]

MOST_PATTERNS = 100
"""More patterns than these help nobody; the ones that cover most are kept."""
MOST_SEEDS = 2000


@dataclasses.dataclass(frozen=True, slots=True)
class CountedRow:
    """Values of one row, or of one pattern, and how many rows have them."""

    values: Pattern
    count: int


def clusters(rows: Sequence[CountedRow], *, size_weight: float, limit: int) -> list[CountedRow]:
    """Patterns that balance how many rows they cover (by `size_weight`) against how much they say.

    Grown from single values: each step adds the value that improves the score, as long as one does.
    """
    total = sum(each.count for each in rows)
    found: dict[Pattern, CountedRow] = {}
    for seed in _single_values(rows)[:limit]:
        grown = _grown(seed, rows, total, size_weight)
        found[grown.values] = grown
    ranked = sorted(found.values(), key=lambda each: -_score(each, total, size_weight))
    return _without_covered(ranked, rows)


def _single_values(rows: Sequence[CountedRow]) -> list[CountedRow]:
    """Patterns of one value, most frequent first."""
    counts: Counter[tuple[int, object]] = Counter()
    for row in rows:
        for place, value in enumerate(row.values):
            if _says_something(value):
                counts[place, value] += row.count
    width = len(rows[0].values) if rows else 0
    return [CountedRow(_pattern(width, [item]), count) for item, count in counts.most_common(MOST_SEEDS)]


def _says_something(value: object) -> bool:
    return value is not None and value != ""


def _pattern(width: int, items: Iterable[tuple[int, object]]) -> Pattern:
    chosen = dict(items)
    return tuple(chosen.get(place) for place in range(width))


def _grown(seed: CountedRow, rows: Sequence[CountedRow], total: int, size_weight: float) -> CountedRow:
    current, members = seed, [row for row in rows if matches(seed.values, row.values)]
    while True:
        better = [_joined(current, each) for each in _single_values(members) if current.values[_place(each)] is None]
        best = max(better, key=lambda each: _score(each, total, size_weight), default=None)
        if best is None or _score(best, total, size_weight) <= _score(current, total, size_weight):
            return current
        current, members = best, [row for row in members if matches(best.values, row.values)]


def _place(single: CountedRow) -> int:
    return next(place for place, value in enumerate(single.values) if value is not None)


def _joined(pattern: CountedRow, single: CountedRow) -> CountedRow:
    """The pattern with one more value. `single` has been counted among the pattern's rows."""
    values = tuple(own if own is not None else new for own, new in zip(pattern.values, single.values, strict=True))
    return CountedRow(values, single.count)


def _score(pattern: CountedRow, total: int, size_weight: float) -> float:
    size = pattern.count / total if total else 0.0
    said = sum(value is not None for value in pattern.values) / len(pattern.values)
    return float(size**size_weight * said ** (1 - size_weight))


def _without_covered(ranked: Sequence[CountedRow], rows: Sequence[CountedRow]) -> list[CountedRow]:
    """Patterns that still cover something new behind the better ones, largest first."""
    left = list(rows)
    kept: list[CountedRow] = []
    for each in ranked:
        rest = [row for row in left if not matches(each.values, row.values)]
        if len(rest) < len(left):
            kept.append(each)
            left = rest
    return sorted(kept[:MOST_PATTERNS], key=lambda each: -each.count)


def frequent(rows: Sequence[CountedRow], *, threshold: float, dimensions: int) -> list[CountedRow]:
    """Every pattern of at most `dimensions` values that at least the share `threshold` of the rows has (Apriori).

    Of patterns that the same rows have only the one that says most is given.
    """
    least = threshold * sum(each.count for each in rows)
    singles = [each for each in _single_values(rows) if each.count >= least]
    found: dict[Pattern, CountedRow] = {each.values: each for each in singles}
    level = list(singles)
    for _ in range(dimensions - 1):
        level = [each for each in _extended(level, singles, rows, found) if each.count >= least]
        found.update({each.values: each for each in level})
    closed = [each for each in found.values() if not _is_implied(each, found.values())]
    return sorted(closed, key=lambda each: (-each.count, -_size(each.values)))[:MOST_PATTERNS]


def _extended(
    level: Sequence[CountedRow], singles: Sequence[CountedRow], rows: Sequence[CountedRow], known: Iterable[Pattern]
) -> list[CountedRow]:
    seen = set(known)
    made: list[CountedRow] = []
    for pattern in level:
        for single in singles:
            if pattern.values[_place(single)] is not None:
                continue
            values = _joined(pattern, single).values
            if values not in seen:
                seen.add(values)
                made.append(CountedRow(values, count_of(values, rows)))
    return made


def _is_implied(pattern: CountedRow, others: Iterable[CountedRow]) -> bool:
    return any(
        each.count == pattern.count
        and _size(each.values) > _size(pattern.values)
        and matches(pattern.values, each.values)
        for each in others
    )


def _size(pattern: Pattern) -> int:
    return sum(value is not None for value in pattern)


def differences(
    first: Sequence[CountedRow], second: Sequence[CountedRow], *, threshold: float, dimensions: int
) -> list[tuple[Pattern, int, int, float, float]]:
    """Patterns whose share differs by `threshold` at least between two sets of rows, with counts and percentages."""
    totals = sum(each.count for each in first), sum(each.count for each in second)
    candidates = {
        each.values for rows in (first, second) for each in frequent(rows, threshold=threshold, dimensions=dimensions)
    }
    found: list[tuple[Pattern, int, int, float, float]] = []
    for pattern in candidates:
        counts = count_of(pattern, first), count_of(pattern, second)
        shares = [100.0 * count / total if total else 0.0 for count, total in zip(counts, totals, strict=True)]
        if abs(shares[0] - shares[1]) >= 100 * threshold:
            found.append((pattern, counts[0], counts[1], shares[0], shares[1]))
    return sorted(found, key=lambda each: (-abs(each[3] - each[4]), repr(each[0])))[:MOST_PATTERNS]


def matches(pattern: Pattern, values: Pattern) -> bool:
    """Whether a row (or a narrower pattern) has all values of the pattern."""
    return all(wanted is None or wanted == value for wanted, value in zip(pattern, values, strict=True))


def count_of(pattern: Pattern, rows: Iterable[CountedRow]) -> int:
    """How many rows the pattern covers."""
    return sum(row.count for row in rows if matches(pattern, row.values))
