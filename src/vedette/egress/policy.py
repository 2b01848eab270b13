"""Where the server may connect to. Nothing is allowed until somebody lists it."""

import fnmatch
import ipaddress
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from vedette.egress.errors import EgressRefusedError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_DEFAULT_PORTS = {"https": 443, "http": 80}


class EgressPolicy(msgspec.Struct, frozen=True):
    """Rules of outbound HTTP.

    `hosts` are names or patterns (`*.example.org`); `private_hosts` names the ones among them that may have addresses
    inside a private network, and be spoken to without TLS. `mirror` is a folder `<host>/<path>` of files that are
    served in place of the network; what it holds needs no entry in `hosts`.
    """

    hosts: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()
    mirror: Path | None = None
    timeout_seconds: float = 15.0
    max_bytes: int = 64 * 2**20
    max_redirects: int = 5


class Target(msgspec.Struct, frozen=True):
    """An address that the policy allows by name. `private_allowed`: also when it resolves to a private address."""

    scheme: str
    host: str
    port: int
    path: str
    private_allowed: bool

    @property
    def authority(self) -> str:
        """Value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(policy: EgressPolicy, url: str) -> Target:
    """The target behind a URL, if its scheme, host and form are allowed. Raises EgressRefusedError."""
    parts = _split(url)
    host = (parts.hostname or "").rstrip(".").lower()
    private_allowed = _matches(host, policy.private_hosts)
    if not _matches(host, policy.hosts) and not private_allowed:
        raise EgressRefusedError(url, "host_not_allowed")
    if parts.scheme == "http" and not private_allowed:
        raise EgressRefusedError(url, "not_https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, parts.port or _DEFAULT_PORTS[parts.scheme], path, private_allowed)


def check_address(target: Target, address: IpAddress) -> bool:
    """Whether a resolved address may be connected to."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_multicast or address.is_unspecified or address.is_reserved:
        return False
    return address.is_global or target.private_allowed


def mirrored_file(policy: EgressPolicy, url: str) -> Path | None:
    """The file of the mirror that stands for a URL, if there is one. Never a path outside the mirror."""
    if policy.mirror is None:
        return None
    parts = _split(url)
    root = policy.mirror.resolve()
    path = (root / (parts.hostname or "") / unquote(parts.path).lstrip("/")).resolve()
    return path if path.is_relative_to(root) and path.is_file() else None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or 0 < parts.port < 65_536
    except ValueError as error:
        raise EgressRefusedError(url, "malformed") from error
    unsafe = any(character <= " " or character == "\x7f" for character in url)
    if unsafe or not port_is_valid or not parts.hostname or parts.username is not None or not url.isascii():
        raise EgressRefusedError(url, "malformed")
    if parts.scheme not in _DEFAULT_PORTS:
        raise EgressRefusedError(url, "scheme_not_allowed")
    return parts


def _matches(host: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(host, pattern.lower()) for pattern in patterns)
