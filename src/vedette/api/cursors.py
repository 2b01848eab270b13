"""Continuation tokens of lists: opaque, signed, good for one caller, what they see, and one question.

A token says which change the first page had seen and where the page before ended, so that the pages of a list are cut
from one state however the rows change meanwhile.
"""

import base64
import binascii
import hmac

import msgspec

from vedette.context import RequestContext
from vedette.odata.errors import ODataError
from vedette.store.secrets import KeyedHasher, MasterKey

PURPOSE = "page-cursors"
_VERSION = 1
_SIGNATURE_BYTES = 16
_SCOPES = msgspec.json.Encoder(order="deterministic")


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a list goes on. `total` is `@odata.count` of the first page, if it was asked for."""

    version: int
    snapshot: int
    keys: tuple[int | str, ...]
    total: int | None = None


class CursorBox:
    """Seals and opens cursors under the installation's key. All processes of a server open each other's."""

    def __init__(self, key: MasterKey) -> None:
        self._hasher = KeyedHasher(key.derive(PURPOSE))

    def seal(self, context: RequestContext, question: str, cursor: Cursor) -> str:
        """The token of a cursor, for its caller alone. `question` is what the list was asked: it answers no other."""
        payload = msgspec.msgpack.encode(cursor)
        sealed = self._signature(context, question, payload) + payload
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, context: RequestContext, question: str, token: str) -> Cursor:
        """The cursor of a token. Raises ODataError for one that was altered, or made for somebody or something else.

        A caller who sees more or less than when the list began begins it again.
        """
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error) as error:
            raise _refused(token) from error
        signature, payload = sealed[:_SIGNATURE_BYTES], sealed[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(context, question, payload)):
            raise _refused(token)
        cursor = msgspec.msgpack.decode(payload, type=Cursor)
        if cursor.version != _VERSION:
            raise _refused(token)
        return cursor

    def _signature(self, context: RequestContext, question: str, payload: bytes) -> bytes:
        caller = (context.tenant.tenant_id, context.principal.app_id, context.principal.object_id)
        seen = _SCOPES.encode(context.scope).decode()
        text = "\n".join((*caller, seen, base64.b64encode(payload).decode(), question))
        return self._hasher.digest(text)[:_SIGNATURE_BYTES]


def new_cursor(snapshot: int, keys: tuple[int | str, ...], total: int | None) -> Cursor:
    """A cursor of this version."""
    return Cursor(_VERSION, snapshot, keys, total)


def _refused(token: str) -> ODataError:
    return ODataError("InvalidQueryOption", option="$skiptoken", value=token[:64])
