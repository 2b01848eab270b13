"""Analysis of hunting queries without running them: result columns and everything wrong with the query."""

import dataclasses
import re

from vedette.hunting.catalog import WORKSPACE_TIME, ContractCatalog
from vedette.kql.binder.bind import analyze
from vedette.kql.errors import Diagnostic, KqlError
from vedette.kql.parser import parse

_WORKSPACE = re.compile(rf"\b{WORKSPACE_TIME}\b")


@dataclasses.dataclass(frozen=True, slots=True)
class Analysis:
    """What a query answers with: (name, type) of each column; `open` if data adds more. `errors` is empty if it is valid."""

    columns: list[tuple[str, str]]
    open: bool
    errors: list[Diagnostic]


def analyze_kql(query: str) -> Analysis:
    """Parse and bind `query` against the hunting schema.

    Queries that name `TimeGenerated` are taken to be written for a workspace, whose tables have a column of that name.
    """
    catalog = ContractCatalog(workspace=_WORKSPACE.search(query) is not None)
    try:
        bound, diagnostics = analyze(parse(query), query, catalog)
    except KqlError as error:
        return Analysis([], False, list(error.diagnostics))
    columns = [(each.name, each.type.value) for each in bound.relation.columns]
    return Analysis(columns, bound.open, [each for each in diagnostics if each.severity == "error"])
