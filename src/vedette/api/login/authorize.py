"""The authorize endpoints, v1 and v2: a person signs in and consents; the application gets a code or an id_token."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from vedette.api.http import ApiResponse
from vedette.api.login.consent_pages import accept_consent, show_consent
from vedette.api.login.faults import redirect_error
from vedette.api.login.pages import refusal_page
from vedette.api.login.rendering import render_form_post, render_message
from vedette.api.login.visits import Person, Visit
from vedette.identity.errors import OAuthError
from vedette.identity.services import IdentityServices
from vedette.identity.signin.authorization_request import (
    AuthorizationRequest,
    AuthorizationTarget,
    read_request,
    read_target,
)
from vedette.identity.signin.completion import answer
from vedette.identity.signin.consent_request import ConsentReader, ConsentRequest


class AuthorizePurpose:
    """What an authorize endpoint's visitor comes for."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def prepare(self, visit: Visit) -> None:
        """Check client, redirect URI and tenant, then the rest; and let the page's form end at the application."""
        target = self._target(visit)
        if target.redirect is not None:
            visit.form_targets = (target.redirect.origin,)
        self._check_tenant(visit, target)
        self._request(visit, target)

    def client_name(self, visit: Visit) -> str:
        """The application's name."""
        return self._target(visit).application.display_name

    def steps(self) -> Mapping[str, Callable[[Visit], ApiResponse | None]]:
        """The consent page's form."""
        return {"consent": self._take_consent}

    def proceed(self, visit: Visit, person: Person) -> ApiResponse:
        """Ask for consent if any is missing, or answer."""
        target = self._target(visit)
        request = self._request(visit, target)
        consent = self._consent(target, request, person)
        prompted = request.prompts & {"consent", "admin_consent"}
        if not consent.is_missing and not prompted:
            return self._complete(visit, target, request, person)
        if visit.is_silent:
            app = target.application
            raise OAuthError(
                "consent_missing", oauth_error="consent_required", app_id=app.app_id, app_name=app.display_name
            )
        return show_consent(visit, person, consent, for_tenant=_is_for_tenant(request, consent), oidc=request.oidc)

    def cancelled(self, visit: Visit) -> ApiResponse:
        """RFC 6749 §4.1.2.1: the application is told that its user turned back."""
        return self._tell(visit, OAuthError("consent_declined"))

    def refused(self, visit: Visit, error: OAuthError) -> ApiResponse:
        """To the application what it did wrong; on a page what concerns the person, or has no safe address."""
        is_persons = visit.interaction.account is not None and not visit.is_silent
        if is_persons or error.key in PAGE_ONLY:
            return refusal_page(visit.frame(), error, visit.trace, self._services.clock.time())
        return self._tell(visit, error)

    def _tell(self, visit: Visit, error: OAuthError) -> ApiResponse:
        now = self._services.clock.time()
        try:
            target = self._target(visit)
        except OAuthError as unsafe:
            return refusal_page(visit.frame(), unsafe, visit.trace, now)
        if target.redirect is None:
            return refusal_page(visit.frame(), error, visit.trace, now)
        return respond(visit, target, redirect_error(error, visit.trace, now))

    def _target(self, visit: Visit) -> AuthorizationTarget:
        with self._services.store.connect() as connection:
            return read_target(connection, visit.interaction.parameters)

    def _request(self, visit: Visit, target: AuthorizationTarget) -> AuthorizationRequest:
        return read_request(target, visit.interaction.parameters, visit.interaction.version)

    def _check_tenant(self, visit: Visit, target: AuthorizationTarget) -> None:
        application = target.application
        with self._services.store.connect() as connection:
            tenant = visit.tenant(connection)
        if tenant is None and not application.is_multi_tenant:
            raise OAuthError(
                "application_not_multi_tenant", app_id=application.app_id, app_name=application.display_name
            )

    def _consent(self, target: AuthorizationTarget, request: AuthorizationRequest, person: Person) -> ConsentRequest:
        with self._services.store.connect() as connection:
            reader = ConsentReader(connection, self._services, person.tenant)
            if _asks_for_all(request):
                return reader.for_tenant(target.application, person.user)
            return reader.for_user(target.application, person.user, request.accesses)

    def _take_consent(self, visit: Visit) -> ApiResponse:
        if visit.form.get("answer") != "accept":
            return self.cancelled(visit)
        target = self._target(visit)
        request = self._request(visit, target)
        person = visit.proven_person()
        consent = self._consent(target, request, person)
        for_everybody = _is_for_tenant(request, consent) or visit.form.get("everybody") == "yes"
        accept_consent(visit, person, consent, for_everybody=for_everybody)
        return self._complete(visit, target, request, person)

    def _complete(
        self, visit: Visit, target: AuthorizationTarget, request: AuthorizationRequest, person: Person
    ) -> ApiResponse:
        if target.redirect is None:
            name = target.application.display_name
            return render_message(visit.frame(), "Done", f"{name} may now do what you allowed.", "Close this window.")
        with self._services.store.begin() as connection:
            parameters = answer(connection, self._services, target, request, visit.signed_in(person))
            resource = request.accesses[0].resource if request.accesses else ""
            record = visit.sign_in_record(person, target.application, resource)
            self._services.audit.publish(connection, record)
        if visit.interaction.parameters.get("client_info") != "1":
            del parameters["client_info"]
        return respond(visit, target, parameters)


PAGE_ONLY = frozenset({"application_not_multi_tenant", "tenant_not_found", "tenant_name_malformed"})
"""Refusals that name no place of which the application could be told."""


def respond(visit: Visit, target: AuthorizationTarget, parameters: Mapping[str, str]) -> ApiResponse:
    """Send parameters to the application in the response mode it asked for."""
    if target.redirect is None:
        raise AssertionError("an answer needs an address")
    state = {} if target.state is None else {"state": target.state}
    fields = {**parameters, **state}
    if target.mode == "form_post":
        return render_form_post(visit.frame(), target.redirect.uri, fields)
    return redirect_to(target.redirect.uri, fields, in_fragment=target.mode == "fragment")


def redirect_to(uri: str, fields: Mapping[str, str], *, in_fragment: bool = False) -> ApiResponse:
    """A redirect with parameters added to the URI; 302, which every browser follows with GET (RFC 9700 §4.12)."""
    parts = urlsplit(uri)
    encoded = urlencode(fields)
    if in_fragment:
        location = parts._replace(fragment=encoded).geturl()
    else:
        location = parts._replace(query="&".join(part for part in (parts.query, encoded) if part)).geturl()
    return ApiResponse(
        302, headers={"location": location, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    )


def _asks_for_all(request: AuthorizationRequest) -> bool:
    """The consent link of v1: no resource, but consent to everything that is configured."""
    is_link = request.version == 1 and not request.accesses and "consent" in request.prompts
    return is_link or "admin_consent" in request.prompts


def _is_for_tenant(request: AuthorizationRequest, consent: ConsentRequest) -> bool:
    """Whether only an answer for the whole tenant makes sense."""
    return "admin_consent" in request.prompts or (_asks_for_all(request) and consent.needs_administrator)
