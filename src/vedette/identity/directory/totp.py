"""RFC 6238: six-digit codes of a shared secret and the time, as authenticator apps make them."""

import base64
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

from vedette.store.secrets import Secret

DIGITS = 6
STEP_SECONDS = 30
SECRET_BYTES = 20
TOLERATED_STEPS = (-1, 0, 1)
"""A code is taken one step early or late: clocks differ, and people type slowly."""


def new_secret() -> Secret[bytes]:
    """A secret of the length that RFC 4226 recommends."""
    return Secret(secrets.token_bytes(SECRET_BYTES))


def code_at(secret: Secret[bytes], step: int) -> str:
    """The code of one time step (RFC 4226 §5.3)."""
    digest = hmac.new(secret.reveal(), struct.pack(">Q", step), "sha1").digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: Secret[bytes], code: str, now: int, after: int = -1) -> int | None:
    """The time step that `code` belongs to, later than step `after`; None if it is not good now."""
    typed = "".join(code.split())
    current = now // STEP_SECONDS
    found = None
    for step in (current + offset for offset in TOLERATED_STEPS):
        if hmac.compare_digest(code_at(secret, step).encode(), typed.encode()) and step > after:
            found = step
    return found


def to_base32(secret: Secret[bytes]) -> str:
    """The secret as people type it into an app."""
    return base64.b32encode(secret.reveal()).decode()


def from_base32(text: str) -> Secret[bytes]:
    """The reverse of `to_base32`."""
    return Secret(base64.b32decode(text))


def provisioning_uri(secret: Secret[bytes], issuer: str, account: str) -> str:
    """What the QR code says to an authenticator app."""
    label = quote(f"{issuer}:{account}", safe="")
    query = urlencode({"secret": to_base32(secret), "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS})
    return f"otpauth://totp/{label}?{query}"
