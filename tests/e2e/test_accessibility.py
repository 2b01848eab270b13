"""Every page of the login service and the portal under axe's rules, at 320 pixels and wide, dark and light."""
# ruff: noqa: F811 — fixtures of another module are named as arguments

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.compat.conftest import DemoServer, demo_server, outside_certificate  # noqa: F401 — fixtures
from tests.conftest import lacking
from vedette.clock import SystemClock
from vedette.identity.directory import totp
from vedette.identity.directory.account_policies import AccountPolicy
from vedette.identity.provisioning import Provisioning
from vedette.server.data_folder import existing_data_folder
from vedette.server.wiring import Services
from vedette.settings import load_settings
from vedette.store.secrets import Secret

from .conftest import RunningServer, vedette

CHROMIUM = "/usr/bin/chromium"
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
UNKNOWN_APP = "5d6b6bb7-de71-4623-b4af-96380a352509"

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core's source, fresh from npm."""
    npm = shutil.which("npm")
    if npm is None:
        lacking("npm is missing")
    folder = tmp_path_factory.mktemp("axe")
    command = [str(npm), "install", "--no-audit", "--no-fund", "axe-core"]
    if subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False).returncode != 0:
        lacking("axe-core of the npm registry is missing")
    return (Path(folder) / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or (CHROMIUM if os.path.exists(CHROMIUM) else None)
    if found is None:
        lacking("Chromium is missing")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=[(320, "dark"), (1280, "light")], ids=["narrow", "wide"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    width, scheme = request.param
    viewport = {"width": width, "height": 800}
    context = chromium.new_context(ignore_https_errors=True, color_scheme=scheme, viewport=viewport)
    yield context.new_page()
    context.close()


class Inspector:
    """Looks at the page that is open; `problems` gathers what is wrong, by the page's title."""

    def __init__(self, page: Page, axe: str) -> None:
        self._page = page
        self._axe = axe
        self.problems: list[str] = []
        self.seen = 0

    @property
    def width(self) -> int:
        """Of the screen, in pixels."""
        size = self._page.viewport_size
        assert size is not None
        return size["width"]

    def look(self) -> None:
        page, self.seen = self._page, self.seen + 1
        if (folder := os.environ.get("SCREENSHOTS")) is not None:
            page.screenshot(
                path=f"{folder}/{self.width} {self.seen:02} {page.title()[:40]}.png".replace("–", "-"), full_page=True
            )
        page.evaluate(self._axe)
        for found in page.evaluate(f"axe.run(document, {RULES})")["violations"]:
            self.problems.append(f"{page.title()}: {found['id']} {[each['target'] for each in found['nodes']]}")
        if page.evaluate("document.documentElement.scrollWidth") > self.width:
            self.problems.append(f"{page.title()}: wider than the screen")
        cut = page.evaluate(
            "[...document.querySelectorAll('td, dd, li, label, button')]"
            ".filter(each => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0"
            " && getComputedStyle(each).display !== 'inline' && !each.querySelector('pre'))"
            ".map(each => each.textContent.trim().slice(0, 40))"
        )
        self.problems += [f"{page.title()}: {text!r} does not fit" for text in cut]

    def open(self, address: str) -> None:
        self._page.goto(address)
        self.look()


def authorize(server: DemoServer, **changes: str) -> str:
    query = {
        "client_id": str(server.app("public")["client_id"]),
        "response_type": "code",
        "redirect_uri": "http://localhost",
        "scope": "https://api.security.microsoft.com/Incident.Read openid",
    } | changes
    return f"{server.base_url}/{server.home['tenant_id']}/oauth2/v2.0/authorize?{urlencode(query)}"


def sign_in(page: Page, server: DemoServer, tenant: dict[str, object]) -> None:
    name = f"admin@{tenant['domain']}"
    users = {user["upn"]: user["password"] for user in server.demo["users"]}  # type: ignore[attr-defined]
    page.fill("#username", name)
    page.fill("#password", users[name])
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_the_login_service(demo_server: DemoServer, page: Page, axe: str) -> None:
    base, inspector = demo_server.base_url, Inspector(page, axe)
    inspector.open(authorize(demo_server))
    page.fill("#username", "nobody@nowhere.example")
    page.fill("#password", "wrong")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    inspector.look()
    inspector.open(authorize(demo_server, redirect_uri="https://elsewhere.example/"))
    inspector.open(f"{base}/devicelogin")
    partner = {"client_id": str(demo_server.app("multitenant")["client_id"]), "response_type": "code"}
    page.goto(f"{base}/common/oauth2/authorize?{urlencode({**partner, 'prompt': 'consent'})}")
    sign_in(page, demo_server, demo_server.customer)
    inspector.look()
    inspector.open(authorize(demo_server, prompt="select_account"))
    inspector.open(f"{base}/{demo_server.home['tenant_id']}/oauth2/v2.0/logout")
    assert inspector.problems == []
    assert inspector.seen == 7


def test_the_portal(demo_server: DemoServer, page: Page, axe: str) -> None:
    root, inspector = f"{demo_server.base_url}/portal", Inspector(page, axe)
    inspector.open(root)
    page.fill("#account", f"admin@{demo_server.home['domain']}")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_selector("#username")
    sign_in(page, demo_server, demo_server.home)
    page.wait_for_url(root)
    inspector.look()
    paths = ("apps", "apps/new", "enterprise", "users", "users/new", "permissions", "hunting", "incidents")
    for path in (*paths, f"apps/{UNKNOWN_APP}"):
        inspector.open(f"{root}/{path}")
    app = f"{root}/apps/{demo_server.app('confidential')['client_id']}"
    for path in ("", "/permissions", "/permissions?q=Microsoft", "/credentials"):
        inspector.open(app + path)
    for section in ("enterprise", "users"):
        page.goto(f"{root}/{section}")
        with page.expect_navigation():
            page.locator("main table a").first.click()
        inspector.look()
    for button, name in (("Add device group", "Herons"), ("Add role", "Watchers")):
        page.goto(f"{root}/permissions")
        form = page.locator("form").filter(has=page.get_by_role("button", name=button))
        form.locator("input[name=name]").fill(f"{name} {inspector.width}")
        if form.locator("input[name=permission]").count():
            form.locator("input[name=permission]").first.check()
        with page.expect_navigation():
            form.get_by_role("button", name=button).click()
        inspector.look()
    page.goto(f"{root}/users")
    with page.expect_navigation():
        page.get_by_role("link", name="operator").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Reset password").click()
    assert page.locator("#password-value").is_visible()
    inspector.look()
    assert inspector.problems == []
    assert inspector.seen == 20


def test_a_new_password_and_a_second_factor(
    demo_server: DemoServer, page: Page, axe: str, request: pytest.FixtureRequest
) -> None:
    inspector, home = Inspector(page, axe), demo_server.home
    name, password = f"wren-{request.node.callspec.id}@{home['domain']}", "quiet-Harbour-71"
    services = Services(load_settings({"data": demo_server.data}, {}), existing_data_folder(demo_server.data))
    with services.store.begin() as connection:
        admin = Provisioning(connection, services.identity)
        admin.create_user(str(home["tenant_id"]), name, "Wren", Secret(password))
        policy = AccountPolicy(must_change_password=True, second_factor_required=True)
        admin.set_account_policy(str(home["tenant_id"]), name, policy)
    services.close()

    def send(**fields: str) -> None:
        for field, value in fields.items():
            page.fill(f"#{field}", value)
        with page.expect_navigation():
            page.keyboard.press("Enter")

    start = f"{demo_server.base_url}/portal/sign-in?{urlencode({'account': name})}"
    page.goto(start)
    send(username=name, password=password)
    inspector.look()
    send(current=password, new="three-Quiet-harbours", again="three-other-harbours")  # told so, on the same page
    inspector.look()
    send(current=password, new="three-Quiet-harbours", again="three-Quiet-harbours")
    inspector.look()
    send(code="000000")
    inspector.look()
    secret = totp.from_base32("".join(page.inner_text("#secret").split()))
    send(code=totp.code_at(secret, int(SystemClock().time()) // totp.STEP_SECONDS))
    page.context.clear_cookies()
    page.goto(start)
    send(username=name, password="three-Quiet-harbours")
    inspector.look()
    assert page.locator("input[autocomplete=one-time-code]").is_visible()
    send(code="000000")
    inspector.look()
    assert inspector.problems == []
    assert inspector.seen == 6


def test_the_page_of_the_first_run(tmp_path_factory: pytest.TempPathFactory, page: Page, axe: str) -> None:
    data, inspector = tmp_path_factory.mktemp("first") / "data", Inspector(page, axe)
    server = RunningServer(data, "--single")
    try:
        server.wait_until_ready()
        inspector.open(vedette("bootstrap", "--data", data).stdout.strip())
    finally:
        assert server.stop() == 0
    assert inspector.problems == []
