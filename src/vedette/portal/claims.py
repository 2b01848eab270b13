"""What a token for an application would say now: the same claims code that issues tokens, without signing."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from sqlalchemy import Connection

from vedette.contracts.permissions import load_resources
from vedette.identity.clients import AuthenticatedClient, ClientAuthentication
from vedette.identity.consent import GrantedPermissions, granted_to_application
from vedette.identity.directory.applications import Application
from vedette.identity.directory.service_principals import OAuth2PermissionGrants, ServicePrincipal
from vedette.identity.directory.tenants import TenantRecord
from vedette.identity.directory.users import User, Users
from vedette.identity.errors import OAuthError
from vedette.identity.resources import Resource, resolve_resource
from vedette.identity.services import IdentityServices
from vedette.identity.tokens.claims import TokenFacts, UserSubject, access_token_claims

OPAQUE = ("aio", "rh", "uti", "sub")
"""Claims that mean nothing to people; left out of the view."""


class ClaimsView(msgspec.Struct, frozen=True):
    """The claims of one kind of token for one API."""

    resource: str
    kind: Literal["application", "user"]
    text: str


class ClaimsViews:
    """Works out the views of one application in one tenant."""

    def __init__(self, connection: Connection, services: IdentityServices, tenant: TenantRecord, base_url: str) -> None:
        self._connection = connection
        self._services = services
        self._tenant = tenant
        self._base_url = base_url

    def all(self, application: Application, principal: ServicePrincipal, viewer: User) -> list[ClaimsView]:
        """One view for every API and kind for which something is granted."""
        views = []
        for contract in load_resources().values():
            resource_name = contract.audiences[0]
            try:
                resource = resolve_resource(self._connection, self._tenant, self._services.issuers, resource_name)
                granted = granted_to_application(self._connection, principal, resource)
            except OAuthError:
                continue
            facts = self._facts(application, principal, resource, granted)
            if granted.roles and not application.is_fallback_public_client:
                views.append(ClaimsView(contract.display_name, "application", _text(access_token_claims(facts))))
            grants = OAuth2PermissionGrants(self._connection, self._tenant.tenant.tenant_id)
            scopes = grants.scopes(principal.id, resource.principal.id, viewer.id)
            if scopes:
                delegated = msgspec.structs.replace(
                    facts, permissions=GrantedPermissions(scopes=scopes), user=self._subject(viewer)
                )
                views.append(ClaimsView(contract.display_name, "user", _text(access_token_claims(delegated))))
        return views

    def _facts(
        self, application: Application, principal: ServicePrincipal, resource: Resource, granted: GrantedPermissions
    ) -> TokenFacts:
        tenant_id = self._tenant.tenant.tenant_id
        method: ClientAuthentication = "0" if application.is_fallback_public_client else "1"
        return TokenFacts(
            tenant=self._tenant,
            client=AuthenticatedClient(application, principal, method),
            resource=resource,
            permissions=granted,
            issuers={version: self._services.issuers.issuer(self._base_url, tenant_id, version) for version in (1, 2)},
            issued_at=self._services.now(),
            lifetime=self._services.settings.access_token_lifetime,
        )

    def _subject(self, viewer: User) -> UserSubject:
        roles = Users(self._connection, viewer.tenant_id).role_ids(viewer)
        return UserSubject(user=viewer, pairwise_subject="", directory_roles=roles)


def _text(claims: Mapping[str, object]) -> str:
    shown = {name: value for name, value in claims.items() if name not in OPAQUE}
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()
