"""Sessions, forms and rights of the portal, without a browser or a socket."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pyarrow as pa
import pytest

from tests.api_fakes import HOME, OTHER, Application
from tests.asgi import Answer
from vedette.api.http import ApiRequest
from vedette.context import RequestContext
from vedette.contracts.operations import load_operations
from vedette.contracts.permissions import load_directory_roles
from vedette.errors import InvalidRequestError
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.results import QueryStatistics, Results
from vedette.hunting.service import Parameters
from vedette.identity.directory.applications import Applications
from vedette.identity.directory.users import User, Users
from vedette.identity.provisioning import Provisioning
from vedette.kql.compiled import ResultColumn
from vedette.kql.parser import parse
from vedette.kql.types import ScalarType
from vedette.portal.application import APP_ID
from vedette.portal.first_run import LIFETIME as LINK_LIFETIME
from vedette.portal.first_run import FirstRun
from vedette.portal.hunting import HuntingParts
from vedette.portal.permissions import find_apis
from vedette.portal.routes import PortalSurface
from vedette.portal.session import LIFETIME, new_session, read_session
from vedette.portal.signing_in import page_of
from vedette.store.secrets import Secret

PASSWORD = "quiet-Harbour-71"


class EchoedHunting:
    """Answers every query with two results: its text and values, and the scope that it was run with."""

    def run_all(
        self, ctx: RequestContext, query: str, timespan: str | None = None, parameters: Parameters | None = None
    ) -> tuple[Results, ...]:
        if timespan == "soon":
            raise InvalidRequestError("InvalidTimespan", value=timespan)
        parse(query)
        asked = ResultColumn("Asked", ScalarType.STRING), ResultColumn("Values", ScalarType.STRING)
        rows = pa.table([[query], [f"{timespan} {parameters}"]], names=["a", "b"])
        who = pa.table([[f"{ctx.tenant.tenant_id} {ctx.principal.display_name}"]], names=["a"])
        return (
            Results(asked, rows, STATISTICS, render={"visualization": "barchart"}),
            Results((ResultColumn("Who", ScalarType.STRING),), who, STATISTICS, name="second"),
        )


STATISTICS = QueryStatistics(0.0, 0.0, 0, 0, 0, 1, 1)
HUNTING = EchoedHunting()


class Browser:
    """Cookies and forms over the assembled application."""

    def __init__(self, application: Application, cookie: str = "") -> None:
        self.application = application
        self.cookie = cookie

    def get(self, target: str) -> Answer:
        return self.application.client().get(target, cookie=self.cookie)

    def post(self, target: str, **fields: str) -> Answer:
        headers = {"cookie": self.cookie, "content_type": "application/x-www-form-urlencoded"}
        return self.application.client().send("POST", target, body=urlencode(fields).encode(), headers=headers)

    def csrf(self, target: str = "/portal") -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(target).body.decode())
        assert found is not None
        return found[1]

    def submit(self, target: str, **fields: str) -> Answer:
        return self.post(target, csrf=self.csrf(), **fields)


def cookie_of(headers: dict[str, str]) -> str:
    return headers["set-cookie"].partition(";")[0]


@pytest.fixture
def portal(assembled: Callable[..., Application], tmp_path: Path) -> Application:
    """Two tenants with administrators, and the portal over them."""
    surface: list[PortalSurface] = []

    def handler(name: str) -> Callable[[ApiRequest], object]:
        def handle(request: ApiRequest) -> object:
            return surface[0].handlers()[name](request)

        return handle

    document = load_operations()["portal"]
    handlers = {operation.handler: handler(operation.handler) for operation in document.operations}
    application = assembled({"portal": (document, handlers)})
    surface.append(PortalSurface(application.identity, tmp_path, HuntingParts(HUNTING, ContractCatalog)))
    with application.store.begin() as connection:
        admin = Provisioning(connection, application.identity)
        for tenant_id, domain in ((HOME, "contoso.test"), (OTHER, "fabrikam.test")):
            admin.create_tenant(domain, domain, tenant_id=tenant_id, is_home=tenant_id == HOME)
            for alias, roles in (
                ("admin", ["Global Administrator"]),
                ("apps", ["Application Administrator"]),
                ("people", ["User Administrator"]),
                ("nobody", []),
            ):
                admin.create_user(tenant_id, f"{alias}@{domain}", alias, Secret(PASSWORD), roles=roles)
    return application


def person(portal: Application, name: str) -> User:
    tenant_id = HOME if name.endswith("contoso.test") else OTHER
    with portal.store.connect() as connection:
        return Users(connection, tenant_id).get(name)


def signed_in(portal: Application, name: str = "admin@contoso.test") -> Browser:
    user = person(portal, name)
    return Browser(portal, cookie_of(new_session(portal.identity, user.tenant_id, user.id)))


def registered(portal: Application, tenant_id: str = HOME, name: str = "Heron") -> str:
    with portal.store.begin() as connection:
        return Provisioning(connection, portal.identity).create_application(tenant_id, name).app_id


def test_without_a_session_every_page_leads_to_the_sign_in(portal: Application) -> None:
    public = {"sign_in", "signed_in", "first_run", "end_first_run"}
    for operation in load_operations()["portal"].operations:
        if operation.handler not in public:
            target = re.sub(r"\{\w+\}", HOME, operation.path)
            answer = portal.client().send(operation.method, target)
            asked = f"?to={quote(target, safe='')}" if operation.method == "GET" and target != "/portal" else ""
            assert (answer.status, answer.headers["location"]) == (303, f"/portal/sign-in{asked}"), operation.handler


def test_the_way_to_the_login_service_carries_pkce_state_and_nonce(portal: Application) -> None:
    answer = portal.client().get("/portal/sign-in?account=admin@contoso.test")
    location = urlsplit(answer.headers["location"])
    assert (answer.status, location.path) == (303, f"/{HOME}/oauth2/v2.0/authorize")
    query = {name: values[0] for name, values in parse_qs(location.query).items()}
    assert query["client_id"] == APP_ID
    assert query["redirect_uri"] == "https://localhost/portal/signed-in"
    assert query["code_challenge_method"] == "S256"
    assert all(len(query[name]) >= 43 for name in ("code_challenge", "state", "nonce"))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax"))
    assert query["state"] not in cookie
    for bad in ("code=x", "code=x&state=y", "state=y"):
        back = Browser(portal, cookie.partition(";")[0]).get(f"/portal/signed-in?{bad}")
        assert back.status == 400
        assert "set-cookie" not in back.headers


@pytest.mark.parametrize(
    ("to", "page"),
    [
        ("/portal/incidents/1?tid=x", "/portal/incidents/1?tid=x"),
        ("https://elsewhere.example/portal", "/portal"),
        ("//elsewhere.example/portal", "/portal"),
        ("/portal/..//elsewhere.example", "/portal"),
        ("/portal.elsewhere.example", "/portal"),
        ("/portal/incidents\r\nset-cookie: a=b", "/portal"),
        ("/portal/incidents\\elsewhere.example", "/portal"),
        ("", "/portal"),
    ],
)
def test_a_sign_in_ends_on_a_page_of_the_portal(to: str, page: str) -> None:
    assert page_of(to) == page


def test_a_link_names_the_tenant_to_sign_in_to(portal: Application) -> None:
    target = quote(f"/portal/incidents/1?tid={OTHER}", safe="")
    answer = portal.client().get(f"/portal/sign-in?to={target}")
    assert urlsplit(answer.headers["location"]).path == f"/{OTHER}/oauth2/v2.0/authorize"
    unknown = portal.client().get(f"/portal/sign-in?to={target[:-4]}0000")
    assert unknown.status == 200
    assert f'name="to" value="/portal/incidents/1?tid={OTHER[:-4]}0000"' in unknown.body.decode()


def test_a_session_ends_with_time_password_or_account(portal: Application) -> None:
    browser, user = signed_in(portal), person(portal, "admin@contoso.test")
    assert browser.get("/portal/apps").status == 200
    altered = Browser(portal, browser.cookie[:-4] + "AAAA")
    elsewhere = Browser(portal, browser.cookie.replace(HOME, OTHER))
    assert altered.get("/portal/apps").status == elsewhere.get("/portal/apps").status == 303
    with portal.store.begin() as connection:
        Provisioning(connection, portal.identity).set_user_password(HOME, user.id, Secret("another-Harbour-72"))
    assert browser.get("/portal/apps").status == 303
    later = signed_in(portal, "apps@contoso.test")
    portal.clock.advance(LIFETIME)
    assert later.get("/portal/apps").status == 303
    disabled = signed_in(portal, "people@contoso.test")
    with portal.store.begin() as connection:
        Provisioning(connection, portal.identity).set_user_enabled(HOME, "people@contoso.test", False)
    assert disabled.get("/portal/users").status == 303


@pytest.mark.parametrize(
    ("name", "path", "status"),
    [
        ("admin", "apps", 200),
        ("admin", "users", 200),
        ("apps", "apps", 200),
        ("apps", "enterprise", 200),
        ("apps", "users", 403),
        ("people", "users", 200),
        ("people", "apps", 403),
        ("nobody", "apps", 403),
        ("nobody", "users", 403),
    ],
)
def test_roles_decide_what_is_shown(portal: Application, name: str, path: str, status: int) -> None:
    assert signed_in(portal, f"{name}@contoso.test").get(f"/portal/{path}").status == status


def test_pages_let_nothing_in(portal: Application) -> None:
    answer = signed_in(portal).get("/portal/apps")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"


def test_a_form_needs_the_sessions_own_token(portal: Application) -> None:
    browser, other = signed_in(portal), signed_in(portal, "apps@contoso.test")
    for csrf in ("", "x", other.csrf()):
        assert browser.post("/portal/apps", csrf=csrf, name="Heron", kind="web").status == 403
    with portal.store.connect() as connection:
        assert Applications(connection, HOME).all() == []


def test_the_walk_from_registration_to_consent(portal: Application) -> None:
    browser = signed_in(portal)
    target = browser.submit("/portal/apps", name="Heron <b>", kind="web").headers["location"]
    page = browser.get(target).body.decode()
    assert "Heron &lt;b&gt;" in page
    assert "Nothing is granted" in page
    with portal.store.connect() as connection:
        assert [api.name for api in find_apis(connection, HOME, "")] == ["Microsoft Graph"]
        [mtp] = find_apis(connection, HOME, "threat PROT")
    picker = browser.get(f"{target}/permissions?api={mtp.app_id}").body.decode()
    wanted = re.search(rf'value="({mtp.app_id}/Role/[^"]+)"[^<]*><span><code>Incident.Read.All<', picker)
    assert wanted is not None
    browser.submit(f"{target}/permissions", action="add", permission=wanted[1])
    assert "Not granted" in browser.get(f"{target}/permissions").body.decode()
    assert "no effect until" in browser.get(target).body.decode()
    browser.submit(f"{target}/permissions", action="consent")
    assert "✓ Granted" in browser.get(f"{target}/permissions").body.decode()
    assert "Incident.Read.All" in browser.get(target).body.decode()
    browser.submit(f"{target}/permissions", action="remove", permission=wanted[1])
    assert "Granted, not configured" in browser.get(f"{target}/permissions").body.decode()


def test_consent_needs_a_right_of_its_own(portal: Application) -> None:
    app_id, browser = registered(portal), signed_in(portal, "apps@contoso.test")
    assert browser.submit(f"/portal/apps/{app_id}/permissions", action="consent").status == 403


def test_a_secret_is_shown_in_one_answer_only(portal: Application) -> None:
    app_id, browser = registered(portal), signed_in(portal)
    target = f"/portal/apps/{app_id}/credentials"
    answer = browser.submit(target, action="add-secret", name="first", months="6")
    found = re.search(r'id="secret-value">([^<]+)<', answer.body.decode())
    assert found is not None
    assert found[1] not in browser.get(target).body.decode()
    assert browser.submit(target, action="add-secret", months="600").status == 400
    assert browser.submit(target, action="add-certificate", certificate="nonsense").status == 400


def test_the_portal_works_in_its_own_tenant_only(portal: Application) -> None:
    app_id, browser = registered(portal, OTHER, "Foreign"), signed_in(portal)
    assert "Foreign" not in browser.get("/portal/apps").body.decode()
    for path in (f"apps/{app_id}", f"apps/{app_id}/permissions", f"apps/{app_id}/credentials"):
        assert browser.get(f"/portal/{path}").status == 400
    assert browser.submit(f"/portal/apps/{app_id}", action="delete", confirm="Foreign").status == 400
    foreign = person(portal, "nobody@fabrikam.test")
    assert browser.get(f"/portal/users/{foreign.id}").status == 400
    assert browser.submit(f"/portal/users/{foreign.id}", action="delete").status == 400


def test_only_who_may_do_everything_changes_accounts_with_roles(portal: Application) -> None:
    browser, admin = signed_in(portal, "people@contoso.test"), person(portal, "admin@contoso.test")
    for action in ("reset-password", "disable", "delete", "roles"):
        assert browser.submit(f"/portal/users/{admin.id}", action=action).status == 403
    nobody = person(portal, "nobody@contoso.test")
    answer = browser.submit(f"/portal/users/{nobody.id}", action="reset-password")
    assert "password-value" in answer.body.decode()
    role = load_directory_roles()["Global Administrator"].id
    assert browser.submit(f"/portal/users/{nobody.id}", action="roles", role=role).status == 403


def test_a_tenant_keeps_an_administrator(portal: Application) -> None:
    browser, admin = signed_in(portal), person(portal, "admin@contoso.test")
    assert browser.submit(f"/portal/users/{admin.id}", action="roles").status == 400
    assert browser.submit(f"/portal/users/{admin.id}", action="delete").status == 400
    with portal.store.connect() as connection:
        assert Users(connection, HOME).role_ids(admin)


def test_the_one_time_link(tmp_path: Path) -> None:
    link = FirstRun(tmp_path)
    assert not link.is_good("x", 0)
    code = link.issue(100)
    assert code not in (tmp_path / "first-run.json").read_text()
    assert (tmp_path / "first-run.json").stat().st_mode & 0o077 == 0
    assert link.is_good(code, 100 + LINK_LIFETIME - 1)
    assert not link.is_good(code, 100 + LINK_LIFETIME)
    assert not link.is_good(code + "x", 100)
    assert [link.end(), link.end()] == [True, False]
    assert not link.is_good(code, 100)


def test_read_session_needs_the_cookie(portal: Application) -> None:
    request = ApiRequest("GET", "/portal", {}, "", {}, b"", "https://localhost", "192.0.2.1", "r")
    with portal.store.connect() as connection:
        assert read_session(connection, portal.identity, request) is None


def test_a_query_shows_all_its_results(portal: Application) -> None:
    browser = signed_in(portal)
    answer = browser.submit("/portal/hunting", query="print <b>1", timespan="", values="", action="run")
    assert answer.status == 400
    assert "Line 1, column 7" in answer.body.decode()
    answer = browser.submit("/portal/hunting", query="print '<b>'", timespan="P1D", values="n = 5\nno", action="run")
    page = answer.body.decode()
    assert answer.status == 200
    assert "print &#39;&lt;b&gt;&#39;" in page
    assert "P1D {&#39;n&#39;: &#39;5&#39;}" in page
    assert "<svg" not in page, "texts make no chart"
    assert "second" in page
    assert f"{HOME} admin" in page
    answer = browser.submit("/portal/hunting", query="print 1", timespan="soon", action="run")
    assert answer.status == 400


def test_a_query_saved_as_function_is_the_tenants_own(portal: Application) -> None:
    browser = signed_in(portal)
    fields = {"query": "print x = n", "parameters": "n: long", "description": "<i>", "action": "save"}
    answer = browser.submit("/portal/hunting", name="Mine", **fields)
    assert (answer.status, answer.headers["location"]) == (303, "/portal/hunting/functions/Mine")
    page = browser.get("/portal/hunting/functions/Mine").body.decode()
    assert "Mine(n: long)" in page
    assert "print x = n" in page
    assert "&lt;i&gt;" in page
    for name, problem in (("Mine", "already"), ("DeviceInfo", "name of a table"), ("a b", "cannot name")):
        assert problem in browser.submit("/portal/hunting", name=name, **fields).body.decode()
    other = signed_in(portal, "admin@fabrikam.test")
    assert "Mine" not in other.get("/portal/hunting").body.decode()
    assert "Mine" in browser.get("/portal/hunting").body.decode()
    assert browser.submit("/portal/hunting/functions/Mine").status == 303
    assert "Mine(" not in browser.get("/portal/hunting").body.decode()


def test_hunting_needs_its_right_and_saving_another(portal: Application) -> None:
    assert signed_in(portal, "people@contoso.test").get("/portal/hunting").status == 403
    with portal.store.begin() as connection:
        provisioning = Provisioning(connection, portal.identity)
        provisioning.create_user(HOME, "r@contoso.test", "r", Secret(PASSWORD), roles=["Security Reader"])
    reader = signed_in(portal, "r@contoso.test")
    assert "Save as function" not in reader.get("/portal/hunting").body.decode()
    answer = reader.submit("/portal/hunting", query="print 1", name="Mine", action="save")
    assert answer.status == 403
