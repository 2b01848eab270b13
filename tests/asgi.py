"""A client that calls an ASGI application in this process, without sockets."""

import dataclasses
import json
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class AsgiClient:
    """Sends requests to `app` as if to `https://host`."""

    def __init__(self, app: Any, host: str = "localhost", token: str | None = None) -> None:
        self._app = app
        self._host = host
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}

    def with_token(self, token: str | None) -> "AsgiClient":
        """The same client with another token."""
        return AsgiClient(self._app, self._host, token)

    def get(self, target: str, **headers: str) -> Answer:
        return self.send("GET", target, headers=headers)

    def post(self, target: str, document: object, **headers: str) -> Answer:
        return self.send("POST", target, body=json.dumps(document).encode(), headers=headers)

    def patch(self, target: str, document: object, **headers: str) -> Answer:
        return self.send("PATCH", target, body=json.dumps(document).encode(), headers=headers)

    def send(
        self,
        method: str,
        target: str,
        *,
        body: bytes | list[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        host: str | None = None,
        gone: threading.Event | None = None,
    ) -> Answer:
        """Send a request; header names are written with underscores. The client goes away when `gone` is set."""
        return anyio.run(partial(self.send_async, method, target, body=body, headers=headers, host=host, gone=gone))

    async def send_async(
        self,
        method: str,
        target: str,
        *,
        body: bytes | list[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        host: str | None = None,
        gone: threading.Event | None = None,
    ) -> Answer:
        """`send`, inside an event loop."""
        parts = urlsplit(target)
        raw = {"host": host or parts.netloc or self._host, **self._headers}
        raw |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        path = parts.path if not target.startswith("//") else target.partition("?")[0]
        scope = {
            "type": "http",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": parts.query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in raw.items()],
            "client": ("192.0.2.7", 50_000),
        }
        return await self._exchange(scope, body if isinstance(body, list) else [body], gone)

    async def _exchange(self, scope: dict[str, Any], chunks: list[bytes], gone: threading.Event | None) -> Answer:
        pending = list(chunks)
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            if pending:
                chunk = pending.pop(0)
                return {"type": "http.request", "body": chunk, "more_body": bool(pending)}
            if gone is None:
                await anyio.sleep_forever()
            else:
                await anyio.to_thread.run_sync(gone.wait)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        if not sent:
            return Answer(0, {}, b"")
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))
