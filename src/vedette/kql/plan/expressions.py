"""Scalar expressions."""

from __future__ import annotations

from vedette.kql.moments import Moment
from vedette.kql.plan.nodes import Column, Expression, Relation, node


@node
class Literal(Expression):
    """A constant; representation of `value` per type as in `vedette.kql.types`. None is a typed null."""

    value: object


@node
class QueryTime(Expression):
    """A datetime reckoned from the time of the query: a constant of each execution, not of the compiled query."""

    moment: Moment


@node
class ColumnReference(Expression):
    """The value of a column of the input relation."""

    column: Column


@node
class Call(Expression):
    """A scalar function or operator by its registry name (`strcat`, `add`, `equal`, `has`, `in`, `not`, …).

    Operators carry the registry's names for them, see `kql/functions/operators.toml`. Arguments already have the types
    that the function's signature asks for: the binder inserts conversion Calls (`tostring`, `tolong`, `todouble`,
    `todecimal`, …) wherever KQL converts by itself. `and`, `or` and `strcat` take any number of arguments.
    Access to dynamic values: `property(bag, name literal)` and `element(array or bag, index)`, both dynamic;
    `name`s that have no function of their own: `negate`, `between(x, low, high)`, `not_between`,
    `in(x, a, b, …)` / `in_ci` / `not_in` / `not_in_ci`; an item of type dynamic is an array of values.
    """

    function: str
    arguments: tuple[Expression, ...]


@node
class ScalarSubquery(Expression):
    """`toscalar(...)`: first column of the first row, null where there is none."""

    plan: Relation


@node
class InSubquery(Expression):
    """`x in (T)`, `x has_any (T)`, … : `function` is the registry name, the first column of `plan` the set."""

    function: str
    operand: Expression
    plan: Relation


@node
class Aggregate(Expression):
    """An aggregate function over a group. Only inside `Summarize`."""

    function: str
    arguments: tuple[Expression, ...]


@node
class WindowCall(Expression):
    """`prev next row_number row_cumsum row_rank_* row_window_session`: only inside `Window`.

    `prev`/`next`: (value, offset literal, default). `row_number`: (start, restart). `row_cumsum`: (term, restart).
    """

    function: str
    arguments: tuple[Expression, ...]
