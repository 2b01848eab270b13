"""Whether a client assertion is within its time, whoever signed it."""

from collections.abc import Mapping

from vedette.identity.errors import OAuthError

LEEWAY = 300
"""Seconds by which a client's clock may be wrong."""


def check_times(claims: Mapping[str, object], now: int) -> None:
    """Check `exp` and `nbf`, which some clients send as fractions. Raises OAuthError."""
    expires, not_before = claims.get("exp"), claims.get("nbf", 0)
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise OAuthError("assertion_unusable", reason="it has no expiry")
    if isinstance(not_before, bool) or not isinstance(not_before, int | float):
        raise OAuthError("assertion_unusable", reason="its nbf is not a number")
    if not not_before - LEEWAY <= now < expires + LEEWAY:
        raise OAuthError("assertion_outside_its_time", now=str(now), not_before=str(not_before), expires=str(expires))
