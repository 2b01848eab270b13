"""What the `vedette hunt` and `vedette function` commands do, on the data folder of a server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from vedette.clock import now_ticks
from vedette.context import Principal, RequestContext, Tenant
from vedette.errors import UsageError
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.results import Results
from vedette.hunting.service import Parameters
from vedette.hunting.stored_functions import StoredFunction, StoredFunctions
from vedette.ids import derived_guid
from vedette.server.data_folder import existing_data_folder
from vedette.server.schema import ensure_schema
from vedette.server.wiring import Services
from vedette.settings import load_settings

OWNER = "the installation's owner"
"""Who changed what from the command line, which asks nobody for a name."""


def run_query(
    data: Path, tenant_name: str | None, query: str, timespan: str | None, parameters: Parameters
) -> tuple[Results, ...]:
    """Every result of a query in one tenant. Raises what `HuntingService.run` raises."""
    with _tenant(data, tenant_name) as (services, tenant):
        request_id = services.ids.guid()
        owner = derived_guid("owner", tenant.tenant_id)
        principal = Principal("application", tenant.tenant_id, owner, owner, "vedette", display_name=OWNER)
        context = RequestContext(tenant, principal, request_id, request_id, base_url="")
        return services.hunting.run_all(context, query, timespan, parameters)


def create_function(data: Path, tenant_name: str | None, function: StoredFunction) -> None:
    """Store a function in one tenant, under the owner's name. Raises what `StoredFunctions.create` raises."""
    with _tenant(data, tenant_name) as (services, tenant), services.store.begin() as connection:
        stored = msgspec.structs.replace(function, last_modified=now_ticks(services.clock), last_modified_by=OWNER)
        StoredFunctions(connection, tenant.tenant_id).create(stored, ContractCatalog())


def list_functions(data: Path, tenant_name: str | None) -> list[StoredFunction]:
    """The functions of one tenant."""
    with _tenant(data, tenant_name) as (services, tenant), services.store.connect() as connection:
        return StoredFunctions(connection, tenant.tenant_id).all()


def show_function(data: Path, tenant_name: str | None, name: str) -> StoredFunction:
    """One function of one tenant. Raises NotFoundError."""
    with _tenant(data, tenant_name) as (services, tenant), services.store.connect() as connection:
        return StoredFunctions(connection, tenant.tenant_id).get(name)


def delete_function(data: Path, tenant_name: str | None, name: str) -> None:
    """Delete a function of one tenant. Raises NotFoundError."""
    with _tenant(data, tenant_name) as (services, tenant), services.store.begin() as connection:
        StoredFunctions(connection, tenant.tenant_id).remove(name)


@contextmanager
def _tenant(data: Path, name: str | None) -> Iterator[tuple[Services, Tenant]]:
    folder = existing_data_folder(data)
    ensure_schema(folder)
    services = Services(load_settings({"data": data}, os.environ), folder)
    try:
        tenant = services.tenant(name)
        if tenant is None:
            raise UsageError(f"There is no tenant {name}." if name else "There is no tenant yet.")
        yield services, tenant
    finally:
        services.close()
