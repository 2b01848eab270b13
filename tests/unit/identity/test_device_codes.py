"""The device code grant: waiting, signing in elsewhere, refusing, expiring."""

import json
from pathlib import Path

import pytest

from vedette.identity.directory.applications import Application
from vedette.identity.directory.users import User
from vedette.identity.errors import ObjectNotFoundError
from vedette.identity.grants.device_codes import USER_CODE_LETTERS, DeviceCodes, StartedDeviceCode
from vedette.identity.services import IdentitySettings

from .conftest import Template
from .test_user_grants import code_for, redeem
from .world import MTP, World, claims_of, copy_world

SCOPE = f"{MTP}/Incident.Read openid offline_access"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def start(world: World, application: Application | None = None) -> StartedDeviceCode:
    with world.store.begin() as connection:
        return DeviceCodes(connection, world.services).start(application or world.seed.native, SCOPE)


def settle(world: World, started: StartedDeviceCode, user: User | None) -> None:
    with world.store.begin() as connection:
        codes = DeviceCodes(connection, world.services)
        pending = codes.find_pending(started.user_code.lower())
        if user is None:
            codes.decline(pending)
        else:
            codes.approve(pending, user)


def poll(world: World, started: StartedDeviceCode, tenant: str = "", **changes: str | None):
    form = {
        "grant_type": GRANT,
        "client_id": world.seed.native.app_id,
        "device_code": started.device_code.reveal(),
    } | changes
    form = {name: value for name, value in form.items() if value is not None}
    answer = world.request("token_v2", tenant=tenant, form=form)
    return answer.status, json.loads(answer.body)


def refusal(answer: tuple[int, dict[str, object]]) -> tuple[int, object, object]:
    status, body = answer
    return status, body["error"], body["error_codes"]


def test_waiting_then_signed_in(world: World) -> None:
    started = start(world)
    assert refusal(poll(world, started)) == (400, "authorization_pending", [70016])
    settle(world, started, world.seed.user)
    status, body = poll(world, started)
    assert status == 200, body
    assert claims_of(body["access_token"])["oid"] == world.seed.user.id
    assert {"id_token", "refresh_token"} <= body.keys()
    assert refusal(poll(world, started)) == (400, "bad_verification_code", [70018])


@pytest.mark.parametrize("grant_type", [GRANT, "device_code"])
@pytest.mark.parametrize("name", ["device_code", "code"])
def test_either_name_of_the_code(world: World, grant_type: str, name: str) -> None:
    started = start(world)
    settle(world, started, world.seed.user)
    form = {"device_code": None, name: started.device_code.reveal(), "grant_type": grant_type}
    assert poll(world, started, **form)[0] == 200


def test_refused(world: World) -> None:
    started = start(world)
    settle(world, started, None)
    assert refusal(poll(world, started)) == (400, "authorization_declined", [65004])


def test_expired(world: World) -> None:
    started = start(world)
    world.clock.advance(started.expires_in)
    assert refusal(poll(world, started)) == (400, "expired_token", [70020])
    with pytest.raises(ObjectNotFoundError):
        settle(world, started, world.seed.user)


def test_wrong_or_missing_code(world: World) -> None:
    started = start(world)
    assert refusal(poll(world, started, device_code="x")) == (400, "bad_verification_code", [70018])
    assert refusal(poll(world, started, device_code=None)) == (400, "invalid_request", [900144])


def test_a_code_is_its_clients(world: World) -> None:
    started = start(world)
    settle(world, started, world.seed.user)
    other = {"client_id": world.seed.app.app_id, "client_secret": world.seed.secret}
    assert refusal(poll(world, started, **other))[2] == [70018]


def test_a_code_is_settled_once(world: World) -> None:
    started = start(world)
    settle(world, started, None)
    with pytest.raises(ObjectNotFoundError):
        settle(world, started, world.seed.user)


def test_organizations_is_the_tenant_of_whoever_signs_in(world: World) -> None:
    started = start(world, world.seed.partner)
    partner = {"client_id": world.seed.partner.app_id, "client_secret": world.seed.partner_secret}
    assert refusal(poll(world, started, "organizations", **partner))[2] == [70016]
    with world.provisioning() as admin:
        customer = world.seed.customer.tenant_id
        bob = admin.create_user(customer, "bob@fabrikam.example", "Bob", None)
        admin.add_required_permissions(
            world.seed.home.tenant_id, world.seed.partner.app_id, "mtp", delegated=["Incident.Read"]
        )
        admin.grant_admin_consent(customer, world.seed.partner.app_id)
    settle(world, started, bob)
    assert refusal(poll(world, started, **partner))[2] == [50020]
    status, body = poll(world, started, "organizations", **partner)
    assert status == 200, body
    assert claims_of(body["access_token"])["tid"] == customer


def test_user_codes_are_typed_as_people_type(world: World) -> None:
    started = start(world)
    assert set(started.user_code) <= set(USER_CODE_LETTERS)
    code = started.user_code
    with world.store.connect() as connection:
        found = DeviceCodes(connection, world.services).find_pending(f" {code[:4]}-{code[4:]} ")
    assert found.user_code == code


def test_codes_live_for_seconds_where_a_test_wants_it(template: Template, tmp_path: Path) -> None:
    path, master_key, seed = template
    settings = IdentitySettings(authorization_code_lifetime=2, device_code_lifetime=3)
    world = copy_world(path, tmp_path, master_key, seed, settings)
    started, code = start(world), code_for(world)
    assert started.expires_in == 3
    world.clock.advance(2)
    _, late = redeem(world, code)
    assert late["error_codes"] == [70008]
    assert poll(world, started)[1]["error_codes"] == [70016]
    world.clock.advance(1)
    assert poll(world, started)[1]["error_codes"] == [70020]
    world.store.close()
