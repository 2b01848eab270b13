"""Default names of computed columns, and names made unique."""

from __future__ import annotations

from collections.abc import Collection

from vedette.kql import syntax
from vedette.kql.functions.registry import find


def default_name(expression: syntax.Expression, *, aggregation: bool = False) -> str | None:
    """The name KQL gives to an expression's column, None where it numbers them (`Column1`, `print_0`)."""
    if isinstance(expression, syntax.NameReference):
        return expression.name
    if isinstance(expression, syntax.NamedExpression):
        return expression.name.text
    if isinstance(expression, syntax.PathExpression):
        return _path_name(expression)
    if isinstance(expression, syntax.ElementExpression):
        return _element_name(expression)
    if isinstance(expression, syntax.FunctionCall):
        return _call_name(expression, aggregation=aggregation)
    return None


def _path_name(expression: syntax.PathExpression) -> str | None:
    if not isinstance(expression.selector, syntax.NameReference):
        return None
    source = default_name(expression.source)
    return expression.selector.name if source is None else f"{source}_{expression.selector.name}"


def _element_name(expression: syntax.ElementExpression) -> str | None:
    source = default_name(expression.source)
    if source is None:
        return None
    index = expression.index
    return f"{source}_{index.value if isinstance(index, syntax.Literal) else ''}"


def _call_name(call: syntax.FunctionCall, *, aggregation: bool) -> str | None:
    function = find("aggregate", call.name.text) if aggregation else None
    function = function or find("scalar", call.name.text) or find("window", call.name.text)
    if function is None:
        return None
    naming = function.record.naming
    prefix = function.record.prefix or function.name
    argument = call.arguments[0] if call.arguments else None
    first = (default_name(argument, aggregation=aggregation) if argument is not None else None) or ""
    if naming == "column":
        return str(argument.value) if isinstance(argument, syntax.Literal) else None
    if naming == "only":
        return first or None if len(call.arguments) == 1 else None
    if naming == "prefix_and_two":
        second = default_name(call.arguments[1], aggregation=aggregation) if len(call.arguments) > 1 else None
        return f"{prefix}_{first}_{second or ''}"
    derived = {"none": None, "first": first or None, "prefix": prefix}
    return derived.get(naming, f"{prefix}_{first}")


def unique(name: str, taken: Collection[str]) -> str:
    """The name, with the first number behind it that makes it unlike all `taken` ones."""
    if name not in taken:
        return name
    number = 1
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


class OutputNames:
    """Names of an operator's output columns, in order. `avoided` are names that numbered columns pass over."""

    def __init__(self, avoided: Collection[str] = ()) -> None:
        self._avoided = avoided
        self._explicit: set[str] = set()
        self._taken: set[str] = set()
        self._count = 0

    def explicit(self, name: str) -> str | None:
        """The place of a written name: None if it is written twice, numbered if a derived name came before it."""
        if name in self._explicit:
            return None
        self._explicit.add(name)
        return self._take(name)

    def automatic(self, name: str | None) -> str:
        """A name for an unnamed expression: its default name, or the next number."""
        if name is None:
            self._count += 1
            while f"Column{self._count}" in self._avoided:
                self._count += 1
            name = f"Column{self._count}"
        return self._take(name)

    def _take(self, name: str) -> str:
        free = unique(name, self._taken)
        self._taken.add(free)
        return free
