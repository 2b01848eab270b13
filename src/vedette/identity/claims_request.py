"""The `claims` parameter (OpenID Connect Core §5.5) for access tokens: what a client can do, what an API asked for.

A client that can answer claims challenges says so with `xms_cc`; after a challenge it repeats what the API sent it.
"""

from collections.abc import Mapping

import msgspec

from vedette.identity.errors import OAuthError

CHALLENGE_CAPABILITY = "cp1"
"""The client understands an API that asks for a new token in the middle of an old one's life."""

CAPABILITIES_CLAIM = "xms_cc"
"""Where a token says what its client can do; a resource that offers it evaluates access continuously."""

MAXIMUM_AHEAD = 5
"""Seconds by which a demanded `nbf` may be ahead of the clock: the API's second has not ended yet."""


class _Wanted(msgspec.Struct, frozen=True):
    """How one claim is asked for."""

    value: str | int | None = None
    values: tuple[str, ...] = ()


class _AccessTokenClaims(msgspec.Struct, frozen=True):
    xms_cc: _Wanted | None = None
    nbf: _Wanted | None = None


class _Document(msgspec.Struct, frozen=True):
    access_token: _AccessTokenClaims | None = None


class ClaimsRequest(msgspec.Struct, frozen=True):
    """What of the parameter has an effect; the rest of it is accepted and changes nothing."""

    capabilities: frozenset[str] = frozenset()
    not_before: int = 0
    """The token must not be older than this."""

    def not_before_of(self, issued_at: int) -> int:
        """`nbf` of a token that is issued now."""
        return self.not_before if issued_at < self.not_before <= issued_at + MAXIMUM_AHEAD else issued_at


NOTHING = ClaimsRequest()


def read_claims_request(parameters: Mapping[str, str]) -> ClaimsRequest:
    """The request's `claims`. Raises OAuthError if they are not a claims request."""
    text = parameters.get("claims")
    if not text:
        return NOTHING
    try:
        wanted = msgspec.json.decode(text, type=_Document).access_token
        return NOTHING if wanted is None else ClaimsRequest(_capabilities(wanted.xms_cc), _not_before(wanted.nbf))
    except (msgspec.DecodeError, ValueError) as error:
        raise OAuthError("request_malformed") from error


def _capabilities(wanted: _Wanted | None) -> frozenset[str]:
    return frozenset() if wanted is None else frozenset(value.lower() for value in wanted.values)


def _not_before(wanted: _Wanted | None) -> int:
    return 0 if wanted is None or wanted.value is None else int(wanted.value)
