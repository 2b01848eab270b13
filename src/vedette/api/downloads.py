"""Signed links to files: whoever has the link may fetch the file until it expires, without a token.

A link names tenant, kind and key of a file; the signature covers all of it, and the time.
"""

import base64
import binascii
import re
from urllib.parse import quote

import msgspec

from vedette.clock import Clock
from vedette.errors import NotFoundError, PermissionDeniedError
from vedette.store.secrets import KeyedHasher, MasterKey

PURPOSE = "download links"

_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}(; ?charset=[\w-]{1,40})?", re.ASCII)


class Download(msgspec.Struct, frozen=True, array_like=True):
    """What a link stands for."""

    tenant_id: str
    kind: str
    key: tuple[str, ...]
    expires: int


class DownloadLinks:
    """Makes links and reads them back."""

    def __init__(self, master: MasterKey, clock: Clock) -> None:
        self._hasher = KeyedHasher(master.derive(PURPOSE))
        self._clock = clock

    def make(self, base_url: str, tenant_id: str, kind: str, *key: str, seconds: float) -> str:
        """An address that works for so many seconds."""
        download = Download(tenant_id, kind, key, int(self._clock.time() + seconds))
        body = _encode(msgspec.msgpack.encode(download))
        return f"{base_url}/api/downloads/{body}.{_encode(self._hasher.digest(body))}"

    def read(self, token: str) -> Download:
        """What a link stands for.

        Raises NotFoundError if it was not made here or was altered, PermissionDeniedError if it has expired.
        """
        body, _, signature = token.partition(".")
        try:
            genuine = self._hasher.matches(body, _decode(signature))
            download = msgspec.msgpack.decode(_decode(body), type=Download) if genuine else None
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            download = None
        if download is None:
            raise NotFoundError(resource="download")
        if download.expires < self._clock.time():
            raise PermissionDeniedError("LinkExpired")
        return download


def attachment(file_name: str) -> str:
    """The Content-Disposition of a file, whatever whoever made it called it (RFC 6266)."""
    plain = re.sub(r'[^\x20-\x7e]|["\\\\%]', "_", file_name)
    extended = "" if plain == file_name else f"; filename*=UTF-8''{quote(file_name, safe='', errors='replace')}"
    return f'attachment; filename="{plain}"{extended}'


def media_type(given: str) -> str:
    """A media type that can be said in a header."""
    return given if _MEDIA_TYPE.fullmatch(given) else "application/octet-stream"


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
