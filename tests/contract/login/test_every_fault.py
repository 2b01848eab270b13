"""Every refusal that a record describes, reached by a state that somebody can cause: status and OAuth error."""

import json
from base64 import b64encode
from collections.abc import Callable

import pytest

from tests.unit.identity import test_assertions, test_federated_assertions, test_on_behalf_of
from tests.unit.identity.browser import Browser
from tests.unit.identity.test_user_grants import REDIRECT, code_for, password, redeem, refresh, send
from tests.unit.identity.world import MTP, PASSWORD, World
from vedette.api.http import ApiResponse
from vedette.contracts.login_faults import LoginFaultContract, load_login_faults
from vedette.contracts.permissions import load_resources
from vedette.identity.directory import totp
from vedette.identity.directory.applications import RedirectUris
from vedette.identity.directory.second_factors import SecondFactors
from vedette.identity.directory.tables import SERVICE_PRINCIPALS

from .test_authorize import open_authorize, policy
from .test_device_and_consent import consent_link, device_code, poll

Body = dict[str, object]
Case = Callable[[World], Body]

CASES: dict[int, Case] = {}


def reaches(code: int) -> Callable[[Case], Case]:
    """Register a state that leads to a refusal."""

    def register(case: Case) -> Case:
        assert code not in CASES
        CASES[code] = case
        return case

    return register


def cc(code: int, **changes: str | None) -> None:
    """A client-credentials request that is wrong in one way."""
    reaches(code)(lambda world: token(world, **{k: fill(world, v) for k, v in changes.items()}))


def fill(world: World, value: str | None) -> str | None:
    return world.seed.native.app_id if value == "{native}" else value


def token(world: World, tenant: str = "", **changes: str | None) -> Body:
    return told(world.request("token_v2", tenant=tenant, form=world.client_credentials(**changes)))


def told(answer: ApiResponse) -> Body:
    return {"status": answer.status, **json.loads(answer.body)}


def body_of(result: tuple[int, Body]) -> Body:
    return {"status": result[0], **result[1]}


def page(text: str) -> Body:
    """A refusal on a page: its number is in the text."""
    code = int(text.partition("AADSTS")[2][:10].partition("<")[0].partition(":")[0])
    return {"error_codes": [code]}


def redirected(answer: dict[str, str]) -> Body:
    code = int(answer["error_description"].removeprefix("AADSTS").partition(":")[0])
    return {"error": answer["error"], "error_codes": [code]}


cc(7000215, client_secret="wrong")
cc(7000218, grant_type="password", username="a", password="b", client_secret=None)
cc(7000216, client_secret=None)
cc(700025, client_id="{native}")
cc(900144, scope=None)
cc(70003, grant_type="magic")
cc(901002, resource=MTP)
cc(1002012, scope=MTP)
cc(500011, scope="https://nobody.example/.default")
cc(700022, scope=f"{MTP}/.default https://graph.microsoft.com/.default")
cc(700023, scope="/.default")
cc(700016, client_id="5d6b6bb7-de71-4623-b4af-96380a352509")
reaches(90002)(lambda world: token(world, tenant="nowhere.example"))
reaches(900023)(lambda world: token(world, tenant="x_y"))
reaches(90019)(lambda world: partner(world, "organizations"))
reaches(9001023)(lambda world: partner(world, "common"))
reaches(50194)(lambda world: token(world, tenant="common"))
reaches(9002313)(lambda world: told(world.request("token_v2", body=b"grant_type=a&grant_type=b")))
reaches(900561)(lambda world: told(world.request("token_get")))
reaches(50049)(
    lambda world: told(world.request("instance_discovery", query="authorization_endpoint=https://evil.example/x"))
)


def partner(world: World, tenant: str) -> Body:
    return token(world, tenant, client_id=world.seed.partner.app_id, client_secret=world.seed.partner_secret)


@reaches(90014)
def basic_without_a_secret(world: World) -> Body:
    header = "Basic " + b64encode(f"{world.seed.app.app_id}:".encode()).decode()
    form = world.client_credentials(client_id=None, client_secret=None)
    return told(world.request("token_v2", form=form, headers={"authorization": header}))


@reaches(7000222)
def an_expired_secret(world: World) -> Body:
    world.clock.advance(3 * 365 * 86_400)
    return token(world)


@reaches(7000112)
def a_disabled_application(world: World) -> Body:
    with world.provisioning() as admin:
        admin.set_application_disabled(world.seed.home.tenant_id, world.seed.app.app_id, disabled=True)
    return token(world)


@reaches(50001)
def a_disabled_resource(world: World) -> Body:
    with world.provisioning() as admin:
        admin.set_principal_enabled(world.seed.home.tenant_id, load_resources()["mtp"].app_id, enabled=False)
    return token(world)


