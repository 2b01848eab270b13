"""The pages between a request and its answer: sign-in, account picker, password change, second factor.

What they lead to differs by purpose: an authorization (`authorize`), a device's sign-in (`device`), an administrator's
consent (`admin_consent`). A purpose is an object of the shape `Purpose`.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from markupsafe import Markup
from sqlalchemy import Connection

from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.login.faults import fault_text
from vedette.api.login.forms import parse_form
from vedette.api.login.rendering import render, render_message
from vedette.api.login.visits import Person, Visit, read_person
from vedette.contracts.login_faults import login_faults_by_key
from vedette.identity.accounts import MINIMUM_PASSWORD
from vedette.identity.directory import totp
from vedette.identity.directory.account_policies import AccountPolicies, AccountPolicy
from vedette.identity.directory.second_factors import SecondFactors
from vedette.identity.directory.tenants import TenantRecord, Tenants
from vedette.identity.errors import OAuthError
from vedette.identity.grants.dispatch import resolve_tenant
from vedette.identity.grants.lockout import SignInFailures
from vedette.identity.grants.password_check import PasswordAttempt, check_password
from vedette.identity.provisioning import Provisioning
from vedette.identity.services import IdentityServices
from vedette.identity.signin.interaction import Account, ExpiredInteractionError, unseal
from vedette.identity.signin.interaction import Purpose as PurposeName
from vedette.identity.signin.sessions import BrowserSession, BrowserSessions
from vedette.store.secrets import Secret

SECOND_FACTOR = "second factor"
"""In place of an address: codes are counted by account, for only who knows the password comes to guess one."""

UNTOLD = frozenset({"user_not_found", "no_password", "tenant_not_found", "tenant_name_malformed"})
"""Refusals that a page tells as a wrong password: who has an account is nobody's business."""


Step = Callable[[Visit], ApiResponse | None]
"""What a form does; None leads to sign-in."""


class Purpose(Protocol):
    """What people sign in for."""

    def prepare(self, visit: Visit) -> None:
        """Read the request that began the visit. Raises OAuthError."""
        ...

    def client_name(self, visit: Visit) -> str:
        """The application's name, for the head of the pages."""
        ...

    def proceed(self, visit: Visit, person: Person) -> ApiResponse:
        """Go on with somebody who is signed in. Raises OAuthError."""
        ...

    def cancelled(self, visit: Visit) -> ApiResponse:
        """The person turned back."""
        ...

    def refused(self, visit: Visit, error: OAuthError) -> ApiResponse:
        """Tell a refusal to whom it concerns."""
        ...

    def steps(self) -> Mapping[str, Step]:
        """Forms of its own, by step."""
        ...


