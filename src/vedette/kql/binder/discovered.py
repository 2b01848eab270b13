"""bag_unpack and pivot: plugins whose columns are in the data unless a schema is declared."""

from __future__ import annotations

import json

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import constant_text
from vedette.kql.binder.context import Binder
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.names import unique
from vedette.kql.binder.scopes import Scope, Table, reference
from vedette.kql.plan import Aggregate, Call, Column, Expression, Literal
from vedette.kql.types import ScalarType

_T = ScalarType

_JSON_TYPES = {
    "bool": _T.BOOL,
    "int": _T.LONG,
    "long": _T.LONG,
    "real": _T.REAL,
    "double": _T.REAL,
    "decimal": _T.DECIMAL,
    "string": _T.STRING,
    "datetime": _T.DATETIME,
    "timespan": _T.TIMESPAN,
    "guid": _T.GUID,
}
"""Column types by what gettype() says of the values; values of several types make a dynamic column."""


_CONFLICTS = ("error", "replace_source", "keep_source")


def bag_unpack(
    binder: Binder, call: syntax.FunctionCall, table: Table, scope: Scope, schema: syntax.RowSchema | None
) -> Table:
    """`bag_unpack(bag, prefix, columnsConflict, ignoredProperties)`."""
    if not call.arguments:
        return binder.fail_table("argument_count", call.span, name="bag_unpack", count=0)
    bag = binder.scalar(binder, call.arguments[0], scope.over(table))
    prefix, conflict, ignored = _options(binder, call, scope)
    if bag.type is not _T.DYNAMIC:
        return binder.fail_table("not_dynamic", call.arguments[0].span, found=bag.type)
    own = bag.column.id if isinstance(bag, plan.ColumnReference) else None
    kept = [each for each in table.columns if each.id != own]
    if schema is not None:
        return _declared(binder, table, schema, bag, prefix=prefix, kept=kept)
    if binder.analysis:
        relation = plan.Project(tuple(kept), table.relation, tuple(reference(each) for each in kept))
        return Table(relation, open=True)
    keys = [(key, type_) for key, type_ in _keys(binder, table, bag) if key not in ignored]
    named = [(f"{prefix}{key}", key, type_) for key, type_ in keys]
    _check_conflict(binder, call, conflict, {name for name, _, _ in named} & {each.name for each in kept})
    return _unpacked(binder, table, bag, kept=kept, keys=named, conflict=conflict)


def _check_conflict(binder: Binder, call: syntax.FunctionCall, conflict: str, clashing: set[str]) -> None:
    if conflict not in _CONFLICTS:
        fields = {"name": "columnsConflict", "expected": ", ".join(_CONFLICTS), "found": conflict}
        binder.report("invalid_parameter_value", call.span, **fields)
    elif clashing and conflict == _CONFLICTS[0]:
        hint = f"columnsConflict can be {' or '.join(_CONFLICTS[1:])}"
        binder.report("column_declared_twice", call.span, name=min(clashing), hint=hint)


