"""What answers of Defender for Endpoint have in common: OData context, pages, the caller's name, checks of ids."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListQuery, select_members
from vedette.api.render import json_answer
from vedette.api.snapshot_lists import ListPage
from vedette.context import Principal
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.odata.options import decode_query, parse_options

T = TypeVar("T")


def page_answer(
    request: ApiRequest, set_name: str, query: ListQuery, page: ListPage[T], convert: Callable[[T], object]
) -> ApiResponse:
    """One page of a list, with count and link as asked."""
    members = [select_members(msgspec.to_builtins(convert(row)), query.options.select) for row in page.rows]
    return collection(request, set_name, members, count=page.total, next_link=page.next_link)


def collection(
    request: ApiRequest,
    set_name: str,
    values: Iterable[object],
    *,
    count: int | None = None,
    next_link: str | None = None,
) -> ApiResponse:
    """A list of entities."""
    document: dict[str, object] = {"@odata.context": odata_context(request, set_name)}
    if count is not None:
        document["@odata.count"] = count
    document["value"] = list(values)
    if next_link is not None:
        document["@odata.nextLink"] = next_link
    return json_answer(document)


def entity(request: ApiRequest, set_name: str, value: object, *, status: int = 200) -> ApiResponse:
    """One entity of a set."""
    members = msgspec.to_builtins(value)
    return json_answer({"@odata.context": odata_context(request, f"{set_name}/$entity"), **members}, status=status)


def text_answer(request: ApiRequest, value: str) -> ApiResponse:
    """A single text."""
    return json_answer({"@odata.context": odata_context(request, "Edm.String"), "value": value})


def count_answer(total: int) -> ApiResponse:
    """The answer of a path that ends in `$count`: the number alone."""
    return ApiResponse(200, str(total).encode(), "text/plain")


def odata_context(request: ApiRequest, name: str) -> str:
    """The address of a set in the metadata, on the host that the client used."""
    return f"{request.base_url}/api/$metadata#{name}"


def without_options(request: ApiRequest) -> dict[str, str]:
    """The query's own parameters. Raises ODataError for any system option."""
    pairs = decode_query(request.query)
    parse_options(pairs, frozenset())
    return pairs


def caller_name(principal: Principal) -> str:
    """Who asks, as requestors, creators and assignees are shown."""
    return principal.display_name or principal.app_id


def found(value: T | None, kind: str, key: object) -> T:
    """`value`, unless there is none. Raises NotFoundError."""
    if value is None:
        raise NotFoundError(resource=f"{kind} {key}")
    return value


def required(text: str, parameter: str) -> str:
    """A text that must not be empty. Raises InvalidRequestError."""
    if not text.strip():
        raise InvalidRequestError("MissingParameter", parameter=parameter)
    return text
