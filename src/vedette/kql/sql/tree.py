"""Small constructors for sqlglot nodes. They set parentheses where precedence needs them; nothing here knows KQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlglot import exp

Sql = exp.Expression

Infix = Callable[..., Sql]
"""A class of nodes with a left and a right side."""

_ATOMS = (
    exp.Column, exp.Literal, exp.Boolean, exp.Null, exp.Anonymous, exp.Cast, exp.TryCast, exp.Paren, exp.Case,
    exp.Coalesce, exp.Array, exp.Subquery, exp.Nullif, exp.Window, exp.Filter, exp.Exists,
)  # fmt: skip

_SUMS = (exp.Add, exp.Sub)


def used_once(node: Sql) -> Sql:
    """The node itself where it has no parent yet, else a copy: a tree's nodes are never shared."""
    return node.copy() if node.parent is not None else node


def operand(node: Sql) -> Sql:
    """The node ready to stand beside an operator."""
    node = used_once(node)
    return node if isinstance(node, _ATOMS) else exp.Paren(this=node)


def text(value: str) -> Sql:
    """A string literal."""
    return exp.Literal.string(value)


def number(value: int | str) -> Sql:
    """A number literal; negative ones in parentheses-safe form."""
    written = str(value)
    if written.startswith("-"):
        return exp.Paren(this=exp.Neg(this=exp.Literal.number(written[1:])))
    return exp.Literal.number(written)


def parameter(position: int) -> Sql:
    """A bound parameter, counted from 1."""
    return exp.Parameter(this=exp.Literal.number(position))


def boolean(value: bool) -> Sql:
    """`TRUE` or `FALSE`."""
    return exp.Boolean(this=value)


def null(sql_type: str) -> Sql:
    """A typed null."""
    return cast(exp.Null(), sql_type)


_TYPES: dict[str, exp.DataType] = {}


def data_type(name: str) -> exp.DataType:
    """A type name of the dialect as a node."""
    if name not in _TYPES:
        _TYPES[name] = exp.DataType.build(name, dialect="duckdb")
    return _TYPES[name]


def cast(node: Sql, sql_type: str) -> Sql:
    """`CAST(node AS type)`."""
    return exp.Cast(this=used_once(node), to=data_type(sql_type))


def try_cast(node: Sql, sql_type: str) -> Sql:
    """`TRY_CAST(node AS type)`."""
    return exp.TryCast(this=used_once(node), to=data_type(sql_type), requires_string=False)


def call(name: str, *arguments: Sql) -> Sql:
    """A function call by its SQL name."""
    return exp.Anonymous(this=name, expressions=[used_once(each) for each in arguments])


def attempt(node: Sql) -> Sql:
    """`TRY(node)`: null where it would raise."""
    return call("try", node)


def binary(kind: Infix, left: Sql, right: Sql) -> Sql:
    """An infix operator. A sum of many operands stays flat."""
    flat = kind in _SUMS and isinstance(left, _SUMS)
    return kind(this=used_once(left) if flat else operand(left), expression=operand(right))


def equal(left: Sql, right: Sql) -> Sql:
    """`left = right`."""
    return binary(exp.EQ, left, right)


def concat(parts: Sequence[Sql]) -> Sql:
    """`a || b || …`."""
    result = parts[0]
    for part in parts[1:]:
        result = exp.DPipe(this=operand(result) if not isinstance(result, exp.DPipe) else result,
                           expression=operand(part), safe=True)  # fmt: skip
    return result


def negation(node: Sql) -> Sql:
    """`NOT node`."""
    return exp.Not(this=operand(node))


def is_null(node: Sql) -> Sql:
    """`node IS NULL`."""
    return exp.Is(this=operand(node), expression=exp.Null())


def is_not_null(node: Sql) -> Sql:
    """`NOT node IS NULL`."""
    return exp.Not(this=is_null(node))


def same(left: Sql, right: Sql) -> Sql:
    """`left IS NOT DISTINCT FROM right`: null is the same as null."""
    return exp.NullSafeEQ(this=operand(left), expression=operand(right))


def different(left: Sql, right: Sql) -> Sql:
    """`left IS DISTINCT FROM right`."""
    return exp.NullSafeNEQ(this=operand(left), expression=operand(right))


def coalesce(node: Sql, *others: Sql) -> Sql:
    """`COALESCE(node, …)`."""
    return exp.Coalesce(this=used_once(node), expressions=[used_once(each) for each in others])


def when(branches: Iterable[tuple[Sql, Sql]], otherwise: Sql | None = None) -> Sql:
    """`CASE WHEN … THEN … ELSE … END`."""
    return exp.Case(
        ifs=[exp.If(this=used_once(test), true=used_once(value)) for test, value in branches],
        default=None if otherwise is None else used_once(otherwise),
    )


