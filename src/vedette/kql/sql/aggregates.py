"""Aggregate functions. Empty input gives sum 0, count 0, avg NaN, empty lists, else null; long sums wrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from vedette.kql.functions.registry import functions
from vedette.kql.plan import Aggregate, Expression, Literal
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Dialect, Scalars, Subqueries, UnsupportedError
from vedette.kql.sql.conversions import converted
from vedette.kql.sql.dynamic import embed
from vedette.kql.sql.literals import SQL_TYPES, default, dynamic_members
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType as T

Rule = Callable[["Group", Aggregate], Sql]

RULES: dict[str, Rule] = {}
UNSUPPORTED: dict[str, str] = {"passthrough": "is internal to the real service"}
RESOLVED_BY_BINDER = frozenset({"percentiles", "percentilesw"})

_INTEGERS = frozenset({T.INT, T.LONG})
_TICKS = frozenset({T.DATETIME, T.TIMESPAN})


def _rule(*names: str) -> Callable[[Rule], Rule]:
    def declare(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, rule))
        return rule

    return declare


class Group(Scalars):
    """Lowers the expressions of one `Summarize`. `order` are the sort keys of the input rows, if they have an order."""

    def __init__(
        self, dialect: Dialect, bindings: Mapping[int, Sql], subqueries: Subqueries, order: Sequence[Sql], picks: int
    ) -> None:
        super().__init__(dialect, bindings, subqueries)
        self.order = order
        self.picks = picks

    def value(self, expression: Expression) -> Sql:
        if not isinstance(expression, Aggregate):
            return super().value(expression)
        rule = RULES.get(expression.function)
        if rule is None:
            raise UnsupportedError(expression.function, UNSUPPORTED.get(expression.function, "not available"))
        return rule(self, expression)

    def gathered(self, value: Sql, predicate: Sql | None) -> Sql:
        """`list(value)` in the order of the rows."""
        argument = value
        if self.order:
            argument = exp.Order(this=tree.used_once(value), expressions=[tree.used_once(each) for each in self.order])
        return _when(tree.call("list", argument), predicate)


def check() -> None:
    """Every aggregate of the registry has a rule or a reason."""
    names = {each.canonical for each in functions("aggregate").values()}
    missing = names - RULES.keys() - UNSUPPORTED.keys() - RESOLVED_BY_BINDER
    if missing:
        raise UnsupportedError(", ".join(sorted(missing)), "no rule")


def _when(aggregate: Sql, predicate: Sql | None) -> Sql:
    return aggregate if predicate is None else tree.filtered(aggregate, predicate)


def _parts(group: Group, call: Aggregate, names: Sequence[str]) -> tuple[Expression, Sql | None]:
    """The aggregated expression and, for the `…if` form, its predicate."""
    predicated = call.function in names
    return call.arguments[0], group.condition(call.arguments[1]) if predicated else None


@_rule("count", "countif")
def _count(group: Group, call: Aggregate) -> Sql:
    counted = tree.call("count", exp.Star())
    if not call.arguments:
        return counted
    (only,) = call.arguments[:1]
    predicate = group.condition(only) if only.type is T.BOOL else tree.is_not_null(group.value(only))
    return tree.filtered(counted, predicate)


@_rule("dcount", "dcountif", "count_distinct", "count_distinctif")
def _dcount(group: Group, call: Aggregate) -> Sql:
    """Exact, where the real service estimates."""
    expression, predicate = _parts(group, call, ("dcountif", "count_distinctif"))
    value = group.value(expression)
    if expression.type is T.DYNAMIC:
        value = tree.call("kql_tostring_dynamic", value)
    return _when(tree.distinct("count", value), predicate)


def _whole(value: Sql, expression: Expression) -> Sql:
    return tree.cast(value, "BIGINT") if expression.type in {T.INT, T.BOOL} else value


@_rule("sum", "sumif")
def _sum(group: Group, call: Aggregate) -> Sql:
    expression, predicate = _parts(group, call, ("sumif",))
    value = group.value(expression)
    if expression.type is T.DECIMAL:
        return _of_decimals("sum", value, predicate)
    if expression.type is T.REAL:
        return tree.coalesce(_when(tree.call("sum", value), predicate), tree.cast(tree.number(0), "DOUBLE"))
    total = _when(tree.call("sum", _whole(value, expression)), predicate)
    return tree.coalesce(tree.call("kql_wrap", total), tree.cast(tree.number(0), "BIGINT"))


def _of_decimals(name: str, value: Sql, predicate: Sql | None) -> Sql:
    """An aggregate that a native function computes of all values at once."""
    values = tree.coalesce(_when(tree.call("list", value), predicate), tree.cast(tree.array([]), "VARCHAR[]"))
    return decimals.compute(name, tree.cast(tree.call("to_json", values), "VARCHAR"))


def _real(group: Group, expression: Expression) -> Sql:
    value = group.value(expression)
    return decimals.as_real(value) if expression.type is T.DECIMAL else tree.cast(value, "DOUBLE")


@_rule("avg", "avgif")
def _avg(group: Group, call: Aggregate) -> Sql:
    expression, predicate = _parts(group, call, ("avgif",))
    value = group.value(expression)
    nan = tree.cast(tree.text("nan"), "DOUBLE")
    if expression.type is T.REAL:
        return tree.coalesce(_when(tree.call("avg", value), predicate), nan)
    if expression.type is T.DECIMAL:
        return _of_decimals("mean", value, predicate)
    total = _when(tree.call("sum", _whole(value, expression)), predicate)
    count = _when(tree.call("count", value), predicate)
    if expression.type in _TICKS:
        quotient = tree.binary(exp.IntDiv, total, exp.Nullif(this=count, expression=tree.number(0)))
        return tree.cast(quotient, "BIGINT")
    wrapped = tree.cast(tree.call("kql_wrap", total), "DOUBLE")
    return tree.coalesce(tree.binary(exp.Div, wrapped, exp.Nullif(this=count, expression=tree.number(0))), nan)


@_rule("min", "minif", "max", "maxif")
def _extreme(group: Group, call: Aggregate) -> Sql:
    expression, predicate = _parts(group, call, ("minif", "maxif"))
    name = call.function.removesuffix("if")
    value = group.value(expression)
    result = _when(tree.call(name, value), predicate)
    if expression.type is T.STRING:
        return tree.coalesce(result, tree.text(""))
    if expression.type is T.REAL and name == "min":
        has_nan = _when(tree.call("bool_or", tree.call("isnan", value)), predicate)
        return tree.when([(has_nan, tree.cast(tree.text("nan"), "DOUBLE"))], result)
    return result


@_rule("stdev", "stdevif", "stdevp", "variance", "varianceif", "variancep", "variancepif")
def _spread(group: Group, call: Aggregate) -> Sql:
    expression, predicate = _parts(group, call, ("stdevif", "varianceif", "variancepif"))
    base = call.function.removesuffix("if")
    name = {"stdev": "stddev_samp", "stdevp": "stddev_pop", "variance": "var_samp", "variancep": "var_pop"}[base]
    value = _real(group, expression)
    result = tree.coalesce(_when(tree.call(name, value), predicate), tree.cast(tree.number(0), "DOUBLE"))
    return tree.call("kql_rounded", result) if base.startswith("variance") else result


@_rule("covariance", "covarianceif", "covariancep", "covariancepif")
def _covariance(group: Group, call: Aggregate) -> Sql:
    first, second, *rest = call.arguments
    predicate = group.condition(rest[0]) if rest else None
    name = "covar_pop" if call.function.startswith("covariancep") else "covar_samp"
    sides = (_real(group, each) for each in (first, second))
    return tree.coalesce(_when(tree.call(name, *sides), predicate), tree.cast(tree.text("nan"), "DOUBLE"))


@_rule("binary_all_and", "binary_all_or", "binary_all_xor")
def _bits(group: Group, call: Aggregate) -> Sql:
    name = call.function.replace("binary_all", "bit")
    whole = converted(group.value(call.arguments[0]), call.arguments[0].type, T.LONG)
    bits = tree.call(name, whole)
    return converted(bits, T.LONG, call.type)


# --- one row of the group -------------------------------------------------------------------------------------------


def _boxed(aggregate: str, value: Sql, type_: T, *rest: Sql) -> Sql:
    """An aggregate that picks a row; a nullable value travels in a struct so that its null is not skipped.

    Where the ordering (`rest`) is null in the whole group, the first row is picked.
    """
    if type_ is T.STRING:
        alone = [tree.call("first", value)] if rest else []
        return tree.coalesce(tree.call(aggregate, value, *rest), *alone, tree.text(""))
    box = tree.call("struct_pack", exp.PropertyEQ(this=exp.Identifier(this="v"), expression=tree.used_once(value)))
    picked = tree.call(aggregate, box, *rest)
    return tree.field(tree.coalesce(picked, tree.call("first", box)) if rest else picked, "v")


@_rule("arg_max", "arg_min")
def _arg_extreme(group: Group, call: Aggregate) -> Sql:
    ordering, value = call.arguments
    by = group.value(ordering)
    if ordering is value:
        picked = tree.call(call.function.removeprefix("arg_"), by)
        return tree.coalesce(picked, tree.text("")) if value.type is T.STRING else picked
    return _boxed(call.function, group.value(value), value.type, by)


@_rule("take_any", "take_anyif")
def _take_any(group: Group, call: Aggregate) -> Sql:
    """Alone it prefers a value that is there; several together come from one row."""
    expression, predicate = _parts(group, call, ("take_anyif",))
    value = group.value(expression)
    if group.picks > 1:
        return _boxed("first", value, expression.type)
    if expression.type is T.STRING:
        value = exp.Nullif(this=tree.used_once(value), expression=tree.text(""))
    return tree.coalesce(_when(tree.call("any_value", value), predicate), default(expression.type))


# --- collections ----------------------------------------------------------------------------------------------------


def _limited(array: Sql, limit: Expression | None) -> Sql:
    if not isinstance(limit, Literal) or limit.value is None:
        return array
    return tree.call("list_slice", array, tree.number(1), tree.number(int(str(limit.value))))


def _collected(group: Group, call: Aggregate, predicated: str) -> tuple[Expression, Sql | None, Expression | None]:
    expression, predicate = _parts(group, call, (predicated,))
    rest = call.arguments[2:] if predicate is not None else call.arguments[1:]
    return expression, predicate, rest[0] if rest else None


def _present(value: Sql, type_: T, predicate: Sql | None) -> Sql | None:
    if type_ is T.STRING:
        return predicate
    present = tree.is_not_null(value)
    return present if predicate is None else tree.both(present, predicate)


@_rule("make_list", "make_list_if")
def _make_list(group: Group, call: Aggregate) -> Sql:
    expression, predicate, limit = _collected(group, call, "make_list_if")
    value = group.value(expression)
    if expression.type is T.DYNAMIC:
        items = group.gathered(tree.call("kql_list_items", value), predicate)
        return tree.call("kql_flat_array", _limited(items, limit))
    member = value if expression.type in _PLAIN_MEMBERS else embed(value, expression.type)
    items = group.gathered(member, _present(value, expression.type, predicate))
    return tree.call("kql_as_array", _limited(items, limit))


@_rule("make_list_with_nulls")
def _make_list_with_nulls(group: Group, call: Aggregate) -> Sql:
    (expression,) = call.arguments
    return tree.call("kql_as_array", group.gathered(embed(group.value(expression), expression.type), None))


@_rule("make_set", "make_set_if")
def _make_set(group: Group, call: Aggregate) -> Sql:
    expression, predicate, limit = _collected(group, call, "make_set_if")
    value = group.value(expression)
    if expression.type is T.DYNAMIC:
        items = _when(
            tree.distinct("list", tree.call("kql_list_items", value)), _present(value, expression.type, predicate)
        )
        return tree.call("kql_flat_set", _limited(items, limit))
    member = value if expression.type in _PLAIN_MEMBERS else embed(value, expression.type)
    items = _when(tree.distinct("list", member), _present(value, expression.type, predicate))
    return tree.call("kql_as_array", _limited(items, limit))


_PLAIN_MEMBERS = frozenset({T.STRING, T.INT, T.LONG, T.BOOL})
"""Types whose values become JSON all at once, when the list is complete."""


@_rule("make_bag", "make_bag_if")
def _make_bag(group: Group, call: Aggregate) -> Sql:
    expression, predicate, _ = _collected(group, call, "make_bag_if")
    return tree.call("kql_merged_bags", group.gathered(tree.cast(group.value(expression), "JSON"), predicate))


@_rule("buildschema")
def _buildschema(group: Group, call: Aggregate) -> Sql:
    values = tree.call("to_json", tree.call("list", group.value(call.arguments[0])))
    return tree.cast(tree.call("native_schema_of_values", tree.cast(values, "VARCHAR")), "JSON")


# --- percentiles ----------------------------------------------------------------------------------------------------


def _rank(expression: Expression) -> Sql:
    if not isinstance(expression, Literal) or expression.value is None:
        raise UnsupportedError("percentile", "the rank must be a constant")
    return tree.number(repr(min(max(float(str(expression.value)) / 100, 0.0), 1.0)))


@_rule("percentile")
def _percentile(group: Group, call: Aggregate) -> Sql:
    expression, rank = call.arguments
    return tree.call("quantile_disc", group.value(expression), _rank(rank))


def _ranks(arguments: Sequence[Expression]) -> list[Expression]:
    ranks: list[Expression] = []
    for each in arguments:
        if isinstance(each, Literal) and each.type is T.DYNAMIC:
            ranks += dynamic_members(each, T.REAL)
        else:
            ranks.append(each)
    return ranks


@_rule("percentiles_array")
def _percentiles_array(group: Group, call: Aggregate) -> Sql:
    expression, *ranks = call.arguments
    value = group.value(expression)
    items = [embed(tree.call("quantile_disc", value, _rank(each)), expression.type) for each in _ranks(ranks)]
    return tree.call("json_array", *items)


def _weighted(group: Group, value: Expression, weight: Expression, rank: Expression) -> Sql:
    def member(name: str, inner: Sql) -> Sql:
        return exp.PropertyEQ(this=exp.Identifier(this=name), expression=inner)

    box = tree.call("struct_pack", member("v", group.value(value)), member("w", group.value(weight)))
    found = tree.call("kql_weighted_percentile", tree.call("list", box), tree.cast(group.value(rank), "DOUBLE"))
    return tree.cast(found, SQL_TYPES[value.type])


@_rule("percentilew")
def _percentilew(group: Group, call: Aggregate) -> Sql:
    value, weight, rank = call.arguments
    return _weighted(group, value, weight, rank)


@_rule("percentilesw_array")
def _percentilesw_array(group: Group, call: Aggregate) -> Sql:
    value, weight, *ranks = call.arguments
    return tree.call(
        "json_array", *(embed(_weighted(group, value, weight, each), value.type) for each in _ranks(ranks))
    )


# --- sketches -------------------------------------------------------------------------------------------------------


@_rule("hll", "hll_if")
def _hll(group: Group, call: Aggregate) -> Sql:
    expression, predicate = _parts(group, call, ("hll_if",))
    value = group.value(expression)
    if expression.type is T.DYNAMIC:
        value = tree.call("kql_tostring_dynamic", value)
    hashes = tree.distinct("list", tree.call("hash", value))
    return tree.call("kql_hll_of", _when(hashes, _present(value, expression.type, predicate)))


@_rule("hll_merge")
def _hll_merge(group: Group, call: Aggregate) -> Sql:
    return tree.call("kql_hll_merged", tree.call("list", group.value(call.arguments[0])))


@_rule("tdigest")
def _tdigest(group: Group, call: Aggregate) -> Sql:
    expression, *weight = call.arguments
    value = group.value(expression)
    pair = tree.call(
        "struct_pack",
        exp.PropertyEQ(this=exp.Identifier(this="v"), expression=_real(group, expression)),
        exp.PropertyEQ(
            this=exp.Identifier(this="w"),
            expression=tree.cast(group.value(weight[0]) if weight else tree.number(1), "DOUBLE"),
        ),
    )
    return tree.call("kql_digest_of", tree.filtered(tree.call("list", pair), tree.is_not_null(value)))


@_rule("tdigest_merge")
def _tdigest_merge(group: Group, call: Aggregate) -> Sql:
    return tree.call("kql_digest_merged", tree.call("list", group.value(call.arguments[0])))


check()
