"""Requests and responses as plain values. Handlers of every surface take and return these; only dispatch knows ASGI."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from vedette.context import RequestContext


class ApiRequest(msgspec.Struct, frozen=True):
    """One HTTP request, body read.

    `path` is percent-decoded with double slashes folded; `path_parameters` come from the operation's template;
    `query` is the raw query string (surfaces decode it in their own dialect); header names are lower case.
    `body_file` is set in place of `body` for operations whose record says `body = "file"`; dispatch deletes it later.
    """

    method: str
    path: str
    path_parameters: Mapping[str, str]
    query: str
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    client_address: str
    request_id: str
    correlation_id: str = ""
    body_file: Path | None = None


class ApiResponse(msgspec.Struct, frozen=True):
    """One HTTP response, complete."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = {}


PublicHandler = Callable[[ApiRequest], ApiResponse]
"""Handler of an operation whose record says `authentication = "none"` (login service, health)."""

AuthenticatedHandler = Callable[[RequestContext, ApiRequest], ApiResponse]
"""Handler of every other operation: called only after token, audience, tenant and permission were checked."""
