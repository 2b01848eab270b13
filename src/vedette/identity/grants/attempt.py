"""What the audit log is told of a token request: filled in as its phases find out."""

from sqlalchemy import Connection

from vedette.contracts.login_faults import login_faults_by_key
from vedette.identity.audit import SignIn
from vedette.identity.clients import AuthenticatedClient
from vedette.identity.directory.applications import Application, find_application
from vedette.identity.directory.tenants import TenantRecord
from vedette.identity.directory.users import User
from vedette.identity.errors import OAuthError
from vedette.identity.resources import Resource
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import TokenRequest

ENDPOINT = "OAuth2:Token"
QUIET = frozenset({"authorization_pending"})
"""Refusals that are no failure: the client waits, as it was told to."""


class Attempt:
    """One token request, as far as it has come."""

    def __init__(self, request: TokenRequest) -> None:
        self._request = request
        self.tenant: TenantRecord | None = None
        self.client: AuthenticatedClient | None = None
        self.is_for_person = False
        self.user: User | None = None
        self.methods: tuple[str, ...] = ()
        self.resource: Resource | None = None
        self._is_told = False

    def failed(self, services: IdentityServices, error: OAuthError) -> None:
        """Tell of a refusal; one that no tenant can be found for is nobody's."""
        if self.tenant is not None and error.key not in QUIET:
            services.audit.gather(self._sign_in(services, login_faults_by_key()[error.key].code))

    def succeeded(self, services: IdentityServices) -> None:
        """Tell of an application's sign-in."""
        if not self._is_told:
            services.audit.gather(self._sign_in(services, 0))

    def tell(self, connection: Connection, services: IdentityServices) -> None:
        """Tell of a person's sign-in in the transaction that stores what was issued."""
        services.audit.publish(connection, self._sign_in(services, 0))
        self._is_told = True

    def _sign_in(self, services: IdentityServices, error_code: int) -> SignIn:
        request, user = self._request, self.user
        if self.tenant is None:
            raise AssertionError("a sign-in is in a tenant")
        application = self._application(services)
        principal = None if self.resource is None else self.resource.principal
        return SignIn(
            tenant_id=self.tenant.tenant.tenant_id,
            app_id=(request.client.client_id or "").lower(),
            app_name="" if application is None else application.display_name,
            is_confidential=application is not None and not application.is_fallback_public_client,
            is_for_person=self.is_for_person,
            error_code=error_code,
            correlation_id=request.correlation_id,
            request_id=request.request_id,
            principal_id="" if self.client is None else self.client.principal.id,
            user_id="" if user is None else user.id,
            user_name=request.parameters.get("username", "") if user is None else user.user_principal_name,
            user_display_name="" if user is None else user.display_name,
            methods=self.methods,
            resource_id="" if principal is None else principal.app_id,
            resource_name="" if principal is None else principal.display_name,
            address=request.client_address,
            user_agent=request.user_agent,
            endpoint=ENDPOINT,
        )

    def _application(self, services: IdentityServices) -> Application | None:
        if self.client is not None:
            return self.client.application
        with services.store.connect() as connection:
            return find_application(connection, (self._request.client.client_id or "").lower())
