"""Attacks on people's sign-in: spraying, injected names, framed pages, stored secrets."""

import json
import sqlite3
from urllib.parse import quote

import pytest

from tests.unit.identity.browser import Browser
from tests.unit.identity.test_user_grants import VERIFIER
from tests.unit.identity.world import MTP, World
from vedette.identity.directory import totp
from vedette.identity.directory.applications import ImplicitGrant, RedirectUris
from vedette.identity.grants.lockout import ADDRESS_THRESHOLD, LOCKED_SECONDS
from vedette.identity.provisioning import Provisioning

from .test_authorize import REDIRECT, open_authorize, policy

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_spraying_locks_the_sprayer_out_and_nobody_else(world: World) -> None:
    sprayer, neighbour = Browser(world, "203.0.113.9"), Browser(world)
    page = open_authorize(world, sprayer)
    for number in range(ADDRESS_THRESHOLD):
        sprayer.sign_in(page, f"user{number}@contoso.example", password="Summer2026!")
    assert "AADSTS50053" in sprayer.sign_in(page).text
    assert neighbour.sign_in(open_authorize(world, neighbour)).answer["code"]
    world.clock.advance(LOCKED_SECONDS)
    assert sprayer.sign_in(page).answer["code"]


def test_guessing_locks_an_account_only_for_the_guesser(world: World) -> None:
    guesser, owner = Browser(world, "203.0.113.9"), Browser(world)
    page = open_authorize(world, guesser)
    for _ in range(10):
        guesser.sign_in(page, password="wrong")
    assert "AADSTS50053" in guesser.sign_in(page).text
    assert owner.sign_in(open_authorize(world, owner)).answer["code"]


def test_names_are_text_on_every_page(world: World) -> None:
    home = world.seed.home.tenant_id
    with world.provisioning() as admin:
        app = admin.create_application(home, NASTY, kind="multitenant")
        admin.add_required_permissions(home, app.app_id, "mtp", application=["Incident.Read.All"])
    browser = Browser(world)
    link = {"client_id": app.app_id, "prompt": "consent", "response_type": "code", "login_hint": NASTY}
    sign_in = browser.get("/common/oauth2/authorize", link)
    consent = browser.sign_in(sign_in, "boss@fabrikam.example")
    done = browser.submit(consent, answer="accept")
    wrong = browser.sign_in(sign_in, NASTY)
    refused = open_authorize(world, browser, redirect_uri=f"https://{quote('e')}.example/{NASTY}")
    for page in (sign_in, consent, done, wrong, refused):
        assert "<img" not in page.text
        assert "<script>alert" not in page.text
        assert "script-src 'sha256-" in page.response.headers["content-security-policy"]


def test_state_comes_back_as_it_was(world: World) -> None:
    browser = Browser(world)
    done = browser.sign_in(open_authorize(world, browser, state=NASTY, response_mode="form_post"))
    assert done.fields["state"] == NASTY
    assert "<img" not in done.text
    assert open_authorize(world, browser, state=NASTY).answer["state"] == NASTY
    assert "\r" not in (location := open_authorize(world, browser, state="a\r\nset-cookie: x=y").location)
    assert "\n" not in location


def test_pages_cannot_be_framed_and_leak_no_address(world: World) -> None:
    page = open_authorize(world, Browser(world))
    assert "frame-ancestors 'none'" in page.response.headers["content-security-policy"]
    assert page.response.headers["x-frame-options"] == "DENY"
    assert page.response.headers["referrer-policy"] == "no-referrer"


def test_redirects_are_302(world: World) -> None:
    """A 307 would send the password on (RFC 9700 §4.12)."""
    browser = Browser(world)
    assert browser.sign_in(open_authorize(world, browser)).status == 302


@pytest.mark.parametrize("changes", [{"code_challenge": None}, {"code_challenge_method": "plain"}])
def test_browser_applications_must_use_pkce_with_s256(world: World, changes: dict[str, str | None]) -> None:
    with world.provisioning() as admin:
        app = admin.create_application(
            world.seed.home.tenant_id,
            "Page",
            redirect_uris=RedirectUris(spa=("https://page.example/",)),
            implicit_grant=ImplicitGrant(),
        )
    wanted = {"client_id": app.app_id, "redirect_uri": "https://page.example/"} | changes
    assert open_authorize(world, Browser(world), **wanted).answer["error"] == "invalid_request"


def test_browser_applications_redeem_without_a_secret_from_a_page_only(world: World) -> None:
    uri = "https://page.example/"
    with world.provisioning() as admin:
        app = admin.create_application(world.seed.home.tenant_id, "Page", redirect_uris=RedirectUris(spa=(uri,)))
        admin.add_required_permissions(world.seed.home.tenant_id, app.app_id, "mtp", delegated=["Incident.Read"])
        admin.grant_admin_consent(world.seed.home.tenant_id, app.app_id)
    browser = Browser(world)
    done = browser.sign_in(open_authorize(world, browser, client_id=app.app_id, redirect_uri=uri))
    form = {
        "grant_type": "authorization_code",
        "client_id": app.app_id,
        "code": done.answer["code"],
        "redirect_uri": uri,
        "code_verifier": VERIFIER,
    }
    page = {"origin": "https://page.example"}
    assert json.loads(world.request("token_v2", form=form).body)["error_codes"] == [7000218]
    body = json.loads(world.request("token_v2", form=form, headers=page).body)
    renewal = {"grant_type": "refresh_token", "client_id": app.app_id, "refresh_token": body["refresh_token"]}
    assert json.loads(world.request("token_v2", form=renewal).body)["error_codes"] == [7000218]
    assert "access_token" in json.loads(world.request("token_v2", form=renewal, headers=page).body)
    alone = {"grant_type": "client_credentials", "client_id": app.app_id, "scope": f"{MTP}/.default"}
    assert json.loads(world.request("token_v2", form=alone, headers=page).body)["error_codes"] == [7000216]


def test_the_database_holds_no_cookie_and_no_second_factor(world: World) -> None:
    policy(world, second_factor_required=True)
    browser = Browser(world)
    page = browser.sign_in(open_authorize(world, browser))
    shown = "".join(page.text.partition('id="secret">')[2].partition("<")[0].split())
    secret = totp.from_base32(shown)
    browser.submit(page, code=totp.code_at(secret, world.services.now() // totp.STEP_SECONDS))
    path = str(world.store.engine.url.database)
    connection = sqlite3.connect(path)
    dump = "\n".join(connection.iterdump()).encode()
    stored = [bytes(row[0]) for row in connection.execute("SELECT sealed_secret FROM second_factors")]
    connection.close()
    assert stored
    assert all(secret.reveal() not in value for value in stored)
    for text in (shown, *browser.cookies.values()):
        assert text.encode() not in dump


def test_pages_bear_their_own_name(world: World) -> None:
    browser = Browser(world)
    page = open_authorize(world, browser)
    shown = page.text.partition("<main>")[2].partition("</main>")[0]
    assert "Microsoft" not in shown
    assert "Not a service of Microsoft" in page.text
    assert "Contoso" in page.text.partition("<main>")[0]


def test_an_application_that_was_removed_meanwhile(world: World) -> None:
    browser = Browser(world)
    page = open_authorize(world, browser)
    with world.store.begin() as connection:
        admin = Provisioning(connection, world.services)
        admin.set_application_disabled(world.seed.home.tenant_id, world.seed.native.app_id, disabled=True)
    answer = browser.sign_in(page)
    assert "AADSTS7000112" in answer.text
    assert REDIRECT not in answer.location
