"""What all of Graph's handlers need of a request: version, context addresses, wording of enums, answers."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from vedette.api.graph.entities import Shape
from vedette.api.graph.evidence import Wording
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.render import GRAPH_JSON, json_answer
from vedette.api.snapshot_lists import ListPage
from vedette.context import RequestContext

_INCLUDE_EVOLVED = "include-unknown-enum-members"


def shape_of(context: RequestContext, request: ApiRequest) -> Shape:
    """How entities are to be written for this request."""
    return Shape(context.base_url, context.tenant.tenant_id, Wording(evolved=prefers_evolved(request)))


def prefers_evolved(request: ApiRequest) -> bool:
    """Whether members of enums that came later are wanted by their names."""
    return _INCLUDE_EVOLVED in request.headers.get("prefer", "").lower()


def metadata_url(request: ApiRequest, fragment: str) -> str:
    """`@odata.context` of an answer: `https://host/v1.0/$metadata#security/incidents`."""
    version = request.path.split("/")[1].lower()
    return f"{request.base_url}/{version}/$metadata#{fragment}"


def graph_answer(document: Mapping[str, object], status: int = 200) -> ApiResponse:
    """A JSON answer in Graph's media type."""
    return json_answer(document, status=status, media_type=GRAPH_JSON, headers={"odata-version": "4.0"})


def created_answer(request: ApiRequest, document: Mapping[str, object]) -> ApiResponse:
    """The answer to what made an entity, with the entity's own address in the collection that was posted to."""
    address = f"{request.base_url}{quote(request.path)}/{quote(str(document['id']), safe='')}"
    headers = {"odata-version": "4.0", "location": address}
    return json_answer(document, status=201, media_type=GRAPH_JSON, headers=headers)


def list_answer(context_url: str, page: ListPage[Any], value: Sequence[object]) -> ApiResponse:
    """A page of a list, with its count and the address of the next page where there are any."""
    document: dict[str, object] = {"@odata.context": context_url}
    if page.total is not None:
        document["@odata.count"] = page.total
    if page.next_link is not None:
        document["@odata.nextLink"] = page.next_link
    document["value"] = value
    return graph_answer(document)


def count_answer(total: int) -> ApiResponse:
    """The answer to `/$count`: the bare number."""
    return ApiResponse(200, str(total).encode(), "text/plain", {"odata-version": "4.0"})
