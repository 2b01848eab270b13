"""Calls of the native functions that compute with decimals. Values are the ordered texts of `kql.decimals`."""

from __future__ import annotations

from vedette.kql.native.registry import PREFIX
from vedette.kql.sql import tree
from vedette.kql.sql.tree import Sql


def compute(name: str, *arguments: Sql) -> Sql:
    """The native function `decimal_…` of these values."""
    return tree.call(f"{PREFIX}decimal_{name}", *arguments)


def of_text(text: Sql) -> Sql:
    """The decimal that a text is, null if it is none."""
    return compute("of_text", text)


def of_number(number: Sql) -> Sql:
    """The decimal that the shortest text of a number is."""
    return of_text(tree.cast(number, "VARCHAR"))


def as_text(value: Sql) -> Sql:
    """The digits of a decimal."""
    return compute("text", value)


def as_real(value: Sql) -> Sql:
    """The nearest real."""
    return tree.try_cast(as_text(value), "DOUBLE")
