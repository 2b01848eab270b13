"""The admin consent endpoints: an administrator of a tenant lets an application in, for everybody."""

from collections.abc import Callable, Mapping

from vedette.api.http import ApiResponse
from vedette.api.login.authorize import redirect_to
from vedette.api.login.consent_pages import accept_consent, show_consent
from vedette.api.login.faults import redirect_error
from vedette.api.login.pages import refusal_page
from vedette.api.login.rendering import render_message
from vedette.api.login.visits import Person, Visit
from vedette.identity.errors import OAuthError
from vedette.identity.grants.dispatch import TENANTLESS
from vedette.identity.scopes import RequestedAccess, parse_scopes
from vedette.identity.services import IdentityServices
from vedette.identity.signin.authorization_request import AuthorizationTarget, read_target
from vedette.identity.signin.consent_request import ConsentReader, ConsentRequest

CANCELLED_V1 = {"error": "permission_denied", "error_description": "The admin canceled the request"}


class AdminConsentPurpose:
    """What a visitor of an admin consent link comes for."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def prepare(self, visit: Visit) -> None:
        """Check client, redirect URI, tenant and scope."""
        target = self._target(visit)
        if target.redirect is not None:
            visit.form_targets = (target.redirect.origin,)
        self._check_tenant(visit, target)
        self._accesses(visit)

    def client_name(self, visit: Visit) -> str:
        """The application's name."""
        return self._target(visit).application.display_name

    def steps(self) -> Mapping[str, Callable[[Visit], ApiResponse | None]]:
        """The consent page's form."""
        return {"consent": self._take_consent}

    def proceed(self, visit: Visit, person: Person) -> ApiResponse:
        """Show what is asked; only an administrator can accept it."""
        return show_consent(visit, person, self._consent(visit, person), for_tenant=True)

    def cancelled(self, visit: Visit) -> ApiResponse:
        """The application is told in the endpoint version's own way."""
        if visit.interaction.version == 1:
            return self._respond(visit, CANCELLED_V1)
        error = redirect_error(
            OAuthError("consent_declined", oauth_error="consent_required"), visit.trace, self._services.clock.time()
        )
        return self._respond(visit, {"admin_consent": "True", **error})

    def refused(self, visit: Visit, error: OAuthError) -> ApiResponse:
        """On a page: whoever follows a consent link is a person who can read it."""
        return refusal_page(visit.frame(), error, visit.trace, self._services.clock.time())

    def _take_consent(self, visit: Visit) -> ApiResponse:
        if visit.form.get("answer") != "accept":
            return self.cancelled(visit)
        person = visit.proven_person()
        consent = self._consent(visit, person)
        accept_consent(visit, person, consent, for_everybody=True)
        fields = {"admin_consent": "True", "tenant": person.tenant.tenant.tenant_id}
        scope = visit.interaction.parameters.get("scope")
        return self._respond(visit, fields | ({"scope": scope} if scope else {}))

    def _respond(self, visit: Visit, fields: Mapping[str, str]) -> ApiResponse:
        target = self._target(visit)
        if target.redirect is None:
            accepted = "error" not in fields
            return render_message(
                visit.frame(),
                "Done" if accepted else "Cancelled",
                f"{target.application.display_name} {'may now do what you allowed' if accepted else 'was not let in'}.",
                "Close this window.",
            )
        state = {} if target.state is None else {"state": target.state}
        return redirect_to(target.redirect.uri, {**fields, **state})

    def _consent(self, visit: Visit, person: Person) -> ConsentRequest:
        application = self._target(visit).application
        with self._services.store.connect() as connection:
            reader = ConsentReader(connection, self._services, person.tenant)
            return reader.for_tenant(application, person.user, self._accesses(visit))

    def _target(self, visit: Visit) -> AuthorizationTarget:
        with self._services.store.connect() as connection:
            return read_target(connection, visit.interaction.parameters)

    def _accesses(self, visit: Visit) -> tuple[RequestedAccess, ...]:
        if visit.interaction.version == 1:
            return ()
        scope = visit.interaction.parameters.get("scope")
        if not scope:
            raise OAuthError("parameter_missing", parameter="scope")
        return parse_scopes(scope)[0]

    def _check_tenant(self, visit: Visit, target: AuthorizationTarget) -> None:
        application, segment = target.application, visit.segment.lower()
        if visit.interaction.version == 2 and segment == "common":
            raise OAuthError("tenant_not_named")
        if segment in TENANTLESS and not application.is_multi_tenant:
            raise OAuthError(
                "application_not_multi_tenant", app_id=application.app_id, app_name=application.display_name
            )
        with self._services.store.connect() as connection:
            visit.tenant(connection)
