"""The portal in a real browser without JavaScript: register → permission → consent → secret → token → call."""
# ruff: noqa: F811 — fixtures of another module are named as arguments

import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.compat.conftest import DemoServer, demo_server, outside_certificate  # noqa: F401 — fixtures

from .conftest import RunningServer, vedette

CHROMIUM = "/usr/bin/chromium"
XDR = "https://api.security.microsoft.com"
PASSWORD = "quiet-Harbour-71"

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


@pytest.fixture(params=[(1280, "light"), (360, "dark")], ids=["wide", "narrow"])
def context(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    width, scheme = request.param
    context = chromium.new_context(
        ignore_https_errors=True,
        java_script_enabled=False,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
    )
    yield context
    context.close()


def user(demo: DemoServer, alias: str) -> Any:
    return next(each for each in demo.demo["users"] if each["upn"] == f"{alias}@{demo.home['domain']}")


def sign_in(page: Page, base_url: str, account: str, password: str, path: str = "/portal") -> None:
    page.goto(base_url + path)
    if page.locator("#account").count():
        page.fill("#account", account)
        page.click("button")
    if page.locator("input[name=username]").count():
        page.fill("input[name=username]", account)
        if not page.locator("input[type=password]").count():
            page.locator("main button").first.click()
    page.fill("input[type=password]", password)
    page.locator("main button:not(.plain)").first.click()


def token_answer(context: BrowserContext, base_url: str, tenant: str, app: str, secret: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_id": app,
        "client_secret": secret,
        "scope": f"{XDR}/.default",
    }
    return context.request.post(f"{base_url}/{tenant}/oauth2/v2.0/token", form=form)


def incidents(context: BrowserContext, base_url: str, token: str) -> int:
    answer = context.request.get(f"{base_url}/api/incidents?$top=1", headers={"Authorization": f"Bearer {token}"})
    return answer.status


def fits(page: Page) -> bool:
    """Whether nothing sticks out to the side: measured from outside, since the page runs no script."""
    box, viewport = page.locator("body").bounding_box(), page.viewport_size
    assert box is not None
    assert viewport is not None
    return box["width"] <= viewport["width"]


def test_the_whole_walk(demo_server: DemoServer, context: BrowserContext) -> None:
    base, admin, page = demo_server.base_url, user(demo_server, "admin"), context.new_page()
    sign_in(page, base, admin["upn"], admin["password"])
    expect(page.get_by_role("heading", name="Portal")).to_be_visible()
    page.get_by_role("link", name="App registrations").first.click()
    page.get_by_role("link", name="New registration").click()
    page.get_by_label("Name", exact=True).fill("Walker")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("Nothing is granted")).to_be_visible()
    app, tenant = page.locator("#app-id").inner_text(), page.locator("#tenant-id").inner_text()

    page.get_by_role("link", name="API permissions").click()
    assert page.get_by_role("link", name="Microsoft Threat Protection").count() == 0
    page.get_by_label("Find an API by its name").fill("microsoft threat")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Microsoft Threat Protection").click()
    page.locator("label", has=page.locator("code", has_text=re.compile(r"^Incident\.Read\.All$"))).click()
    page.get_by_role("button", name="Add permissions").click()
    expect(page.get_by_text("Not granted")).to_be_visible()
    assert fits(page)

    page.get_by_role("link", name="Certificates & secrets").click()
    page.get_by_label("Description of the secret").fill("laptop")
    page.get_by_role("button", name="New client secret").click()
    secret = page.locator("#secret-value").inner_text()
    assert len(secret) == 40
    page.get_by_role("link", name="Certificates & secrets").click()
    assert secret not in page.content()
    before = token_answer(context, base, tenant, app, secret).json()["access_token"]
    assert incidents(context, base, before) == 403

    page.get_by_role("link", name="API permissions").click()
    page.get_by_role("button", name="Grant admin consent").click()
    expect(page.get_by_text("✓ Granted")).to_be_visible()
    after = token_answer(context, base, tenant, app, secret).json()["access_token"]
    assert incidents(context, base, after) == 200
    page.get_by_role("link", name="Overview").click()
    expect(page.locator("pre").first).to_contain_text('"Incident.Read.All"')
    assert fits(page)

    page.get_by_role("link", name="Enterprise applications").click()
    page.get_by_role("link", name="Walker").first.click()
    page.get_by_role("button", name="Disable").click()
    assert token_answer(context, base, tenant, app, secret).status == 400
    page.get_by_role("button", name="Enable").click()
    page.get_by_role("button", name="Revoke Incident.Read.All").click()
    expect(page.get_by_text("None.").first).to_be_visible()
    page.goto(f"{base}/portal/apps/{app}")
    page.get_by_text("Delete this registration").click()
    page.get_by_label("Type its name to confirm").fill("Walker")
    page.get_by_role("button", name="Delete", exact=True).click()
    assert token_answer(context, base, tenant, app, secret).status == 400


