"""Lets the unmodified msal talk to the login handlers without a socket: the HTTP client it is given."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from vedette.contracts.operations import load_operations

from .world import World


class Response:
    """What msal reads of an HTTP response."""

    def __init__(self, status_code: int, text: str, headers: Mapping[str, str]) -> None:
        self.status_code = status_code
        self.text = text
        self.headers = headers

    def raise_for_status(self) -> None:
        assert self.status_code < 400, self.text


class HandlerTransport:
    """`get` and `post` of an HTTP client, routed by the operation records of the login service."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes = [
            (operation.method, _pattern(operation.path), operation.handler)
            for operation in load_operations()["login"].operations
        ]

    def get(self, url: str, params: Mapping[str, str] | None = None, headers=None, **_: object) -> Response:
        return self._send("GET", url, params, None, headers)

    def post(self, url: str, params=None, data=None, headers=None, **_: object) -> Response:
        return self._send("POST", url, params, data, headers)

    def close(self) -> None:
        """Nothing is open."""

    def _send(self, method: str, url: str, params, data, headers) -> Response:
        parts = urlsplit(url)
        for known, pattern, handler in self._routes:
            match = pattern.fullmatch(parts.path)
            if match and known == method:
                answer = self._world.request(
                    handler,
                    body=None if data is None else urlencode(data).encode(),
                    headers={name.lower(): value for name, value in (headers or {}).items()},
                    query="&".join(part for part in (parts.query, urlencode(params or {})) if part),
                    base_url=f"{parts.scheme}://{parts.netloc}",
                    **match.groupdict(),
                )
                return Response(answer.status, answer.body.decode(), answer.headers)
        raise AssertionError(f"no operation for {method} {url}")


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(
        "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part[:1] == "{" else re.escape(part)
            for part in re.split(r"({\w+})", template)
        ),
        re.IGNORECASE,
    )
