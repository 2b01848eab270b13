"""The `claims` parameter at the token endpoint: capabilities, and the answer to a claims challenge."""

import json

import pytest

from vedette.identity.claims_request import MAXIMUM_AHEAD

from .test_user_grants import password
from .world import MTP, START, World, claims_of

CAPABLE = '{"access_token": {"xms_cc": {"values": ["CP1"]}}}'


def demanded(second: float) -> str:
    return json.dumps({"access_token": {"nbf": {"essential": True, "value": str(int(second))}, "xms_cc": None}})


def test_a_token_says_what_its_client_can_do(world: World) -> None:
    assert claims_of(world.token(claims=CAPABLE))["xms_cc"] == ["cp1"]
    assert "xms_cc" not in claims_of(world.token())
    assert "xms_cc" not in claims_of(world.token(claims=CAPABLE, scope="api://vedette/.default"))


def test_so_does_a_persons(world: World) -> None:
    _, given = password(world, claims=CAPABLE)
    assert claims_of(str(given["access_token"]))["xms_cc"] == ["cp1"]


@pytest.mark.parametrize("handler", ["token_v2", "token_v1"])
def test_who_can_be_challenged_has_a_token_for_long(world: World, handler: str) -> None:
    named = {"scope": None, "resource": MTP} if handler == "token_v1" else {}
    given = [
        json.loads(world.request(handler, form=world.client_credentials(**named, claims=claims)).body)
        for claims in (CAPABLE, None)
    ]
    assert [int(each["expires_in"]) for each in given] == [86_400, 3599]
    assert [str(each.get("refresh_in")) for each in given] == ["43200", "None"]
    times = claims_of(given[0]["access_token"])
    assert times["exp"] - times["iat"] == 86_400


def test_resources_that_do_not_challenge_give_no_long_token(world: World) -> None:
    form = world.client_credentials(claims=CAPABLE, scope="api://vedette/.default")
    given = json.loads(world.request("token_v2", form=form).body)
    assert (given["expires_in"], given.get("refresh_in")) == (3599, None)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (START - 60, START),
        (START + 1, START + 1),
        (START + MAXIMUM_AHEAD + 1, START),
    ],
)
def test_a_token_is_as_new_as_was_demanded(world: World, second: float, expected: float) -> None:
    claims = claims_of(world.token(claims=demanded(second)))
    assert claims["nbf"] == expected
    assert claims["iat"] == START


@pytest.mark.parametrize(
    "claims",
    [
        "nonsense",
        "[]",
        '{"access_token": []}',
        '{"access_token": {"nbf": {"value": "soon"}}}',
        '{"access_token": {"xms_cc": {"values": "cp1"}}}',
    ],
)
def test_what_is_no_claims_request_is_refused(world: World, claims: str) -> None:
    answer = world.request("token_v2", form=world.client_credentials(claims=claims))
    assert answer.status == 400
    assert json.loads(answer.body)["error_codes"] == [9002313]


@pytest.mark.parametrize("claims", ["{}", '{"id_token": {"auth_time": null}}', '{"access_token": {"acrs": null}}', ""])
def test_other_claims_change_nothing(world: World, claims: str) -> None:
    assert world.token(claims=claims)