def test_a_user_is_made_and_signs_in_with_the_password_shown_once(
    demo_server: DemoServer, context: BrowserContext, chromium: Browser, request: pytest.FixtureRequest
) -> None:
    base, admin, page = demo_server.base_url, user(demo_server, "admin"), context.new_page()
    sign_in(page, base, admin["upn"], admin["password"])
    page.get_by_role("link", name="Users").first.click()
    page.get_by_role("link", name="New user").click()
    alias = f"grace-{request.node.callspec.id}"
    page.get_by_label("Name", exact=True).fill("Grace Moss")
    page.get_by_label("Account, before the @").fill(alias)
    page.get_by_role("button", name="Create").click()
    password = page.locator("#password-value").inner_text()
    page.get_by_label("User Administrator").check()
    page.get_by_role("button", name="Save roles").click()
    expect(page.get_by_label("User Administrator")).to_be_checked()
    assert password not in page.content()

    other = chromium.new_context(ignore_https_errors=True, java_script_enabled=False)
    hers = other.new_page()
    sign_in(hers, base, f"{alias}@{demo_server.home['domain']}", password)
    expect(hers.locator("input[type=password]").first).to_be_visible()  # a new password is asked for
    other.close()


def test_who_has_no_role_manages_nothing(demo_server: DemoServer, context: BrowserContext) -> None:
    base, analyst, page = demo_server.base_url, user(demo_server, "analyst"), context.new_page()
    sign_in(page, base, analyst["upn"], analyst["password"])
    sections = page.get_by_role("navigation", name="Sections").get_by_role("link")
    assert sections.all_inner_texts() == ["Incidents", "Hunting"]  # to see, not to manage
    for path in ("apps", "users", "enterprise"):
        answer = page.goto(f"{base}/portal/{path}")
        assert answer is not None
        assert answer.status == 403
    page.get_by_role("button", name="Sign out").click()
    answer = page.goto(f"{base}/portal/apps")
    assert answer is not None
    assert "/portal/sign-in" in page.url


def test_a_link_of_an_answer_leads_through_the_sign_in_to_its_page(
    demo_server: DemoServer, context: BrowserContext
) -> None:
    analyst, page = user(demo_server, "analyst"), context.new_page()
    link = f"/portal/incidents/1?tid={analyst['tenant_id']}"
    sign_in(page, demo_server.base_url, analyst["upn"], analyst["password"], link)
    page.wait_for_url(demo_server.base_url + link)
    assert page.inner_text("h1").startswith("Incident 1: ")


def test_the_one_time_link_makes_the_first_administrator(tmp_path_factory: Any, chromium: Browser) -> None:
    data = tmp_path_factory.mktemp("first") / "data"
    server = RunningServer(data, "--single")
    try:
        base = server.wait_until_ready()
        link = vedette("bootstrap", "--data", data).stdout.strip()
        assert link.startswith(f"{base}/portal/first-run?code=")
        context = chromium.new_context(ignore_https_errors=True, java_script_enabled=False)
        page = context.new_page()
        page.goto(link)
        page.get_by_label("Name of the organisation").fill("Heron Works")
        page.get_by_label("Domain").fill("heron.example")
        page.get_by_label("Your name").fill("Ada")
        page.get_by_label("Your account, before the @").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make tenant").click()
        page.fill("input[type=password]", PASSWORD)
        page.locator("main button:not(.plain)").first.click()
        expect(page.get_by_text("Global Administrator")).to_be_visible()
        again = page.goto(link)
        assert again is not None
        assert again.status == 403
        context.close()
    finally:
        assert server.stop() == 0
