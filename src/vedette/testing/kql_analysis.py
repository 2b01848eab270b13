"""Analysis of hunting queries without running them: result columns and everything wrong with the query."""

import dataclasses

from vedette.hunting.catalog import WORKSPACE_TIME, ContractCatalog
from vedette.kql import syntax
from vedette.kql.binder.bind import analyze
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Diagnostic, KqlError
from vedette.kql.lexer import tokenize
from vedette.kql.parser import parse


@dataclasses.dataclass(frozen=True, slots=True)
class Analysis:
    """What a query answers with: (name, type) of each column, `open` if data adds more; `errors` is empty if valid."""

    columns: list[tuple[str, str]]
    open: bool
    errors: list[Diagnostic]


def analyze_kql(query: str) -> Analysis:
    """Parse and bind `query` against the hunting schema.

    A query that names `TimeGenerated`, or is valid only there, is taken to be written for a workspace, whose tables
    have that and some further columns.
    """
    try:
        tree = parse(query)
    except KqlError as error:
        return Analysis([], False, list(error.diagnostics))
    if _names_workspace_time(query):
        return _analyze(tree, query, workspace=True)
    found = _analyze(tree, query, workspace=False)
    if not found.errors:
        return found
    elsewhere = _analyze(tree, query, workspace=True)
    return elsewhere if len(elsewhere.errors) < len(found.errors) else found


def _analyze(tree: syntax.Query, query: str, *, workspace: bool) -> Analysis:
    bound, diagnostics = analyze(tree, query, ContractCatalog(workspace=workspace))
    columns = [(each.name, each.type.value) for each in bound.relation.columns]
    return Analysis(columns, bound.open, [each for each in diagnostics if each.severity == "error"])


def _names_workspace_time(query: str) -> bool:
    """Whether the name stands in the query itself, not in a comment or text."""
    if WORKSPACE_TIME not in query:
        return False
    tokens = tokenize(query, Diagnostics(query))
    return any(query[start:end] == WORKSPACE_TIME for start, end in zip(tokens.starts, tokens.ends, strict=True))
