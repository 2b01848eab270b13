"""What every part of identity is built from. Made once, by the composition root."""

import msgspec

from vedette.clock import Clock
from vedette.egress.policy import EgressPolicy
from vedette.egress.transport import Egress
from vedette.identity.audit import AuditLog
from vedette.identity.directory.cache import DirectoryCache, UnchangedCache
from vedette.identity.foreign_keys import ForeignKeys
from vedette.identity.issuers import Issuers
from vedette.identity.keyring import Keyring
from vedette.ids import Ids
from vedette.jobs.outbox import Outbox
from vedette.store.engine import Store
from vedette.store.secrets import KeyedHasher, MasterKey, Sealer


class IdentitySettings(msgspec.Struct, frozen=True):
    """What can be set. Lifetimes are whole seconds."""

    own_hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1"})
    """Accepted host names (without ports) beside the real services'."""
    access_token_lifetime: int = 3599
    challengeable_token_lifetime: int = 86_400
    """The same of a token whose client can be told, by a claims challenge, to come with a newer one."""
    maximum_token_lifetime: int = 86_400
    """No token lives longer; a signing key that was rotated out verifies for this long."""
    refresh_token_lifetime: int = 90 * 86_400
    """Seconds without use after which a refresh token ends; every use gives a new one."""
    single_page_refresh_token_lifetime: int = 86_400
    """Seconds for which a browser application's refresh tokens live, used or not."""
    authorization_code_lifetime: int = 600
    device_code_lifetime: int = 900
    session_lifetime: int = 86_400
    """Seconds for which a browser stays signed in."""
    kept_session_lifetime: int = 90 * 86_400
    """The same where the user asked to stay signed in."""
    signing_key_lifetime: int = 90 * 86_400
    """Seconds after which the worker replaces a tenant's signing key."""
    rotate_refresh_tokens: bool = False
    """End a refresh token when it is used, and its whole family when it is used again."""


class IdentityServices:
    """Store, keys, clock and ids of the identity domain."""

    def __init__(
        self,
        store: Store,
        master_key: MasterKey,
        *,
        clock: Clock,
        ids: Ids,
        settings: IdentitySettings | None = None,
        egress: Egress | None = None,
    ) -> None:
        """Without `egress` no key set of a foreign issuer can be fetched."""
        self.store = store
        self.clock = clock
        self.ids = ids
        self.settings = settings or IdentitySettings()
        self.foreign_keys = ForeignKeys(egress or Egress(EgressPolicy()), clock)
        self.audit = AuditLog(store, Outbox(clock, ids), clock, ids)
        self.issuers = Issuers(self.settings.own_hosts)
        self.lives = 0
        """How often the store's whole content was replaced: what was remembered in an earlier life does not count."""
        self.cache = DirectoryCache()
        self.unchanged = UnchangedCache()
        sealer = Sealer(master_key.derive("signing-keys"))
        self.keyring = Keyring(sealer, clock, self.settings.maximum_token_lifetime)
        self.secret_hasher = KeyedHasher(master_key.derive("client-secrets"))
        self.grant_hasher = KeyedHasher(master_key.derive("codes-and-refresh-tokens"))
        self.browser_hasher = KeyedHasher(master_key.derive("browser-sessions"))
        self.factor_sealer = Sealer(master_key.derive("second-factors"))
        self.interaction_sealer = Sealer(master_key.derive("sign-in-interactions"))
        self.subject_hasher = KeyedHasher(master_key.derive("pairwise-subjects"))

    def now(self) -> int:
        """The clock's time in whole Unix seconds."""
        return int(self.clock.time())

    def forget(self) -> None:
        """Let go of everything remembered of the store: its content is another one now."""
        self.lives += 1
        self.cache.forget()
        self.unchanged.forget()
        self.keyring.forget()
        self.audit.forget()
