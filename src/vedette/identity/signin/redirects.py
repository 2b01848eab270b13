"""Where an authorization answer may go: one of the application's registered redirect URIs, exactly (RFC 9700 §4.1)."""

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from vedette.identity.directory.applications import Application
from vedette.identity.errors import OAuthError

Platform = Literal["web", "spa", "public_client"]

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


class RedirectTarget(msgspec.Struct, frozen=True):
    """A redirect URI as the client wrote it, and the platform under which it is registered."""

    uri: str
    platform: Platform

    @property
    def origin(self) -> str:
        """What a page's `form-action` must name so that its form may end there."""
        parts = urlsplit(self.uri)
        return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def find_target(application: Application, requested: str | None) -> RedirectTarget | None:
    """The target of a request; without `redirect_uri`, the first registered one or none. Raises OAuthError."""
    registered = [
        RedirectTarget(uri, platform) for platform in _PLATFORMS for uri in getattr(application.redirect_uris, platform)
    ]
    if requested is None:
        return registered[0] if registered else None
    for target in registered:
        if requested == target.uri or _is_same_loopback(requested, target.uri):
            return RedirectTarget(requested, target.platform)
    raise OAuthError("redirect_uri_mismatch", redirect_uri=requested, app_id=application.app_id)


_PLATFORMS: tuple[Platform, ...] = ("web", "spa", "public_client")


def _is_same_loopback(requested: str, registered: str) -> bool:
    """RFC 8252 §7.3: a native application's port on the loopback host is chosen when it starts."""
    try:
        ours, theirs = urlsplit(registered), urlsplit(requested)
        both = {ours.scheme, theirs.scheme}, {_host(ours.netloc), _host(theirs.netloc)}
        port_is_valid = theirs.port is None or theirs.port > 0
    except ValueError:
        return False
    if both[0] != {"http"} or len(both[1]) != 1 or not both[1] <= LOOPBACK_HOSTS or not port_is_valid:
        return False
    return (ours.path or "/", ours.query) == (theirs.path or "/", theirs.query) and not theirs.fragment


def _host(netloc: str) -> str:
    """The host of a netloc, port taken off; one with user information is no host of ours."""
    host, colon, port = netloc.rpartition(":")
    return host.lower() if colon and port.isdigit() else netloc.lower()