class SignInFlow:
    """Leads people through the pages."""

    def __init__(self, services: IdentityServices, purposes: Mapping[PurposeName, Purpose]) -> None:
        self._services = services
        self._purposes = purposes
        self._steps: Mapping[str, Step] = {
            "password": self._take_password,
            "pick": self._take_account,
            "code": self._take_code,
            "enrol": self._take_enrolment,
            "change": self._take_new_password,
        }

    def step(self, request: ApiRequest) -> ApiResponse:
        """One form of one page."""
        try:
            visit = Visit(self._services, request, parse_form(request.body))
        except OAuthError:
            return self._expired(Visit(self._services, request, {}))
        try:
            interaction = unseal(self._services, visit.form.get("ctx", ""), visit.browser)
        except ExpiredInteractionError:
            return self._expired(visit)
        if interaction.tenant != request.path_parameters["tenant"]:
            return self._expired(visit)
        visit.begin(interaction)
        steps = {**self._steps, **self._purpose(visit).steps()}
        step = steps.get(request.path_parameters["step"])
        if step is None:
            return self._expired(visit)
        return self.guarded(visit, lambda: self._cancel_or(visit, step))

    def start(self, visit: Visit) -> ApiResponse:
        """Begin with whoever is signed in in this browser, or with the sign-in page."""
        prompts = frozenset(visit.interaction.parameters.get("prompt", "").split())
        with self._services.store.connect() as connection:
            sessions = visit.sessions(connection)
        hint = visit.interaction.parameters.get("login_hint", "").lower()
        if hint:
            sessions = [session for session in sessions if session.user.user_principal_name == hint]
        if "login" in prompts or not sessions:
            return self._show_sign_in(visit)
        if "select_account" in prompts or (len(sessions) > 1 and "none" not in prompts):
            return self._show_picker(visit, sessions)
        self._use_session(visit, sessions[0])
        return self.go_on(visit)

    def go_on(self, visit: Visit) -> ApiResponse:
        """The next page, or the answer. Raises OAuthError."""
        account = visit.interaction.account
        if account is None:
            return self._show_sign_in(visit)
        with self._services.store.connect() as connection:
            person = read_person(connection, account)
            policy = AccountPolicies(connection, account.tenant_id).get(person.user)
            is_enrolled = self._factors(connection, account).is_enrolled(person.user)
        missing = self._missing_proof(visit, person, policy, is_enrolled)
        if missing is not None:
            return missing
        if not visit.interaction.is_signed_in:
            self._open_session(visit, person)
        return self._purpose(visit).proceed(visit, person)

    def guarded(self, visit: Visit, act: Callable[[], ApiResponse]) -> ApiResponse:
        """Do something of a visit; a refusal becomes the answer that its purpose has for it."""
        try:
            self._purpose(visit).prepare(visit)
            response = act()
        except OAuthError as error:
            response = self._purpose(visit).refused(visit, error)
        return visit.finish(response)

    def _missing_proof(
        self, visit: Visit, person: Person, policy: AccountPolicy, is_enrolled: bool
    ) -> ApiResponse | None:
        """The page for what the account still has to show; None if nothing is missing."""
        resource = self._purpose(visit).client_name(visit)
        if policy.must_change_password:
            _refuse_if_silent(visit, OAuthError("password_expired"))
            return self._show_change(visit, person)
        if "mfa" in visit.interaction.methods:
            return None
        if is_enrolled:
            _refuse_if_silent(
                visit, OAuthError("second_factor_required", resource=resource, oauth_error="interaction_required")
            )
            return self._show_code(visit, person)
        if policy.second_factor_required:
            _refuse_if_silent(
                visit,
                OAuthError("second_factor_enrolment_required", resource=resource, oauth_error="interaction_required"),
            )
            return self._show_enrolment(visit, person)
        return None

    def _cancel_or(self, visit: Visit, step: Step) -> ApiResponse:
        if visit.form.get("cancel"):
            return self._purpose(visit).cancelled(visit)
        return step(visit) or self.start(visit)

    def _take_password(self, visit: Visit) -> ApiResponse:
        name, password = visit.form.get("username", "").strip(), visit.form.get("password", "")
        tenant = None
        try:
            with self._services.store.connect() as connection:
                tenant = self._tenant_of(connection, visit, name)
                attempt = PasswordAttempt(name, Secret(password), visit.request.client_address)
                user = check_password(connection, self._services, tenant, attempt)
        except OAuthError as error:
            if tenant is not None:
                code = login_faults_by_key()[error.key].code
                self._services.audit.gather(visit.failure_record(tenant.tenant.tenant_id, name, code))
            shown = OAuthError("wrong_password") if error.key in UNTOLD else error
            return self._show_sign_in(visit, problem=_problem(shown), username=name)
        visit.advance(
            account=Account(user.tenant_id, user.id),
            methods=("pwd",),
            is_fresh=True,
            is_signed_in=False,
            stays_signed_in=visit.form.get("keep") == "yes",
        )
        return self.go_on(visit)

    def _tenant_of(self, connection: Connection, visit: Visit, name: str) -> TenantRecord:
        tenant = visit.tenant(connection)
        domain = name.rpartition("@")[2]
        if tenant is None:
            return resolve_tenant(connection, domain)
        other = Tenants(connection).find(domain)
        if other is not None and other.tenant.tenant_id != tenant.tenant.tenant_id:
            raise OAuthError("user_of_another_tenant", user=name, issuer=domain, tenant=tenant.tenant.display_name)
        return tenant

    def _take_account(self, visit: Visit) -> ApiResponse:
        picked = visit.form.get("account", "")
        with self._services.store.connect() as connection:
            sessions = visit.sessions(connection)
        for session in sessions:
            if picked == session.user.id:
                self._use_session(visit, session)
                return self.go_on(visit)
        return self._show_sign_in(visit)

    def _take_code(self, visit: Visit) -> ApiResponse:
        account = _account(visit)
        now = self._services.now()
        with self._services.store.begin() as connection:
            person = read_person(connection, account)
            guard = SignInFailures(connection, person.user, SECOND_FACTOR)
            if guard.is_locked(now):
                raise OAuthError("account_locked")
            accepted = self._factors(connection, account).accept(person.user, visit.form.get("code", ""), now)
            guard.clear() if accepted else guard.record(now)
        if not accepted:
            return self._show_code(
                visit, person, problem="This code is not right, or was used before. Try the next one."
            )
        return self._with_second_factor(visit)

    def _take_enrolment(self, visit: Visit) -> ApiResponse:
        account, encoded = _account(visit), visit.interaction.enrolment
        if not encoded:
            return self.go_on(visit)
        secret, now = totp.from_base32(encoded), self._services.now()
        step = totp.matching_step(secret, visit.form.get("code", ""), now)
        with self._services.store.begin() as connection:
            person = read_person(connection, account)
            factors = self._factors(connection, account)
            is_enrolled = factors.is_enrolled(person.user)
            if step is not None and not is_enrolled:
                factors.enrol(person.user, secret, step=step, now=now)
                self._services.audit.publish(connection, visit.change_record(person, "Second factor enrolled"))
        if is_enrolled:  # in another window, meanwhile: then its code is asked for
            return self.go_on(visit)
        if step is None:
            return self._show_enrolment(visit, person, problem="This code does not belong to the key above. Try again.")
        visit.advance(enrolment="")
        return self._with_second_factor(visit)

    def _with_second_factor(self, visit: Visit) -> ApiResponse:
        visit.advance(methods=("pwd", "mfa"), is_signed_in=False)
        return self.go_on(visit)

    def _take_new_password(self, visit: Visit) -> ApiResponse:
        account, form = _account(visit), visit.form
        with self._services.store.connect() as connection:
            person = read_person(connection, account)
            attempt = PasswordAttempt(
                person.user.user_principal_name, Secret(form.get("current", "")), visit.request.client_address
            )
            try:
                check_password(connection, self._services, person.tenant, attempt)
            except OAuthError as error:
                return self._show_change(visit, person, problem=_problem(error))
        problem = _weakness(form.get("current", ""), form.get("new", ""), form.get("again", ""))
        if problem:
            return self._show_change(visit, person, problem=problem)
        with self._services.store.begin() as connection:
            Provisioning(connection, self._services).change_own_password(person.user, Secret(form["new"]))
            self._services.audit.publish(connection, visit.change_record(person, "Account Password changed"))
        visit.advance(is_signed_in=False)
        return self.go_on(visit)

    def _use_session(self, visit: Visit, session: BrowserSession) -> None:
        user = session.user
        visit.advance(account=Account(user.tenant_id, user.id), methods=session.methods, is_signed_in=True)

    def _open_session(self, visit: Visit, person: Person) -> None:
        settings, now, interaction = self._services.settings, self._services.now(), visit.interaction
        lifetime = settings.kept_session_lifetime if interaction.stays_signed_in else settings.session_lifetime
        session = BrowserSession(person.user, interaction.methods, now, now + lifetime)
        with self._services.store.begin() as connection:
            visit.rename_browser(connection)
            BrowserSessions(connection, person.user.tenant_id).put(visit.browser, session)

    def _show_sign_in(self, visit: Visit, *, problem: str = "", username: str | None = None) -> ApiResponse:
        _refuse_if_silent(visit, OAuthError("not_signed_in"))
        hint = visit.interaction.parameters.get("login_hint", "") if username is None else username
        client = self._purpose(visit).client_name(visit)
        return render(visit.frame(), "sign_in", "Sign in", username=hint, problem=problem, client=client)

    def _show_picker(self, visit: Visit, sessions: list[BrowserSession]) -> ApiResponse:
        accounts = [
            {
                "key": session.user.id,
                "name": session.user.user_principal_name,
                "display_name": session.user.display_name,
            }
            for session in sessions
        ]
        client = self._purpose(visit).client_name(visit)
        return render(visit.frame(), "pick", "Pick an account", accounts=accounts, client=client)

    def _show_code(self, visit: Visit, person: Person, *, problem: str = "") -> ApiResponse:
        name = person.user.user_principal_name
        return render(visit.frame(), "code", "Second factor", username=name, problem=problem)

    def _show_enrolment(self, visit: Visit, person: Person, *, problem: str = "") -> ApiResponse:
        if not visit.interaction.enrolment:
            visit.advance(enrolment=totp.to_base32(totp.new_secret()))
        encoded, name = visit.interaction.enrolment, person.user.user_principal_name
        uri = totp.provisioning_uri(totp.from_base32(encoded), f"Vedette {person.tenant.tenant.display_name}", name)
        import segno  # only here, and large

        svg = segno.make(uri, micro=False).svg_inline(
            svgclass="qr", lineclass=None, omitsize=True, title="QR code of the key below"
        )
        return render(
            visit.frame(),
            "enrol",
            "Set up a second factor",
            username=name,
            problem=problem,
            secret=" ".join(encoded[index : index + 4] for index in range(0, len(encoded), 4)),
            picture=Markup(svg),  # noqa: S704 — drawn from the key, all text in it is the library's
        )

    def _show_change(self, visit: Visit, person: Person, *, problem: str = "") -> ApiResponse:
        name = person.user.user_principal_name
        return render(
            visit.frame(),
            "change",
            "Change your password",
            username=name,
            problem=problem,
            minimum=MINIMUM_PASSWORD,
        )

    def _expired(self, visit: Visit) -> ApiResponse:
        return visit.finish(
            render_message(
                visit.frame(),
                "This page is no longer good",
                "It was open for too long, was used before, or belongs to another browser window.",
                "Go back to the application and start again.",
                status=400,
            )
        )

    def _purpose(self, visit: Visit) -> Purpose:
        return self._purposes[visit.interaction.purpose]

    def _factors(self, connection: Connection, account: Account) -> SecondFactors:
        return SecondFactors(connection, account.tenant_id, self._services.factor_sealer)


def _account(visit: Visit) -> Account:
    account = visit.interaction.account
    if account is None:
        raise OAuthError("request_malformed")
    return account


def _refuse_if_silent(visit: Visit, error: OAuthError) -> None:
    if visit.is_silent:
        raise error


def _problem(error: OAuthError) -> str:
    return f"AADSTS{login_faults_by_key()[error.key].code}: {fault_text(error)}"


def _weakness(current: str, new: str, again: str) -> str:
    if len(new) < MINIMUM_PASSWORD:
        return f"The new password needs at least {MINIMUM_PASSWORD} characters."
    if new == current:
        return "The new password is the old one."
    return "" if new == again else "The two new passwords differ."
