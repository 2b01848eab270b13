"""Graph's published types, as far as Vedette answers with them: for `$metadata` and for values given by clients."""

import functools
import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from vedette.contracts.loader import load_folder
from vedette.errors import ContractError

SECURITY = "microsoft.graph.security"
GRAPH = "microsoft.graph"
EVIDENCE = f"{SECURITY}.alertEvidence"
"""Abstract base of all evidence."""

_COLLECTION = re.compile(r"Collection\((.+)\)")


class GraphEnum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Members with their numbers, in order."""

    members: Mapping[str, int]
    flags: bool = False

    def parse(self, text: str) -> str | None:
        """The member of any spelling, or None."""
        return next((name for name in self.members if name.lower() == text.lower()), None)


class GraphType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A complex or entity type, without what its base has. `required` are properties that are never null."""

    kind: Literal["complex", "entity"]
    properties: Mapping[str, str]
    base: str | None = None
    abstract: bool = False
    open: bool = False
    required: tuple[str, ...] = ()
    navigation: Mapping[str, str] = {}


class GraphProperty(msgspec.Struct, frozen=True):
    """A property of a type or of its bases. `type` is that of the elements if it is a collection."""

    name: str
    type: str
    is_collection: bool
    is_nullable: bool


class GraphTypesDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a namespace."""

    namespace: str
    source: str
    enums: Mapping[str, GraphEnum]
    types: Mapping[str, GraphType]


class GraphTypes:
    """All namespaces. Names are qualified: `microsoft.graph.security.incident`."""

    def __init__(self, documents: tuple[GraphTypesDocument, ...]) -> None:
        self.documents = documents
        self.enums = {f"{doc.namespace}.{name}": enum for doc in documents for name, enum in doc.enums.items()}
        self.types = {f"{doc.namespace}.{name}": type_ for doc in documents for name, type_ in doc.types.items()}
        for name in self.types:
            for prop in self.properties(name):
                if not (prop.type.startswith("Edm.") or prop.type in self.enums or prop.type in self.types):
                    raise ContractError(f"{name}.{prop.name}: no type {prop.type}")

    def properties(self, name: str) -> tuple[GraphProperty, ...]:
        """The properties of a structured type, those of its bases first."""
        type_ = self.types[name]
        inherited = self.properties(type_.base) if type_.base else ()
        return (*inherited, *(_property(prop, text, type_) for prop, text in type_.properties.items()))

    def is_a(self, name: str, base: str) -> bool:
        """Whether a type is `base` or derived from it."""
        type_ = self.types.get(name)
        if type_ is None:
            return False
        return name == base or (type_.base is not None and self.is_a(type_.base, base))

    def evidence(self) -> tuple[str, ...]:
        """The names of all kinds of evidence, without namespace."""
        return tuple(
            name.rpartition(".")[2]
            for name, type_ in self.types.items()
            if self.is_a(name, EVIDENCE) and not type_.abstract
        )


@functools.cache
def load_graph_types() -> GraphTypes:
    """The packaged types."""
    return GraphTypes(tuple(load_folder("graph_types", GraphTypesDocument)))


def _property(name: str, text: str, type_: GraphType) -> GraphProperty:
    collection = _COLLECTION.fullmatch(text)
    return GraphProperty(
        name=name,
        type=collection[1] if collection else text,
        is_collection=collection is not None,
        is_nullable=name not in type_.required,
    )
