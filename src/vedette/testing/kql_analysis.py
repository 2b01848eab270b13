"""Analysis of hunting queries without running them: result columns and everything wrong with the query."""

import dataclasses

from vedette.hunting.catalog import ContractCatalog
from vedette.kql import syntax
from vedette.kql.binder.bind import analyze
from vedette.kql.errors import Diagnostic, KqlError
from vedette.kql.parser import parse


@dataclasses.dataclass(frozen=True, slots=True)
class Analysis:
    """What a query answers with: (name, type) of each column, `open` if data adds more; `errors` is empty if valid."""

    columns: list[tuple[str, str]]
    open: bool
    errors: list[Diagnostic]


def analyze_kql(query: str) -> Analysis:
    """Parse and bind `query` against the hunting schema.

    A query that is valid only there, or has fewer errors, is taken to be written for a workspace, whose tables have
    `TimeGenerated` and some further columns.
    """
    try:
        tree = parse(query)
    except KqlError as error:
        return Analysis([], False, list(error.diagnostics))
    found = _analyze(tree, query, ContractCatalog(workspace_names=False))
    if not found.errors:
        return found
    elsewhere = _analyze(tree, query, ContractCatalog(workspace=True))
    return elsewhere if len(elsewhere.errors) < len(found.errors) else found


def _analyze(tree: syntax.Query, query: str, catalog: ContractCatalog) -> Analysis:
    bound, diagnostics = analyze(tree, query, catalog)
    columns = [(each.name, each.type.value) for each in bound.relation.columns]
    return Analysis(columns, bound.open, [each for each in diagnostics if each.severity == "error"])
