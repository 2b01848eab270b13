"""Federated credentials: tokens of a trusted outside issuer in place of a key."""

import json
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from vedette.egress.policy import EgressPolicy
from vedette.egress.transport import Egress
from vedette.identity.assertions import ASSERTION_TYPE
from vedette.identity.directory.federated_credentials import FederatedCredential, FederatedCredentials
from vedette.identity.foreign_keys import ForeignKeys

from .world import World

ISSUER = "https://issuer.example/builds"
SUBJECT = "repo:contoso/hunting:ref:refs/heads/main"
AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": "k-1"})


@pytest.fixture
def mirror(tmp_path: Path, key: RSAKey) -> Path:
    """What the issuer publishes, as the mirror of the one way out serves it."""
    folder = tmp_path / "mirror" / "issuer.example" / "builds"
    (folder / ".well-known").mkdir(parents=True)
    metadata = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
    (folder / ".well-known" / "openid-configuration").write_text(json.dumps(metadata))
    (folder / "keys").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    return tmp_path / "mirror"


@pytest.fixture
def trusting(world: World, mirror: Path) -> World:
    world.services.foreign_keys = ForeignKeys(Egress(EgressPolicy(mirror=mirror)), world.clock)
    with world.store.begin() as connection:
        FederatedCredentials(connection, world.seed.app).add(
            FederatedCredential(world.services.ids.guid(), "builds", ISSUER, SUBJECT, (AUDIENCE,))
        )
    return world


def assertion(world: World, key: RSAKey | ECKey, *, algorithm: str = "RS256", **changes: object) -> str:
    now = world.services.now()
    claims = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "exp": now + 600} | changes
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])


def ask(world: World, token: str) -> dict[str, object]:
    form = world.client_credentials(client_secret=None, client_assertion=token, client_assertion_type=ASSERTION_TYPE)
    return json.loads(world.request("token_v2", form=form).body)


def test_a_trusted_token_stands_for_a_key(trusting: World, key: RSAKey) -> None:
    assert "access_token" in ask(trusting, assertion(trusting, key))
    assert "access_token" in ask(trusting, assertion(trusting, key, aud=[AUDIENCE]))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://other.example"}, 700211),
        ({"sub": "repo:contoso/other"}, 700213),
        ({"aud": "api://something-else"}, 700212),
        ({"aud": [AUDIENCE, "more"]}, 700214),
        ({"aud": None}, 700214),
        ({"exp": 1}, 700024),
        ({"exp": None}, 50012),
    ],
)
def test_every_claim_counts(trusting: World, key: RSAKey, changes: dict[str, object], code: int) -> None:
    assert ask(trusting, assertion(trusting, key, **changes))["error_codes"] == [code]


def test_signatures_of_other_keys_and_algorithms_are_refused(trusting: World, key: RSAKey) -> None:
    stranger = RSAKey.generate_key(2048, parameters={"kid": "k-1"})
    curve = ECKey.generate_key("P-256", parameters={"kid": "k-1"})
    for token in (assertion(trusting, stranger), assertion(trusting, curve, algorithm="ES256")):
        assert ask(trusting, token)["error_codes"] == [700027]
    good = assertion(trusting, key)
    header, payload, _ = good.split(".")
    unsigned = f"eyJhbGciOiJub25lIn0.{payload}."
    assert ask(trusting, unsigned)["error_codes"][0] in (50012, 700027)
    assert ask(trusting, f"{header}.{payload}.AAAA")["error_codes"] == [700027]


def test_without_a_way_out_nothing_is_trusted(trusting: World, key: RSAKey) -> None:
    trusting.services.foreign_keys = ForeignKeys(Egress(EgressPolicy()), trusting.clock)
    refused = ask(trusting, assertion(trusting, key))
    assert refused["error_codes"] == [700027]
    assert "host_not_allowed" in str(refused["error_description"])


def test_a_rotated_key_is_found(trusting: World, mirror: Path, key: RSAKey) -> None:
    assert "access_token" in ask(trusting, assertion(trusting, key))
    fresh = RSAKey.generate_key(2048, parameters={"kid": "k-2"})
    (mirror / "issuer.example/builds/keys").write_text(json.dumps({"keys": [fresh.as_dict(private=False)]}))
    assert ask(trusting, assertion(trusting, fresh))["error_codes"] == [700027]
    trusting.clock.advance(31)
    assert "access_token" in ask(trusting, assertion(trusting, fresh))


def test_metadata_of_another_issuer_is_refused(trusting: World, mirror: Path, key: RSAKey) -> None:
    (mirror / "issuer.example/builds/.well-known/openid-configuration").write_text(
        json.dumps({"issuer": "https://evil.example", "jwks_uri": f"{ISSUER}/keys"})
    )
    assert ask(trusting, assertion(trusting, key))["error_codes"] == [700027]


def test_another_applications_credentials_do_not_count(trusting: World, key: RSAKey) -> None:
    form = trusting.client_credentials(
        client_id=trusting.seed.partner.app_id,
        client_secret=None,
        client_assertion=assertion(trusting, key),
        client_assertion_type=ASSERTION_TYPE,
    )
    body = json.loads(trusting.request("token_v2", tenant=trusting.seed.customer.tenant_id, form=form).body)
    assert "access_token" not in body
