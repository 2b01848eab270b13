"""The sign-in pages in a real browser: keyboard alone, no JavaScript, light and dark, wide and narrow."""
# ruff: noqa: F811 — fixtures of another module are named as arguments

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import msal
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.compat.conftest import DemoServer, demo_server, outside_certificate, trusted  # noqa: F401 — fixtures
from vedette.identity.directory import totp
from vedette.identity.directory.account_policies import AccountPolicy
from vedette.identity.provisioning import Provisioning
from vedette.server.data_folder import existing_data_folder
from vedette.server.wiring import Services
from vedette.settings import load_settings

CHROMIUM = "/usr/bin/chromium"
REDIRECT = "http://localhost:18160/"
INCIDENTS = "https://api.security.microsoft.com/Incident.Read"

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or (CHROMIUM if os.path.exists(CHROMIUM) else None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing")
        pytest.skip("Chromium is missing")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=["light-wide", "dark-narrow"])
def context(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    """A browser without JavaScript."""
    scheme, _, width = request.param.partition("-")
    context = chromium.new_context(
        ignore_https_errors=True,
        java_script_enabled=False,
        color_scheme=scheme,
        viewport={"width": 1000 if width == "wide" else 360, "height": 800},
    )
    yield context
    context.close()


class Application(BaseHTTPRequestHandler):
    """What waits for the answer on the loopback host."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.end_headers()
        self.wfile.write(b"back at the application")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module", autouse=True)
def application() -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", urlsplit(REDIRECT).port or 0), Application)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def services(demo_server: DemoServer) -> Iterator[Services]:
    services = Services(load_settings({"data": demo_server.data}, {}), existing_data_folder(demo_server.data))
    yield services
    services.close()


def authorize(server: DemoServer, **changes: str) -> str:
    query = {
        "client_id": str(server.app("public")["client_id"]),
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": f"{INCIDENTS} openid",
        "state": "s-1",
    } | changes
    return f"{server.base_url}/{server.home['tenant_id']}/oauth2/v2.0/authorize?{urlencode(query)}"


def person(server: DemoServer, name: str) -> tuple[str, str]:
    users = {user["upn"]: user["password"] for user in server.demo["users"]}  # type: ignore[attr-defined]
    return name, str(users[name])


def sign_in(page: Page, name: str, password: str) -> None:
    """With the keyboard alone: the first field has the focus, Tab leads through the form in order."""
    page.locator("#username:focus").wait_for()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    send(page)


def send(page: Page) -> None:
    """Press Enter and wait for the next page."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def assert_accessible(page: Page) -> None:
    """Landmarks, one heading, labels, nothing wider than the screen."""
    assert page.locator("main").count() == 1
    assert page.locator("header").count() == 1
    assert page.locator("footer").count() == 1
    assert page.locator("h1").count() == 1
    for field in page.locator("input:visible").all():
        identity = field.get_attribute("id")
        inside = field.locator("xpath=ancestor::label").count()
        assert inside or page.locator(f"label[for='{identity}']").count() == 1
    box = page.locator("main").bounding_box()
    size = page.viewport_size
    assert box is not None
    assert size is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]


def test_sign_in_with_the_keyboard_alone(demo_server: DemoServer, page: Page) -> None:
    page.goto(authorize(demo_server))
    assert_accessible(page)
    name, password = person(demo_server, f"analyst@{demo_server.home['domain']}")
    sign_in(page, name, "not the password")
    alert = page.get_by_role("alert")
    assert "AADSTS50126" in alert.inner_text()
    assert page.locator("#username").input_value() == name
    page.locator("#password:focus").wait_for()
    page.keyboard.type(password)  # the focus is where the mistake was
    send(page)
    query = parse_qs(urlsplit(page.url).query)
    assert query["state"] == ["s-1"]
    assert query["code"]


def test_the_answer_as_a_form(demo_server: DemoServer, page: Page) -> None:
    page.goto(authorize(demo_server, response_mode="form_post"))
    sign_in(page, *person(demo_server, f"analyst@{demo_server.home['domain']}"))
    assert_accessible(page)
    page.get_by_role("button", name="Continue").focus()
    send(page)
    assert page.url == REDIRECT
    assert page.inner_text("body") == "back at the application"