def _options(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> tuple[str, str, set[str]]:
    texts = ["", "error"]
    ignored: set[str] = set()
    places = {"columnprefix": 0, "outputcolumnprefix": 0, "column_prefix": 0, "columnsconflict": 1}
    for index, each in enumerate(call.arguments[1:]):
        place, value = index, each
        if isinstance(each, syntax.NamedExpression):
            place, value = places.get(each.name.text.lower(), 2), each.expression
        if place < 2:
            texts[place] = constant_text(binder, value, scope) or texts[place]
            continue
        bound = binder.scalar(binder, value, scope.lexical)
        if isinstance(bound, Literal) and isinstance(bound.value, str):
            ignored = {str(item) for item in json.loads(bound.value)}
    return texts[0], texts[1], ignored


def _declared(
    binder: Binder, table: Table, schema: syntax.RowSchema, bag: Expression, *, prefix: str, kept: list[Column]
) -> Table:
    """With a schema exactly its columns come out: those of the input by name, the others from the bag."""
    names = {each.name: each for each in kept}
    columns: list[Column] = []
    expressions: list[Expression] = []
    declared = {each.name.text for each in schema.columns}
    if schema.open:
        for column in kept:
            if column.name not in declared:
                columns.append(column)
                expressions.append(reference(column))
    for each in schema.columns:
        name, type_ = each.name.text, each.type.type
        own = names.get(name)
        key = name.removeprefix(prefix)
        value = reference(own) if own is not None else _property(bag, key)
        columns.append(binder.column(name, type_))
        expressions.append(convert(value, type_))
    return Table(plan.Project(tuple(columns), table.relation, tuple(expressions)))


def _property(bag: Expression, key: str) -> Expression:
    return Call(_T.DYNAMIC, "property", (bag, Literal(_T.STRING, key)))


def _keys(binder: Binder, table: Table, bag: Expression) -> list[tuple[str, ScalarType]]:
    """Ask the data: every key with the types of its values, in order of the key."""
    key = binder.column("key", _T.DYNAMIC)
    bag_column = binder.column("bag", _T.DYNAMIC)
    bags = plan.Project((bag_column,), table.relation, (bag,))
    keys = Call(_T.DYNAMIC, "bag_keys", (reference(bag_column),))
    rows = plan.Unnest((bag_column, key), bags, ((key, keys),))
    name, kind = binder.column("name", _T.STRING), binder.column("type", _T.STRING)
    value = Call(_T.DYNAMIC, "element", (reference(bag_column), convert(reference(key), _T.STRING)))
    described = plan.Project(
        (name, kind), rows, (convert(reference(key), _T.STRING), Call(_T.STRING, "gettype", (value,)))
    )
    found: dict[str, set[str]] = {}
    for row in binder.discover(plan.Distinct((name, kind), described)):
        if row[0]:
            found.setdefault(str(row[0]), set()).add(str(row[1]))
    return [(each, _merged(types)) for each, types in sorted(found.items())]


def _merged(types: set[str]) -> ScalarType:
    known = {_JSON_TYPES.get(each, _T.DYNAMIC) for each in types - {"null"}}
    if known == {_T.LONG, _T.REAL}:
        return _T.REAL
    return known.pop() if len(known) == 1 else _T.DYNAMIC


def _unpacked(
    binder: Binder,
    table: Table,
    bag: Expression,
    *,
    kept: list[Column],
    keys: list[tuple[str, str, ScalarType]],
    conflict: str,
) -> Table:
    columns = list(kept)
    expressions: list[Expression] = [reference(each) for each in kept]
    taken = {each.name: position for position, each in enumerate(kept)}
    for name, key, type_ in keys:
        if name in taken and conflict == "keep_source":
            continue
        if name in taken and conflict == "replace_source":
            position = taken[name]
            columns[position] = binder.column(name, type_)
            expressions[position] = convert(_property(bag, key), type_)
            continue
        output = unique(name, taken)
        taken[output] = len(columns)
        columns.append(binder.column(output, type_))
        expressions.append(convert(_property(bag, key), type_))
    return Table(plan.Project(tuple(columns), table.relation, tuple(expressions)))


def pivot(
    binder: Binder, call: syntax.FunctionCall, table: Table, scope: Scope, schema: syntax.RowSchema | None
) -> Table:
    """`pivot(column, aggregate, key columns…)`: a column per value of the pivot column."""
    if not call.arguments:
        return binder.fail_table("argument_count", call.span, name="pivot", count=0)
    column = binder.scalar(binder, call.arguments[0], scope.over(table))
    aggregate: Expression = Aggregate(_T.LONG, "count", ())
    if len(call.arguments) > 1:
        aggregate = binder.scalar(binder, call.arguments[1], scope.over(table, aggregation=True))
    keys = _pivot_keys(binder, call, table, scope, column=column, aggregate=aggregate)
    if schema is None and binder.analysis:
        relation = plan.Summarize(tuple(keys), table.relation, tuple(reference(each) for each in keys), ())
        return Table(relation, open=True)
    if schema is None:
        values = _pivot_values(binder, table, column)
        return _pivoted(binder, table, column, aggregate, keys=keys, values=values)
    names = {each.name for each in keys}
    values = [each.name.text for each in schema.columns if each.name.text not in names]
    return _as_declared(binder, _pivoted(binder, table, column, aggregate, keys=keys, values=values), schema)


def _as_declared(binder: Binder, table: Table, schema: syntax.RowSchema) -> Table:
    """The columns of a declared schema in its order and types; those of its `*` stand in front."""
    declared = {each.name.text for each in schema.columns}
    columns = [each for each in table.columns if schema.open and each.name not in declared]
    expressions: list[Expression] = [reference(each) for each in columns]
    for each in schema.columns:
        columns.append(binder.column(each.name.text, each.type.type))
        expressions.append(convert(reference(table.names[each.name.text]), each.type.type))
    return Table(plan.Project(tuple(columns), table.relation, tuple(expressions)))


def _pivot_keys(
    binder: Binder,
    call: syntax.FunctionCall,
    table: Table,
    scope: Scope,
    *,
    column: Expression,
    aggregate: Expression,
) -> list[Column]:
    """The columns listed, else all that neither are pivoted nor aggregated."""
    if len(call.arguments) > 2:
        found = []
        for each in call.arguments[2:]:
            key = binder.scalar(binder, each, scope.over(table))
            if isinstance(key, plan.ColumnReference):
                found.append(key.column)
            else:
                binder.report("column_expected", each.span)
        return found
    used = {
        each.column.id
        for each in (column, *(aggregate.arguments if isinstance(aggregate, Aggregate) else ()))
        if isinstance(each, plan.ColumnReference)
    }
    return [each for each in table.columns if each.id not in used]


def _pivot_values(binder: Binder, table: Table, column: Expression) -> list[str]:
    value = binder.column("value", _T.STRING)
    values = plan.Project((value,), table.relation, (convert(column, _T.STRING),))
    return sorted({str(row[0]) for row in binder.discover(plan.Distinct((value,), values)) if row[0] is not None})


def _pivoted(
    binder: Binder,
    table: Table,
    column: Expression,
    aggregate: Expression,
    *,
    keys: list[Column],
    values: list[str],
) -> Table:
    """One aggregate per value, over the rows that have it: `count()` becomes `countif(column == value)`."""
    text = convert(column, _T.STRING)
    outputs: list[Column] = []
    aggregates: list[Expression] = []
    taken = {each.name for each in keys}
    for value in values:
        chosen = Call(_T.BOOL, "equal", (text, Literal(_T.STRING, value)))
        name = unique(value, taken)
        taken.add(name)
        outputs.append(binder.column(name, aggregate.type))
        aggregates.append(_restricted(aggregate, chosen))
    relation = plan.Summarize(
        (*keys, *outputs), table.relation, tuple(reference(each) for each in keys), tuple(aggregates)
    )
    return Table(relation)


_CONDITIONAL = {
    "count": "countif",
    "sum": "sumif",
    "dcount": "dcountif",
    "avg": "avgif",
    "min": "minif",
    "max": "maxif",
    "stdev": "stdevif",
    "variance": "varianceif",
    "make_list": "make_list_if",
    "make_set": "make_set_if",
    "make_bag": "make_bag_if",
    "take_any": "take_anyif",
}


def _restricted(aggregate: Expression, chosen: Expression) -> Expression:
    if isinstance(aggregate, Aggregate) and aggregate.function in _CONDITIONAL:
        arguments = aggregate.arguments
        first = arguments[:1]
        return Aggregate(aggregate.type, _CONDITIONAL[aggregate.function], (*first, chosen, *arguments[1:]))
    if isinstance(aggregate, Aggregate):
        null = convert(Literal(_T.DYNAMIC, None), aggregate.arguments[0].type)
        value = Call(aggregate.arguments[0].type, "iff", (chosen, aggregate.arguments[0], null))
        return Aggregate(aggregate.type, aggregate.function, (value, *aggregate.arguments[1:]))
    if isinstance(aggregate, Call):
        arguments = tuple(_restricted(each, chosen) for each in aggregate.arguments)
        return Call(aggregate.type, aggregate.function, arguments)
    return aggregate
