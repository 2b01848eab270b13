"""Builders of the sqlglot nodes that compiled rules are made of."""

from collections.abc import Callable

from sqlglot import exp

DIALECT = "duckdb"


def text(value: str) -> exp.Expression:
    """A string literal."""
    return exp.Literal.string(value)


def number(value: int) -> exp.Expression:
    """An integer literal."""
    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


def column(name: str, table: str | None = None) -> exp.Expression:
    """A quoted column name."""
    return exp.column(name, table=table, quoted=True)


def call(name: str, *arguments: exp.Expression | str | int) -> exp.Expression:
    """A call of an engine function, name as it is; strings and integers become literals."""
    return exp.Anonymous(this=name, expressions=[_node(argument) for argument in arguments])


def try_cast(node: exp.Expression, type_: str) -> exp.Expression:
    """The value as `type_`, NULL where it cannot be."""
    return exp.TryCast(this=node, to=exp.DataType.build(type_, dialect=DIALECT))


def cast(node: exp.Expression, type_: str) -> exp.Expression:
    """The value as `type_`."""
    return exp.Cast(this=node, to=exp.DataType.build(type_, dialect=DIALECT))


def case(*branches: tuple[exp.Expression, exp.Expression], default: exp.Expression | None = None) -> exp.Expression:
    """The value beside the first condition that is true."""
    result = exp.Case(default=None if default is None else default)
    for condition, value in branches:
        result.append("ifs", exp.If(this=condition, true=value))
    return result


def concat(*parts: exp.Expression | str) -> exp.Expression:
    """Concatenation, NULL if any part is."""
    nodes = [_node(part) for part in parts]
    result = nodes[0]
    for node in nodes[1:]:
        result = exp.DPipe(this=result, expression=node)
    return exp.Paren(this=result)


def bound(node: exp.Expression, build: Callable[[exp.Expression], exp.Expression]) -> exp.Expression:
    """What `build` makes of the value, the value standing in the text only once: planning costs as much as the text."""
    name = "bound"
    body = exp.Lambda(this=build(exp.column(name)), expressions=[exp.to_identifier(name)])
    return call("list_extract", call("list_transform", exp.Array(expressions=[node]), body), 1)


def equals(left: exp.Expression, right: exp.Expression | str | int) -> exp.Expression:
    """`left = right`."""
    return exp.EQ(this=left, expression=_node(right))


def is_null(node: exp.Expression) -> exp.Expression:
    """`node IS NULL`."""
    return exp.Is(this=node, expression=exp.Null())


def both(*conditions: exp.Expression) -> exp.Expression:
    """All conditions hold."""
    return _typed(exp.and_(*conditions, copy=False))


def either(*conditions: exp.Expression) -> exp.Expression:
    """At least one condition holds."""
    return _typed(exp.or_(*conditions, copy=False))


def negation(condition: exp.Expression) -> exp.Expression:
    """The condition does not hold."""
    return exp.not_(condition, copy=False)


def binary(kind: type[exp.Binary], left: exp.Expression, right: exp.Expression | int) -> exp.Expression:
    """An arithmetic or comparison operator, in parentheses."""
    return exp.Paren(this=kind(this=left, expression=_node(right)))


def alias(node: exp.Expression, name: str) -> exp.Expression:
    """`node AS "name"`."""
    return exp.Alias(this=node, alias=exp.to_identifier(name, quoted=True))


def render(node: exp.Expression) -> str:
    """The SQL text."""
    return node.sql(dialect=DIALECT)


def _typed(node: exp.Expr) -> exp.Expression:
    assert isinstance(node, exp.Expression)
    return node


def _node(value: exp.Expression | str | int) -> exp.Expression:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int):
        return number(value)
    return value
