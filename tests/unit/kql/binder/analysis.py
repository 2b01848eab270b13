"""A small catalog and the way tests look at what the binder makes of a query."""

from collections.abc import Iterable

from vedette.kql.binder.bind import analyze, bind
from vedette.kql.catalog import TableColumn, TableSchema
from vedette.kql.errors import Diagnostic, KqlError
from vedette.kql.parser import parse
from vedette.kql.plan import BoundQuery
from vedette.kql.types import ScalarType

COLUMNS = {
    "a": ScalarType.LONG,
    "b": ScalarType.STRING,
    "c": ScalarType.DYNAMIC,
    "d": ScalarType.DATETIME,
    "e": ScalarType.REAL,
    "f": ScalarType.INT,
    "t": ScalarType.TIMESPAN,
    "g": ScalarType.BOOL,
}
_SCHEMA = TableSchema(
    "T",
    tuple(TableColumn(name, type_, name) for name, type_ in COLUMNS.items()),
    "d",
    (("When", "d"),),
    ingestion_column="_stored_at",
    name_column="Type",
)
_OTHER = TableSchema("Other", (TableColumn("b", ScalarType.STRING, "b"), TableColumn("z", ScalarType.LONG, "z")), None)


class TwoTables:
    """Tables `T`, with a column of each common type and an alias of `d`, and `Other`; stored functions."""

    version = "1"

    def table(self, name: str) -> TableSchema | None:
        return {"T": _SCHEMA, "Other": _OTHER}.get(name)

    def table_names(self) -> Iterable[str]:
        return ("T", "Other")

    def function(self, name: str) -> str | None:
        stored = {
            "Tagged": '(rows: (*), column: string = "b") { rows | extend tag = column_ifexists(column, "") }',
            "Broken": "() { T | project nothing }",
            "Loop": "() { Loop | take 1 }",
        }
        return stored.get(name)

    def function_names(self) -> Iterable[str]:
        return ()


def bound(query: str, discoveries: dict[str, list[tuple[object, ...]]] | None = None) -> BoundQuery:
    """The plan of a query, as compilation gets it."""
    return bind(parse(query), query, TwoTables(), discoveries)


def schema(query: str) -> str:
    """Result columns as `name:type, name:type`; the query must be valid."""
    analysis, diagnostics = analyze(parse(query), query, TwoTables())
    assert not diagnostics, diagnostics
    return ", ".join(f"{each.name}:{each.type}" for each in analysis.relation.columns)


def errors(query: str) -> tuple[Diagnostic, ...]:
    """All errors of a query that compilation refuses."""
    try:
        bound(query)
    except KqlError as error:
        return error.diagnostics
    return ()
