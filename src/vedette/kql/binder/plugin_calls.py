"""What plugins get: the call of `evaluate`, the rows it works on, and help with arguments."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from vedette.kql import plan, syntax
from vedette.kql.binder.constants import constant
from vedette.kql.binder.context import Binder
from vedette.kql.binder.names import default_name
from vedette.kql.binder.scopes import Scope, Table
from vedette.kql.plan import Expression, Literal
from vedette.kql.types import ScalarType


@dataclasses.dataclass(frozen=True, slots=True)
class Invocation:
    """A plugin call being bound: the rows it works on and the schema declared behind it."""

    call: syntax.FunctionCall
    table: Table
    scope: Scope
    schema: syntax.RowSchema | None

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.call.name.text

    def over_rows(self, binder: Binder, written: syntax.Expression) -> Expression:
        """An argument that is computed per row."""
        inner = written.expression if isinstance(written, syntax.NamedExpression) else written
        return binder.scalar(binder, inner, self.scope.over(self.table))

    def constant(self, binder: Binder, written: syntax.Expression) -> Expression:
        """An argument without columns."""
        inner = written.expression if isinstance(written, syntax.NamedExpression) else written
        return binder.scalar(binder, inner, self.scope.lexical)

    def literal(self, binder: Binder, written: syntax.Expression, expected: str) -> Literal | None:
        """An argument whose value binding depends on; reported where it is no constant."""
        found = constant(self.constant(binder, written))
        if found is None:
            binder.report("constant_expected", written.span, expected=expected)
        return found

    def is_column(self, written: syntax.Expression) -> bool:
        """Whether an argument names a column of the rows."""
        return isinstance(written, syntax.NameReference) and self.table.find(written.name) is not None

    def wrong_count(self, binder: Binder, usage: str) -> Table:
        """The error for too few or too many arguments."""
        count = len(self.call.arguments)
        hint = f"it takes ({usage})"
        return binder.fail_table("argument_count", self.call.span, name=self.name, count=count, hint=hint)


Plugin = Callable[[Binder, Invocation], Table]
PLUGINS: dict[str, Plugin] = {}
"""How each plugin is bound, filled by the modules of the plugins' families."""


def plugin(*names: str) -> Callable[[Plugin], Plugin]:
    """Register how plugins are bound."""

    def register(handler: Plugin) -> Plugin:
        PLUGINS.update(dict.fromkeys(names, handler))
        return handler

    return register


def column_name(written: syntax.Expression, place: int) -> str:
    """The name of an argument's column in the result."""
    return default_name(written) or f"Column{place}"


def length_of(type_: ScalarType) -> ScalarType:
    """The type of distances on a timeline of values of `type_`."""
    return ScalarType.TIMESPAN if type_ in {ScalarType.DATETIME, ScalarType.TIMESPAN} else type_


def failed() -> Table:
    """What stands in where a plugin's arguments are wrong: every name is found in it."""
    return Table(plan.Values((), ()), open=True, serialized=True)
