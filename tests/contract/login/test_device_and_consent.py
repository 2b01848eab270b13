"""Device sign-in, administrators' consent in both versions, the partner page's link, sign-out and userinfo."""

import json

import pytest

from tests.unit.identity.browser import Browser, Page
from tests.unit.identity.world import MTP, PASSWORD, World, claims_of
from vedette.identity.directory.applications import RedirectUris

from .test_authorize import REDIRECT, open_authorize, redeem

CALLBACK = "https://partner.example/callback"


def device_code(world: World, version: int = 2, tenant: str = "", **changes: str) -> dict[str, str]:
    form = {"client_id": world.seed.native.app_id, "scope": f"{MTP}/Incident.Read openid offline_access"}
    if version == 1:
        form = {"client_id": world.seed.native.app_id, "resource": MTP}
    answer = world.request(f"device_code_v{version}", tenant=tenant, form=form | changes)
    return json.loads(answer.body)


def poll(world: World, code: str) -> dict[str, object]:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": world.seed.native.app_id,
        "device_code": code,
    }
    return json.loads(world.request("token_v2", form=form).body)


@pytest.mark.parametrize("version", [1, 2])
def test_device_sign_in(world: World, version: int) -> None:
    started = device_code(world, version)
    address = started["verification_uri" if version == 2 else "verification_url"]
    assert address in started["message"]
    assert started["user_code"] in started["message"]
    assert started["interval"] == (5 if version == 2 else "5")
    assert poll(world, started["device_code"])["error"] == "authorization_pending"
    browser = Browser(world)
    entry = browser.get("/devicelogin")
    assert "No device waits" in browser.submit(entry, user_code="XXXX").text
    typed = started["user_code"].lower()
    sign_in = browser.submit(entry, user_code=f"{typed[:4]}-{typed[4:]}")
    assert "Desktop" in sign_in.text
    confirm = browser.sign_in(sign_in)
    assert confirm.step == "confirm"
    assert poll(world, started["device_code"])["error"] == "authorization_pending"
    assert "signed in" in browser.submit(confirm, answer="accept").title
    body = poll(world, started["device_code"])
    assert claims_of(str(body["access_token"]))["scp"] == "Incident.Read"
    assert poll(world, started["device_code"])["error_codes"] == [70018]
    assert "AADSTS70019" in browser.submit(confirm, answer="accept").text


def test_a_device_is_told_that_its_user_declined(world: World) -> None:
    started = device_code(world)
    browser = Browser(world)
    entry = browser.get(f"/{world.seed.home.tenant_id}/oauth2/deviceauth")
    confirm = browser.sign_in(browser.submit(entry, user_code=started["user_code"]))
    assert "Cancelled" in browser.submit(confirm, answer="decline").title
    assert poll(world, started["device_code"])["error"] == "authorization_declined"


@pytest.mark.parametrize(
    ("tenant", "changes", "code"),
    [
        ("", {"client_id": ""}, 900144),
        ("", {"scope": ""}, 900144),
        ("", {"client_id": "5d6b6bb7-de71-4623-b4af-96380a352509"}, 700016),
        ("common", {}, 50194),
        ("", {"scope": "https://a.example/x https://b.example/y"}, 700022),
    ],
)
def test_bad_device_requests(world: World, tenant: str, changes: dict[str, str], code: int) -> None:
    assert device_code(world, tenant=tenant, **changes)["error_codes"] == [code]  # type: ignore[comparison-overlap]


def withdraw(world: World) -> None:
    with world.provisioning() as admin:
        admin.withdraw_consent(world.seed.customer.tenant_id, world.seed.partner.app_id)


def partner_token(world: World) -> dict[str, object]:
    form = world.client_credentials(client_id=world.seed.partner.app_id, client_secret=world.seed.partner_secret)
    return json.loads(world.request("token_v2", tenant=world.seed.customer.tenant_id, form=form).body)


def consent_link(world: World) -> dict[str, str]:
    """The partner page's link, as it is formed there."""
    return {
        "prompt": "consent",
        "client_id": world.seed.partner.app_id,
        "response_type": "code",
        "sso_reload": "true",
    }


def test_the_partner_pages_link_lets_the_partner_in(world: World) -> None:
    withdraw(world)
    assert partner_token(world)["error_codes"] == [700016]
    browser = Browser(world)
    page = browser.sign_in(browser.get("/common/oauth2/authorize", consent_link(world)), "boss@fabrikam.example")
    assert page.step == "consent"
    for text in ("Partner", "Contoso (contoso.example), not verified", "Read all incidents", "everybody in Fabrikam"):
        assert text in page.text, text
    done = browser.submit(page, answer="accept")
    assert done.location.startswith(f"{CALLBACK}?code=")
    token = partner_token(world)["access_token"]
    assert claims_of(str(token))["roles"] == ["Incident.Read.All"]
    assert claims_of(str(token))["tid"] == world.seed.customer.tenant_id


