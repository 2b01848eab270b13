"""`vedette tenant create|list|rotate-key|revoke-tokens`: for owners of the data folder; a server may run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from vedette.errors import UsageError
from vedette.identity.change_log import Author, ChangeLog, Target
from vedette.identity.directory.tenants import TenantRecord, Tenants
from vedette.identity.errors import DirectoryError
from vedette.identity.provisioning import Provisioning
from vedette.server.data_folder import existing_data_folder
from vedette.server.wiring import Services
from vedette.settings import load_settings
from vedette.store.migrate import upgrade

OWNER = "vedette (owner of the data folder)"


def create_tenant(data: Path, name: str, domain: str) -> dict[str, object]:
    """A tenant; the first one is home. Raises UsageError for what its owner can mend."""
    with owned_services(data) as services, services.store.begin() as connection:
        is_home = not Tenants(connection).all()
        try:
            record = Provisioning(connection, services.identity).create_tenant(name, domain, is_home=is_home)
        except DirectoryError as error:
            raise UsageError(f"{error}.") from error
        _tell(connection, services, "add_tenant", record)
        return _described(record)


def list_tenants(data: Path) -> list[dict[str, object]]:
    """Every tenant, home first."""
    with owned_services(data) as services, services.store.connect() as connection:
        return [_described(record) for record in Tenants(connection).all()]


def rotate_key(data: Path, tenant: str) -> str:
    """Sign the tenant's tokens with a new key; its kid. Raises UsageError if there is no such tenant."""
    with owned_services(data) as services, services.store.begin() as connection:
        record = _find(connection, tenant)
        kid = Provisioning(connection, services.identity).rotate_signing_key(record.tenant.tenant_id)
        _tell(connection, services, "rotate_signing_key", record, keyId=kid)
        return kid


def revoke_tokens(data: Path, tenant: str) -> None:
    """End the tenant's access tokens. Raises UsageError if there is no such tenant."""
    with owned_services(data) as services, services.store.begin() as connection:
        record = _find(connection, tenant)
        Provisioning(connection, services.identity).revoke_tokens(record.tenant.tenant_id)
        _tell(connection, services, "revoke_tenant_tokens", record)


def owner_log(connection: Connection, services: Services, tenant_id: str) -> ChangeLog:
    """Tells the audit of changes by whoever owns the data folder, who needs no account."""
    owner = Author(tenant_id=tenant_id, kind="application", object_id="", app_name=OWNER)
    return ChangeLog(connection, services.identity, owner)


def _tell(connection: Connection, services: Services, key: str, record: TenantRecord, **details: str) -> None:
    tenant = record.tenant
    target = Target(tenant.tenant_id, tenant.display_name)
    owner_log(connection, services, tenant.tenant_id).tell(key, target, domain=tenant.domain, **details)


def _find(connection: Connection, tenant: str) -> TenantRecord:
    record = Tenants(connection).find(tenant)
    if record is None:
        raise UsageError(f"There is no tenant {tenant}; `vedette tenant list` shows them.")
    return record


@contextmanager
def owned_services(data: Path) -> Iterator[Services]:
    """The services of a data folder, its schema brought up to date, for a command of its owner."""
    services = Services(load_settings({"data": data}, os.environ), existing_data_folder(data))
    try:
        upgrade(services.store)
        yield services
    finally:
        services.close()


def _described(record: TenantRecord) -> dict[str, object]:
    tenant = record.tenant
    return {"tenant_id": tenant.tenant_id, "domain": tenant.domain, "name": tenant.display_name, "home": record.is_home}
