"""The handlers of the portal by the names that `operations/portal.toml` gives them."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, quote

from vedette.api.http import ApiRequest, ApiResponse, PublicHandler
from vedette.contracts.permissions import directory_role, load_directory_roles
from vedette.identity.accounts import MINIMUM_PASSWORD, check_password
from vedette.identity.change_log import Author, ChangeLog, Target
from vedette.identity.directory.tenants import Tenants
from vedette.identity.errors import DirectoryError
from vedette.identity.provisioning import Provisioning
from vedette.identity.services import IdentityServices
from vedette.portal.applications import ApplicationPages
from vedette.portal.enterprise import EnterprisePages
from vedette.portal.first_run import FirstRun
from vedette.portal.hunting import RUN, HuntingPages, HuntingParts
from vedette.portal.incidents import IncidentPages
from vedette.portal.people import PeoplePages
from vedette.portal.rendering import render, see
from vedette.portal.security import PermissionPages
from vedette.portal.session import end_session
from vedette.portal.signing_in import SignInFailedError, SigningIn, page_of
from vedette.portal.visit import SIGN_IN, Visit, guarded, read_form
from vedette.store.secrets import Secret

FIRST_RUN_FIELDS = ("name", "domain", "person", "alias")


class PortalSurface:
    """Server-rendered pages for administrators."""

    def __init__(self, services: IdentityServices, folder: Path, hunting: HuntingParts) -> None:
        """`folder` holds the ticket of the one-time link."""
        self._hunting = hunting
        self._services = services
        self._first_run = FirstRun(folder)
        self._signing_in = SigningIn(services)

    def handlers(self) -> Mapping[str, PublicHandler]:
        """Every built page."""
        sections = (
            (ApplicationPages(self._services).pages(), "manage_applications"),
            (EnterprisePages(self._services).pages(), "manage_applications"),
            (PeoplePages(self._services).pages(), "manage_users"),
            (HuntingPages(self._services, self._hunting).pages(), RUN),
            (IncidentPages(self._services).pages(), "view_data"),
            (PermissionPages(self._services).pages(), "manage_permissions"),
        )
        return {
            "home": guarded(self._services, _home, ""),
            "sign_in": self._sign_in,
            "signed_in": self._signed_in,
            "sign_out": guarded(self._services, _sign_out, ""),
            "first_run": self._show_first_run,
            "end_first_run": self._end_first_run,
            **{name: guarded(self._services, page, right) for pages, right in sections for name, page in pages.items()},
        }

    def _sign_in(self, request: ApiRequest) -> ApiResponse:
        query = parse_qs(request.query)
        account, target = query.get("account", [""])[0].strip(), page_of(query.get("to", [""])[0])
        tenant = self._signing_in.find_tenant(account) if account else self._signing_in.tenant_of_page(target)
        if tenant is not None:
            return self._signing_in.start(request, tenant, account, target)
        problem = "This server has no tenant of that name." if account else ""
        values = {"account": account, "problem": problem, "to": target}
        status = 404 if problem else 200
        return render("sign_in", "Sign in to the portal", values, base_url=request.base_url, status=status)

    def _signed_in(self, request: ApiRequest) -> ApiResponse:
        try:
            return self._signing_in.finish(request)
        except SignInFailedError as error:
            return render("message", "Not signed in", {"text": str(error)}, base_url=request.base_url, status=400)

    def _show_first_run(self, request: ApiRequest) -> ApiResponse:
        code = parse_qs(request.query).get("code", [""])[0]
        if not self._first_run.is_good(code, self._services.now()):
            return _refused_link(request)
        return _first_run_page(request, code, dict.fromkeys(FIRST_RUN_FIELDS, ""), "")

    def _end_first_run(self, request: ApiRequest) -> ApiResponse:
        form = {name: values[0].strip() for name, values in read_form(request).items()}
        code, password = form.get("code", ""), Secret(form.get("password", ""))
        if not self._first_run.is_good(code, self._services.now()):
            return _refused_link(request)
        values = {name: form.get(name, "") for name in FIRST_RUN_FIELDS}
        try:
            account = self._make_home(values, password)
        except DirectoryError as error:
            return _first_run_page(request, code, values, f"{error.kind}: {error.problem}.")
        return see(f"{SIGN_IN}?account={quote(account)}")

    def _make_home(self, values: Mapping[str, str], password: Secret[str]) -> str:
        """The home tenant, unless there is one, and its administrator; the administrator's account name."""
        check_password(password)
        administrator = next(role.display_name for role in load_directory_roles().values() if "*" in role.rights)
        with self._services.store.begin() as connection:
            provisioning = Provisioning(connection, self._services)
            before = home = next((record for record in Tenants(connection).all() if record.is_home), None)
            if home is None:
                home = provisioning.create_tenant(values["name"], values["domain"], is_home=True)
            account = f"{values['alias']}@{home.tenant.domain}"
            user = provisioning.create_user(
                home.tenant.tenant_id, account, values["person"], password, roles=[administrator]
            )
            author = Author(tenant_id=home.tenant.tenant_id, kind="user", object_id=user.id)
            log = ChangeLog(connection, self._services, author)
            if before is None:
                target = Target(home.tenant.tenant_id, home.tenant.display_name)
                log.tell("add_tenant", target, domain=home.tenant.domain)
            log.tell("add_user", user)
            log.tell("add_role_member", user, role=administrator)
            self._first_run.end()
        return account


def _first_run_page(request: ApiRequest, code: str, values: Mapping[str, str], problem: str) -> ApiResponse:
    shown = {"code": code, "values": values, "problem": problem, "minimum": MINIMUM_PASSWORD}
    status = 400 if problem else 200
    return render("first_run", "Set up this server", shown, base_url=request.base_url, status=status)


def _refused_link(request: ApiRequest) -> ApiResponse:
    text = {"text": "The link was used, or is too old. Make a new one with: vedette bootstrap"}
    return render("message", "This link does not work", text, base_url=request.base_url, status=403)


def _home(visit: Visit) -> ApiResponse:
    roles = [role.display_name for role_id in visit.session.role_ids if (role := directory_role(role_id))]
    return visit.show("home", "Portal", roles=sorted(roles))


def _sign_out(_visit: Visit) -> ApiResponse:
    return see(SIGN_IN, end_session())
