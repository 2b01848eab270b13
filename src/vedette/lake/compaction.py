"""Rewrites small segments into fewer, time-ordered ones.

Meant for one worker at a time per tenant; a second one changes nothing, because the swap in the manifest is refused
when a source has left the lake meanwhile.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from vedette.clock import TICKS_PER_SECOND, Clock
from vedette.lake.engine import LakeFolders, TimeRange
from vedette.lake.retention import remove_files
from vedette.lake.schema import StoredTable, stored_tables
from vedette.lake.segments import Segment, Segments
from vedette.store.engine import Store

TICKS_PER_DAY = 86_400 * TICKS_PER_SECOND


class CompactionOptions(msgspec.Struct, frozen=True):
    """When it is worth it, how much at once, and how large segments shall be."""

    min_segments: int = 8
    max_source_rows: int = 4_000_000
    small_rows: int = 131_072
    """A segment below this is worth merging; days are put together until they reach it."""
    target_rows: int = 1_000_000


class DayCount(msgspec.Struct, frozen=True):
    """Rows of one day; `day` counts from year 1, None for rows without a time."""

    day: int | None
    rows: int


class Rewriter(Protocol):
    """Reads and writes Parquet for the compactor. Implemented in `lake.engines`."""

    def days(self, table: StoredTable, folder: Path, sources: Sequence[Segment]) -> list[DayCount]:
        """How the sources' rows spread over days, in order."""
        ...

    def cuts(
        self, table: StoredTable, folder: Path, sources: Sequence[Segment], time_range: TimeRange, parts: int
    ) -> list[int]:
        """Ticks that divide the rows of a time range into about equal parts: `parts - 1` of them, ascending."""
        ...

    def rewrite(
        self, table: StoredTable, folder: Path, sources: Sequence[Segment], time_range: TimeRange
    ) -> Segment | None:
        """Write the sources' rows of a half-open time range as one new segment of level 1, sorted by time.

        `(None, None)` takes every row, those without a time too. None if there are no rows.
        """
        ...


class Compactor:
    """Compaction of any tenant's tables. Holds no state."""

    def __init__(
        self,
        store: Store,
        folders: LakeFolders,
        clock: Clock,
        rewriter: Rewriter,
        options: CompactionOptions | None = None,
    ) -> None:
        self._store = store
        self._folders = folders
        self._clock = clock
        self._rewriter = rewriter
        self._options = options or CompactionOptions()

    def compact(self, tenant_id: str) -> int:
        """Rewrite whatever is worth it. Returns the number of segments replaced."""
        with self._store.connect() as connection:
            live = Segments(connection, tenant_id).all_live()
        replaced = 0
        for name in sorted({segment.table_name for segment in live}):
            sources = self._choose([segment for segment in live if segment.table_name == name])
            if sources and self._rewrite(tenant_id, stored_tables()[name], sources):
                replaced += len(sources)
        return replaced

    def _choose(self, live: Sequence[Segment]) -> list[Segment]:
        """The oldest small segments of a table, as many as one run may read; none if there are too few."""
        small = [segment for segment in live if segment.level == 0 or segment.rows < self._options.small_rows]
        if len(small) < self._options.min_segments:
            return []
        chosen: list[Segment] = []
        rows = 0
        for segment in sorted(small, key=lambda segment: (segment.min_ingestion, segment.segment_id)):
            if chosen and rows + segment.rows > self._options.max_source_rows:
                break
            chosen.append(segment)
            rows += segment.rows
        return chosen

    def _rewrite(self, tenant_id: str, table: StoredTable, sources: Sequence[Segment]) -> bool:
        folder = self._folders.segments(tenant_id)
        written: list[Segment] = []
        try:
            for time_range in self._ranges(table, folder, sources):
                if (segment := self._rewriter.rewrite(table, folder, sources, time_range)) is not None:
                    written.append(segment)
            with self._store.begin() as connection:
                manifest = Segments(connection, tenant_id)
                swapped = manifest.retire(sources, self._clock.time()) == len(sources)
                if swapped:
                    manifest.add(written)
                else:
                    connection.rollback()
        except BaseException:
            remove_files(folder, written)
            raise
        if not swapped:
            remove_files(folder, written)
        return swapped

    def _ranges(self, table: StoredTable, folder: Path, sources: Sequence[Segment]) -> list[TimeRange]:
        """Half-open ranges that cover all rows: whole days put together, or one large day cut into parts."""
        days = self._rewriter.days(table, folder, sources)
        if any(count.day is None for count in days):
            return [(None, None)]
        edges: list[int] = []
        gathered = 0
        for count in days:
            assert count.day is not None
            start = count.day * TICKS_PER_DAY
            if gathered and gathered + count.rows > self._options.target_rows:
                edges.append(start)
                gathered = 0
            gathered += count.rows
            if (parts := -(-count.rows // self._options.target_rows)) > 1:
                edges += self._rewriter.cuts(table, folder, sources, (start, start + TICKS_PER_DAY), parts)
            if gathered >= self._options.small_rows:
                edges.append(start + TICKS_PER_DAY)
                gathered = 0
        bounds: list[int | None] = [None, *dict.fromkeys(edges), None]
        return list(itertools.pairwise(bounds))
