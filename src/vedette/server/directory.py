"""Makes tenants and applications for those who own the installation: bootstrap, demo, `--load`."""

from collections.abc import Mapping

import msgspec

from vedette.context import Tenant
from vedette.contracts.permissions import ResourceContract, load_resources
from vedette.identity.directory.applications import RedirectUris
from vedette.identity.directory.tenants import Tenants
from vedette.identity.provisioning import ApplicationKind, Provisioning
from vedette.server.wiring import Services

LOOPBACK = "http://localhost"
"""Where native applications wait for their answer, at whichever port."""

HOME_NAME = "Home"
HOME_DOMAIN = "home.vedette.example"

Permissions = Mapping[str, tuple[str, ...]]
"""Names of permissions by key of the resource application."""


class NewApplication(msgspec.Struct, frozen=True):
    """An application as it was just made. The secret is nowhere else."""

    app_id: str
    tenant_id: str
    name: str
    client_secret: str | None

    def __repr__(self) -> str:
        return f"NewApplication({self.name!r}, app_id={self.app_id!r})"


def ensure_home_tenant(services: Services, name: str = HOME_NAME, domain: str = HOME_DOMAIN) -> Tenant:
    """The home tenant, made if the installation has none."""
    with services.store.begin() as connection:
        for record in Tenants(connection).all():
            if record.is_home:
                return record.tenant
        return Provisioning(connection, services.identity).create_tenant(name, domain, is_home=True).tenant


def make_application(
    services: Services,
    tenant_id: str,
    name: str,
    kind: ApplicationKind,
    *,
    application: Permissions,
    delegated: Permissions,
) -> NewApplication:
    """Register an application with permissions and consent in its tenant, and a secret unless it is public."""
    with services.store.begin() as connection:
        provisioning = Provisioning(connection, services.identity)
        redirect_uris = RedirectUris(public_client=(LOOPBACK,)) if kind == "public" else RedirectUris()
        registered = provisioning.create_application(tenant_id, name, kind=kind, redirect_uris=redirect_uris)
        for key in {**application, **delegated}:
            provisioning.add_required_permissions(
                tenant_id,
                registered.app_id,
                key,
                application=application.get(key, ()),
                delegated=delegated.get(key, ()),
            )
        provisioning.grant_admin_consent(tenant_id, registered.app_id)
        secret = None
        if kind != "public":
            secret = provisioning.add_password(tenant_id, registered.app_id, name).secret.reveal()
    return NewApplication(registered.app_id, tenant_id, name, secret)


def every_application_permission() -> Permissions:
    """All application permissions of all resource applications."""
    return {key: _names(resource) for key, resource in load_resources().items()}


def resource_uri(key: str) -> str:
    """The name by which clients ask for a resource application."""
    return load_resources()[key].audiences[0]


def _names(resource: ResourceContract) -> tuple[str, ...]:
    return tuple(role.value for role in resource.app_roles)
