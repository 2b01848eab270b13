"""Requests within a request: what `$batch` holds goes the way of any other request, under the same token."""

from collections.abc import Callable, Mapping

import msgspec

from vedette.api.http import ApiRequest, ApiResponse


class InnerRequest(msgspec.Struct, frozen=True):
    """One request within another. `target` is path and query; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Serve = Callable[[ApiRequest, InnerRequest], ApiResponse]
"""Answers a request that came within another."""


class InnerCalls:
    """Stands for the application that the handlers are part of: it exists only once they do."""

    def __init__(self) -> None:
        self._serve: Serve | None = None

    def serve_with(self, serve: Serve) -> None:
        """Say who answers. Once, before the first request."""
        self._serve = serve

    def call(self, outer: ApiRequest, inner: InnerRequest) -> ApiResponse:
        """The answer to a request within `outer`. Never raises what a client caused."""
        assert self._serve is not None, "the application is complete before it serves"
        return self._serve(outer, inner)
