"""What all nodes of the plan are made of: columns, and the two families, expressions and relations."""

from __future__ import annotations

import dataclasses
from typing import TypeVar, dataclass_transform

from vedette.kql.types import ScalarType

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, eq_default=False)
def node(cls: type[_T]) -> type[_T]:
    """Make a class a node: frozen, without copying or comparing what hangs below it."""
    return dataclasses.dataclass(frozen=True, slots=True, eq=False)(cls)


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column of some relation. Equal only to itself: `id` is unique within one compilation."""

    id: int
    name: str
    type: ScalarType


@node
class Expression:
    """Any scalar expression. `type` is its KQL type."""

    type: ScalarType


@node
class Relation:
    """Any tabular expression. `columns` are its output columns in order.

    `open` relations have further columns that only the data knows (`evaluate bag_unpack` without a schema).
    """

    columns: tuple[Column, ...]
