"""Completions at a position: tables, operators, columns in reach, functions, variables and the operator's own words."""

import dataclasses
import functools
from collections.abc import Iterable, Iterator

from vedette.kql.binder.bind import analyze
from vedette.kql.catalog import EMPTY, Catalog
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.editor.repairing import repaired
from vedette.kql.editor.situation import Place, Situation, situation_at
from vedette.kql.errors import Span
from vedette.kql.functions import registry
from vedette.kql.lexer import tokenize
from vedette.kql.parser import parse_tolerant
from vedette.kql.parser.statements import StatementParser
from vedette.kql.plan import Column

LIMIT = 200

# Old spellings, offered to nobody.
_LEGACY_OPERATORS = frozenset(["filter", "order", "limit", "mvexpand", "mvapply", "__executeAndCache", "__partitionby"])
_LEADING_OPERATORS = ("find", "let", "print", "range", "search", "union")
_AGGREGATING = frozenset(["summarize", "make-series", "top-nested", "mv-apply", "evaluate"])
_OPERATOR_WORDS = {
    "summarize": ("by",),
    "sort": ("by", "asc", "desc", "nulls first", "nulls last"),
    "top": ("by", "asc", "desc", "nulls first", "nulls last"),
    "join": ("kind=", "on", "$left", "$right"),
    "lookup": ("kind=", "on", "$left", "$right"),
    "union": ("kind=", "withsource=", "isfuzzy="),
    "mv-expand": ("to typeof(", "limit", "with_itemindex=", "kind="),
    "mv-apply": ("to typeof(", "on", "limit", "with_itemindex="),
    "parse": ("with", "kind=", "flags="),
    "parse-where": ("with", "kind=", "flags="),
    "parse-kv": ("as", "with"),
    "make-series": ("on", "from", "to", "step", "by", "default=", "kind=nonempty"),
    "where": ("and", "or", "has", "has_any", "has_all", "contains", "startswith", "endswith", "in", "in~", "between"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Completion:
    """One suggestion: `text` takes the place of `span`. `kind`: table column function aggregate plugin operator …"""

    text: str
    kind: str
    detail: str
    span: Span


def complete(text: str, position: int, catalog: Catalog = EMPTY) -> tuple[Completion, ...]:
    """What may be written at `position`, best first: names that begin with what is written, then those that have it."""
    situation = situation_at(text, position)
    written = text[situation.word.start : situation.word.end].casefold()
    begins: dict[str, Completion] = {}
    has: dict[str, Completion] = {}
    for name, kind, detail in _candidates(situation, catalog):
        at = name.casefold().find(written)
        if at >= 0:
            (begins if at == 0 else has).setdefault(name, Completion(name, kind, detail, situation.word))
    return (*begins.values(), *(each for name, each in has.items() if name not in begins))[:LIMIT]


Candidate = tuple[str, str, str]


def _candidates(situation: Situation, catalog: Catalog) -> Iterator[Candidate]:
    if situation.place is Place.SOURCE:
        yield from ((name, "variable", "") for name in situation.variables)
        yield from ((name, "table", "") for name in catalog.table_names())
        yield from ((name, "function", "") for name in catalog.function_names())
        if situation.operator is None:
            yield from ((name, "operator", "") for name in _LEADING_OPERATORS)
        else:
            yield from _words(situation)
    elif situation.place is Place.OPERATOR:
        yield from ((name, "operator", "") for name in operators())
    elif situation.place is Place.OPERAND:
        yield from _operands(situation, catalog)
    elif situation.place is Place.MEMBER and situation.path == "$left":
        yield from _columns(columns_in_reach(situation, catalog))


def _operands(situation: Situation, catalog: Catalog) -> Iterator[Candidate]:
    if situation.operator == "evaluate":
        yield from _functions("plugin")
    yield from _columns(columns_in_reach(situation, catalog))
    yield from ((name, "variable", "") for name in situation.variables)
    yield from _words(situation)
    if situation.operator in _AGGREGATING:
        yield from _functions("aggregate")
    yield from ((name, "function", "") for name in catalog.function_names())
    yield from _functions("scalar")
    yield from _functions("window")


def _words(situation: Situation) -> Iterable[Candidate]:
    return ((word, "keyword", "") for word in _OPERATOR_WORDS.get(situation.operator or "", ()))


def _columns(columns: Iterable[Column]) -> Iterator[Candidate]:
    for each in columns:
        plain = each.name.isidentifier() and each.name.isascii()
        yield each.name if plain else f"['{each.name}']", "column", each.type.value


@functools.cache
def _functions(kind: registry.Kind) -> tuple[Candidate, ...]:
    """Functions by their present names, those apart that are refused."""
    found = [each for each in registry.functions(kind).values() if each.record.refused is None]
    return tuple((each.name, kind, "; ".join(each.record.signatures)) for each in found if each.canonical == each.name)


@functools.cache
def operators() -> tuple[str, ...]:
    """Keywords of the operators that can stand behind a pipe."""
    known = StatementParser(tokenize("", Diagnostics("")), Diagnostics("")).operators
    return tuple(sorted(known.keys() - _LEGACY_OPERATORS - {"print", "range"}))


def columns_in_reach(situation: Situation, catalog: Catalog) -> tuple[Column, ...]:
    """Result columns of the pipeline in front of the position, as far as it can be bound."""
    if not situation.pipeline:
        return ()
    query, diagnostics = parse_tolerant(situation.pipeline)
    text = situation.pipeline
    if diagnostics:
        text = repaired(text)
        query, _ = parse_tolerant(text)
    bound, _ = analyze(query, text, catalog)
    return bound.relation.columns
