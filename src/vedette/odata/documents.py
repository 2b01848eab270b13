"""Selections among documents that were computed, not stored: the one translation to SQL, over JSON in memory.

A list that has no table of its own is filtered and ordered exactly as one that has.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Engine,
    Float,
    Text,
    bindparam,
    create_engine,
    func,
    select,
    true,
)
from sqlalchemy.pool import NullPool

from vedette.odata.dates import parse_ticks
from vedette.odata.paging import SortKey, order_rows
from vedette.odata.sql import CollectionProperty, Property, PropertyMap

FieldType: TypeAlias = Literal["string", "integer", "number", "boolean", "datetime", "strings"]
"""Type of a member; `strings` is a collection of texts."""

Document: TypeAlias = Mapping[str, Any]

_COLUMNS = {
    "string": Text(),
    "integer": BigInteger(),
    "number": Float(),
    "boolean": Boolean(),
    "datetime": BigInteger(),
}
_SOURCE = func.json_each(bindparam("documents")).table_valued("key", "value", name="document")

POSITION: ColumnElement[Any] = _SOURCE.c.key
"""Where a document stood among those that were given: the order of a list if no other is asked for."""


class DocumentFields:
    """What documents of a kind may be filtered and ordered by. Names may be paths: `vendorInformation/vendor`."""

    def __init__(self, fields: Mapping[str, FieldType], enums: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """`enums`: of members that are enums, accepted spelling in lower case → value in the document."""
        self._types = dict(fields)
        self.properties: PropertyMap = {
            **{name: _property(name, type_) for name, type_ in fields.items()},
            **{
                name: Property(func.json_extract(_SOURCE.c.value, _path(name), type_=Text()), "enum", members)
                for name, members in (enums or {}).items()
            },
        }

    def rows(self, documents: Sequence[Document]) -> bytes:
        """Documents as the database takes them: the members that can be asked for, times as ticks."""
        times = [name for name, type_ in self._types.items() if type_ == "datetime"]
        rows = []
        for document in documents:
            row: dict[str, Any] = {name: _member(document, name) for name in self.properties}
            for name in times:
                row[name] = parse_ticks(row[name]) if isinstance(row[name], str) else row[name]
            rows.append(row)
        return msgspec.json.encode(rows)


def fields_of(
    shape: type[msgspec.Struct],
    times: frozenset[str] = frozenset(),
    enums: Mapping[str, Sequence[str]] | None = None,
) -> DocumentFields:
    """The fields of a wire struct. `times` are those that write a time; `enums` the members of those that are enums."""
    known = {name: {member.lower(): member for member in members} for name, members in (enums or {}).items()}
    types: dict[str, FieldType] = {}
    for field in msgspec.structs.fields(shape):
        if field.encode_name not in known:
            types[field.encode_name] = "datetime" if field.encode_name in times else _field_type(field.type)
    return DocumentFields(types, known)


def select_documents(
    documents: Sequence[Document],
    fields: DocumentFields,
    condition: ColumnElement[bool] | None,
    order: Sequence[SortKey],
) -> list[Document]:
    """The documents that meet a condition, in an order."""
    statement = order_rows(select(POSITION), condition, order)
    with _memory().connect() as connection:
        places = connection.scalars(statement, {"documents": fields.rows(documents).decode()}).all()
    return [documents[int(place)] for place in places]


@functools.cache
def _memory() -> Engine:
    """A database that is empty at each connection."""
    return create_engine("sqlite://", poolclass=NullPool)


def _field_type(annotation: Any) -> FieldType:
    members = getattr(annotation, "__args__", ())
    plain = next((each for each in members if each is not type(None)), annotation)
    if getattr(annotation, "__origin__", None) in (tuple, list):
        return "strings"
    kinds: dict[Any, FieldType] = {bool: "boolean", int: "integer", float: "number"}
    return kinds.get(plain, "string")


def _property(name: str, type_: FieldType) -> Property | CollectionProperty:
    if type_ == "strings":
        elements = func.json_each(_SOURCE.c.value, _path(name)).table_valued("value", name="element")
        return CollectionProperty(elements, true(), Property(elements.c.value, "string"))
    return Property(func.json_extract(_SOURCE.c.value, _path(name), type_=_COLUMNS[type_]), type_)


def _path(name: str) -> str:
    return f'$."{name}"'


def _member(document: Document, name: str) -> Any:
    value: Any = document
    for part in name.split("/"):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