@reaches(50105)
def an_application_that_was_not_assigned(world: World) -> Body:
    with world.store.begin() as connection:
        required = SERVICE_PRINCIPALS.update().where(
            SERVICE_PRINCIPALS.c.app_id == load_resources()["wdatp"].app_id,
            SERVICE_PRINCIPALS.c.tenant_id == world.seed.home.tenant_id,
        )
        connection.execute(required.values(app_role_assignment_required=True))
    return token(world, scope="https://api.securitycenter.microsoft.com/.default")


# --- federated credentials, on-behalf-of: their own modules hold the fixtures and are run here by number

FEDERATED = {700211, 700212, 700213, 700214}
ASSERTED = {50012, 700021, 700024, 700027}
EXCHANGED = {50013, 500133, 7000114}

# --- people

reaches(50126)(lambda world: body_of(password(world, password="wrong")))
reaches(50034)(lambda world: body_of(password(world, username="nobody@contoso.example")))
reaches(90072)(lambda world: body_of(password(world, username="boss@fabrikam.example")))
reaches(65001)(lambda world: body_of(password(world, scope=f"{MTP}/Incident.ReadWrite")))
reaches(28002)(lambda world: body_of(password(world, scope=f"{MTP}/Nothing.Read")))
reaches(70011)(lambda world: body_of(password(world, scope=f"{MTP}/")))
reaches(70000)(lambda world: body_of(refresh(world, "nonsense")))


@reaches(50053)
def too_many_guesses(world: World) -> Body:
    for _ in range(10):
        password(world, password="wrong")
    return body_of(password(world))


@reaches(50055)
def an_expired_password(world: World) -> Body:
    policy(world, must_change_password=True)
    return body_of(password(world))


@reaches(50079)
def a_second_factor_that_is_not_enrolled(world: World) -> Body:
    policy(world, second_factor_required=True)
    return body_of(password(world))


@reaches(50076)
def a_second_factor(world: World) -> Body:
    with world.store.begin() as connection:
        factors = SecondFactors(connection, world.seed.home.tenant_id, world.services.factor_sealer)
        factors.enrol(world.seed.user, totp.new_secret(), step=0, now=0)
    return body_of(password(world))


@reaches(50056)
def an_account_without_a_password(world: World) -> Body:
    with world.provisioning() as admin:
        admin.create_user(world.seed.home.tenant_id, "bare@contoso.example", "Bare", None)
    return body_of(password(world, username="bare@contoso.example"))


@reaches(50057)
def a_disabled_account(world: World) -> Body:
    with world.provisioning() as admin:
        admin.set_user_enabled(world.seed.home.tenant_id, world.seed.user.id, enabled=False)
    return body_of(password(world))


@reaches(50173)
def a_revoked_grant(world: World) -> Body:
    _, given = password(world)
    with world.provisioning() as admin:
        admin.revoke_user_tokens(world.seed.home.tenant_id, world.seed.user.id)
    return body_of(refresh(world, given["refresh_token"]))


@reaches(700082)
def an_idle_refresh_token(world: World) -> Body:
    _, given = password(world)
    world.clock.advance(world.services.settings.refresh_token_lifetime)
    return body_of(refresh(world, given["refresh_token"]))


@reaches(700084)
def a_single_page_refresh_token(world: World) -> Body:
    _, given = redeem(world, code_for(world, is_single_page=True))
    assert "refresh_token" in given
    world.clock.advance(3600)
    _, renewed = refresh(world, given["refresh_token"])
    world.clock.advance(world.services.settings.single_page_refresh_token_lifetime - 3600)
    return body_of(refresh(world, renewed["refresh_token"]))


# --- authorization codes


@reaches(54005)
def a_code_used_twice(world: World) -> Body:
    code = code_for(world)
    redeem(world, code)
    return body_of(redeem(world, code))


@reaches(70008)
def an_old_code(world: World) -> Body:
    code = code_for(world)
    world.clock.advance(600)
    return body_of(redeem(world, code))


@reaches(700005)
def a_code_of_another_tenant(world: World) -> Body:
    with world.provisioning() as admin:
        native = admin.create_application(
            world.seed.home.tenant_id, "Both", kind="multitenant", redirect_uris=RedirectUris()
        )
        admin.add_required_permissions(world.seed.home.tenant_id, native.app_id, "mtp", delegated=["Incident.Read"])
        admin.grant_admin_consent(world.seed.customer.tenant_id, native.app_id)
        secret = admin.add_password(world.seed.home.tenant_id, native.app_id).secret.reveal()
    form = {
        "grant_type": "authorization_code",
        "client_id": native.app_id,
        "client_secret": secret,
        "code": code_for(world, app_id=native.app_id),
        "redirect_uri": REDIRECT,
        "scope": None,
    }
    return body_of(send(world, tenant=world.seed.customer.tenant_id, **form))


reaches(501481)(lambda world: body_of(redeem(world, code_for(world), code_verifier="w" * 64)))
reaches(50148)(lambda world: body_of(redeem(world, code_for(world), code_verifier=None)))
reaches(28003)(lambda world: body_of(redeem(world, code_for(world), scope="")))
reaches(50011)(lambda world: body_of(redeem(world, code_for(world), redirect_uri="https://evil.example")))
reaches(50147)(lambda world: redirected(open_authorize(world, Browser(world), code_challenge="short").answer))
reaches(700051)(lambda world: redirected(open_authorize(world, Browser(world), response_type="token").answer))
reaches(50058)(lambda world: redirected(open_authorize(world, Browser(world), prompt="none").answer))

