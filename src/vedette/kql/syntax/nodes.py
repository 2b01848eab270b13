"""What every node of the syntax tree has, and the bases of expressions, operators and statements."""

from __future__ import annotations

import dataclasses
from typing import TypeVar, dataclass_transform

from vedette.kql.errors import Span

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def node(cls: type[_T]) -> type[_T]:
    """A frozen dataclass with slots."""
    return dataclasses.dataclass(frozen=True, slots=True)(cls)


@node
class Node:
    """Anything read from query text."""

    span: Span


@node
class Name(Node):
    """A name that is introduced here (a column, variable, parameter or step), without brackets and quotes."""

    text: str


@node
class Expression(Node):
    """Anything that yields a value: scalar, dynamic, or a table."""


@node
class OperatorParameter(Node):
    """`name = value` before an operator's operands (`kind=inner`, `hint.strategy=shuffle`) or in `with (…)`.

    A bare word as value is a `NameReference`.
    """

    name: Name
    value: Expression


@node
class TabularOperator(Node):
    """An operator of a pipeline. `parameters` in order of writing."""

    parameters: tuple[OperatorParameter, ...]

    def parameter(self, name: str) -> Expression | None:
        """The value of the parameter of that name, or None."""
        return next((each.value for each in self.parameters if each.name.text == name), None)


@node
class Statement(Node):
    """A statement of a query; a semicolon ends it."""
