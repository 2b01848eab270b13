"""search and find: conditions over whole tables."""

from __future__ import annotations

import dataclasses
import re

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import word
from vedette.kql.binder.context import Binder, similar
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.expressions import any_of, bind_boolean
from vedette.kql.binder.pipelines import operator, source
from vedette.kql.binder.scopes import Scope, Table, reference
from vedette.kql.binder.unions import Leg, bind_leg, combine
from vedette.kql.plan import Call, Column, Expression, Literal
from vedette.kql.types import ScalarType

_T = ScalarType

_BAG = "pack_"
"""The column of `find` that holds what is not projected."""


@operator(syntax.SearchOperator)
def bind_search(binder: Binder, written: syntax.SearchOperator, table: Table, scope: Scope) -> Table:
    """`search` over piped rows."""
    return _search(binder, written, [Leg(table, None)], scope)


@source(syntax.SearchOperator)
def bind_search_source(binder: Binder, written: syntax.SearchOperator, scope: Scope) -> Table:
    """`search` over the tables named, or all."""
    legs = _legs(binder, written.tables, written, scope)
    return _search(binder, written, legs, scope)


def _legs(binder: Binder, tables: tuple[syntax.Expression, ...], at: syntax.Node, scope: Scope) -> list[Leg]:
    written = tables or (syntax.StarExpression(at.span),)
    return [leg for each in written for leg in bind_leg(binder, each, scope)]


def _search(binder: Binder, written: syntax.SearchOperator, legs: list[Leg], scope: Scope) -> Table:
    sensitive = word(written.parameter("kind")) == "case_sensitive"
    _report_unknown(binder, written.predicate, legs, scope)
    tables = []
    for leg in legs:
        predicate = _predicate(binder, written.predicate, leg.table, scope, sensitive=sensitive)
        filtered = leg.table.with_relation(plan.Filter(leg.table.columns, leg.table.relation, predicate))
        tables.append(_labelled(binder, filtered, "$table", leg.name or "union_arg0"))
    return combine(binder, tables)


def _labelled(binder: Binder, table: Table, name: str, text: str) -> Table:
    column = binder.column(name, _T.STRING)
    expressions = (Literal(_T.STRING, text), *(reference(each) for each in table.columns))
    return table.with_relation(plan.Project((column, *table.columns), table.relation, expressions))


def _predicate(
    binder: Binder, written: syntax.Expression, table: Table, scope: Scope, *, sensitive: bool
) -> Expression:
    """A search predicate: a bare text is a term to be found in any column; columns may be missing in some tables."""
    if isinstance(written, syntax.StarExpression):
        return Literal(_T.BOOL, True)
    if isinstance(written, syntax.Literal | syntax.NameReference) and _term(binder, written, scope) is not None:
        text = _term(binder, written, scope) or ""
        return _term_anywhere(text, table, sensitive=sensitive)
    if isinstance(written, syntax.LogicalExpression):
        operands = tuple(_predicate(binder, each, table, scope, sensitive=sensitive) for each in written.operands)
        return Call(_T.BOOL, written.operator, operands)
    if isinstance(written, syntax.FunctionCall) and written.name.text == "not" and len(written.arguments) == 1:
        inner = _predicate(binder, written.arguments[0], table, scope, sensitive=sensitive)
        return Call(_T.BOOL, "not", (inner,))
    if _missing_column(written, table, scope):
        return Literal(_T.BOOL, False)
    return _condition(binder, written, table, scope, sensitive=sensitive)


def _condition(
    binder: Binder, written: syntax.Expression, table: Table, scope: Scope, *, sensitive: bool
) -> Expression:
    """A condition on columns by name; behind `:` a term may have wildcards."""
    if isinstance(written, syntax.BinaryExpression) and written.operator == ":":
        term = _term(binder, written.right, scope)
        if term is not None and not isinstance(written.left, syntax.StarExpression):
            name, needle = _comparison(term, sensitive=sensitive)
            value = binder.scalar(binder, written.left, scope.over(table))
            return Call(_T.BOOL, name, (convert(value, _T.STRING), needle))
    return bind_boolean(binder, _sensitive(written) if sensitive else written, scope.over(table))


_SENSITIVE = {
    "=~": "==", "!~": "!=", "in~": "in", "!in~": "!in", ":": "has_cs",
    **{
        f"{negation}{name}": f"{negation}{name}_cs"
        for name in ("has", "hasprefix", "hassuffix", "contains", "startswith", "endswith")
        for negation in ("", "!")
    },
}  # fmt: skip
"""What operators on text mean under `kind=case_sensitive`."""


def _sensitive(written: syntax.Expression) -> syntax.Expression:
    if isinstance(written, syntax.BinaryExpression | syntax.InExpression) and written.operator in _SENSITIVE:
        return dataclasses.replace(written, operator=_SENSITIVE[written.operator])
    return written


