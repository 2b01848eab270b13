"""JSON schemas of what is answered, made of the contract's types, each when it is first referred to."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from vedette.contracts.graph_types import GraphProperty, GraphTypes

Schema: TypeAlias = dict[str, Any]

COMPONENTS = "#/components/schemas/"

PRIMITIVES: Mapping[str, Schema] = {
    "Edm.Binary": {"type": "string"},
    "Edm.Boolean": {"type": "boolean"},
    "Edm.DateTimeOffset": {"type": "string", "format": "date-time"},
    "Edm.Double": {"type": "number", "format": "double"},
    "Edm.Duration": {"type": "string"},
    "Edm.Guid": {"type": "string", "format": "uuid"},
    "Edm.Int32": {"type": "integer", "format": "int32"},
    "Edm.Int64": {"type": "integer", "format": "int64"},
    "Edm.Stream": {"type": "string"},
    "Edm.String": {"type": "string"},
    "Edm.Untyped": {},
}

_ANNOTATIONS: Mapping[str, Schema] = {
    "@odata.context": {"type": "string"},
    "@odata.type": {"type": "string"},
}


class AnswerSchemas:
    """The schemas of a document's answers, by component name in `components`."""

    def __init__(
        self, types: GraphTypes, *, partial: frozenset[str] = frozenset(), expand: Mapping[str, Mapping[str, str]] = {}
    ) -> None:
        """`partial`: types of which `$select` may leave members away. `expand`: what `$expand` adds, by type."""
        self._types = types
        self._partial = partial
        self._expand = expand
        self.components: dict[str, Schema] = {}

    def of(self, type_name: str) -> Schema:
        """The schema of a type, primitive or not; `Collection(…)` is a list."""
        if type_name.startswith("Collection("):
            return {"type": "array", "items": self.of(type_name.removeprefix("Collection(").removesuffix(")"))}
        if type_name in PRIMITIVES:
            return dict(PRIMITIVES[type_name])
        if type_name not in self.components:
            self.components[type_name] = {}  # types may contain themselves
            self.components[type_name] = self._component(type_name)
        return {"$ref": f"{COMPONENTS}{type_name}"}

    def _component(self, type_name: str) -> Schema:
        enum = self._types.enums.get(type_name)
        if enum is not None:
            return {"type": "string"} if enum.flags else {"type": "string", "enum": list(enum.members)}
        if kinds := self._kinds(type_name):
            return self._one_of(kinds)
        properties = {prop.name: self._property(prop) for prop in self._types.properties(type_name)}
        is_partial = any(self._types.is_a(type_name, each) for each in self._partial)
        required = [] if is_partial else list(properties)
        added = {name: self.of(target) for name, target in self._expand.get(type_name, {}).items()}
        schema: Schema = {"type": "object", "properties": {**_ANNOTATIONS, **properties, **added}}
        if required:
            schema["required"] = required
        if not self._types.types[type_name].open:
            schema["additionalProperties"] = False
        return schema

    def _kinds(self, base: str) -> list[str]:
        """The types that derive from an abstract one; none are known of some."""
        if not self._types.types[base].abstract:
            return []
        return [
            name for name, type_ in self._types.types.items() if self._types.is_a(name, base) and not type_.abstract
        ]

    def _one_of(self, kinds: list[str]) -> Schema:
        """The annotation says which."""
        mapping = {f"#{name}": self.of(name)["$ref"] for name in kinds}
        tagged = [
            {"$ref": target, "properties": {"@odata.type": {"const": tag}}, "required": ["@odata.type"]}
            for tag, target in mapping.items()
        ]
        return {"oneOf": tagged, "discriminator": {"propertyName": "@odata.type", "mapping": mapping}}

    def _property(self, prop: GraphProperty) -> Schema:
        if prop.is_collection:
            return self.of(f"Collection({prop.type})")
        schema = self.of(prop.type)
        return nullable(schema) if prop.is_nullable else schema


def nullable(schema: Schema) -> Schema:
    """`schema`, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema
