"""Tokens on behalf of a user: password, authorization code with PKCE, refresh token."""

import base64
import hashlib
import json
from pathlib import Path

import msal
import pytest

from vedette.identity.directory.exposed_permissions import AppRole, ExposedPermissions
from vedette.identity.directory.service_principals import AppRoleAssignment, AppRoleAssignments, ServicePrincipals
from vedette.identity.directory.tables import SERVICE_PRINCIPALS
from vedette.identity.directory.tenants import Tenants
from vedette.identity.errors import OAuthError, WrongAudienceError
from vedette.identity.grants.authorization_codes import AuthorizationCodes, CodeRequest
from vedette.identity.grants.lockout import THRESHOLD, SignInFailures
from vedette.identity.services import IdentitySettings
from vedette.identity.tokens.verifier import Verifier
from vedette.store.secrets import Secret

from .conftest import Template
from .msal_transport import HandlerTransport
from .world import BASE, MTP, PASSWORD, START, World, claims_of, copy_world

SCOPE = f"{MTP}/Incident.Read"
REDIRECT = "http://localhost:50123"
VERIFIER = "v" * 64


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def send(
    world: World, handler: str = "token_v2", tenant: str = "", **form: str | None
) -> tuple[int, dict[str, object]]:
    fields = {"client_id": world.seed.native.app_id, "scope": f"{SCOPE} openid profile offline_access"} | form
    fields = {name: value for name, value in fields.items() if value is not None}
    answer = world.request(handler, tenant=tenant, form=fields)
    return answer.status, json.loads(answer.body)


def password(world: World, tenant: str = "", handler: str = "token_v2", **changes: str | None):
    form = {"grant_type": "password", "username": "ada@contoso.example", "password": PASSWORD.reveal()}
    return send(world, handler, tenant, **(form | changes))


def refresh(world: World, token: object, **changes: str | None):
    return send(world, **({"grant_type": "refresh_token", "refresh_token": str(token)} | changes))


def code_for(world: World, **changes: object) -> str:
    defaults = {
        "app_id": world.seed.native.app_id,
        "user_id": world.seed.user.id,
        "redirect_uri": REDIRECT,
        "scope": f"{SCOPE} openid offline_access",
        "nonce": "n-1",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    with world.store.begin() as connection:
        codes = AuthorizationCodes(connection, world.seed.home.tenant_id, world.services)
        return codes.add(CodeRequest(**(defaults | changes))).reveal()


def redeem(world: World, code: str | None, **changes: str | None):
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        "scope": None,
    }
    return send(world, **(form | changes))


def code_of(answer: tuple[int, dict[str, object]]) -> tuple[int, object, object]:
    status, body = answer
    [code] = body["error_codes"]
    return status, body["error"], code


def test_password_gives_all_tokens(world: World) -> None:
    status, body = password(world, client_info="1")
    assert status == 200, body
    claims = claims_of(body["access_token"])
    assert (claims["scp"], claims["upn"], claims["appidacr"]) == ("Incident.Read", "ada@contoso.example", "0")
    assert (claims["acr"], claims["amr"], claims["ipaddr"]) == ("1", ["pwd"], "192.0.2.7")
    assert body["scope"] == SCOPE
    identity = claims_of(body["id_token"])
    assert identity["aud"] == world.seed.native.app_id
    assert (identity["ver"], identity["preferred_username"]) == ("2.0", "ada@contoso.example")
    assert identity["sub"] == claims["sub"]
    info = json.loads(base64.urlsafe_b64decode(str(body["client_info"]) + "=="))
    assert info == {"uid": world.seed.user.id, "utid": world.seed.home.tenant_id}
    principal = Verifier(world.services).verify(str(body["access_token"]))
    assert (principal.kind, principal.scopes) == ("user", {"Incident.Read"})


def test_an_id_token_is_no_access_token(world: World) -> None:
    _, body = password(world)
    with pytest.raises(WrongAudienceError):
        Verifier(world.services).verify(str(body["id_token"]))


def test_tokens_that_were_not_asked_for_are_not_given(world: World) -> None:
    _, body = password(world, scope=SCOPE)
    assert not {"id_token", "refresh_token", "client_info"} & body.keys()


