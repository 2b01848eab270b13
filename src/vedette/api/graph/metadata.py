"""`$metadata`: the types that Vedette answers with, as CSDL. Made of contract data."""

import functools
from xml.etree import ElementTree

from vedette.api.http import ApiRequest, ApiResponse
from vedette.contracts.graph_types import (
    GRAPH,
    SECURITY,
    GraphEnum,
    GraphProperty,
    GraphType,
    GraphTypesDocument,
    load_graph_types,
)

EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
EDM = "http://docs.oasis-open.org/odata/ns/edm"

NAVIGATION = {
    "alerts": f"Collection({GRAPH}.alert)",
    "alerts_v2": f"Collection({SECURITY}.alert)",
    "incidents": f"Collection({SECURITY}.incident)",
    "secureScores": f"Collection({GRAPH}.secureScore)",
    "secureScoreControlProfiles": f"Collection({GRAPH}.secureScoreControlProfile)",
}
"""What hangs on `/security`."""

ACTIONS = (
    (
        "runHuntingQuery",
        f"{GRAPH}.security",
        {"query": "Edm.String", "timespan": "Edm.String"},
        f"{SECURITY}.huntingQueryResults",
    ),
)
"""Bound actions: name, what they hang on, parameters, result."""


def metadata(_request: ApiRequest) -> ApiResponse:
    """GET /$metadata."""
    return ApiResponse(200, csdl(), "application/xml", {"odata-version": "4.0"})


@functools.cache
def csdl() -> bytes:
    """The document."""
    ElementTree.register_namespace("edmx", EDMX)
    root = ElementTree.Element(f"{{{EDMX}}}Edmx", {"Version": "4.0"})
    services = ElementTree.SubElement(root, f"{{{EDMX}}}DataServices")
    for document in load_graph_types().documents:
        schema = ElementTree.SubElement(services, "Schema", {"xmlns": EDM, "Namespace": document.namespace})
        _add_types(schema, document)
        if document.namespace == GRAPH:
            _add_container(schema)
        else:
            _add_actions(schema)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _add_types(schema: ElementTree.Element, document: GraphTypesDocument) -> None:
    for name, enum in document.enums.items():
        _add_enum(schema, name, enum)
    for name, type_ in document.types.items():
        _add_type(schema, f"{document.namespace}.{name}", type_)


def _add_enum(schema: ElementTree.Element, name: str, enum: GraphEnum) -> None:
    element = ElementTree.SubElement(schema, "EnumType", {"Name": name, **({"IsFlags": "true"} if enum.flags else {})})
    for member, value in enum.members.items():
        ElementTree.SubElement(element, "Member", {"Name": member, "Value": str(value)})


def _add_type(schema: ElementTree.Element, name: str, type_: GraphType) -> None:
    facets = {"Name": name.rpartition(".")[2]}
    facets |= {"BaseType": type_.base} if type_.base else {}
    facets |= {"Abstract": "true"} if type_.abstract else {}
    facets |= {"OpenType": "true"} if type_.open else {}
    element = ElementTree.SubElement(schema, "EntityType" if type_.kind == "entity" else "ComplexType", facets)
    if name == f"{GRAPH}.entity":
        key = ElementTree.SubElement(element, "Key")
        ElementTree.SubElement(key, "PropertyRef", {"Name": "id"})
    inherited = load_graph_types().properties(type_.base) if type_.base else ()
    for prop in load_graph_types().properties(name)[len(inherited) :]:
        _add_property(element, prop)
    for navigation, target in type_.navigation.items():
        ElementTree.SubElement(element, "NavigationProperty", {"Name": navigation, "Type": target})


def _add_property(element: ElementTree.Element, prop: GraphProperty) -> None:
    type_name = f"Collection({prop.type})" if prop.is_collection else prop.type
    nullable = {} if prop.is_nullable else {"Nullable": "false"}
    ElementTree.SubElement(element, "Property", {"Name": prop.name, "Type": type_name, **nullable})


def _add_container(schema: ElementTree.Element) -> None:
    security = ElementTree.SubElement(
        schema, "EntityType", {"Name": "security", "BaseType": f"{GRAPH}.entity", "OpenType": "true"}
    )
    for name, type_name in NAVIGATION.items():
        ElementTree.SubElement(
            security, "NavigationProperty", {"Name": name, "Type": type_name, "ContainsTarget": "true"}
        )
    container = ElementTree.SubElement(schema, "EntityContainer", {"Name": "GraphService"})
    ElementTree.SubElement(container, "EntitySet", {"Name": "subscriptions", "EntityType": f"{GRAPH}.subscription"})
    ElementTree.SubElement(container, "Singleton", {"Name": "security", "Type": f"{GRAPH}.security"})


def _add_actions(schema: ElementTree.Element) -> None:
    for name, bound_to, parameters, result in ACTIONS:
        action = ElementTree.SubElement(schema, "Action", {"Name": name, "IsBound": "true"})
        ElementTree.SubElement(action, "Parameter", {"Name": "security", "Type": bound_to})
        for parameter, type_name in parameters.items():
            ElementTree.SubElement(action, "Parameter", {"Name": parameter, "Type": type_name, "Unicode": "false"})
        ElementTree.SubElement(action, "ReturnType", {"Type": result})
