"""Takes request bodies off the wire: into memory up to a limit, or into a temporary file."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import IO, Any

import anyio
from anyio import to_thread

from vedette.contracts.operations import OperationContract
from vedette.errors import ApiError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_WRITE_SIZE = 1 << 20


class RequestTooLargeError(ApiError):
    """The body is longer than its operation takes. Field: `limit`."""

    code = "RequestTooLarge"


class BodyTimeoutError(ApiError):
    """The client stopped sending its body. Field: `seconds`."""

    code = "RequestTimeout"


class ClientGoneError(Exception):
    """The client went away before it was answered; there is nobody to answer."""


class BodyIncompleteError(ApiError):
    """The body ended before its end, or is not in the form of its transfer. Perhaps nobody hears the answer."""

    code = "BodyIncomplete"


async def read_body(
    receive: Receive, operation: OperationContract, headers: Mapping[str, str], silence: float
) -> bytes:
    """The whole body. Raises RequestTooLargeError before reading if its declared length says so.

    Raises BodyTimeoutError after `silence` seconds in which nothing came.
    """
    declared = headers.get("content-length")
    _check_declared(operation, declared)
    message = await _next(receive, silence)
    if message["type"] == "http.request" and _is_whole(message, declared):  # most bodies come in one piece
        body: bytes = message.get("body", b"")
        if operation.max_body and len(body) > operation.max_body:
            raise RequestTooLargeError(limit=operation.max_body)
        return body
    return b"".join([chunk async for chunk in _chunks(receive, operation.max_body, silence, message)])


async def spool_body(
    receive: Receive, operation: OperationContract, headers: Mapping[str, str], silence: float, folder: Path
) -> Path:
    """As `read_body`, a new file in `folder`; whoever asked for it deletes it. Nothing is left behind on an error."""
    _check_declared(operation, headers.get("content-length"))
    file = await to_thread.run_sync(_open, folder)
    path = Path(file.name)
    try:
        pending = bytearray()
        async for chunk in _chunks(receive, operation.max_body, silence):
            pending += chunk
            if len(pending) >= _WRITE_SIZE:
                await to_thread.run_sync(file.write, bytes(pending))
                pending.clear()
        await to_thread.run_sync(_finish, file, bytes(pending))
    except BaseException:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(_discard, file, path)
        raise
    return path


def _is_whole(message: MutableMapping[str, Any], declared: str | None) -> bool:
    """Whether nothing follows: the server says so, or, before it knows, the declared length does."""
    return not message.get("more_body", False) or declared == str(len(message.get("body", b"")))


def _check_declared(operation: OperationContract, declared: str | None) -> None:
    if operation.max_body and declared and declared.isdigit() and int(declared) > operation.max_body:
        raise RequestTooLargeError(limit=operation.max_body)


async def _chunks(
    receive: Receive, limit: int, silence: float, first: MutableMapping[str, Any] | None = None
) -> AsyncIterator[bytes]:
    size = 0
    while True:
        message = first or await _next(receive, silence)
        first = None
        if message["type"] == "http.disconnect":
            raise BodyIncompleteError
        chunk = message.get("body", b"")
        size += len(chunk)
        if limit and size > limit:
            raise RequestTooLargeError(limit=limit)
        yield chunk
        if not message.get("more_body", False):
            return


async def _next(receive: Receive, silence: float) -> MutableMapping[str, Any]:
    try:
        with anyio.fail_after(silence):
            return await receive()
    except TimeoutError as error:
        raise BodyTimeoutError(seconds=round(silence)) from error


def _open(folder: Path) -> IO[bytes]:
    return tempfile.NamedTemporaryFile(dir=folder, prefix="body-", delete=False)


def _finish(file: IO[bytes], rest: bytes) -> None:
    file.write(rest)
    file.close()


def _discard(file: IO[bytes], path: Path) -> None:
    file.close()
    path.unlink(missing_ok=True)