# --- device codes

reaches(70016)(lambda world: poll_told(world, device_code(world)["device_code"]))
reaches(70018)(lambda world: poll_told(world, "nonsense"))


def poll_told(world: World, code: str) -> Body:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": world.seed.native.app_id,
        "device_code": code,
    }
    return told(world.request("token_v2", form=form))


@reaches(70020)
def an_old_device_code(world: World) -> Body:
    started = device_code(world)
    world.clock.advance(900)
    return poll_told(world, started["device_code"])


@reaches(70019)
def an_old_user_code(world: World) -> Body:
    started = device_code(world)
    browser = Browser(world)
    sign_in = browser.submit(browser.get("/devicelogin"), user_code=started["user_code"])
    world.clock.advance(900)
    return page(browser.sign_in(sign_in).text)


@reaches(65004)
def a_declined_device(world: World) -> Body:
    started = device_code(world)
    browser = Browser(world)
    browser.submit(browser.submit(browser.get("/devicelogin"), user_code=started["user_code"]), cancel="yes")
    declined = poll(world, started["device_code"])
    assert declined["error"] == "authorization_declined"
    return redirected(browser.submit(open_authorize(world, browser), cancel="yes").answer)


# --- pages


@reaches(50020)
def somebody_elses_account(world: World) -> Body:
    browser = Browser(world)
    return page(browser.sign_in(open_authorize(world, browser), "boss@fabrikam.example").text)


@reaches(70001)
def an_application_nobody_knows(world: World) -> Body:
    return page(open_authorize(world, Browser(world), client_id="5d6b6bb7-de71-4623-b4af-96380a352509").text)


@reaches(650057)
def a_resource_that_is_not_configured(world: World) -> Body:
    browser = Browser(world)
    wanted = "https://api.securitycenter.microsoft.com"
    return page(browser.sign_in(open_authorize(world, browser, version=1, scope=None, resource=wanted)).text)


@reaches(650056)
def nothing_to_consent_to(world: World) -> Body:
    with world.provisioning() as admin:
        app = admin.create_application(world.seed.home.tenant_id, "Empty", kind="multitenant")
    return page(link_by_customer(world, app.app_id))


@reaches(650052)
def a_resource_that_the_tenant_lacks(world: World) -> Body:
    with world.store.begin() as connection:
        lost = SERVICE_PRINCIPALS.delete().where(
            SERVICE_PRINCIPALS.c.app_id == load_resources()["mtp"].app_id,
            SERVICE_PRINCIPALS.c.tenant_id == world.seed.customer.tenant_id,
        )
        connection.execute(lost)
    return page(link_by_customer(world, world.seed.partner.app_id))


@reaches(90094)
def consent_of_somebody_who_may_not(world: World) -> Body:
    with world.provisioning() as admin:
        admin.create_user(world.seed.customer.tenant_id, "eve@fabrikam.example", "Eve", PASSWORD)
    return page(link_by_customer(world, world.seed.partner.app_id, "eve@fabrikam.example"))


def link_by_customer(world: World, app_id: str, name: str = "boss@fabrikam.example") -> str:
    browser = Browser(world)
    query = consent_link(world) | {"client_id": app_id}
    return browser.sign_in(browser.get("/common/oauth2/authorize", query), name).text


def test_every_record_is_reached_or_says_why_not() -> None:
    reached = set(CASES) | FEDERATED | ASSERTED | EXCHANGED
    unreachable = {code for code, fault in load_login_faults().items() if fault.unreachable}
    assert not reached & unreachable
    assert reached | unreachable == set(load_login_faults())


@pytest.mark.parametrize("fault", [load_login_faults()[code] for code in sorted(CASES)], ids=lambda f: str(f.code))
def test_the_state_leads_to_the_refusal(world: World, fault: LoginFaultContract) -> None:
    body = CASES[fault.code](world)
    assert body["error_codes"] == [fault.code], body
    if "error" in body:
        assert body["error"] in (fault.error, fault.discovery_error, "consent_required")
    if "status" in body:
        assert body["status"] == (fault.status or 400)
        assert body.get("suberror") == fault.suberror
        assert set(body) >= {"error_description", "timestamp", "trace_id", "correlation_id"}


def test_the_other_modules_hold_their_numbers() -> None:
    """Assertions, federated credentials and on-behalf-of need keys of their own; their tests name these numbers."""
    for module, codes in (
        (test_assertions, ASSERTED),
        (test_federated_assertions, FEDERATED),
        (test_on_behalf_of, EXCHANGED),
    ):
        with open(str(module.__file__), encoding="utf-8") as file:
            text = file.read()
        assert not [code for code in codes if str(code) not in text]
