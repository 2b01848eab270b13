"""What a query returns, found out without running it."""

from vedette.kql.binder.bind import analyze
from vedette.kql.catalog import Catalog
from vedette.kql.errors import KqlError
from vedette.kql.parser import parse


def query_columns(query: str, catalog: Catalog) -> tuple[str, ...] | None:
    """The columns of a query's answer; None where they show only when it runs. Raises KqlError."""
    bound, diagnostics = analyze(parse(query), query, catalog)
    if errors := tuple(diagnostic for diagnostic in diagnostics if diagnostic.severity == "error"):
        raise KqlError(errors)
    return None if bound.open else tuple(column.name for column in bound.relation.columns)
