"""Secrets at rest: the master key file, keys derived from it, sealing (AES-GCM) and keyed hashing (HMAC-SHA-256)."""

import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Generic, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vedette.errors import UsageError, VedetteError

KEY_BYTES = 32
NONCE_BYTES = 12

T = TypeVar("T", str, bytes)


class Secret(Generic[T]):
    """A value that must not be printed: `repr` and `str` hide it, `reveal()` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value: T = value

    def reveal(self) -> T:
        """The value itself, for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not serialised")


class SealError(VedetteError):
    """Sealed data does not open: another master key, or it was altered."""


class MasterKey:
    """The installation's root key. Every use derives its own key, so that no key serves two purposes."""

    def __init__(self, key: Secret[bytes]) -> None:
        if len(key.reveal()) != KEY_BYTES:
            raise UsageError(f"the master key must have {KEY_BYTES} bytes")
        self._key = key

    @classmethod
    def random(cls) -> "MasterKey":
        """A key that is never stored; for tests."""
        return cls(Secret(secrets.token_bytes(KEY_BYTES)))

    @classmethod
    def load_or_create(cls, path: Path) -> "MasterKey":
        """Read the key file, or make it (0600). Refuses a file that others may read."""
        try:
            return cls(_read_key(path))
        except FileNotFoundError:
            _create_key(path)
            return cls(_read_key(path))

    def derive(self, purpose: str) -> Secret[bytes]:
        """The key for one purpose."""
        kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"vedette/{purpose}".encode())
        return Secret(kdf.derive(self._key.reveal()))


class Sealer:
    """Encrypts values at rest. `context` binds a value to its row: sealed for one, it opens for no other."""

    def __init__(self, key: Secret[bytes]) -> None:
        self._cipher = AESGCM(key.reveal())

    def seal(self, value: Secret[bytes], context: str) -> bytes:
        """Nonce and ciphertext of `value`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value.reveal(), context.encode())

    def open(self, sealed: bytes, context: str) -> Secret[bytes]:
        """The value back. Raises SealError for another key, another context or altered data."""
        nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return Secret(self._cipher.decrypt(nonce, ciphertext, context.encode()))
        except (InvalidTag, ValueError) as error:
            raise SealError("a stored secret does not open under this master key") from error


class KeyedHasher:
    """HMAC-SHA-256 under a server key, for secrets of full entropy that we made ourselves."""

    def __init__(self, key: Secret[bytes]) -> None:
        self._key = key

    def digest(self, value: str) -> bytes:
        """The keyed hash of `value`."""
        return hmac.digest(self._key.reveal(), value.encode(), "sha256")

    def matches(self, value: str, digest: bytes) -> bool:
        """Whether `value` hashes to `digest`, in constant time."""
        return hmac.compare_digest(self.digest(value), digest)


def _read_key(path: Path) -> Secret[bytes]:
    mode = path.stat().st_mode
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(f"{path} can be read by others; run: chmod 600 {path}")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise UsageError(f"{path} is not a master key: {KEY_BYTES} bytes expected, {len(key)} found")
    return Secret(key)


def _create_key(path: Path) -> None:
    """Make the file complete or not at all: written beside its place, then linked; the first of two makers wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
