"""Which surface a host name leads to. Names that are on no list are refused: a server answers only for its own."""

import re
from collections.abc import Collection, Mapping

import msgspec

from vedette.contracts.operations import OperationsDocument

_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
"""A name or address with its port, and nothing that turns into another host once it stands in a link."""

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Origin(msgspec.Struct, frozen=True):
    """Where a request was addressed to and where it came from."""

    scheme: str
    host: str
    """`name[:port]` as the client wrote it."""
    client_address: str

    @property
    def base_url(self) -> str:
        """`https://host[:port]` without a trailing slash."""
        return f"{self.scheme}://{self.host}"


def host_name(host: str) -> str:
    """The name of a Host header, in lower case, without port and trailing dot."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0].rstrip(".")


class HostTable:
    """The real services' names, each tied to one surface, and the names that serve all surfaces."""

    def __init__(self, documents: Collection[OperationsDocument], accepted: Collection[str]) -> None:
        self._own = {name: document.surface for document in documents for name in document.hosts}
        self._accepted = LOCAL_HOSTS | {host_name(name) for name in accepted}

    def accepts(self, host: str) -> bool:
        """Whether the server answers for this Host header."""
        name = host_name(host)
        return (name in self._own or name in self._accepted) and _HOST.fullmatch(host) is not None

    def surface(self, host: str) -> str | None:
        """The only surface behind this name, or None if it serves all of them."""
        return self._own.get(host_name(host))


def read_origin(scheme: str, headers: Mapping[str, str], client_address: str, *, behind_proxy: bool) -> Origin:
    """The origin of a request. What a proxy forwarded counts only if there is one in front of us."""
    host = headers.get("host", "")
    if behind_proxy:
        # The nearest proxy appends: what stands before its own entry is hearsay.
        scheme = _last(headers.get("x-forwarded-proto")) or scheme
        host = _last(headers.get("x-forwarded-host")) or host
        client_address = _last(headers.get("x-forwarded-for")) or client_address
    return Origin("https" if scheme.lower() == "https" else "http", host, client_address)


def _last(value: str | None) -> str | None:
    return value.rpartition(",")[2].strip() or None if value else None
