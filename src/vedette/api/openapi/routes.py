"""Serves the OpenAPI documents, for the host that the client asked."""

import functools
from collections.abc import Mapping

import msgspec

from vedette.api.hosts import host_name
from vedette.api.http import ApiRequest, ApiResponse, PublicHandler
from vedette.api.openapi.document import FAMILIES, LOGIN, openapi_document
from vedette.api.render import json_answer
from vedette.contracts.operations import load_operations
from vedette.errors import NotFoundError


def handlers() -> Mapping[str, PublicHandler]:
    """Handlers by operation handler name."""
    return {"list_documents": list_documents, "get_document": get_document}


def list_documents(request: ApiRequest) -> ApiResponse:
    """GET /openapi."""
    found = [
        {"name": family.name, "title": family.title, "url": f"{request.base_url}/openapi/{family.name}.json"}
        for family in FAMILIES.values()
    ]
    return json_answer({"documents": found})


def get_document(request: ApiRequest) -> ApiResponse:
    """GET /openapi/{document}."""
    name = request.path_parameters["document"].lower().removesuffix(".json")
    if name not in FAMILIES:
        raise NotFoundError(resource=name)
    return ApiResponse(200, _text(name, request.base_url))


@functools.lru_cache(maxsize=64)
def _text(name: str, base_url: str) -> bytes:
    """A document as it is sent; hosts are few, and each is on the server's list."""
    host = host_name(base_url.partition("://")[2])
    is_real = any(host in table.hosts for table in load_operations().values())
    return msgspec.json.encode(openapi_document(FAMILIES[name], base_url, LOGIN if is_real else base_url))
