"""What verification needs of each tenant, cached until the tenant's generation changes."""

from collections.abc import Mapping

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from vedette.context import Tenant
from vedette.identity.directory.service_principals import ServicePrincipal
from vedette.identity.directory.tenants import Tenants
from vedette.identity.services import IdentityServices

REMEMBERED_SUBJECTS = 10_000
GENERATION_SECONDS = 0.5
"""How long a process may go without asking whether something was revoked."""


class VerificationKey(msgspec.Struct, frozen=True):
    """A public key and, once it is rotated out, its end."""

    key: RSAPublicKey
    verify_until: int | None


class TenantState(msgspec.Struct, frozen=True):
    """One tenant at one generation."""

    tenant: Tenant
    generation: int
    tokens_valid_from: int
    keys: Mapping[str, VerificationKey]
    subjects: dict[tuple[str, str], ServicePrincipal]
    """Clients found in order at this generation, by client id and `oid`: what changes one advances the generation."""

    def key(self, kid: str, now: float) -> RSAPublicKey | None:
        """The key of this id, while it verifies."""
        found = self.keys.get(kid)
        if found is None or (found.verify_until is not None and now >= found.verify_until):
            return None
        return found.key

    def remember(self, subject: tuple[str, str], client: ServicePrincipal) -> None:
        """Keep a client that was found in order; all are forgotten when there are too many."""
        if len(self.subjects) >= REMEMBERED_SUBJECTS:
            self.subjects.clear()
        self.subjects[subject] = client


class TenantStates:
    """Current states by tenant. Entries are replaced whole, so readers need no lock."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services
        self._states: dict[str, tuple[float, TenantState]] = {}
        self._lives = services.lives

    def current(self, tenant_id: str, now: float) -> TenantState | None:
        """The tenant's state, at most `GENERATION_SECONDS` old; None if there is no such tenant."""
        if self._lives != self._services.lives:
            self._states, self._lives = {}, self._services.lives
        cached = self._states.get(tenant_id)
        if cached is not None and abs(now - cached[0]) < GENERATION_SECONDS:
            return cached[1]
        state = self._refreshed(tenant_id, None if cached is None else cached[1])
        if state is None:
            self._states.pop(tenant_id, None)
        else:
            self._states[tenant_id] = (now, state)
        return state

    def _refreshed(self, tenant_id: str, previous: TenantState | None) -> TenantState | None:
        with self._services.store.connect() as connection:
            tenants = Tenants(connection)
            generation = tenants.generation(tenant_id)
            if generation is None:
                return None
            if previous is not None and previous.generation == generation:
                return previous
            published = self._services.keyring.published(connection, tenant_id)
            keys = {key.kid: VerificationKey(key.public_key(), key.verify_until) for key in published}
            record = tenants.get(tenant_id)
            return TenantState(record.tenant, generation, record.tokens_valid_from, keys, {})