def _term(binder: Binder, written: syntax.Expression, scope: Scope) -> str | None:
    if isinstance(written, syntax.Literal):
        return str(written.value) if written.type is not _T.BOOL else None
    bound = binder.scalar(binder, written, scope) if scope.variable(getattr(written, "name", "")) else None
    return bound.value if isinstance(bound, Literal) and isinstance(bound.value, str) else None


def _term_anywhere(text: str, table: Table, *, sensitive: bool) -> Expression:
    """The term in any column."""
    name, needle = _comparison(text, sensitive=sensitive)
    searched = [each for each in table.columns if each.type in {_T.STRING, _T.DYNAMIC, _T.GUID, _T.LONG, _T.INT}]
    return any_of(tuple(Call(_T.BOOL, name, (convert(reference(each), _T.STRING), needle)) for each in searched))


def _comparison(text: str, *, sensitive: bool) -> tuple[str, Literal]:
    """`has` the term; `*` at an end makes it a prefix, suffix or substring, within it a regular expression."""
    if "*" in text.strip("*"):
        return "matches_regex", Literal(_T.STRING, _pattern(text, sensitive=sensitive))
    name = "has"
    if text.startswith("*") and text.endswith("*") and len(text) > 1:
        name = "contains"
    elif text.endswith("*"):
        name = "hasprefix"
    elif text.startswith("*"):
        name = "hassuffix"
    return f"{name}_cs" if sensitive else name, Literal(_T.STRING, text.strip("*") if name != "has" else text)


def _pattern(text: str, *, sensitive: bool) -> str:
    """`Lab*PC` as its page puts it, `\\bLab.*PC\\b`; at an end a `*` leaves the boundary out."""
    begin, end = ("" if text.startswith("*") else r"\b"), ("" if text.endswith("*") else r"\b")
    middle = ".*".join(re.escape(each) for each in text.strip("*").split("*"))
    return f"{'' if sensitive else '(?i)'}{begin}{middle}{end}"


def _missing_column(written: syntax.Expression, table: Table, scope: Scope) -> bool:
    """Whether a comparison names a column that this table does not have: it is false there."""
    column = _compared(written)
    return column is not None and _lacks(table, column, scope)


def _lacks(table: Table, column: syntax.NameReference, scope: Scope) -> bool:
    return not table.open and table.find(column.name) is None and scope.variable(column.name) is None


def _compared(written: syntax.Expression) -> syntax.NameReference | None:
    """The column that a comparison is about, or that is a condition itself."""
    operand: syntax.Expression | None = written
    if isinstance(written, syntax.BinaryExpression):
        operand = written.left
    elif isinstance(written, syntax.InExpression | syntax.BetweenExpression):
        operand = written.operand
    while isinstance(operand, syntax.PathExpression | syntax.ElementExpression):
        operand = operand.source
    return operand if isinstance(operand, syntax.NameReference) else None


def _report_unknown(binder: Binder, predicate: syntax.Expression, legs: list[Leg], scope: Scope) -> None:
    """A column may be missing in some tables, not in all of them."""
    pending = [predicate]
    while pending:
        each = pending.pop(0)
        if isinstance(each, syntax.LogicalExpression):
            pending.extend(each.operands)
        elif isinstance(each, syntax.FunctionCall) and each.name.text == "not":
            pending.extend(each.arguments)
        column = _compared(each)
        if column is not None and legs and all(_lacks(leg.table, column, scope) for leg in legs):
            known = [name for leg in legs for name in leg.table.names]
            binder.report("unknown_name", column.span, name=column.name, hint=similar(column.name, known))


@operator(syntax.FindOperator)
def bind_find(binder: Binder, written: syntax.FindOperator, table: Table, scope: Scope) -> Table:
    """`find` over piped rows: of their columns those of the predicate, the rest in the bag."""
    return _find(binder, written, [Leg(table, None)], scope, piped=True)


@source(syntax.FindOperator)
def bind_find_source(binder: Binder, written: syntax.FindOperator, scope: Scope) -> Table:
    """`find` over the tables named, or all."""
    return _find(binder, written, _legs(binder, written.tables, written, scope), scope)


def _find(binder: Binder, written: syntax.FindOperator, legs: list[Leg], scope: Scope, *, piped: bool = False) -> Table:
    """Columns: the source's name, then those projected, else those common to all tables and those of the predicate,
    and a bag of the rest.
    """
    _report_unknown(binder, written.predicate, legs, scope)
    label = word(written.parameter("withsource") or written.parameter("with_source")) or "source_"
    searched = [(leg, _predicate(binder, written.predicate, leg.table, scope, sensitive=False)) for leg in legs]
    if written.projection is None:
        searched = [each for each in searched if not _never(each[1])] or searched
    chosen = _projection(binder, written, [leg for leg, _ in searched], piped=piped)
    away = frozenset(each.name for each in written.away if isinstance(each, syntax.NameReference))
    packs = _packs(written, [leg for leg, _ in searched], chosen)
    tables: list[Table] = []
    for leg, predicate in searched:
        filtered = plan.Filter(leg.table.columns, leg.table.relation, predicate)
        tables.append(_shape(binder, leg, filtered, _Shape(label, chosen, away, packs)))
    return _bag_last(combine(binder, tables))


