"""One request of a person's browser on its way through the pages: who, where, and the cookie to send back."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.login.cookies import ensure_browser, set_browser
from vedette.api.login.faults import Trace
from vedette.api.login.pages import ANY_PLACE
from vedette.api.login.rendering import PageFrame
from vedette.identity.audit import DirectoryChange, SignIn
from vedette.identity.directory.applications import Application
from vedette.identity.directory.tenants import TenantRecord, Tenants
from vedette.identity.directory.users import User, Users
from vedette.identity.errors import OAuthError
from vedette.identity.grants.dispatch import TENANTLESS, resolve_tenant
from vedette.identity.services import IdentityServices
from vedette.identity.signin.completion import SignedIn
from vedette.identity.signin.interaction import Account, Interaction, seal
from vedette.identity.signin.sessions import BrowserSession, browser_hash, move_sessions, new_browser, sessions_of


class Person(msgspec.Struct, frozen=True):
    """Whose account the interaction is about."""

    tenant: TenantRecord
    user: User


def read_person(connection: Connection, account: Account) -> Person:
    """Whose account it is, read anew at every step. Raises OAuthError if it may not sign in any more."""
    tenant = Tenants(connection).find(account.tenant_id)
    user = None if tenant is None else Users(connection, account.tenant_id).find(account.user_id)
    if tenant is None or user is None or not user.account_enabled:
        raise OAuthError("account_disabled")
    return Person(tenant, user)


class Visit:
    """Mutable: an interaction moves on during a request, and the browser may get a new name."""

    def __init__(self, services: IdentityServices, request: ApiRequest, form: Mapping[str, str]) -> None:
        self.services = services
        self.request = request
        self.form = form
        self.trace = Trace.of(request)
        cookie, self._headers = ensure_browser(request)
        self.browser = browser_hash(services, cookie)
        self.form_targets: tuple[str, ...] = ()
        self._interaction: Interaction | None = None

    @property
    def interaction(self) -> Interaction:
        """The interaction as far as it has come."""
        if self._interaction is None:
            raise AssertionError("the visit has no interaction yet")
        return self._interaction

    def begin(self, interaction: Interaction) -> None:
        """Give the visit its interaction."""
        self._interaction = interaction

    def advance(self, **changes: object) -> None:
        """Move the interaction on."""
        self._interaction = msgspec.structs.replace(self.interaction, **changes)

    @property
    def is_silent(self) -> bool:
        """Whether no page may be shown (`prompt=none`)."""
        return self._interaction is not None and "none" in self.interaction.parameters.get("prompt", "").split()

    def tenant(self, connection: Connection) -> TenantRecord | None:
        """The tenant of the path; None if the account will tell. Raises OAuthError."""
        segment = self.segment
        if segment.lower() == "consumers":
            raise OAuthError("tenant_not_found", tenant=segment)
        return None if segment.lower() in TENANTLESS else resolve_tenant(connection, segment)

    @property
    def segment(self) -> str:
        """The path segment that stands for the tenant."""
        if self._interaction is not None:
            return self._interaction.tenant
        return self.request.path_parameters.get("tenant", "common")

    def sessions(self, connection: Connection) -> list[BrowserSession]:
        """The browser's sessions that count here: of the path's tenant, if it names one."""
        tenant = self.tenant(connection)
        found = sessions_of(connection, self.services, self.browser)
        return [session for session in found if tenant is None or session.user.tenant_id == tenant.tenant.tenant_id]

    def frame(self) -> PageFrame:
        """What every page of this visit shows."""
        context = seal(self.services, self._interaction) if self._interaction is not None else ""
        return PageFrame(self.segment, self._place(), self.request.base_url, context, self.form_targets)

    def rename_browser(self, connection: Connection) -> None:
        """Give the browser a new cookie: one that somebody knew before the sign-in is worth nothing after it."""
        created = new_browser()
        renamed = browser_hash(self.services, created)
        move_sessions(connection, self.browser, renamed)
        self.browser = renamed
        self._headers = set_browser(created, keep=self.interaction.stays_signed_in)
        self.advance(browser=renamed, is_signed_in=True)

    def proven_person(self) -> Person:
        """The person who is signed in, read anew. Raises OAuthError if nobody is, or may be no more."""
        account = self.interaction.account
        if account is None or not self.interaction.is_signed_in:
            raise OAuthError("not_signed_in")
        with self.services.store.connect() as connection:
            return read_person(connection, account)

    def signed_in(self, person: Person) -> SignedIn:
        """The person, for what is issued to the application."""
        request = self.request
        return SignedIn(person.tenant, person.user, self.interaction.methods, request.client_address, request.base_url)

    def sign_in_record(self, person: Person, application: Application, resource: str = "") -> SignIn:
        """What the audit log is told of a sign-in that reached its end."""
        return SignIn(
            tenant_id=person.user.tenant_id,
            app_id=application.app_id,
            app_name=application.display_name,
            is_confidential=not application.is_fallback_public_client,
            is_interactive=self.interaction.is_fresh,
            correlation_id=self.trace.correlation_id,
            request_id=self.trace.trace_id,
            user_id=person.user.id,
            user_name=person.user.user_principal_name,
            user_display_name=person.user.display_name,
            methods=self.interaction.methods,
            resource_name=resource,
            address=self.request.client_address,
            user_agent=self.request.headers.get("user-agent", ""),
            endpoint="OAuth2:Authorize",
        )

    def failure_record(self, tenant_id: str, user_name: str, error_code: int) -> SignIn:
        """What it is told of a sign-in that failed."""
        return SignIn(
            tenant_id=tenant_id,
            app_id=self.interaction.parameters.get("client_id", "").lower(),
            app_name="",
            is_confidential=False,
            is_interactive=True,
            error_code=error_code,
            correlation_id=self.trace.correlation_id,
            request_id=self.trace.trace_id,
            user_name=user_name,
            address=self.request.client_address,
            user_agent=self.request.headers.get("user-agent", ""),
            endpoint="OAuth2:Authorize",
        )

    def change_record(self, person: Person, action: str, application: str = "", **details: str) -> DirectoryChange:
        """What it is told of a change that a person made on a page."""
        user = person.user
        return DirectoryChange(
            tenant_id=user.tenant_id,
            action=action,
            actor_id=user.id,
            actor_name=user.user_principal_name,
            actor_display_name=user.display_name,
            application=application,
            target_id=user.id,
            target_name=user.user_principal_name,
            target_display_name=user.display_name,
            address=self.request.client_address,
            user_agent=self.request.headers.get("user-agent", ""),
            details=details,
        )

    def finish(self, response: ApiResponse) -> ApiResponse:
        """The response with the cookie and the ids of the exchange."""
        headers = {**response.headers, **self.trace.headers(), **self._headers}
        return msgspec.structs.replace(response, headers=headers)

    def _place(self) -> str:
        with self.services.store.connect() as connection:
            try:
                tenant = self.tenant(connection)
            except OAuthError:
                return ANY_PLACE
            account = None if self._interaction is None else self._interaction.account
            if tenant is None and account is not None:
                tenant = resolve_tenant(connection, account.tenant_id)
        return ANY_PLACE if tenant is None else tenant.tenant.display_name