def test_the_v1_endpoint(world: World) -> None:
    _, body = password(world, handler="token_v1", scope=None, resource=MTP)
    assert body["resource"] == MTP
    assert body["expires_in"] == "3599"
    assert claims_of(body["id_token"])["ver"] == "1.0"
    assert body["refresh_token"]


@pytest.mark.filterwarnings("ignore:This API has been deprecated for public client flows:DeprecationWarning")
def test_msal_signs_in_with_a_password_and_refreshes(world: World) -> None:
    app = msal.PublicClientApplication(
        world.seed.native.app_id,
        authority=f"{BASE}/{world.seed.home.tenant_id}",
        instance_discovery=False,
        http_client=HandlerTransport(world),
    )
    answer = app.acquire_token_by_username_password("ada@contoso.example", PASSWORD.reveal(), [SCOPE])
    assert answer["id_token_claims"]["oid"] == world.seed.user.id, answer
    [account] = app.get_accounts()
    again = app.acquire_token_silent([SCOPE], account, force_refresh=True)
    assert claims_of(again["access_token"])["scp"] == "Incident.Read", again


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ((400, "invalid_grant", 50126), {"password": "wrong"}),
        ((400, "invalid_grant", 50034), {"username": "nobody@contoso.example"}),
        ((400, "invalid_request", 900144), {"password": None}),
        ((400, "invalid_request", 900144), {"username": None}),
        ((400, "invalid_request", 900144), {"scope": None}),
        ((400, "invalid_scope", 70011), {"scope": " "}),
        ((400, "invalid_scope", 700022), {"scope": f"{SCOPE} User.Read"}),
        ((400, "invalid_grant", 65001), {"scope": f"{MTP}/Incident.ReadWrite"}),
        ((400, "invalid_grant", 65001), {"scope": "https://graph.microsoft.com/.default"}),
        ((400, "invalid_resource", 500011), {"scope": "https://nobody.example/Read"}),
        ((400, "invalid_request", 901002), {"resource": MTP}),
        ((400, "invalid_request", 50194), {"tenant": "common"}),
        ((401, "invalid_client", 7000218), {"client_id": "{confidential}"}),
        ((401, "invalid_client", 700025), {"client_secret": "x"}),
    ],
)
def test_refusals_of_the_password_grant(world: World, expected, changes: dict[str, str | None]) -> None:
    if changes.get("client_id"):
        changes = {"client_id": world.seed.app.app_id}
    assert code_of(password(world, **changes)) == expected


def test_a_user_of_another_tenant_is_no_guest(world: World) -> None:
    with world.provisioning() as admin:
        admin.create_user(world.seed.customer.tenant_id, "bob@fabrikam.example", "Bob", PASSWORD)
    assert code_of(password(world, username="bob@fabrikam.example"))[2] == 90072


def test_disabled_and_passwordless_accounts(world: World) -> None:
    home = world.seed.home.tenant_id
    with world.provisioning() as admin:
        admin.create_user(home, "bob@contoso.example", "Bob", None)
        admin.set_user_enabled(home, world.seed.user.id, False)
    assert code_of(password(world, username="bob@contoso.example"))[2] == 50056
    assert code_of(password(world))[2] == 50057
    assert code_of(password(world, password="wrong"))[2] == 50126


def test_lockout_after_ten_failures_from_one_address(world: World) -> None:
    with world.store.begin() as connection:
        for _ in range(THRESHOLD - 1):
            SignInFailures(connection, world.seed.user, "192.0.2.7").record(int(START))
    assert code_of(password(world, password="wrong"))[2] == 50126
    assert code_of(password(world))[2] == 50053
    form = {
        "grant_type": "password",
        "client_id": world.seed.native.app_id,
        "username": "ada@contoso.example",
        "password": PASSWORD.reveal(),
        "scope": SCOPE,
    }
    assert world.request("token_v2", form=form, client_address="198.51.100.9").status == 200
    world.clock.advance(60)
    assert password(world)[0] == 200
    assert code_of(password(world, password="wrong"))[2] == 50126


def test_a_code_gives_tokens_once(world: World) -> None:
    code = code_for(world)
    status, body = redeem(world, code)
    assert status == 200, body
    assert claims_of(body["id_token"])["nonce"] == "n-1"
    assert claims_of(body["access_token"])["scp"] == "Incident.Read"
    assert refresh(world, body["refresh_token"])[0] == 200
    assert code_of(redeem(world, code)) == (400, "invalid_grant", 54005)
    assert code_of(refresh(world, body["refresh_token"]))[2] == 50173


def test_a_plain_challenge(world: World) -> None:
    code = code_for(world, code_challenge=VERIFIER, code_challenge_method="plain")
    assert redeem(world, code)[0] == 200


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (501481, {"code_verifier": "w" * 64}),
        (501481, {"code_verifier": "ü" * 64}),
        (50148, {"code_verifier": None}),
        (50011, {"redirect_uri": REDIRECT + "/"}),
        (900144, {"redirect_uri": None}),
        (70000, {"code": "unknown"}),
        (900144, {"code": None}),
        (700016, {"tenant": "fabrikam.example"}),
    ],
)
def test_refusals_of_the_code_grant(world: World, code: int, changes: dict[str, str | None]) -> None:
    made = code_for(world)
    assert code_of(redeem(world, **({"code": made} | changes)))[2] == code
    assert redeem(world, made)[0] == 200


def test_a_verifier_without_a_challenge_is_refused(world: World) -> None:
    assert code_of(redeem(world, code_for(world, code_challenge=None, code_challenge_method=None)))[2] == 501481


def test_a_code_is_its_clients(world: World) -> None:
    code = code_for(world)
    form = {"client_id": world.seed.app.app_id, "client_secret": world.seed.secret}
    assert code_of(redeem(world, code, **form))[2] == 70000


def test_codes_expire(world: World) -> None:
    code = code_for(world)
    world.clock.advance(600)
    assert code_of(redeem(world, code))[2] == 70008


@pytest.mark.parametrize("length", [42, 129])
def test_the_size_of_a_challenge(world: World, length: int) -> None:
    with pytest.raises(OAuthError, match="code_challenge_size"):
        code_for(world, code_challenge="x" * length)


