"""Answers on the wire: ASGI messages of a response, whole or broken off."""

from collections.abc import Callable, MutableMapping
from functools import cache
from typing import Any

from vedette.api.http import ApiResponse
from vedette.api.reception import Receive

Send = Callable[[MutableMapping[str, Any]], Any]


async def send_response(send: Send, response: ApiResponse, *, without_body: bool = False) -> None:
    """The answer; `without_body`: to HEAD."""
    await _send(send, response, b"" if without_body else response.body)


async def send_half(send: Send, response: ApiResponse) -> None:
    """An answer that ends in the middle: the server closes the connection because the rest never comes."""
    await _send(send, response, response.body[: len(response.body) // 2])


async def _send(send: Send, response: ApiResponse, body: bytes) -> None:
    headers = [(_header_name(name), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status != 204:
        headers.append((b"content-type", response.media_type.encode("latin-1")))
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@cache
def _header_name(name: str) -> bytes:
    """On the wire; names are ours, so there are few."""
    return name.lower().encode("latin-1")


async def answer_lifespan(receive: Receive, send: Send) -> None:
    """Begin and end with the server."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
