"""On-behalf-of: an API exchanges its caller's token for one of the next API, for the same user."""

import json

import pytest

from vedette.identity.directory.applications import Applications, ResourceAccess
from vedette.identity.directory.exposed_permissions import ExposedPermissions, PermissionScope
from vedette.identity.tokens.verifier import Verifier

from .world import MTP, PASSWORD, World, claims_of

SCOPE_ID = "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b"


@pytest.fixture
def middle(world: World) -> World:
    """The home application is an API as well, which the desktop application may call."""
    seed = world.seed
    with world.provisioning() as admin:
        connection = admin._connection  # the fixture's own transaction
        ExposedPermissions(connection, seed.app).add_scope(PermissionScope(SCOPE_ID, "access", "Use the hunter"))
        applications = Applications(connection, seed.home.tenant_id)
        applications.add_required(seed.native, ResourceAccess(seed.app.app_id, SCOPE_ID, "Scope"))
        admin.grant_admin_consent(seed.home.tenant_id, seed.native.app_id)
        admin.add_required_permissions(seed.home.tenant_id, seed.app.app_id, "mtp", delegated=["Incident.Read"])
        admin.grant_admin_consent(seed.home.tenant_id, seed.app.app_id)
    return world


def users_token(world: World, scope: str) -> str:
    form = {
        "grant_type": "password",
        "client_id": world.seed.native.app_id,
        "username": "ada@contoso.example",
        "password": PASSWORD.reveal(),
        "scope": f"{scope} openid",
    }
    body = json.loads(world.request("token_v2", form=form).body)
    assert "access_token" in body, body
    return str(body["access_token"])


def exchange(world: World, assertion: str, tenant: str = "", **changes: str | None) -> dict[str, object]:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "requested_token_use": "on_behalf_of",
        "client_id": world.seed.app.app_id,
        "client_secret": world.seed.secret,
        "assertion": assertion,
        "scope": f"{MTP}/Incident.Read offline_access",
    } | changes
    fields = {name: value for name, value in form.items() if value is not None}
    return json.loads(world.request("token_v2", tenant=tenant, form=fields).body)


def test_the_next_token_is_for_the_same_user(middle: World) -> None:
    first = users_token(middle, f"{middle.seed.app.app_id}/access")
    assert claims_of(first)["aud"] == middle.seed.app.app_id
    body = exchange(middle, first)
    claims = claims_of(str(body["access_token"]))
    assert (claims["oid"], claims["scp"]) == (middle.seed.user.id, "Incident.Read")
    assert claims["appid"] == middle.seed.app.app_id
    assert body["refresh_token"]
    assert Verifier(middle.services).verify(str(body["access_token"])).kind == "user"


def test_refusals(middle: World) -> None:
    first = users_token(middle, f"{middle.seed.app.app_id}/access")
    own = middle.token(scope=f"{middle.seed.app.app_id}/.default")
    other_audience = users_token(middle, f"{MTP}/Incident.Read")
    cases = {
        "other": (exchange(middle, other_audience), 50013),
        "forged": (exchange(middle, first[:-4] + "AAAA"), 50013),
        "not a token": (exchange(middle, "x"), 50013),
        "application": (exchange(middle, own), 7000114),
        "use": (exchange(middle, first, requested_token_use="logon"), 9002313),
        "no use": (exchange(middle, first, requested_token_use=None), 900144),
        "secret": (exchange(middle, first, client_secret="x"), 7000215),
        "consent": (exchange(middle, first, scope=f"{MTP}/Incident.ReadWrite"), 65001),
        "elsewhere": (exchange(middle, first, tenant=middle.seed.customer.tenant_id), 700016),
        "common": (exchange(middle, first, tenant="common"), 50194),
    }
    assert {name: body["error_codes"] for name, (body, _) in cases.items()} == {
        name: [code] for name, (_, code) in cases.items()
    }
    middle.clock.advance(3600)
    assert exchange(middle, first)["error_codes"] == [500133]


def test_an_id_token_is_no_assertion(middle: World) -> None:
    form = {
        "grant_type": "password",
        "client_id": middle.seed.app.app_id,
        "client_secret": middle.seed.secret,
        "username": "ada@contoso.example",
        "password": PASSWORD.reveal(),
        "scope": f"{MTP}/Incident.Read openid",
    }
    id_token = json.loads(middle.request("token_v2", form=form).body)["id_token"]
    assert claims_of(id_token)["aud"] == middle.seed.app.app_id
    assert exchange(middle, id_token)["error_codes"] == [50013]


def test_a_revoked_users_token_is_no_assertion(middle: World) -> None:
    first = users_token(middle, f"{middle.seed.app.app_id}/access")
    with middle.provisioning() as admin:
        admin.revoke_user_tokens(middle.seed.home.tenant_id, middle.seed.user.id)
    assert exchange(middle, first)["error_codes"] == [50013]
