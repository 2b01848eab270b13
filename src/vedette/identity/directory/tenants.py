"""Tenants and their verified domains, and the generation that tells every process that something was revoked."""

import re
import secrets
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from vedette.context import Tenant
from vedette.identity.directory.tables import DOMAINS, SERVICE_PRINCIPALS, TENANTS
from vedette.identity.errors import ObjectExistsError, ObjectNotFoundError
from vedette.ids import is_guid

DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z", re.ASCII)


class TenantRecord(msgspec.Struct, frozen=True):
    """A tenant as stored. Tokens issued before `tokens_valid_from` no longer verify."""

    tenant: Tenant
    is_home: bool
    created_at: int
    generation: int
    tokens_valid_from: int


def is_domain(text: str) -> bool:
    """Whether `text` has the form of a domain name with at least one dot."""
    return DOMAIN.match(text.lower()) is not None


class Tenants:
    """All tenants of the installation. The one repository that is not a tenant's: it finds the tenant."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def create(self, tenant: Tenant, *, is_home: bool, now: int) -> TenantRecord:
        """Add a tenant with its initial domain. Raises ObjectExistsError if the id or the domain is taken."""
        if self._by_id(tenant.tenant_id) is not None:
            raise ObjectExistsError("tenant", tenant.tenant_id)
        self.connection.execute(
            TENANTS.insert().values(
                tenant_id=tenant.tenant_id,
                display_name=tenant.display_name,
                is_home=is_home,
                created_at=now,
                generation=_new_generation(),
                tokens_valid_from=0,
            )
        )
        self.add_domain(tenant.tenant_id, tenant.domain, is_initial=True)
        return self.get(tenant.tenant_id)

    def add_domain(self, tenant_id: str, name: str, *, is_initial: bool = False) -> None:
        """Add a verified domain. Raises ObjectExistsError if any tenant has it."""
        if self.connection.scalar(select(DOMAINS.c.tenant_id).where(DOMAINS.c.name == name.lower())) is not None:
            raise ObjectExistsError("domain", name)
        self.connection.execute(DOMAINS.insert().values(tenant_id=tenant_id, name=name.lower(), is_initial=is_initial))

    def domains(self, tenant_id: str) -> list[tuple[str, bool]]:
        """The verified domains of a tenant, the initial one first, and whether each is that."""
        query = select(DOMAINS.c.name, DOMAINS.c.is_initial).where(DOMAINS.c.tenant_id == tenant_id)
        rows = self.connection.execute(query.order_by(DOMAINS.c.is_initial.desc(), DOMAINS.c.name))
        return [(row.name, row.is_initial) for row in rows]

    def find(self, segment: str) -> TenantRecord | None:
        """The tenant of a GUID or verified domain, in any case."""
        key = segment.lower()
        if is_guid(key):
            return self._by_id(key)
        if not is_domain(key):
            return None
        tenant_id = self.connection.scalar(select(DOMAINS.c.tenant_id).where(DOMAINS.c.name == key))
        return None if tenant_id is None else self._by_id(tenant_id)

    def get(self, tenant_id: str) -> TenantRecord:
        """The tenant of this id. Raises ObjectNotFoundError."""
        record = self._by_id(tenant_id)
        if record is None:
            raise ObjectNotFoundError("tenant", tenant_id)
        return record

    def all(self) -> list[TenantRecord]:
        """Every tenant, home first, then by creation; for the composition root and the shared key set."""
        order = (TENANTS.c.is_home.desc(), TENANTS.c.created_at, TENANTS.c.tenant_id)
        ids = self.connection.scalars(select(TENANTS.c.tenant_id).order_by(*order)).all()
        return [self.get(tenant_id) for tenant_id in ids]

    def generation(self, tenant_id: str) -> int | None:
        """The revocation generation, or None if the tenant is gone. One indexed read."""
        query = select(TENANTS.c.generation).where(TENANTS.c.tenant_id == tenant_id)
        return self.connection.scalar(query)

    def advance_generation(self, tenant_id: str) -> None:
        """Tell every process that principals or keys of the tenant changed."""
        own = update(TENANTS).where(TENANTS.c.tenant_id == tenant_id)
        self.connection.execute(own.values(generation=_new_generation()))

    def advance_generation_of_application(self, app_id: str) -> None:
        """The same in every tenant where the application has a service principal."""
        present = select(SERVICE_PRINCIPALS.c.tenant_id).where(SERVICE_PRINCIPALS.c.app_id == app_id)
        everywhere = update(TENANTS).where(TENANTS.c.tenant_id.in_(present))
        self.connection.execute(everywhere.values(generation=_new_generation()))

    def revoke_tokens(self, tenant_id: str, now: int) -> None:
        """Make every token issued up to and including this second useless."""
        own = update(TENANTS).where(TENANTS.c.tenant_id == tenant_id)
        self.connection.execute(own.values(tokens_valid_from=now + 1, generation=_new_generation()))

    def _by_id(self, tenant_id: str) -> TenantRecord | None:
        query = (
            select(TENANTS, DOMAINS.c.name)
            .join(DOMAINS, DOMAINS.c.tenant_id == TENANTS.c.tenant_id)
            .where(TENANTS.c.tenant_id == tenant_id, DOMAINS.c.is_initial)
        )
        row = self.connection.execute(query).one_or_none()
        return None if row is None else _to_record(row)


def _new_generation() -> int:
    """A value never seen before, not a successor: after a restored snapshot, a count would repeat itself."""
    return secrets.randbits(62)


def _to_record(row: Row[Any]) -> TenantRecord:
    return TenantRecord(
        tenant=Tenant(tenant_id=row.tenant_id, domain=row.name, display_name=row.display_name),
        is_home=row.is_home,
        created_at=row.created_at,
        generation=row.generation,
        tokens_valid_from=row.tokens_valid_from,
    )
