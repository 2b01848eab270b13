"""The one-time link of a new installation: whoever has it makes the first tenant and its administrator."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import msgspec

LIFETIME = 3600
FILE_NAME = "first-run.json"


class _Ticket(msgspec.Struct, frozen=True):
    digest: str
    expires_at: int


class FirstRun:
    """The link's ticket: one file, which holds no more than a hash of the code."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def issue(self, now: int) -> str:
        """A new code; an earlier one ends."""
        code = secrets.token_urlsafe(32)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(_Ticket(_digest(code), now + LIFETIME)))
        return code

    def is_good(self, code: str, now: int) -> bool:
        """Whether this is the code, still in its time."""
        try:
            ticket = msgspec.json.decode(self._path.read_bytes(), type=_Ticket)
        except (FileNotFoundError, msgspec.MsgspecError):
            return False
        return hmac.compare_digest(ticket.digest, _digest(code)) and now < ticket.expires_at

    def end(self) -> bool:
        """Use the code up; whether it was there to be used: of two who try at once, one does."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
