"""Key sets of outside issuers, fetched by OpenID discovery through the one way out, and remembered for a while."""

import threading
from collections.abc import Mapping

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from vedette.clock import Clock
from vedette.egress.errors import EgressError
from vedette.egress.transport import Egress
from vedette.errors import VedetteError

REMEMBERED_SECONDS = 3600
RETRY_SECONDS = 30
"""How soon an issuer is asked again when a token names a key that it did not have."""

MAXIMUM_ISSUERS = 1000


class ForeignKeysError(VedetteError):
    """An issuer's keys cannot be had. `reason` says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class _Fetched(msgspec.Struct, frozen=True):
    keys: KeySet
    at: float


class ForeignKeys:
    """Thread-safe; one a process."""

    def __init__(self, egress: Egress, clock: Clock) -> None:
        self._egress = egress
        self._clock = clock
        self._fetched: dict[str, _Fetched] = {}
        self._lock = threading.Lock()

    def of(self, issuer: str, kid: str | None) -> KeySet:
        """The issuer's key set, fetched anew if it is old or lacks `kid`. Raises ForeignKeysError."""
        now = self._clock.time()
        with self._lock:
            known = self._fetched.get(issuer)
        if known is not None and now < known.at + REMEMBERED_SECONDS:
            has_key = kid is None or any(key.kid == kid for key in known.keys.keys)
            if has_key or now < known.at + RETRY_SECONDS:
                return known.keys
        fetched = _Fetched(self._fetch(issuer), now)
        with self._lock:
            if len(self._fetched) >= MAXIMUM_ISSUERS:
                self._fetched.clear()
            self._fetched[issuer] = fetched
        return fetched.keys

    def _fetch(self, issuer: str) -> KeySet:
        metadata = self._document(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if metadata.get("issuer") != issuer:
            raise ForeignKeysError("its metadata names another issuer")
        address = metadata.get("jwks_uri")
        if not isinstance(address, str):
            raise ForeignKeysError("its metadata names no key set")
        document = self._document(address)
        try:
            return KeySet.import_key_set(document)  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ForeignKeysError("its key set is malformed") from error

    def _document(self, url: str) -> Mapping[str, object]:
        try:
            return msgspec.json.decode(self._egress.get(url).body, type=dict[str, object])
        except EgressError as error:
            raise ForeignKeysError(f"{url}: {error.reason}") from error
        except msgspec.MsgspecError as error:
            raise ForeignKeysError(f"{url} is no JSON object") from error