def test_the_form_sends_itself_where_scripts_run(demo_server: DemoServer, chromium: Browser) -> None:
    context = chromium.new_context(ignore_https_errors=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.goto(authorize(demo_server, response_mode="form_post"))
    sign_in(page, *person(demo_server, f"analyst@{demo_server.home['domain']}"))
    page.wait_for_url(REDIRECT)
    assert problems == []
    context.close()


def test_the_partners_consent_link(
    trusted: DemoServer, demo_server: DemoServer, page: Page, services: Services
) -> None:
    partner = str(demo_server.app("multitenant")["client_id"])
    link = {"prompt": "consent", "client_id": partner, "response_type": "code", "sso_reload": "true"}
    page.goto(f"{demo_server.base_url}/common/oauth2/authorize?{urlencode(link)}")
    sign_in(page, *person(demo_server, f"admin@{demo_server.customer['domain']}"))
    assert_accessible(page)
    items = page.get_by_role("list").get_by_role("listitem").all_inner_texts()
    assert any("Read all incidents" in item for item in items)
    assert str(demo_server.home["name"]) in page.inner_text("dl")
    with services.store.begin() as connection:
        customer = str(demo_server.customer["tenant_id"])
        Provisioning(connection, services.identity).withdraw_consent(customer, partner)
    assert "error" in token(demo_server, partner)
    page.get_by_role("button", name="Accept").focus()
    send(page)
    assert page.locator("h1").inner_text() == "Done"
    assert "access_token" in token(demo_server, partner)


def token(server: DemoServer, client_id: str) -> dict[str, object]:
    """The partner's own token in the customer's tenant."""
    app = msal.ConfidentialClientApplication(
        client_id,
        client_credential=server.app("multitenant")["client_secret"],
        authority=f"{server.base_url}/{server.customer['tenant_id']}",
        instance_discovery=False,
    )
    answer: dict[str, object] = app.acquire_token_for_client(["https://api.security.microsoft.com/.default"])
    return answer


def test_a_devices_sign_in(trusted: DemoServer, demo_server: DemoServer, page: Page) -> None:
    app = msal.PublicClientApplication(
        demo_server.app("public")["client_id"],
        authority=f"{demo_server.base_url}/{demo_server.home['tenant_id']}",
        instance_discovery=False,
    )
    flow = app.initiate_device_flow([INCIDENTS])
    page.goto(flow["verification_uri"])
    assert_accessible(page)
    page.locator("#user-code:focus").wait_for()
    page.keyboard.type(flow["user_code"])
    send(page)
    sign_in(page, *person(demo_server, f"operator@{demo_server.home['domain']}"))
    assert "another device" in page.inner_text("main")
    page.get_by_role("button", name="Continue").focus()
    send(page)
    assert page.locator("h1").inner_text() == "You are signed in"
    assert "access_token" in app.acquire_token_by_device_flow(flow)


def test_enrolment_of_a_second_factor(
    demo_server: DemoServer,
    page: Page,
    services: Services,
) -> None:
    name, password = person(demo_server, f"admin@{demo_server.home['domain']}")
    home = str(demo_server.home["tenant_id"])
    with services.store.begin() as connection:
        admin = Provisioning(connection, services.identity)
        admin.reset_second_factor(home, name)
        admin.set_account_policy(home, name, AccountPolicy(second_factor_required=True))
    page.goto(authorize(demo_server))
    sign_in(page, name, password)
    assert_accessible(page)
    assert page.locator("svg.qr").is_visible()
    secret = totp.from_base32("".join(page.inner_text("#secret").split()))
    page.get_by_label("Code of the app").fill(totp.code_at(secret, services.identity.now() // totp.STEP_SECONDS))
    send(page)
    assert "code" in parse_qs(urlsplit(page.url).query)


def test_an_error_has_its_number_and_ids(demo_server: DemoServer, page: Page) -> None:
    page.goto(authorize(demo_server, redirect_uri="https://elsewhere.example/"))
    assert_accessible(page)
    assert "AADSTS50011" in page.inner_text("dl")
    assert "Correlation id" in page.inner_text("dl")
    assert urlsplit(page.url).netloc == urlsplit(demo_server.base_url).netloc
