"""Signing in for a device that has no browser: its code is typed here, and somebody signs in for it (RFC 8628)."""

from collections.abc import Callable, Mapping

from vedette.api.http import ApiResponse
from vedette.api.login.consent_pages import accept_consent, show_consent
from vedette.api.login.pages import refusal_page
from vedette.api.login.rendering import render, render_message
from vedette.api.login.visits import Person, Visit
from vedette.identity.directory.applications import Application, find_application
from vedette.identity.errors import OAuthError, ObjectNotFoundError
from vedette.identity.grants.device_codes import DeviceCode, DeviceCodes
from vedette.identity.scopes import parse_scopes
from vedette.identity.services import IdentityServices
from vedette.identity.signin.consent_request import ConsentReader, ConsentRequest

USER_CODE = "user_code"


class DevicePurpose:
    """What a visitor of the device page comes for."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def prepare(self, visit: Visit) -> None:
        """Nothing: the code is checked where it is used."""

    def client_name(self, visit: Visit) -> str:
        """The application that waits."""
        return self._application(self._code(visit)).display_name

    def steps(self) -> Mapping[str, Callable[[Visit], ApiResponse | None]]:
        """The forms of the code, of consent and of the last question."""
        return {"device": self._take_code, "consent": self._take_consent, "confirm": self._take_confirmation}

    def show_entry(self, visit: Visit, problem: str = "", user_code: str = "") -> ApiResponse:
        """The page that asks for the code."""
        return render(visit.frame(), "device", "Sign in for a device", problem=problem, user_code=user_code)

    def proceed(self, visit: Visit, person: Person) -> ApiResponse:
        """Ask for consent if any is missing, then for confirmation."""
        code = self._code(visit)
        consent = self._consent(code, person)
        if consent.is_missing:
            _, oidc = parse_scopes(code.scope)
            return show_consent(visit, person, consent, oidc=oidc)
        return self._show_confirmation(visit, person)

    def cancelled(self, visit: Visit) -> ApiResponse:
        """The device is told that nobody will sign in for it."""
        code = self._code(visit)
        with self._services.store.begin() as connection:
            DeviceCodes(connection, self._services).decline(code)
        return render_message(visit.frame(), "Cancelled", "Nobody was signed in on the device.", "Close this window.")

    def refused(self, visit: Visit, error: OAuthError) -> ApiResponse:
        """There is nobody to tell but the person."""
        return refusal_page(visit.frame(), error, visit.trace, self._services.clock.time())

    def _take_code(self, visit: Visit) -> ApiResponse | None:
        typed = visit.form.get(USER_CODE, "")
        try:
            with self._services.store.connect() as connection:
                code = DeviceCodes(connection, self._services).find_pending(typed)
        except ObjectNotFoundError:
            problem = "No device waits for this code. Check the letters; codes are good for 15 minutes."
            return self.show_entry(visit, problem, typed[:16])
        application = self._application(code)
        tenant = visit.segment if application.is_multi_tenant else application.tenant_id
        visit.advance(parameters={USER_CODE: code.user_code}, tenant=tenant)
        return None

    def _take_consent(self, visit: Visit) -> ApiResponse:
        if visit.form.get("answer") != "accept":
            return self.cancelled(visit)
        person = visit.proven_person()
        consent = self._consent(self._code(visit), person)
        everybody = visit.form.get("everybody") == "yes"
        accept_consent(visit, person, consent, for_everybody=everybody)
        return self._show_confirmation(visit, person)

    def _take_confirmation(self, visit: Visit) -> ApiResponse:
        if visit.form.get("answer") != "accept":
            return self.cancelled(visit)
        person, code = visit.proven_person(), self._code(visit)
        name = self._application(code).display_name
        if self._consent(code, person).is_missing:
            raise OAuthError("consent_missing", app_id=code.app_id, app_name=name)
        with self._services.store.begin() as connection:
            DeviceCodes(connection, self._services).approve(code, person.user, visit.interaction.methods)
            self._services.audit.publish(connection, visit.sign_in_record(person, self._application(code)))
        return render_message(
            visit.frame(), "You are signed in", f"{name} on your device goes on by itself.", "Close this window."
        )

    def _show_confirmation(self, visit: Visit, person: Person) -> ApiResponse:
        client = self.client_name(visit)
        name = person.user.user_principal_name
        return render(visit.frame(), "confirm", "Sign in on your device?", username=name, client=client)

    def _code(self, visit: Visit) -> DeviceCode:
        try:
            with self._services.store.connect() as connection:
                return DeviceCodes(connection, self._services).find_pending(
                    visit.interaction.parameters.get(USER_CODE, "")
                )
        except ObjectNotFoundError as error:
            raise OAuthError("verification_code_expired") from error

    def _application(self, code: DeviceCode) -> Application:
        with self._services.store.connect() as connection:
            application = find_application(connection, code.app_id)
        if application is None:
            raise OAuthError("application_unknown", app_id=code.app_id)
        return application

    def _consent(self, code: DeviceCode, person: Person) -> ConsentRequest:
        accesses, _ = parse_scopes(code.scope)
        with self._services.store.connect() as connection:
            reader = ConsentReader(connection, self._services, person.tenant)
            return reader.for_user(self._application(code), person.user, accesses)
