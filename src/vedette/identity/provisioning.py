"""Administration of tenants, applications, users and consent, as single calls in the caller's transaction.

Whoever stands above — demo, bootstrap, CLI, management API — decides who may do this; here it is done.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec
from cryptography import x509
from sqlalchemy import Connection

from vedette.context import Tenant
from vedette.contracts.permissions import ResourceContract, load_directory_roles, load_resources
from vedette.identity.directory.account_policies import AccountPolicies, AccountPolicy
from vedette.identity.directory.applications import (
    Application,
    Applications,
    ImplicitGrant,
    RedirectUris,
    ResourceAccess,
    find_application,
)
from vedette.identity.directory.credentials import (
    DEFAULT_LIFETIME,
    KeyCredential,
    KeyCredentials,
    NewPassword,
    PasswordCredentials,
)
from vedette.identity.directory.second_factors import SecondFactors
from vedette.identity.directory.service_principals import (
    AppRoleAssignment,
    AppRoleAssignments,
    OAuth2PermissionGrant,
    OAuth2PermissionGrants,
    ServicePrincipal,
    ServicePrincipals,
)
from vedette.identity.directory.tenants import TenantRecord, Tenants, is_domain
from vedette.identity.directory.users import User, Users
from vedette.identity.errors import InvalidValueError, ObjectNotFoundError, UnknownPermissionError
from vedette.identity.resources import offered_scopes, resource_of_application
from vedette.identity.services import IdentityServices
from vedette.store.secrets import Secret

ApplicationKind = Literal["confidential", "public", "multitenant"]


class Provisioning:
    """Directory administration on one connection: `with store.begin() as c: Provisioning(c, services)…`."""

    def __init__(self, connection: Connection, services: IdentityServices) -> None:
        self._connection = connection
        self._services = services

    def create_tenant(
        self, display_name: str, domain: str, *, tenant_id: str | None = None, is_home: bool = False
    ) -> TenantRecord:
        """A tenant with its initial domain, its first signing key and the resource applications' principals."""
        if not is_domain(domain):
            raise InvalidValueError("domain", domain)
        new = Tenant(tenant_id or self._services.ids.guid(), domain.lower(), display_name)
        record = Tenants(self._connection).create(new, is_home=is_home, now=self._services.now())
        self._services.keyring.create(self._connection, new.tenant_id)
        self.ensure_resource_principals(new.tenant_id)
        return record

    def ensure_resource_principals(self, tenant_id: str) -> None:
        """Create what is missing of the resource applications' service principals in the tenant."""
        principals = ServicePrincipals(self._connection, tenant_id)
        for resource in load_resources().values():
            if principals.find(resource.app_id) is None:
                principals.create(self._resource_principal(tenant_id, resource))
        Tenants(self._connection).advance_generation(tenant_id)

    def create_application(
        self,
        tenant_id: str,
        display_name: str,
        *,
        kind: ApplicationKind = "confidential",
        redirect_uris: RedirectUris | None = None,
        implicit_grant: ImplicitGrant | None = None,
    ) -> Application:
        """Register an application with its service principal in its home tenant, as the portal does."""
        application = Application(
            id=self._services.ids.guid(),
            app_id=self._services.ids.guid(),
            tenant_id=Tenants(self._connection).get(tenant_id).tenant.tenant_id,
            display_name=display_name,
            sign_in_audience="AzureADMultipleOrgs" if kind == "multitenant" else "AzureADMyOrg",
            created_at=self._services.now(),
            is_fallback_public_client=kind == "public",
            redirect_uris=redirect_uris or RedirectUris(),
            implicit_grant=implicit_grant or ImplicitGrant(),
        )
        Applications(self._connection, tenant_id).create(application)
        self.ensure_client_principal(tenant_id, application)
        return application

    def add_required_permissions(
        self,
        tenant_id: str,
        app_id: str,
        resource_key: str,
        *,
        application: Iterable[str] = (),
        delegated: Iterable[str] = (),
    ) -> None:
        """Configure permissions by name. They have no effect before `grant_admin_consent`."""
        resource = load_resources()[resource_key]
        roles = {role.value: role.id for role in resource.app_roles}
        scopes = {scope.value: scope.id for scope in resource.scopes}
        wanted = [
            ResourceAccess(resource.app_id, _permission_id(resource, roles, name), "Role") for name in application
        ]
        wanted += [
            ResourceAccess(resource.app_id, _permission_id(resource, scopes, name), "Scope") for name in delegated
        ]
        applications = Applications(self._connection, tenant_id)
        registration = applications.get(app_id)
        for access in wanted:
            applications.add_required(registration, access)

    def grant_admin_consent(self, tenant_id: str, app_id: str) -> ServicePrincipal:
        """Consent, for the whole tenant, to everything the application is configured to ask for now.

        In a customer tenant this makes the service principal too; only multi-tenant applications can be there.
        """
        application = find_application(self._connection, app_id)
        if application is None or not (application.is_multi_tenant or application.tenant_id == tenant_id):
            raise ObjectNotFoundError("application", app_id)
        client = self.ensure_client_principal(tenant_id, application)
        for access in Applications(self._connection, application.tenant_id).required(application):
            self._consent(client, access)
        Tenants(self._connection).advance_generation(tenant_id)
        return client

    def withdraw_consent(self, tenant_id: str, app_id: str) -> None:
        """Remove the application's service principal from the tenant, and with it every consent and token."""
        principals = ServicePrincipals(self._connection, tenant_id)
        principals.remove(self._client_principal(tenant_id, app_id).id)
        Tenants(self._connection).advance_generation(tenant_id)

    def set_principal_enabled(self, tenant_id: str, app_id: str, enabled: bool) -> None:
        """Enable or disable an application in the tenant; a disabled one gets no token, and those it has fail."""
        principals = ServicePrincipals(self._connection, tenant_id)
        principals.set_enabled(self._client_principal(tenant_id, app_id).id, enabled)
        Tenants(self._connection).advance_generation(tenant_id)

    def set_application_disabled(self, tenant_id: str, app_id: str, disabled: bool) -> None:
        """Forbid or allow an application in every tenant at once; only its home tenant can."""
        Applications(self._connection, tenant_id).set_disabled(app_id, disabled)
        Tenants(self._connection).advance_generation_of_application(app_id)

    def add_password(
        self, tenant_id: str, app_id: str, display_name: str = "", *, lifetime: int = DEFAULT_LIFETIME
    ) -> NewPassword:
        """A new client secret; its value is in the answer and nowhere else."""
        application = Applications(self._connection, tenant_id).get(app_id)
        credentials = PasswordCredentials(self._connection, application, self._services.secret_hasher)
        now = self._services.now()
        return credentials.add(display_name, start_at=now, end_at=now + lifetime, ids=self._services.ids)

    def add_certificate(
        self, tenant_id: str, app_id: str, certificate: x509.Certificate, display_name: str = ""
    ) -> KeyCredential:
        """A certificate whose key may sign the application's client assertions."""
        application = Applications(self._connection, tenant_id).get(app_id)
        return KeyCredentials(self._connection, application).add(certificate, display_name, self._services.ids)

    def create_user(
        self,
        tenant_id: str,
        user_principal_name: str,
        display_name: str,
        password: Secret[str] | None,
        *,
        roles: Iterable[str] = (),
    ) -> User:
        """An account whose name is in a domain of the tenant, with directory roles by display name."""
        _, _, domain = user_principal_name.partition("@")
        tenants = Tenants(self._connection)
        owner = tenants.find(domain)
        if owner is None or owner.tenant.tenant_id != tenant_id:
            raise InvalidValueError("user principal name", user_principal_name)
        user = User(
            self._services.ids.guid(), tenant_id, user_principal_name.lower(), display_name, self._services.now()
        )
        users = Users(self._connection, tenant_id)
        users.create(user, password)
        for role in roles:
            users.assign_role(user, _directory_role_id(role))
        tenants.advance_generation(tenant_id)
        return user

    def set_user_enabled(self, tenant_id: str, user_key: str, enabled: bool) -> None:
        """Allow or forbid a person to sign in; tokens of a forbidden one fail."""
        users = Users(self._connection, tenant_id)
        users.set_enabled(users.get(user_key), enabled)
        Tenants(self._connection).advance_generation(tenant_id)

    def set_user_password(self, tenant_id: str, user_key: str, password: Secret[str]) -> None:
        """Reset a person's password; what was issued before no longer verifies."""
        users = Users(self._connection, tenant_id)
        users.set_password(users.get(user_key), password, self._services.now())
        Tenants(self._connection).advance_generation(tenant_id)

    def change_own_password(self, user: User, password: Secret[str]) -> None:
        """A person replaced their password: sessions and tokens of earlier seconds end, and nothing is demanded."""
        Users(self._connection, user.tenant_id).set_password(user, password, self._services.now() - 1)
        policies = AccountPolicies(self._connection, user.tenant_id)
        policies.put(user, msgspec.structs.replace(policies.get(user), must_change_password=False))
        Tenants(self._connection).advance_generation(user.tenant_id)

    def set_account_policy(self, tenant_id: str, user_key: str, policy: AccountPolicy) -> None:
        """Demand a new password or a second factor of a person at the next sign-in."""
        user = Users(self._connection, tenant_id).get(user_key)
        AccountPolicies(self._connection, tenant_id).put(user, policy)

    def reset_second_factor(self, tenant_id: str, user_key: str) -> None:
        """Forget a person's second factor; if one is demanded, they enrol anew at the next sign-in."""
        user = Users(self._connection, tenant_id).get(user_key)
        SecondFactors(self._connection, tenant_id, self._services.factor_sealer).remove(user)

    def revoke_user_tokens(self, tenant_id: str, user_key: str) -> None:
        """End every session, refresh token and access token of a person."""
        users = Users(self._connection, tenant_id)
        users.revoke_tokens(users.get(user_key), self._services.now())
        Tenants(self._connection).advance_generation(tenant_id)

    def revoke_tokens(self, tenant_id: str) -> None:
        """Make every access token of the tenant issued until now useless, in every process within a second."""
        Tenants(self._connection).revoke_tokens(tenant_id, self._services.now())

    def rotate_signing_key(self, tenant_id: str) -> str:
        """Sign with a new key from now on; its kid."""
        return self._services.keyring.rotate(self._connection, tenant_id).kid

    def _client_principal(self, tenant_id: str, app_id: str) -> ServicePrincipal:
        principal = ServicePrincipals(self._connection, tenant_id).find(app_id)
        if principal is None:
            raise ObjectNotFoundError("service principal", app_id)
        return principal

    def ensure_client_principal(self, tenant_id: str, application: Application) -> ServicePrincipal:
        """The application's service principal in the tenant, made if it is not there."""
        principals = ServicePrincipals(self._connection, tenant_id)
        existing = principals.find(application.app_id)
        if existing is not None:
            return existing
        principal = ServicePrincipal(
            id=self._services.ids.guid(),
            app_id=application.app_id,
            tenant_id=tenant_id,
            app_owner_tenant_id=application.tenant_id,
            display_name=application.display_name,
            created_at=self._services.now(),
        )
        principals.create(principal, names=application.identifier_uris)
        Tenants(self._connection).advance_generation(tenant_id)
        return principal

    def _resource_principal(self, tenant_id: str, resource: ResourceContract) -> ServicePrincipal:
        return ServicePrincipal(
            id=self._services.ids.guid(),
            app_id=resource.app_id,
            tenant_id=tenant_id,
            app_owner_tenant_id=resource.owner_tenant_id,
            display_name=resource.display_name,
            created_at=self._services.now(),
        )

    def _consent(self, client: ServicePrincipal, access: ResourceAccess) -> None:
        resource = self._client_principal(client.tenant_id, access.resource_app_id)
        if access.type == "Role":
            assignment = AppRoleAssignment(
                id=self._services.ids.guid(),
                principal_id=client.id,
                principal_type="ServicePrincipal",
                resource_id=resource.id,
                app_role_id=access.permission_id,
                created_at=self._services.now(),
            )
            AppRoleAssignments(self._connection, client.tenant_id).add(assignment)
            return
        grant = OAuth2PermissionGrant(
            id=self._services.ids.guid(),
            client_id=client.id,
            consent_type="AllPrincipals",
            resource_id=resource.id,
            scopes=frozenset({self._scope_value(client.tenant_id, access)}),
        )
        OAuth2PermissionGrants(self._connection, client.tenant_id).add(grant)

    def _scope_value(self, tenant_id: str, access: ResourceAccess) -> str:
        resource = resource_of_application(self._connection, tenant_id, access.resource_app_id)
        for scope in () if resource is None else offered_scopes(self._connection, resource).values():
            if scope.id == access.permission_id:
                return scope.value
        raise UnknownPermissionError("scope", access.permission_id)


def _permission_id(resource: ResourceContract, ids: dict[str, str], name: str) -> str:
    if name not in ids:
        raise UnknownPermissionError("permission", f"{name} of {resource.display_name}")
    return ids[name]


def _directory_role_id(name: str) -> str:
    roles = load_directory_roles()
    if name not in roles:
        raise InvalidValueError("directory role", name)
    return roles[name].id
