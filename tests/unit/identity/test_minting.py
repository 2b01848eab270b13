"""Tokens in one call."""

import pytest

from vedette.identity.errors import ObjectNotFoundError, UnknownPermissionError
from vedette.identity.minting import MintOrder, mint
from vedette.identity.tokens.verifier import Verifier

from .world import World, claims_of


def minted(world: World, **order: object) -> dict[str, object]:
    defaults = {"tenant": "contoso.example", "app_id": world.seed.app.app_id}
    token = mint(world.services, MintOrder(**(defaults | order))).value.reveal()
    Verifier(world.services).verify(token)
    return claims_of(token)


def test_without_roles_it_has_the_granted_ones(world: World) -> None:
    assert minted(world)["roles"] == ["AdvancedHunting.Read.All", "Incident.Read.All"]


@pytest.mark.parametrize(
    ("roles", "audience"),
    [
        (("Incident.ReadWrite.All",), "https://api.security.microsoft.com"),
        (("Alert.Read.All",), "https://api.securitycenter.microsoft.com"),
        (("ThreatHunting.Read.All",), "https://graph.microsoft.com"),
    ],
)
def test_the_resource_follows_from_the_roles(world: World, roles: tuple[str, ...], audience: str) -> None:
    claims = minted(world, roles=roles)
    assert (claims["aud"], claims["roles"]) == (audience, list(roles))


def test_any_role_can_be_minted_for_a_named_resource(world: World) -> None:
    assert minted(world, roles=("Incidents.Read.All",), resource="mtp")["roles"] == ["Incidents.Read.All"]
    with pytest.raises(UnknownPermissionError):
        minted(world, roles=("Incidents.Read.All",))


def test_a_person(world: World) -> None:
    claims = minted(world, app_id=world.seed.native.app_id, user="ada@contoso.example", scopes=("Incident.Read",))
    assert claims["scp"] == "Incident.Read"
    assert (claims["upn"], claims["name"], claims["appidacr"]) == ("ada@contoso.example", "Ada", "0")
    assert claims["oid"] == world.seed.user.id != claims["sub"]


def test_the_subject_of_a_person_differs_by_client(world: World) -> None:
    person = {"user": "ada@contoso.example", "scopes": ("Incident.Read",)}
    first, second, again = (
        minted(world, app_id=app.app_id, **person)["sub"]
        for app in (world.seed.native, world.seed.app, world.seed.native)
    )
    assert first == again != second


def test_lifetimes_are_bounded(world: World) -> None:
    claims = minted(world, lifetime=10)
    assert claims["exp"] - claims["iat"] == 10
    claims = minted(world, lifetime=10**9)
    assert claims["exp"] - claims["iat"] == world.services.settings.maximum_token_lifetime


@pytest.mark.parametrize(
    "order", [{"tenant": "nobody.example"}, {"app_id": "x"}, {"user": "nobody"}, {"resource": "nothing"}]
)
def test_unknown_names(world: World, order: dict[str, str]) -> None:
    with pytest.raises(ObjectNotFoundError):
        minted(world, **order)
