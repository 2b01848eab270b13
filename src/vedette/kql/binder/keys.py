"""Keys that rows are ordered or grouped by: a dynamic value is none before it is converted."""

from __future__ import annotations

from vedette.kql import syntax
from vedette.kql.binder.context import Binder, is_unknown
from vedette.kql.binder.scopes import Table
from vedette.kql.plan import Expression
from vedette.kql.types import ScalarType


def check_key(binder: Binder, key: Expression, at: syntax.Node, table: Table) -> None:
    """Report a key of type dynamic. Where columns are known only with the data, so are their types."""
    known = not (table.open or is_unknown(key) or binder.may_be_guessed(key.type))
    if key.type is ScalarType.DYNAMIC and known:
        binder.report("dynamic_key", at.span, hint="convert it first, for example with tostring()")
