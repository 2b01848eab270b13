"""What every request to Graph may ask for besides its operation: spellings of options, forms of the answer, counts.

`$` may be left out of options on beta; `$format=json` is what is answered anyway; `odata.metadata=none` and
`IEEE754Compatible=true` change how JSON is written (OData JSON format 3.1, 3.2). `odata.metadata=full` is answered
with the minimum, and says so.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from vedette.api.graph.surface import count_answer, prefers_evolved
from vedette.api.http import ApiRequest, ApiResponse, AuthenticatedHandler
from vedette.api.render import GRAPH_JSON
from vedette.context import RequestContext
from vedette.contracts.graph_types import load_graph_types
from vedette.odata.errors import ODataError
from vedette.odata.options import KNOWN, decode_query

_PLAIN_OPTION = re.compile(
    "(^|&)(" + "|".join(sorted(name.removeprefix("$") for name in {*KNOWN, "$search"})) + ")(?==)", re.IGNORECASE
)
_FORMAT = re.compile(r"(?:^|&)(?:\$|%24)format=([^&]*)", re.IGNORECASE)
COUNT = "/$count"
_NARROWS = re.compile(r"(?:\$|%24)(?:filter|search)=", re.IGNORECASE)
_LONG_TYPES = frozenset({"Edm.Int64", "Edm.Decimal"})
_KEPT = ("@odata.nextLink", "@odata.count", "@odata.deltaLink")


def following(handlers: Mapping[str, AuthenticatedHandler]) -> dict[str, AuthenticatedHandler]:
    """Handlers that keep to the conventions."""
    return {name: _following(handler) for name, handler in handlers.items()}


def _following(handler: AuthenticatedHandler) -> AuthenticatedHandler:
    @functools.wraps(handler)
    def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
        if request.path.lower().endswith(COUNT):
            return _counted(handler(context, _counting(_spelled(request))))
        response = handler(context, _spelled(request))
        return _written(request, response) if response.status < 300 else response

    return answer


def _counting(request: ApiRequest) -> ApiRequest:
    """A request for the number of a list's members as one for the list with its number: what narrows it counts."""
    pairs = [part for part in request.query.split("&") if _NARROWS.match(part)]
    return msgspec.structs.replace(request, query="&".join((*pairs, "$count=true", "$top=1")))


def _counted(response: ApiResponse) -> ApiResponse:
    """The bare number; a handler that only counts has answered it already."""
    if response.media_type != GRAPH_JSON:
        return response
    return count_answer(msgspec.json.decode(response.body)["@odata.count"])


def _spelled(request: ApiRequest) -> ApiRequest:
    """The request with its options in the one spelling that is read further on."""
    query = request.query
    if not query:
        return request
    if request.path[:6].lower() == "/beta/":
        query = _PLAIN_OPTION.sub(r"\1$\2", query)
    if _FORMAT.search(query):
        asked = decode_query(query)["$format"].strip().lower()
        if asked != "json" and not asked.startswith("application/json"):
            raise ODataError("InvalidQueryOption", option="$format", value=asked)
        query = _FORMAT.sub("", query).lstrip("&")
    return request if query == request.query else msgspec.structs.replace(request, query=query)


def _written(request: ApiRequest, response: ApiResponse) -> ApiResponse:
    """The answer in the form that the client accepts."""
    if response.media_type != GRAPH_JSON:
        return response
    if prefers_evolved(request):
        headers = {**response.headers, "preference-applied": "include-unknown-enum-members"}
        response = msgspec.structs.replace(response, headers=headers)
    accepted = request.headers.get("accept", "").lower().replace(" ", "")
    bare, textual = "odata.metadata=none" in accepted, "ieee754compatible=true" in accepted
    if not bare and not textual:
        return response
    document = msgspec.json.decode(response.body)
    media_type = response.media_type
    if textual:
        document = _with_texts(document, _long_names() | _long_columns(document))
        media_type = media_type.replace("IEEE754Compatible=false", "IEEE754Compatible=true")
    if bare:
        document = _without_metadata(document)
        media_type = media_type.replace("odata.metadata=minimal", "odata.metadata=none")
    return msgspec.structs.replace(response, body=msgspec.json.encode(document), media_type=media_type)


def _without_metadata(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if "@odata." not in name or name.endswith(_KEPT)}
        return {name: _without_metadata(item) for name, item in kept.items()}
    return [_without_metadata(item) for item in value] if isinstance(value, list) else value


def _with_texts(value: Any, names: frozenset[str]) -> Any:
    """Numbers that a reader of JSON may round, as texts: those of members of these names."""
    if isinstance(value, list):
        return [_with_texts(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: str(item) if name in names and _is_whole(item) else _with_texts(item, names)
        for name, item in value.items()
    }


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@functools.cache
def _long_names() -> frozenset[str]:
    """Properties of Graph's types that are 64 bits long, and what counts."""
    types = load_graph_types()
    own = (prop.name for name in types.types for prop in types.properties(name) if prop.type in _LONG_TYPES)
    return frozenset({"@odata.count", *own})


def _long_columns(document: Any) -> frozenset[str]:
    """Columns of a hunting answer that are 64 bits long."""
    schema = document.get("schema") if isinstance(document, dict) else None
    return frozenset(column["name"] for column in schema or () if column.get("type") == "Int64")