def test_an_old_refresh_token_stays_valid(world: World) -> None:
    _, first = password(world)
    _, second = refresh(world, first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert refresh(world, first["refresh_token"])[0] == 200


def test_a_refresh_token_keeps_its_scope_and_may_narrow_it(world: World) -> None:
    _, first = password(world)
    _, second = refresh(world, first["refresh_token"], scope=None)
    assert claims_of(second["access_token"])["aud"] == MTP
    assert code_of(refresh(world, first["refresh_token"], scope="User.Read"))[2] == 65001


def test_refresh_tokens_end(world: World) -> None:
    home = world.seed.home.tenant_id
    _, body = password(world)
    token = body["refresh_token"]
    assert code_of(refresh(world, "unknown"))[2] == 70000
    assert code_of(refresh(world, token, tenant="fabrikam.example"))[2] == 700016
    confidential = {"client_id": world.seed.app.app_id, "client_secret": world.seed.secret}
    assert code_of(refresh(world, token, **confidential))[2] == 70000
    world.clock.advance(1)
    with world.provisioning() as admin:
        admin.set_user_password(home, world.seed.user.id, Secret("another"))
    assert code_of(refresh(world, token))[2] == 50173


def test_a_refresh_token_of_a_disabled_user_or_a_revoked_tenant(world: World) -> None:
    home = world.seed.home.tenant_id
    _, body = password(world)
    with world.provisioning() as admin:
        admin.set_user_enabled(home, world.seed.user.id, False)
    assert code_of(refresh(world, body["refresh_token"]))[2] == 50057
    with world.provisioning() as admin:
        admin.set_user_enabled(home, world.seed.user.id, True)
        admin.revoke_tokens(home)
    assert code_of(refresh(world, body["refresh_token"]))[2] == 50173


def test_refresh_tokens_end_when_idle(world: World) -> None:
    _, body = password(world)
    world.clock.advance(90 * 86_400 - 1)
    _, newer = refresh(world, body["refresh_token"])
    world.clock.advance(1)
    assert code_of(refresh(world, body["refresh_token"]))[2] == 700082
    assert refresh(world, newer["refresh_token"])[0] == 200


def test_rotation_revokes_the_family_on_reuse(template: Template, tmp_path: Path) -> None:
    path, master_key, seed = template
    world = copy_world(path, tmp_path, master_key, seed, IdentitySettings(rotate_refresh_tokens=True))
    _, first = password(world)
    _, second = refresh(world, first["refresh_token"])
    _, third = refresh(world, second["refresh_token"])
    assert code_of(refresh(world, first["refresh_token"]))[2] == 50173
    assert code_of(refresh(world, third["refresh_token"]))[2] == 50173
    world.store.close()


def test_nothing_redeemable_is_stored_in_the_clear(world: World) -> None:
    code = code_for(world)
    _, body = password(world)
    world.store.engine.dispose()
    folder = Path(str(world.store.engine.url.database)).parent
    stored = b"".join(path.read_bytes() for path in folder.glob("control.db*"))
    assert code.encode() not in stored
    assert str(body["refresh_token"]).encode() not in stored


def test_claims_are_of_the_time_of_issue(world: World) -> None:
    world.clock.advance(5)
    _, body = password(world)
    assert claims_of(body["access_token"])["iat"] == claims_of(body["id_token"])["iat"] == START + 5


def test_app_roles_given_to_people(world: World) -> None:
    """Those of the client's own application are in the id_token; a required assignment keeps everybody else out."""
    home, role_id = world.seed.home.tenant_id, "0c0c0c0c-0c0c-4c0c-8c0c-0c0c0c0c0c0c"
    with world.store.begin() as connection:
        ExposedPermissions(connection, world.seed.native).add_role(AppRole(role_id, "Hunter", "Hunts", ("User",)))
        principal = ServicePrincipals(connection, home).find(world.seed.native.app_id)
        own = SERVICE_PRINCIPALS.update().where(SERVICE_PRINCIPALS.c.id == principal.id)
        connection.execute(own.values(app_role_assignment_required=True))
    assert code_of(password(world)) == (400, "invalid_grant", 50105)
    with world.store.begin() as connection:
        given = AppRoleAssignment("a-1", world.seed.user.id, "User", principal.id, role_id, 0)
        AppRoleAssignments(connection, home).add(given)
        Tenants(connection).advance_generation(home)
    assert claims_of(password(world)[1]["id_token"])["roles"] == ["Hunter"]


def test_pages_of_browser_applications_may_redeem_but_not_show_a_secret(world: World) -> None:
    headers = {"origin": "https://page.example"}
    form = {"grant_type": "password", "client_id": world.seed.native.app_id, "scope": SCOPE}
    answer = world.request(
        "token_v2", form=form | {"username": "ada@contoso.example", "password": PASSWORD.reveal()}, headers=headers
    )
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    refused = world.request("token_v2", form=world.client_credentials(), headers=headers)
    assert json.loads(refused.body)["error_codes"] == [9002313]
    assert refused.headers["access-control-allow-origin"] == "*"


def test_a_partner_acts_for_people_of_the_consenting_customer(world: World) -> None:
    home, customer, partner = world.seed.home.tenant_id, world.seed.customer.tenant_id, world.seed.partner.app_id
    asked = {
        "client_id": partner,
        "client_secret": world.seed.partner_secret,
        "username": "boss@fabrikam.example",
    }
    status, answer = password(world, customer, **asked)
    assert (status, answer["error_codes"]) == (400, [65001])  # consent so far was to the application's own permission
    with world.provisioning() as admin:
        admin.add_required_permissions(home, partner, "mtp", delegated=["Incident.Read"])
        admin.grant_admin_consent(customer, partner)
    status, answer = password(world, customer, **asked)
    assert status == 200, answer
    claims = claims_of(str(answer["access_token"]))
    assert (claims["tid"], claims["scp"], claims["upn"]) == (customer, "Incident.Read", "boss@fabrikam.example")
    status, answer = password(world, customer, **(asked | {"username": "ada@contoso.example"}))
    assert (status, answer["error_codes"]) == (400, [90072])  # the partner's own people are strangers there
