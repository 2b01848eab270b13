"""Outbound HTTP/1.1 within a policy: limits on time and size, redirects checked one by one, no proxy, no cookies."""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urljoin

import msgspec

from vedette.egress.errors import EgressFailedError, EgressRefusedError
from vedette.egress.policy import EgressPolicy, IpAddress, Target, check_url, mirrored_file
from vedette.egress.resolver import Resolver, SystemResolver, resolve

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 65_536


class EgressResponse(msgspec.Struct, frozen=True):
    """What the other side answered; header names are lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Egress:
    """The one way out. `tls` is for tests and private authorities; the default trusts what the system trusts."""

    def __init__(
        self, policy: EgressPolicy, resolver: Resolver | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._policy = policy
        self._resolver = resolver or SystemResolver()
        self._tls = tls or ssl.create_default_context()

    def get(self, url: str) -> EgressResponse:
        """Fetch a URL, from the mirror if it is there. Raises EgressError for everything but a 2xx answer."""
        if (mirrored := mirrored_file(self._policy, url)) is not None:
            if mirrored.stat().st_size > self._policy.max_bytes:
                raise EgressFailedError(url, "too_large")
            return EgressResponse(url, 200, {}, mirrored.read_bytes())
        deadline = time.monotonic() + self._policy.timeout_seconds
        for _ in range(self._policy.max_redirects + 1):
            response = self._send("GET", url, {}, b"", deadline)
            if response.status not in _REDIRECTS or "location" not in response.headers:
                break
            url = urljoin(url, response.headers["location"])
        else:
            raise EgressRefusedError(url, "too_many_redirects")
        if not 200 <= response.status < 300:
            raise EgressFailedError(url, f"status_{response.status}")
        return response

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> EgressResponse:
        """Send a body; redirects are answers like any other. Raises EgressError only if there was no answer."""
        return self._send("POST", url, headers, body, time.monotonic() + self._policy.timeout_seconds)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> EgressResponse:
        target = check_url(self._policy, url)
        address = resolve(self._resolver, target, url)
        connection = _PinnedConnection(target, address, self._tls, deadline)
        try:
            sent = {"Accept-Encoding": "identity", "User-Agent": "vedette", "Host": target.authority, **headers}
            connection.request(method, target.path, body or None, sent)
            answer = connection.getresponse()
            content = self._read(connection, answer, url, deadline)
        except TimeoutError as error:
            raise EgressFailedError(url, "timeout") from error
        except ssl.SSLError as error:
            raise EgressFailedError(url, "tls") from error
        except (OSError, http.client.HTTPException) as error:
            raise EgressFailedError(url, "connection") from error
        finally:
            connection.close()
        return EgressResponse(url, answer.status, {k.lower(): v for k, v in answer.getheaders()}, content)

    def _read(
        self, connection: "_PinnedConnection", answer: http.client.HTTPResponse, url: str, deadline: float
    ) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            connection.limit_wait(deadline)
            chunk = answer.read1(_CHUNK)
            if not chunk:
                return b"".join(chunks)
            size += len(chunk)
            if size > self._policy.max_bytes:
                raise EgressFailedError(url, "too_large")
            chunks.append(chunk)


class _PinnedConnection(http.client.HTTPConnection):
    """A connection to an address that was checked, under the name that was asked for."""

    def __init__(self, target: Target, address: IpAddress, tls: ssl.SSLContext, deadline: float) -> None:
        super().__init__(target.host, target.port)
        self._target = target
        self._address = address
        self._tls = tls
        self._deadline = deadline

    def connect(self) -> None:
        """Connect, with TLS for https, before the deadline."""
        self.sock = socket.create_connection((str(self._address), self._target.port), _left(self._deadline))
        if self._target.scheme == "https":
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._target.host)

    def limit_wait(self, deadline: float) -> None:
        """Let the next read wait no longer than until the deadline."""
        if self.sock is not None:
            self.sock.settimeout(_left(deadline))


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
