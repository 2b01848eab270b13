"""The one place that knows the HTTP library. Everything else of the client speaks in `Reply` and our own errors."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2
import msgspec

from vedette.client.errors import ConnectionFailedError, ResponseError

CONNECT_SECONDS = 5.0
READ_SECONDS = 300.0
UPLOAD_CHUNK = 262_144

Progress = Callable[[int], None]
"""Told the number of bytes sent since the last call."""


class Reply(msgspec.Struct, frozen=True):
    """One answer, read completely."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body's JSON value, None if it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None


class Transport:
    """Sends requests to one server. `ca_file` is trusted beside the system's authorities. Thread-safe."""

    def __init__(self, base_url: str, ca_file: Path | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(ca_file)
        timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        # A local server is asked directly, whatever proxy the environment names.
        self._client = httpx2.Client(verify=context, timeout=timeout, trust_env=False)

    def __enter__(self) -> "Transport":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request; any status is a reply. Raises ConnectionFailedError."""
        content = None if json is None else msgspec.json.encode(json)
        all_headers = {**({"Content-Type": "application/json"} if content is not None else {}), **(headers or {})}
        return self._send(method, path, headers=all_headers, content=content, data=form)

    def post(self, path: str, content: bytes, *, headers: Mapping[str, str]) -> Reply:
        """POST bytes as they are."""
        all_headers = {"Content-Type": "application/octet-stream", **headers}
        return self._send("POST", path, headers=all_headers, content=content)

    def upload(self, path: str, file: Path, *, headers: Mapping[str, str], progress: Progress | None = None) -> Reply:
        """POST a file without reading it into memory."""
        length = {"Content-Length": str(file.stat().st_size), "Content-Type": "application/octet-stream"}
        return self._send("POST", path, headers={**length, **headers}, content=_chunks(file, progress))

    def _send(self, method: str, path: str, **options: Any) -> Reply:
        try:
            response = self._client.request(method, self.base_url + path, **options)
        except httpx2.TransportError as error:
            raise ConnectionFailedError(_sentence(self.base_url, error)) from error
        return Reply(response.status_code, response.headers, response.content)


def checked(reply: Reply) -> Reply:
    """The reply if it is 2xx; else ResponseError with the body's own words."""
    if reply.is_success:
        return reply
    body = reply.json()
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        code, message = str(error.get("code", "")), str(error.get("message", ""))
    else:
        code, message = "", "the server refused without saying why"
    raise ResponseError(reply.status, code, message, request_id=reply.headers.get("request-id", ""))


def _chunks(file: Path, progress: Progress | None) -> Iterator[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(UPLOAD_CHUNK):
            yield chunk
            if progress is not None:
                progress(len(chunk))


def _sentence(base_url: str, error: httpx2.TransportError) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return f"The certificate of {base_url} is not trusted; name its CA with SSL_CERT_FILE."
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return f"Nobody answers at {base_url}."
    return f"The connection to {base_url} broke: {error}."
