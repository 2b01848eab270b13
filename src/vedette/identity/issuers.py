"""Issuers: which `iss` a token gets by the host that was asked, and which tenant and version an `iss` means."""

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from vedette.contracts.operations import load_operations
from vedette.ids import is_guid

TokenVersion = Literal[1, 2]

PUBLIC_V1_ISSUER = "https://sts.windows.net"
PUBLIC_V2_ISSUER = "https://login.microsoftonline.com"


class IssuerClaims(msgspec.Struct, frozen=True):
    """What an issuer says about a token."""

    tenant_id: str
    version: TokenVersion


class Issuers:
    """The issuers of every accepted host. `own_hosts` are accepted names beside the real services', without ports."""

    def __init__(self, own_hosts: frozenset[str]) -> None:
        self._public_hosts = frozenset(load_operations()["login"].hosts)
        self.own_hosts = frozenset(host.lower() for host in own_hosts) - self._public_hosts

    def issuer(self, base_url: str, tenant_id: str, version: TokenVersion) -> str:
        """The `iss` of a token asked for at `base_url` (`https://host[:port]`)."""
        v1_root, v2_root = base_url, base_url
        if self.is_public(base_url):
            v1_root, v2_root = PUBLIC_V1_ISSUER, PUBLIC_V2_ISSUER
        return f"{v1_root}/{tenant_id}/" if version == 1 else f"{v2_root}/{tenant_id}/v2.0"

    def is_public(self, base_url: str) -> bool:
        """Whether the address is one of the real login service's names."""
        return urlsplit(base_url).hostname in self._public_hosts

    def is_own_host(self, host: str | None) -> bool:
        """Whether this is a name of this server alone, not of the real services."""
        return host is not None and host.lower() in self.own_hosts

    def accepts(self, host: str | None) -> bool:
        """Whether the login service answers to this host name."""
        return host is not None and (host.lower() in self._public_hosts or self.is_own_host(host))

    def aliases(self, host: str) -> tuple[str, ...]:
        """Every name of the authority that `host` belongs to."""
        return tuple(sorted(self._public_hosts)) if host.lower() in self._public_hosts else (host,)

    def read(self, issuer: str) -> IssuerClaims | None:
        """The tenant and version of one of our issuers; None for any other text."""
        parts = urlsplit(issuer)
        segments = parts.path.split("/")[1:]
        if parts.scheme != "https" or parts.query or parts.fragment or parts.username is not None:
            return None
        if len(segments) != 2 or not is_guid(segments[0]) or segments[1] not in ("", "v2.0"):
            return None
        version: TokenVersion = 1 if segments[1] == "" else 2
        claims = IssuerClaims(segments[0], version)
        if self._is_public_issuer(issuer, claims) or self.is_own_host(parts.hostname):
            return claims
        return None

    def _is_public_issuer(self, issuer: str, claims: IssuerClaims) -> bool:
        return issuer == self.issuer(PUBLIC_V2_ISSUER, claims.tenant_id, claims.version)
