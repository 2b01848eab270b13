"""What a person is asked to allow: which permissions, for whom, and whether they may say yes; and saying yes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection

from vedette.contracts.permissions import load_directory_roles
from vedette.identity.directory.applications import Application, Applications, ResourceAccess
from vedette.identity.directory.service_principals import (
    OAuth2PermissionGrant,
    OAuth2PermissionGrants,
    ServicePrincipals,
)
from vedette.identity.directory.tenants import TenantRecord, Tenants
from vedette.identity.directory.users import User, Users
from vedette.identity.errors import OAuthError
from vedette.identity.provisioning import Provisioning
from vedette.identity.resources import (
    Resource,
    offered_roles,
    offered_scopes,
    resolve_resource,
    resource_of_application,
)
from vedette.identity.scopes import RequestedAccess
from vedette.identity.services import IdentityServices

ADMINISTRATOR = "Global Administrator"


class RequestedPermission(msgspec.Struct, frozen=True):
    """One line of a consent page."""

    resource_id: str
    resource_name: str
    kind: Literal["Role", "Scope"]
    value: str
    text: str
    admin_only: bool


class ConsentRequest(msgspec.Struct, frozen=True):
    """Everything a consent page shows."""

    application: Application
    publisher: TenantRecord
    permissions: tuple[RequestedPermission, ...]
    is_missing: bool
    """Whether something of it is not granted yet."""
    is_administrator: bool
    """Whether whoever reads it may allow it for the whole tenant."""

    @property
    def needs_administrator(self) -> bool:
        """Whether only an administrator may allow it."""
        return any(permission.admin_only for permission in self.permissions)


class ConsentReader:
    """Works out consent requests in one tenant."""

    def __init__(self, connection: Connection, services: IdentityServices, tenant: TenantRecord) -> None:
        self._connection = connection
        self._services = services
        self._tenant = tenant
        self._tenant_id = tenant.tenant.tenant_id

    def for_user(self, application: Application, user: User, accesses: Sequence[RequestedAccess]) -> ConsentRequest:
        """What is needed for delegated access, or, without `accesses`, to sign in. Raises OAuthError."""
        self._check_presence(application)
        wanted = [permission for access in accesses for permission in self._delegated(application, access)]
        missing = not self._is_present(application) or any(
            self._is_missing(application, user, access) for access in accesses
        )
        return self._request(application, user, wanted, is_missing=missing)

    def for_tenant(
        self, application: Application, user: User, accesses: Sequence[RequestedAccess] = ()
    ) -> ConsentRequest:
        """What an administrator is asked to allow for everybody. Raises OAuthError."""
        self._check_presence(application)
        if any(not access.is_default for access in accesses):
            wanted = [permission for access in accesses for permission in self._delegated(application, access)]
            return self._request(application, user, wanted, is_missing=True)
        configured = self._configured(application, ("Role", "Scope"))
        if not configured:
            raise OAuthError("application_misconfigured", resource=application.display_name)
        return self._request(application, user, configured, is_missing=True)

    def _check_presence(self, application: Application) -> None:
        """The application is at home here, or is made for other tenants; and nobody disabled it."""
        if application.tenant_id != self._tenant_id and not application.is_multi_tenant:
            raise OAuthError(
                "application_not_found", app_id=application.app_id, tenant=self._tenant.tenant.display_name
            )
        principal = ServicePrincipals(self._connection, self._tenant_id).find(application.app_id)
        if application.is_disabled or (principal is not None and not principal.account_enabled):
            raise OAuthError("application_disabled", app_id=application.app_id, app_name=application.display_name)

    def _is_present(self, application: Application) -> bool:
        return ServicePrincipals(self._connection, self._tenant_id).find(application.app_id) is not None

    def _is_missing(self, application: Application, user: User, access: RequestedAccess) -> bool:
        principal = ServicePrincipals(self._connection, self._tenant_id).find(application.app_id)
        if principal is None:
            return True
        resource = self._resource(access)
        grants = OAuth2PermissionGrants(self._connection, self._tenant_id)
        granted = grants.scopes(principal.id, resource.principal.id, user.id)
        return not granted if access.is_default else not access.scopes <= granted

    def _delegated(self, application: Application, access: RequestedAccess) -> list[RequestedPermission]:
        resource = self._resource(access)
        if access.is_default:
            configured = self._configured(application, ("Scope",))
            if not any(permission.resource_id == resource.principal.id for permission in configured):
                raise OAuthError("resource_not_configured", app_id=application.app_id, resource=access.resource)
            return configured
        offered = offered_scopes(self._connection, resource)
        if unknown := sorted(access.scopes - set(offered)):
            raise OAuthError("scope_invalid", scope=f"{access.resource}/{unknown[0]}")
        return [
            RequestedPermission(
                resource.principal.id,
                resource.principal.display_name,
                "Scope",
                name,
                offered[name].display_name,
                offered[name].admin_only,
            )
            for name in sorted(access.scopes)
        ]

    def _resource(self, access: RequestedAccess) -> Resource:
        return resolve_resource(self._connection, self._tenant, self._services.issuers, access.resource)

    def _configured(self, application: Application, kinds: Iterable[str]) -> list[RequestedPermission]:
        required = Applications(self._connection, application.tenant_id).required(application)
        return [self._permission(access) for access in required if access.type in kinds]

    def _permission(self, access: ResourceAccess) -> RequestedPermission:
        resource = resource_of_application(self._connection, self._tenant_id, access.resource_app_id)
        if resource is None:
            raise OAuthError(
                "resource_not_in_tenant", resource=access.resource_app_id, tenant=self._tenant.tenant.display_name
            )
        if access.type == "Role":
            role = offered_roles(self._connection, resource)[access.permission_id]
            found = (role.value, role.display_name, True)
        else:
            scopes = offered_scopes(self._connection, resource).values()
            scope = next(scope for scope in scopes if scope.id == access.permission_id)
            found = (scope.value, scope.display_name, scope.admin_only)
        return RequestedPermission(resource.principal.id, resource.principal.display_name, access.type, *found)

    def _request(
        self, application: Application, user: User, wanted: Iterable[RequestedPermission], *, is_missing: bool
    ) -> ConsentRequest:
        return ConsentRequest(
            application=application,
            publisher=Tenants(self._connection).get(application.tenant_id),
            permissions=tuple(dict.fromkeys(wanted)),
            is_missing=is_missing,
            is_administrator=is_administrator(self._connection, user),
        )


def is_administrator(connection: Connection, user: User) -> bool:
    """Whether the person may consent for the whole tenant."""
    return load_directory_roles()[ADMINISTRATOR].id in Users(connection, user.tenant_id).role_ids(user)


def grant(
    connection: Connection, services: IdentityServices, request: ConsentRequest, user: User, *, for_everybody: bool
) -> None:
    """Store what a person allowed, for themselves or for the tenant. Raises OAuthError if they may not."""
    if not request.is_administrator and (for_everybody or request.needs_administrator):
        raise OAuthError("admin_consent_required")
    provisioning = Provisioning(connection, services)
    if for_everybody and any(permission.kind == "Role" for permission in request.permissions):
        provisioning.grant_admin_consent(user.tenant_id, request.application.app_id)
        return
    client = provisioning.ensure_client_principal(user.tenant_id, request.application)
    grants = OAuth2PermissionGrants(connection, user.tenant_id)
    for resource_id, scopes in _by_resource(request.permissions).items():
        grants.add(
            OAuth2PermissionGrant(
                id=services.ids.guid(),
                client_id=client.id,
                consent_type="AllPrincipals" if for_everybody else "Principal",
                resource_id=resource_id,
                scopes=scopes,
                principal_id=None if for_everybody else user.id,
            )
        )
    Tenants(connection).advance_generation(user.tenant_id)


def _by_resource(permissions: Iterable[RequestedPermission]) -> Mapping[str, frozenset[str]]:
    scopes: dict[str, frozenset[str]] = {}
    for permission in permissions:
        if permission.kind == "Scope":
            scopes[permission.resource_id] = scopes.get(permission.resource_id, frozenset()) | {permission.value}
    return scopes
