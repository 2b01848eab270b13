"""What compilation yields: SQL text and everything the host needs to run it and to label its answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from vedette.kql.moments import Moment, TimeRange
from vedette.kql.native.registry import NativeUse
from vedette.kql.types import ScalarType


@dataclasses.dataclass(frozen=True, slots=True)
class ResultColumn:
    """Name and type of one result column; position is its place in the SQL's select list."""

    name: str
    type: ScalarType


@dataclasses.dataclass(frozen=True, slots=True)
class TableRead:
    """A relation that the SQL text reads: `relation` is its name there, quoted as an identifier.

    The host must offer it with the table's physical column names; `time_range` is half-open in ticks.
    """

    relation: str
    table: str
    time_range: tuple[int | None, int | None]


@dataclasses.dataclass(frozen=True, slots=True)
class ExternalRead:
    """An `externaldata` source that the host fetches before it runs the query, columns in order."""

    relation: str
    uris: tuple[str, ...]
    format: str
    columns: tuple[ResultColumn, ...]
    properties: Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class CompiledQuery:
    """One executable SELECT.

    `parameters` are the values of `$1`, `$2`, …: times reckoned from that of the query.
    datetime and timespan columns come out as int64 ticks, dynamic as JSON text, guid and decimal as text.
    `further` are results besides this one, each a query of its own, in the service's order, and `name` is what one of
    those is called. A host that has room for one table answers with this one.
    `setup` are statements (constant text, macros the SQL uses) that the session runs before it; before those it
    registers the `natives`, functions that `kql.native.registry` holds.
    """

    sql: str
    parameters: tuple[object, ...]
    columns: tuple[ResultColumn, ...]
    reads: tuple[TableRead, ...] = ()
    externals: tuple[ExternalRead, ...] = ()
    ordered: bool = False
    render: Mapping[str, str] | None = None
    setup: tuple[str, ...] = ()
    natives: tuple[NativeUse, ...] = ()
    name: str | None = None
    further: tuple[CompiledQuery, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A compiled query without the time at which it runs: what is kept for when the query comes again.

    `moments` are behind the query's parameters, `ranges` behind the time ranges of its reads.
    """

    query: CompiledQuery
    moments: tuple[Moment, ...] = ()
    ranges: tuple[TimeRange, ...] = ()
    further: tuple[CompiledTemplate, ...] = ()

    def at(self, now: int) -> CompiledQuery:
        """The query as it runs at `now`, in ticks."""
        if not (self.moments or self.ranges or self.further):
            return self.query
        reads = zip(self.query.reads, self.ranges, strict=True)
        return dataclasses.replace(
            self.query,
            parameters=tuple(moment.at(now) for moment in self.moments),
            reads=tuple(TableRead(read.relation, read.table, range_.at(now)) for read, range_ in reads),
            further=tuple(each.at(now) for each in self.further),
        )
