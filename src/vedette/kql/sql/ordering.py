"""Sort keys in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from vedette.kql import plan
from vedette.kql.sql import tree
from vedette.kql.sql.base import Scalars
from vedette.kql.sql.blocks import OrderKey
from vedette.kql.types import ScalarType


def order_keys(scalars: Scalars, keys: Sequence[plan.SortKey]) -> tuple[OrderKey, ...]:
    """Sort keys of the plan in SQL.

    NaN stands with the nulls (sort-operator), behind them at the beginning and before them at the end; SQL would put it
    above all numbers.
    """
    found: list[OrderKey] = []
    for key in keys:
        value = scalars.value(key.expression)
        if key.expression.type is ScalarType.REAL:
            number = exp.Nullif(this=tree.used_once(value), expression=tree.cast(tree.text("nan"), "DOUBLE"))
            missing = exp.Is(this=tree.operand(scalars.value(key.expression)), expression=exp.Null())
            found += [
                OrderKey(number, key.descending, key.nulls_first), OrderKey(missing, key.nulls_first, key.nulls_first)
            ]  # fmt: skip
            continue
        if key.expression.type is ScalarType.DYNAMIC:
            value = tree.call("kql_sort_key", value)
        found.append(OrderKey(value, key.descending, key.nulls_first))
    return tuple(found)