def _never(predicate: Expression) -> bool:
    """Whether no row of a table can fulfil a predicate, because it lacks the columns that are asked for."""
    if isinstance(predicate, Literal):
        return predicate.value is False
    if isinstance(predicate, Call) and predicate.function in {"and", "or"}:
        return (any if predicate.function == "and" else all)(_never(each) for each in predicate.arguments)
    return False


def _bag_last(table: Table) -> Table:
    """The bag of the rest stands behind the columns, also behind those that only later tables have."""
    bags = [each for each in table.columns if each.name == _BAG]
    if not bags or table.columns[-1] is bags[0]:
        return table
    columns = (*(each for each in table.columns if each is not bags[0]), bags[0])
    return table.with_relation(plan.Project(columns, table.relation, tuple(reference(each) for each in columns)))


def _projection(
    binder: Binder, written: syntax.FindOperator, legs: list[Leg], *, piped: bool
) -> list[tuple[str, ScalarType | None]] | None:
    """Names and asked-for types of the output, None for all columns of every table."""
    if written.away:
        return None
    if written.projection is not None:
        known = [name for leg in legs for name in leg.table.names]
        for each in written.projection:
            if each.name is not None and each.name.text not in known and not any(leg.table.open for leg in legs):
                binder.report("unknown_name", each.span, name=each.name.text, hint=similar(each.name.text, known))
        return [
            (each.name.text, each.type.type if each.type is not None else None)
            for each in written.projection
            if each.name is not None
        ]
    columns = [column.name for leg in legs for column in leg.table.columns]
    mentioned = _mentioned(written.predicate)
    common = [] if piped else [name for name in columns if all(name in leg.table.names for leg in legs)]
    return [(name, None) for name in dict.fromkeys([*common, *(each for each in columns if each in mentioned)])]


def _mentioned(predicate: syntax.Expression) -> set[str]:
    found: set[str] = set()
    pending: list[object] = [predicate]
    while pending:
        each = pending.pop()
        if isinstance(each, syntax.NameReference):
            found.add(each.name)
        elif isinstance(each, tuple):
            pending.extend(each)
        elif isinstance(each, syntax.Node):
            pending.extend(getattr(each, name) for name in each.__dataclass_fields__ if name != "span")
    return found


def _packs(written: syntax.FindOperator, legs: list[Leg], chosen: list[tuple[str, ScalarType | None]] | None) -> bool:
    """Whether there is a bag: where `pack_all()` asks for it, or where a table has columns that are not projected."""
    if written.away or chosen is None:
        return False
    if written.projection is not None:
        return any(each.name is None for each in written.projection)
    shown = {name for name, _ in chosen}
    return any(leg.table.open or not leg.table.names.keys() <= shown for leg in legs)


@dataclasses.dataclass(frozen=True, slots=True)
class _Shape:
    """What find makes of every table: the column of its name, the chosen columns (None: all but `away`), a bag."""

    label: str
    chosen: list[tuple[str, ScalarType | None]] | None
    away: frozenset[str]
    packs: bool


def _shape(binder: Binder, leg: Leg, relation: plan.Relation, shape: _Shape) -> Table:
    columns: list[Column] = [binder.column(shape.label, _T.STRING)]
    expressions: list[Expression] = [Literal(_T.STRING, leg.name or "union_arg0")]
    chosen = shape.chosen if shape.chosen is not None else [(each.name, None) for each in leg.table.columns]
    taken: set[str] = set()
    for name, type_ in chosen:
        column = leg.table.find(name)
        if column is None or name in shape.away:
            continue
        taken.add(column.name)
        value = convert(reference(column), type_) if type_ is not None else reference(column)
        columns.append(binder.column(name, value.type))
        expressions.append(value)
    if shape.packs:
        columns.append(binder.column(_BAG, _T.DYNAMIC))
        expressions.append(_packed([each for each in leg.table.columns if each.name not in taken]))
    projected = plan.Project(tuple(columns), relation, tuple(expressions))
    return Table(projected, open=leg.table.open)


def _packed(columns: list[Column]) -> Expression:
    arguments: list[Expression] = []
    for each in columns:
        arguments += [Literal(_T.STRING, each.name), reference(each)]
    return Call(_T.DYNAMIC, "bag_pack_nonempty", tuple(arguments))
