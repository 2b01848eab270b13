"""Keys that rows are ordered or grouped by: a dynamic value is none before it is converted."""

from __future__ import annotations

from vedette.kql import syntax
from vedette.kql.binder.context import Binder, is_unknown
from vedette.kql.binder.scopes import Table
from vedette.kql.plan import Expression
from vedette.kql.types import ScalarType


def check_key(binder: Binder, key: Expression, at: syntax.Node, table: Table) -> None:
    """Report a key of type dynamic. Where columns are known only with the data, so are their types."""
    if key.type is ScalarType.DYNAMIC and not table.open and not is_unknown(key):
        binder.report("dynamic_key", at.span, hint="convert it first, for example with tostring()")
