"""The authorize endpoints and the pages between them and their answers, as a browser without JavaScript sees them."""

import json

import pytest

from tests.unit.identity.browser import Browser, Page
from tests.unit.identity.test_user_grants import VERIFIER, challenge
from tests.unit.identity.world import MTP, PASSWORD, REQUEST_ID, World, claims_of
from vedette.identity.accounts import MINIMUM_PASSWORD
from vedette.identity.directory import totp
from vedette.identity.directory.account_policies import AccountPolicy
from vedette.identity.directory.applications import ImplicitGrant, RedirectUris
from vedette.identity.signin.interaction import LIFETIME
from vedette.store.secrets import Secret

REDIRECT = "http://localhost:50123"
NEW_PASSWORD = "seven unrelated words in one row"


def parameters(world: World, **changes: str | None) -> dict[str, str]:
    """A good request of the desktop application."""
    good = {
        "client_id": world.seed.native.app_id,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": f"{MTP}/Incident.Read openid profile offline_access",
        "state": "s-1",
        "nonce": "n-1",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def open_authorize(world: World, browser: Browser, version: int = 2, tenant: str = "", **changes: str | None) -> Page:
    path = "oauth2/v2.0/authorize" if version == 2 else "oauth2/authorize"
    return browser.get(f"/{tenant or world.seed.home.tenant_id}/{path}", parameters(world, **changes))


def redeem(world: World, code: str, **changes: str | None) -> tuple[int, dict[str, object]]:
    form = {
        "grant_type": "authorization_code",
        "client_id": world.seed.native.app_id,
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    fields = {name: value for name, value in (form | changes).items() if value is not None}
    answer = world.request("token_v2", form=fields)
    return answer.status, json.loads(answer.body)


def policy(world: World, **demands: bool) -> None:
    with world.provisioning() as admin:
        admin.set_account_policy(world.seed.home.tenant_id, world.seed.user.id, AccountPolicy(**demands))


def test_sign_in_gives_a_code_that_gives_tokens(world: World) -> None:
    browser = Browser(world)
    page = open_authorize(world, browser)
    assert page.status == 200
    assert "Desktop" in page.text
    assert "Contoso" in page.text
    done = browser.sign_in(page)
    assert done.status == 302
    assert done.location.startswith(f"{REDIRECT}?code=")
    assert done.answer["state"] == "s-1"
    assert "session_state" in done.answer
    assert "client_info" not in done.answer
    status, body = redeem(world, done.answer["code"])
    assert status == 200, body
    assert claims_of(str(body["access_token"]))["scp"] == "Incident.Read"
    assert claims_of(str(body["id_token"]))["nonce"] == "n-1"
    assert body["refresh_token"]


def test_signed_in_people_pass_without_a_page(world: World) -> None:
    browser = Browser(world)
    browser.sign_in(open_authorize(world, browser))
    assert open_authorize(world, browser).status == 302
    assert open_authorize(world, browser, prompt="none").answer["code"]
    assert open_authorize(world, browser, prompt="login").step == "password"
    assert open_authorize(world, browser, prompt="select_account").step == "pick"
    assert open_authorize(world, browser, login_hint="boss@contoso.example").step == "password"


def test_the_account_picker(world: World) -> None:
    browser = Browser(world)
    browser.sign_in(open_authorize(world, browser))
    browser.sign_in(open_authorize(world, browser, prompt="login"), "boss@contoso.example")
    picker = open_authorize(world, browser)
    assert "ada@contoso.example" in picker.text
    assert "boss@contoso.example" in picker.text
    assert browser.submit(picker, account=world.seed.user.id).answer["code"]
    assert browser.submit(picker, account="other").step == "password"
    assert browser.submit(picker, account=world.seed.customer_boss.id).step == "password"


def test_silent_requests_are_answered_without_a_page(world: World) -> None:
    answer = open_authorize(world, Browser(world), prompt="none").answer
    assert answer["error"] == "login_required"
    assert answer["error_description"].startswith("AADSTS50058:")
    assert answer["state"] == "s-1"


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_response_modes(world: World, mode: str) -> None:
    browser = Browser(world)
    done = browser.sign_in(open_authorize(world, browser, response_mode=mode))
    if mode == "form_post":
        assert done.action == REDIRECT
        assert done.fields["code"]
        assert done.fields["state"] == "s-1"
        assert REDIRECT in done.response.headers["content-security-policy"]
    else:
        assert done.location.startswith(REDIRECT + ("?" if mode == "query" else "#"))


def test_hybrid_binds_code_and_id_token(world: World) -> None:
    assert open_authorize(world, Browser(world), response_type="code id_token").answer["error"] == "unauthorized_client"
    with world.provisioning() as admin:
        app = admin.create_application(
            world.seed.home.tenant_id,
            "Web",
            redirect_uris=RedirectUris(web=("https://web.example/cb",)),
            implicit_grant=ImplicitGrant(enable_id_token_issuance=True),
        )
    browser = Browser(world)
    changes = {
        "client_id": app.app_id,
        "redirect_uri": "https://web.example/cb",
        "response_type": "code id_token",
        "scope": "openid",
    }
    done = browser.sign_in(open_authorize(world, browser, **changes))
    assert done.location.startswith("https://web.example/cb#")
    claims = claims_of(done.answer["id_token"])
    assert claims["nonce"] == "n-1"
    assert claims["c_hash"]
    assert open_authorize(world, browser, **changes, response_mode="query").answer["error"] == "invalid_request"


def test_access_tokens_never_come_from_the_authorize_endpoint(world: World) -> None:
    for response_type in ("token", "id_token token", "code token"):
        answer = open_authorize(world, Browser(world), response_type=response_type).answer
        assert answer["error_description"].startswith("AADSTS700051:")


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        "http://localhost:50123/other",
        "http://localhost.evil.example:50123",
        "http://localhost:50123@evil.example",
        "https://localhost:50123",
        "http://localhost:50123#x",
        "http://[::1",
        "javascript:alert(1)",
    ],
)
def test_a_redirect_uri_that_is_not_registered_is_told_on_a_page(world: World, uri: str) -> None:
    page = open_authorize(world, Browser(world), redirect_uri=uri)
    assert page.status == 400
    assert "location" not in page.response.headers
    assert "AADSTS50011" in page.text
    assert REQUEST_ID in page.text
    assert "<script" not in page.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"response_type": None}, 900144),
        ({"scope": None}, 900144),
        ({"code_challenge": "short"}, 50147),
        ({"code_challenge_method": "S512"}, 9002313),
        ({"prompt": "none login"}, 9002313),
        ({"prompt": "sometimes"}, 9002313),
        ({"resource": MTP}, 901002),
    ],
)
def test_malformed_requests_are_told_to_the_application(world: World, changes: dict[str, str], code: int) -> None:
    answer = open_authorize(world, Browser(world), **changes).answer
    assert answer["error_description"].startswith(f"AADSTS{code}:"), answer