def test_v1_prompt_admin_consent_is_for_the_whole_tenant(world: World) -> None:
    with world.provisioning() as admin:
        admin.add_required_permissions(
            world.seed.home.tenant_id, world.seed.native.app_id, "mtp", delegated=["AdvancedHunting.Read"]
        )
    boss, ada = Browser(world), Browser(world)
    asked = open_authorize(world, boss, version=1, scope=None, prompt="admin_consent")
    page = boss.sign_in(asked, "boss@contoso.example")
    assert "everybody in Contoso" in page.text
    assert boss.submit(page, answer="accept").answer["code"]
    assert ada.sign_in(open_authorize(world, ada, scope=f"{MTP}/AdvancedHunting.Read")).answer["code"]
    refused = ada.submit(open_authorize(world, ada, version=1, scope=None, prompt="admin_consent"), answer="accept")
    assert "AADSTS90094" in refused.text


def test_declined_and_unprivileged_consent_changes_nothing(world: World) -> None:
    withdraw(world)
    with world.provisioning() as admin:
        admin.create_user(world.seed.customer.tenant_id, "eve@fabrikam.example", "Eve", PASSWORD)
    browser = Browser(world)
    page = browser.sign_in(browser.get("/common/oauth2/authorize", consent_link(world)), "eve@fabrikam.example")
    assert "AADSTS90094" in page.text
    assert "AADSTS90094" in browser.submit(page, answer="accept").text
    assert browser.submit(page, answer="decline").answer["error"] == "access_denied"
    assert partner_token(world)["error_codes"] == [700016]


@pytest.mark.parametrize("version", [1, 2])
def test_admin_consent_endpoints(world: World, version: int) -> None:
    withdraw(world)
    path = "v2.0/adminconsent" if version == 2 else "adminconsent"
    query = {"client_id": world.seed.partner.app_id, "redirect_uri": CALLBACK, "state": "s-2"}
    if version == 2:
        query["scope"] = f"{MTP}/.default"
    browser = Browser(world)
    tenant = world.seed.customer.tenant_id
    page = browser.sign_in(browser.get(f"/{tenant}/{path}", query), "boss@fabrikam.example")
    declined = browser.submit(page, answer="decline").answer
    if version == 1:
        assert declined["error"] == "permission_denied"
        assert declined["error_description"] == "The admin canceled the request"
    else:
        assert (declined["admin_consent"], declined["error"]) == ("True", "consent_required")
        assert declined["error_description"].startswith("AADSTS65004")
    assert declined["state"] == "s-2"
    assert partner_token(world)["error_codes"] == [700016]
    accepted = browser.submit(page, answer="accept").answer
    assert (accepted["admin_consent"], accepted["tenant"], accepted["state"]) == ("True", tenant, "s-2")
    assert accepted.get("scope") == query.get("scope")
    assert partner_token(world)["access_token"]


def test_admin_consent_to_named_scopes_grants_only_them(world: World) -> None:
    query = {"client_id": world.seed.native.app_id, "redirect_uri": REDIRECT, "scope": f"{MTP}/AdvancedHunting.Read"}
    browser = Browser(world)
    page = browser.sign_in(
        browser.get(f"/{world.seed.home.tenant_id}/v2.0/adminconsent", query), "boss@contoso.example"
    )
    assert browser.submit(page, answer="accept").answer["admin_consent"] == "True"
    done = open_authorize(world, browser, scope=f"{MTP}/AdvancedHunting.Read")
    claims = claims_of(str(redeem(world, done.answer["code"])[1]["access_token"]))
    assert claims["scp"] == "AdvancedHunting.Read Incident.Read"


@pytest.mark.parametrize(
    ("tenant", "changes", "code"),
    [
        ("common", {}, 90019),
        ("", {"redirect_uri": "https://evil.example/"}, 50011),
        ("", {"scope": ""}, 900144),
        ("", {"client_id": "5d6b6bb7-de71-4623-b4af-96380a352509"}, 70001),
        ("nowhere.example", {}, 90002),
    ],
)
def test_bad_admin_consent_links(world: World, tenant: str, changes: dict[str, str], code: int) -> None:
    query = {"client_id": world.seed.partner.app_id, "redirect_uri": CALLBACK, "scope": f"{MTP}/.default"} | changes
    page = Browser(world).get(f"/{tenant or world.seed.customer.tenant_id}/v2.0/adminconsent", query)
    assert (page.status, f"AADSTS{code}" in page.text) == (400, True), page.text


def test_consent_is_asked_once_and_for_oneself(world: World) -> None:
    """A permission that people may allow themselves is allowed for them alone."""
    scope = "https://graph.microsoft.com/User.Read"
    browser, other = Browser(world), Browser(world)
    page = browser.sign_in(open_authorize(world, browser, scope=scope))
    assert page.step == "consent"
    assert "everybody" not in page.fields
    assert open_authorize(world, browser, scope=scope, prompt="none").answer["error"] == "consent_required"
    assert browser.submit(page, answer="accept").answer["code"]
    assert open_authorize(world, browser, scope=scope).answer["code"]
    assert open_authorize(world, browser, scope=scope, prompt="consent").step == "consent"
    assert other.sign_in(open_authorize(world, other, scope=scope), "boss@contoso.example").step == "consent"


