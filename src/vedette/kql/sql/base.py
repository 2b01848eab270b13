"""The machinery of lowering: from expressions of the typed plan to SQL nodes, by tables that make up a dialect."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sqlglot import exp

from vedette.errors import ContractError, VedetteError
from vedette.kql.functions.registry import functions
from vedette.kql.moments import Moment
from vedette.kql.plan import (
    Call,
    Column,
    ColumnReference,
    Expression,
    InSubquery,
    Literal,
    QueryTime,
    Relation,
    ScalarSubquery,
)
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

Lowering = Callable[["Scalars", Call], Sql]
"""A rule for one function: the call with its plan arguments to SQL."""


class UnsupportedError(VedetteError):
    """Something the dialect cannot express. `what` is its KQL name, `reason` says why."""

    def __init__(self, what: str, reason: str) -> None:
        self.what, self.reason = what, reason
        super().__init__(f"{what}: {reason}")


class Family:
    """The lowerings of one family of functions."""

    def __init__(self, simple: Mapping[str, str] | None = None, unsupported: Mapping[str, str] | None = None) -> None:
        self.simple = dict(simple or {})
        self.unsupported = dict(unsupported or {})
        self.rules: dict[str, Lowering] = {}
        self.conditions: dict[str, Lowering] = {}

    def rule(self, *names: str) -> Callable[[Lowering], Lowering]:
        """Declare how these functions are lowered to a value."""

        def declare(lowering: Lowering) -> Lowering:
            self.rules.update(dict.fromkeys(names, lowering))
            return lowering

        return declare

    def condition(self, *names: str) -> Callable[[Lowering], Lowering]:
        """Declare a cheaper form for where null and false both drop the row."""

        def declare(lowering: Lowering) -> Lowering:
            self.conditions.update(dict.fromkeys(names, lowering))
            return lowering

        return declare


class Subqueries(Protocol):
    """What scalars need of the emitter of relations."""

    def scalar_subquery(self, relation: Relation) -> Sql:
        """First column of the first row."""
        ...

    def single_value(self, query: exp.Select, type_: ScalarType) -> Sql:
        """The value of a query of one row and one column."""
        ...

    def moment(self, moment: Moment) -> Sql:
        """The parameter that holds a time reckoned from that of the query."""
        ...

    def column_subquery(self, relation: Relation) -> Sql:
        """The first column as a table of one column called `item`, to stand behind IN or in FROM."""
        ...


@dataclasses.dataclass(frozen=True)
class Dialect:
    """All that is known of one SQL dialect's scalar functions."""

    name: str
    lowerings: Mapping[str, Lowering]
    conditions: Mapping[str, Lowering]
    unsupported: Mapping[str, str]
    literal: Callable[[ScalarType, object], Sql]

    def check(self) -> None:
        """Every scalar function of the registry is lowered or listed as unsupported, none is both."""
        names = {each.canonical for kind in ("scalar", "operator") for each in functions(kind).values()}
        missing = names - self.lowerings.keys() - self.unsupported.keys() - RESOLVED_BY_BINDER
        twice = self.lowerings.keys() & self.unsupported.keys()
        if missing or twice:
            raise ContractError(f"dialect {self.name}: not lowered {sorted(missing)}; listed twice {sorted(twice)}")


RESOLVED_BY_BINDER = frozenset(
    {
        "bag_pack_columns", "bin_auto", "columnifexists", "column_ifexists", "iscolumnexists", "pack_all", "todynamic",
        "all", "any", "map", "inner_nodes", "labels", "node_degree_in", "node_degree_out",
    }
)  # fmt: skip
"""Functions that are gone once names are resolved."""


class Scalars:
    """Lowers expressions over one input row. `bindings` says what each column is in SQL there."""

    def __init__(self, dialect: Dialect, bindings: Mapping[int, Sql], subqueries: Subqueries) -> None:
        self.dialect = dialect
        self.bindings = bindings
        self.subqueries = subqueries

    def value(self, expression: Expression) -> Sql:
        """The expression with KQL's exact value, null kept apart from false."""
        if isinstance(expression, Literal):
            return self.dialect.literal(expression.type, expression.value)
        if isinstance(expression, ColumnReference):
            return self.reference(expression.column)
        if isinstance(expression, QueryTime):
            return self.subqueries.moment(expression.moment)
        if isinstance(expression, Call):
            return self._lowering(expression.function)(self, expression)
        if isinstance(expression, ScalarSubquery):
            return self.subqueries.scalar_subquery(expression.plan)
        if isinstance(expression, InSubquery):
            return self._lowering(f"{expression.function} subquery")(self, _as_call(expression))
        raise UnsupportedError(type(expression).__name__, "not allowed here")

    def condition(self, expression: Expression) -> Sql:
        """The expression where only true counts: null may come out as false."""
        if isinstance(expression, Call) and (lowering := self.dialect.conditions.get(expression.function)):
            return lowering(self, expression)
        return self.value(expression)

    def values(self, expressions: Sequence[Expression]) -> list[Sql]:
        """Each of the expressions."""
        return [self.value(each) for each in expressions]

    def reference(self, column: Column) -> Sql:
        """What the column is in SQL; a copy where it is used already."""
        bound = self.bindings.get(column.id)
        if bound is None:
            raise UnsupportedError("toscalar", f"it cannot read {column.name!r} of the rows around it")
        return bound.copy() if bound.parent is not None else bound

    def _lowering(self, function: str) -> Lowering:
        lowering = self.dialect.lowerings.get(function)
        if lowering is None:
            reason = self.dialect.unsupported.get(function, "not available")
            raise UnsupportedError(function, reason)
        return lowering


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class SubqueryMember(Expression):
    """The right side of `in (T)` as an argument."""

    plan: Relation


def _as_call(expression: InSubquery) -> Call:
    member = SubqueryMember(expression.plan.columns[0].type, expression.plan)
    return Call(expression.type, expression.function, (expression.operand, member))


def function_rule(sql_name: str) -> Lowering:
    """Lower to a SQL function of the same arguments."""
    from vedette.kql.sql import tree

    def lower(scalars: Scalars, call: Call) -> Sql:
        return tree.call(sql_name, *scalars.values(call.arguments))

    return lower


def never_null(expression: Expression) -> bool:
    """Whether the expression surely has a value."""
    if expression.type is ScalarType.STRING or is_near_now(expression):
        return True
    return isinstance(expression, Literal) and expression.value is not None


_CENTURY = 100 * 366 * 864_000_000_000


def is_near_now(expression: Expression) -> bool:
    """Whether it is the time of the query or less than a century off: surely within the calendar."""
    if not isinstance(expression, QueryTime):
        return False
    return all(abs(amount) < _CENTURY for _, amount in expression.moment.steps)


def text_of(expression: Expression) -> str | None:
    """The value of a constant text, else None."""
    if isinstance(expression, Literal) and isinstance(expression.value, str):
        return expression.value
    return None