@pytest.mark.parametrize(
    ("tenant", "changes", "code"),
    [
        ("", {"client_id": None}, 900144),
        ("", {"client_id": "5d6b6bb7-de71-4623-b4af-96380a352509"}, 70001),
        ("", {"response_mode": "smoke"}, 9002313),
        ("common", {}, 50194),
        ("nowhere.example", {}, 90002),
        ("x_y", {}, 900023),
        ("consumers", {}, 90002),
    ],
)
def test_requests_without_a_safe_address_are_told_on_a_page(
    world: World, tenant: str, changes: dict[str, str], code: int
) -> None:
    page = open_authorize(world, Browser(world), tenant=tenant, **changes)
    assert (page.status, f"AADSTS{code}" in page.text) == (400, True), page.text


def test_a_wrong_password_and_an_unknown_name_read_the_same(world: World) -> None:
    browser = Browser(world)
    page = open_authorize(world, browser)
    wrong = browser.sign_in(page, password="not it")
    unknown = browser.sign_in(page, "nobody@contoso.example")
    for answer in (wrong, unknown):
        assert "AADSTS50126" in answer.text
        assert 'role="alert"' in answer.text
    assert browser.sign_in(wrong).answer["code"]


def test_people_of_another_tenant_are_told_so(world: World) -> None:
    browser = Browser(world)
    assert "AADSTS50020" in browser.sign_in(open_authorize(world, browser), "boss@fabrikam.example").text


def test_cancelling_tells_the_application(world: World) -> None:
    browser = Browser(world)
    answer = browser.submit(open_authorize(world, browser), cancel="yes").answer
    assert (answer["error"], answer["error_description"][:12]) == ("access_denied", "AADSTS65004:")


def test_second_factor_enrolment_then_challenge(world: World) -> None:
    policy(world, second_factor_required=True)
    browser = Browser(world)
    page = browser.sign_in(open_authorize(world, browser))
    assert page.step == "enrol"
    assert "<svg" in page.text
    secret = totp.from_base32("".join(page.text.partition('id="secret">')[2].partition("<")[0].split()))
    step = world.services.now() // totp.STEP_SECONDS
    again = browser.submit(page, code="000000")
    assert again.step == "enrol"
    done = browser.submit(again, code=totp.code_at(secret, step))
    assert claims_of(str(redeem(world, done.answer["code"])[1]["access_token"]))["amr"] == ["pwd", "mfa"]
    other = Browser(world)
    asked = other.sign_in(open_authorize(world, other))
    assert asked.step == "code"
    assert "used before" in other.submit(asked, code=totp.code_at(secret, step)).text
    assert other.submit(asked, code=totp.code_at(secret, step + 1)).answer["code"]
    silent = Browser(world)
    assert open_authorize(world, silent, prompt="none").answer["error"] == "login_required"


def test_codes_cannot_be_guessed_without_end(world: World) -> None:
    policy(world, second_factor_required=True)
    browser = Browser(world)
    page = browser.sign_in(open_authorize(world, browser))
    secret = totp.from_base32("".join(page.text.partition('id="secret">')[2].partition("<")[0].split()))
    step = world.services.now() // totp.STEP_SECONDS
    browser.submit(page, code=totp.code_at(secret, step))
    guesser = Browser(world)
    for _ in range(10):
        asked = guesser.sign_in(open_authorize(world, guesser, prompt="login"))
        assert asked.step == "code"
        guesser.submit(asked, code="000000")
    asked = guesser.sign_in(open_authorize(world, guesser, prompt="login"))
    locked = guesser.submit(asked, code=totp.code_at(secret, step + 1))
    assert "AADSTS50053" in locked.text