def test_an_administrator_may_allow_for_everybody(world: World) -> None:
    scope = f"{MTP}/AdvancedHunting.Read"
    boss, ada = Browser(world), Browser(world)
    page = boss.sign_in(open_authorize(world, boss, scope=scope), "boss@contoso.example")
    assert boss.submit(page, answer="accept", everybody="yes").answer["code"]
    assert ada.sign_in(open_authorize(world, ada, scope=scope)).answer["code"]


@pytest.mark.parametrize(("scope", "code"), [(f"{MTP}/Nothing.Read", 70011), ("https://nobody.example/x", 500011)])
def test_scopes_that_do_not_exist(world: World, scope: str, code: int) -> None:
    browser = Browser(world)
    assert f"AADSTS{code}" in browser.sign_in(open_authorize(world, browser, scope=scope)).text


def test_v1_asks_by_resource(world: World) -> None:
    browser = Browser(world)
    done = browser.sign_in(open_authorize(world, browser, version=1, scope=None, resource=MTP))
    assert redeem(world, done.answer["code"])[1]["access_token"]
    wrong = open_authorize(world, browser, version=1, scope=None, resource="https://api.securitycenter.microsoft.com")
    assert "AADSTS650057" in wrong.text


def test_disabled_principals_get_nothing(world: World) -> None:
    home = world.seed.home.tenant_id
    browser = Browser(world)
    code = browser.sign_in(open_authorize(world, browser)).answer["code"]
    with world.provisioning() as admin:
        admin.set_principal_enabled(home, world.seed.native.app_id, enabled=False)
    assert "AADSTS7000112" in open_authorize(world, browser).text
    assert redeem(world, code)[1]["error_codes"] == [7000112]


def test_a_link_with_nothing_to_consent_to(world: World) -> None:
    with world.provisioning() as admin:
        app = admin.create_application(world.seed.home.tenant_id, "Empty", kind="multitenant")
    browser = Browser(world)
    query = consent_link(world) | {"client_id": app.app_id}
    assert (
        "AADSTS650056" in browser.sign_in(browser.get("/common/oauth2/authorize", query), "boss@fabrikam.example").text
    )


def test_consent_without_an_address_ends_on_a_page(world: World) -> None:
    with world.provisioning() as admin:
        app = admin.create_application(world.seed.home.tenant_id, "Headless", kind="multitenant")
        admin.add_required_permissions(world.seed.home.tenant_id, app.app_id, "mtp", application=["Incident.Read.All"])
    browser = Browser(world)
    query = consent_link(world) | {"client_id": app.app_id}
    page = browser.sign_in(browser.get("/common/oauth2/authorize", query), "boss@fabrikam.example")
    assert browser.submit(page, answer="accept").title == "Done"


def sign_out(browser: Browser, world: World, **query: str) -> Page:
    return browser.get(f"/{world.seed.home.tenant_id}/oauth2/v2.0/logout", query)


def test_sign_out_ends_sessions_and_goes_only_to_registered_addresses(world: World) -> None:
    with world.provisioning() as admin:
        admin.create_application(
            world.seed.home.tenant_id, "Web", redirect_uris=RedirectUris(web=("https://web.example/bye",))
        )
    browser = Browser(world)
    for address, followed in (
        ("https://web.example/bye", True),
        ("https://evil.example/", False),
        ("https://web.example/bye/", False),
    ):
        browser.sign_in(open_authorize(world, browser, prompt="login"))
        page = sign_out(browser, world, post_logout_redirect_uri=address, state="s-3")
        assert page.location == (f"{address}?state=s-3" if followed else "")
        assert open_authorize(world, browser, prompt="none").answer["error"] == "login_required"
    assert "signed out" in sign_out(Browser(world), world).title
    stranger = sign_out(Browser(world), world, post_logout_redirect_uri="https://web.example/bye")
    assert stranger.location == ""


def test_userinfo_tells_who_a_graph_token_is_about(world: World) -> None:
    scope = "https://graph.microsoft.com/User.Read"
    browser = Browser(world)
    page = browser.sign_in(open_authorize(world, browser, scope=f"{scope} openid"))
    _, body = redeem(world, browser.submit(page, answer="accept").answer["code"])
    answer = world.request("userinfo", headers={"authorization": f"Bearer {body['access_token']}"})
    claims = json.loads(answer.body)
    assert claims["sub"] == claims_of(str(body["id_token"]))["sub"]
    assert (claims["name"], claims["email"]) == ("Ada", "ada@contoso.example")
    application = world.token(scope="https://graph.microsoft.com/.default")
    for headers in ({}, {"authorization": f"Bearer {application}"}, {"authorization": f"Bearer {world.token()}"}):
        refused = world.request("userinfo", headers=headers)
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