def chain(kind: type[exp.And] | type[exp.Or], operands: Sequence[Sql]) -> Sql:
    """A conjunction or disjunction of any length, balanced so that no pass over it recurses deeply."""
    if len(operands) == 1:
        return used_once(operands[0])
    middle = len(operands) // 2
    left, right = chain(kind, operands[:middle]), chain(kind, operands[middle:])
    return kind(this=_link(kind, left), expression=_link(kind, right))


def _link(kind: type[exp.And] | type[exp.Or], node: Sql) -> Sql:
    loose = isinstance(node, (exp.And, exp.Or)) and not isinstance(node, kind)
    return exp.Paren(this=node) if loose else node


def both(*operands: Sql) -> Sql:
    """`a AND b AND …`."""
    return chain(exp.And, operands)


def either(*operands: Sql) -> Sql:
    """`a OR b OR …`."""
    return chain(exp.Or, operands)


def any_of(node: Sql, members: Sequence[Sql]) -> Sql:
    """`node IN (members)`."""
    return exp.In(this=operand(node), expressions=[used_once(each) for each in members])


def array(items: Sequence[Sql]) -> Sql:
    """`[a, b, …]`."""
    return exp.Array(expressions=[used_once(each) for each in items])


def identifier(name: str) -> exp.Identifier:
    """A quoted name."""
    return exp.Identifier(this=name, quoted=True)


def column(name: str, table: str | None = None) -> Sql:
    """A quoted column reference."""
    return exp.Column(this=identifier(name), table=None if table is None else exp.Identifier(this=table, quoted=False))


def star(table: str, without: Sequence[str] = ()) -> Sql:
    """`table.* EXCLUDE (…)`."""
    excluded = [identifier(name) for name in without]
    return exp.Column(this=exp.Star(except_=excluded or None), table=exp.Identifier(this=table, quoted=False))


def aliased(node: Sql, name: str) -> Sql:
    """`node AS "name"`."""
    return exp.Alias(this=used_once(node), alias=identifier(name))


def field(node: Sql, name: str) -> Sql:
    """Member of a struct value."""
    return call("struct_extract", node, text(name))


def over(node: Sql, partition: Sequence[Sql] = (), order: Sequence[Sql] = (), frame: str | None = None) -> Sql:
    """`node OVER (PARTITION BY … ORDER BY … frame)`; `frame` is `rows` up to and with the current row."""
    spec = None
    if frame == "rows":
        spec = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
    return exp.Window(
        this=used_once(node),
        partition_by=[used_once(each) for each in partition],
        order=exp.Order(expressions=[used_once(each) for each in order]) if order else None,
        spec=spec,
        over="OVER",
    )


def ordered(node: Sql, descending: bool, nulls_first: bool) -> Sql:
    """One sort key with its direction and place of nulls spelled out."""
    return exp.Ordered(this=used_once(node), desc=descending, nulls_first=nulls_first, explicit_null_order=True)


def filtered(aggregate: Sql, predicate: Sql) -> Sql:
    """`aggregate FILTER (WHERE predicate)`."""
    return exp.Filter(this=aggregate, expression=exp.Where(this=used_once(predicate)))


def distinct(aggregate: str, *arguments: Sql) -> Sql:
    """`aggregate(DISTINCT …)`."""
    return call(aggregate, exp.Distinct(expressions=[used_once(each) for each in arguments]))


def different_number(node: Sql) -> Sql:
    """`node <> 0`."""
    return binary(exp.NEQ, node, number(0))


def scaled(node: Sql, factor: int) -> Sql:
    """`node * factor` as a double."""
    return binary(exp.Mul, cast(node, "DOUBLE"), number(factor))


_HEAVY = 40
"""Nodes beyond which a value is computed once and bound, where a form needs it several times."""


def is_heavy(node: Sql) -> bool:
    """Whether writing the value out several times would make the statement grow out of hand."""
    if isinstance(node, (exp.Column, exp.Literal, exp.Null)):
        return False
    return any(count >= _HEAVY for count, _ in enumerate(node.walk()))


def bound(values: Sequence[Sql], form: Callable[..., Sql]) -> Sql:
    """`form(*values)`, with heavy values computed once."""
    return computed_once(values, form) if any(map(is_heavy, values)) else form(*values)


def computed_once(values: Sequence[Sql], form: Callable[..., Sql]) -> Sql:
    """`form(*values)` through a lambda over a list of one struct: however often the form names a value."""
    names = [f"v{position}" for position in range(len(values))]
    members = [exp.PropertyEQ(this=exp.Identifier(this=name), expression=used_once(value))
               for name, value in zip(names, values, strict=True)]  # fmt: skip
    element = exp.Identifier(this="operands")
    body = form(*(call("struct_extract", exp.Column(this=element.copy()), text(name)) for name in names))
    each = exp.Lambda(this=body, expressions=[element])
    transformed = call("list_transform", array([call("struct_pack", *members)]), each)
    return call("list_extract", transformed, number(1))