def test_a_password_that_must_be_changed(world: World) -> None:
    policy(world, must_change_password=True)
    browser = Browser(world)
    page = browser.sign_in(open_authorize(world, browser))
    assert page.step == "change"
    for new, again, problem in (
        ("short", "short", f"at least {MINIMUM_PASSWORD} characters"),
        (NEW_PASSWORD, "another", "differ"),
        (PASSWORD.reveal(), PASSWORD.reveal(), "old one"),
    ):
        page = browser.submit(page, current=PASSWORD.reveal(), new=new, again=again)
        assert problem in page.text
    done = browser.submit(page, current=PASSWORD.reveal(), new=NEW_PASSWORD, again=NEW_PASSWORD)
    status, body = redeem(world, done.answer["code"])
    assert status == 200, body
    assert "AADSTS50126" in (other := Browser(world)).sign_in(open_authorize(world, other)).text
    assert open_authorize(world, browser, prompt="none").answer["code"]


def test_staying_signed_in_outlives_the_day(world: World) -> None:
    kept, brief = Browser(world), Browser(world)
    done = kept.sign_in(open_authorize(world, kept), keep="yes")
    assert "Max-Age=" in done.response.headers["set-cookie"]
    brief.sign_in(open_authorize(world, brief))
    world.clock.advance(world.services.settings.session_lifetime)
    assert open_authorize(world, kept, prompt="none").answer["code"]
    assert open_authorize(world, brief, prompt="none").answer["error"] == "login_required"


def test_a_session_ends_with_the_account(world: World) -> None:
    browser = Browser(world)
    browser.sign_in(open_authorize(world, browser))
    with world.provisioning() as admin:
        admin.set_user_enabled(world.seed.home.tenant_id, world.seed.user.id, enabled=False)
    assert open_authorize(world, browser, prompt="none").answer["error"] == "login_required"


def test_a_reset_password_ends_sessions(world: World) -> None:
    browser = Browser(world)
    browser.sign_in(open_authorize(world, browser))
    with world.provisioning() as admin:
        admin.set_user_password(world.seed.home.tenant_id, world.seed.user.id, Secret(NEW_PASSWORD))
    assert open_authorize(world, browser, prompt="none").answer["error"] == "login_required"


def test_forms_are_good_only_in_their_own_browser_and_time(world: World) -> None:
    browser = Browser(world)
    page = open_authorize(world, browser)
    stranger = Browser(world)
    open_authorize(world, stranger)
    assert "no longer good" in stranger.sign_in(page).text
    forged = {**page.fields, "ctx": page.fields["ctx"][:-8] + "AAAAAAA="}
    assert "no longer good" in browser.post(page.action, forged).text
    assert "no longer good" in browser.post(page.action, {}).text
    assert "no longer good" in browser.post("/common/signin/password", page.fields).text
    assert "no longer good" in browser.post(page.action.replace("password", "nothing"), page.fields).text
    world.clock.advance(LIFETIME)
    assert "no longer good" in browser.sign_in(page).text


def test_the_cookie_changes_at_sign_in(world: World) -> None:
    browser = Browser(world)
    page = open_authorize(world, browser)
    before = dict(browser.cookies)
    done = browser.sign_in(page)
    assert browser.cookies != before
    header = done.response.headers["set-cookie"]
    for attribute in ("__Host-", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"):
        assert attribute in header
    fixed = Browser(world)
    fixed.cookies = before
    assert open_authorize(world, fixed, prompt="none").answer["error"] == "login_required"


def test_steps_cannot_be_skipped(world: World) -> None:
    browser = Browser(world)
    page = open_authorize(world, browser, prompt="consent")
    accept = browser.post(page.action.replace("password", "consent"), {**page.fields, "answer": "accept"})
    assert "AADSTS50058" in accept.text or accept.answer.get("error") == "login_required"
    for step in ("code", "enrol", "change"):
        answer = browser.post(page.action.replace("password", step), {**page.fields, "code": "000000"})
        assert "code" not in answer.answer


def test_every_page_is_sealed_and_labelled(world: World) -> None:
    policy(world, second_factor_required=True)
    browser = Browser(world)
    sign_in = open_authorize(world, browser)
    for page in (sign_in, browser.sign_in(sign_in)):
        policy_text = page.response.headers["content-security-policy"]
        assert "default-src 'none'" in policy_text
        assert "unsafe" not in policy_text
        assert f"form-action 'self' {REDIRECT}" in policy_text
        assert page.response.headers["cache-control"] == "no-store"
        assert '<html lang="en">' in page.text
        assert "<main>" in page.text
        shown = {field["id"] for field in page.inputs if field.get("type") not in ("hidden", "checkbox")}
        assert shown <= page.labels
        assert "style=" not in page.text
    assert "Microsoft" not in sign_in.title
