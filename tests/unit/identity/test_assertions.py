"""Client assertions: what is accepted beside msal's forms, and a table of broken ones."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey

from vedette.identity.assertions import ASSERTION_TYPE
from vedette.identity.directory.credentials import thumbprint

from .test_msal import KEY, certificate
from .world import BASE, START, World

DER = certificate().public_bytes(Encoding.DER)


def private(key: rsa.RSAPrivateKey = KEY) -> RSAKey:
    return RSAKey.import_key(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.fixture
def registered(world: World) -> World:
    with world.provisioning() as admin:
        admin.add_certificate(world.seed.home.tenant_id, world.seed.app.app_id, certificate())
    return world


def assertion(world: World, *, alg: str = "RS256", header: dict[str, object] | None = None, key=None, **claims) -> str:
    app_id = world.seed.app.app_id
    body = {
        "aud": f"{BASE}/{world.seed.home.tenant_id}/oauth2/v2.0/token",
        "iss": app_id,
        "sub": app_id,
        "exp": START + 600,
        "jti": "x",
    } | claims
    body = {name: value for name, value in body.items() if value is not None}
    head = {"alg": alg, "x5t": thumbprint(DER, "sha1")} if header is None else {"alg": alg} | header
    return jwt.encode(head, body, key or private(), algorithms=[alg])


def send(world: World, value: str, **changes: str | None) -> tuple[int, list[int]]:
    form = world.client_credentials(
        client_secret=None, client_assertion=value, client_assertion_type=ASSERTION_TYPE
    ) | {name: value for name, value in changes.items() if value}
    form = {name: value for name, value in form.items() if changes.get(name, "") is not None}
    answer = world.request("token_v2", form=form)
    return answer.status, json.loads(answer.body).get("error_codes", [])


@pytest.mark.parametrize("padding", ["", "="])
@pytest.mark.parametrize(("name", "algorithm", "alg"), [("x5t", "sha1", "RS256"), ("x5t#S256", "sha256", "PS256")])
def test_thumbprints_padded_or_not(registered: World, padding: str, name: str, algorithm: str, alg: str) -> None:
    value = assertion(registered, alg=alg, header={name: thumbprint(DER, algorithm) + padding})
    assert send(registered, value) == (200, [])


@pytest.mark.parametrize(
    "audience",
    ["{base}/{tid}/oauth2/token", "{base}/{tid}/v2.0", "{base}/{tid}/", "{base}/contoso.example/oauth2/v2.0/token"],
)
def test_audiences_by_which_clients_name_this_authority(registered: World, audience: str) -> None:
    audience = audience.format(base=BASE, tid=registered.seed.home.tenant_id)
    assert send(registered, assertion(registered, aud=audience)) == (200, [])


def test_times_may_be_fractions(registered: World) -> None:
    assert send(registered, assertion(registered, exp=START + 600.25, iat=START + 0.5, nbf=START - 0.5))[0] == 200


def other_key(world: World) -> str:
    return assertion(world, key=private(rsa.generate_private_key(public_exponent=65_537, key_size=2048)))


def unsigned(world: World) -> str:
    _, claims, _ = assertion(world).split(".")
    raw = json.dumps({"alg": "none", "x5t": thumbprint(DER, "sha1")}).encode()
    return f"{base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}.{claims}."


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (other_key, 700027),
        (unsigned, 700027),
        (lambda world: assertion(world, header={"x5t": "AAAA"}), 700027),
        (lambda world: assertion(world, header={"x5t": thumbprint(DER, "sha1"), "x5t#S256": "AAAA"}), 700027),
        (lambda world: assertion(world, header={}), 50012),
        (lambda world: "not a JWT", 50012),
        (lambda world: assertion(world, iss=world.seed.partner.app_id), 700021),
        (lambda world: assertion(world, sub="someone"), 700021),
        (lambda world: assertion(world, exp=START - 301), 700024),
        (lambda world: assertion(world, nbf=START + 301), 700024),
        (lambda world: assertion(world, exp=None), 50012),
        (lambda world: assertion(world, exp="soon"), 50012),
        (lambda world: assertion(world, aud="https://login.elsewhere.example/token"), 50012),
        (lambda world: assertion(world, aud=None), 50012),
    ],
)
def test_broken_assertions(registered: World, make, code: int) -> None:
    assert send(registered, make(registered)) == (401, [code])


def test_the_assertion_type_is_checked(registered: World) -> None:
    value = assertion(registered)
    assert send(registered, value, client_assertion_type="urn:other")[1] == [900144]
    assert send(registered, value, client_assertion_type=None)[1] == [900144]


def test_a_secret_beside_an_assertion_is_refused(registered: World) -> None:
    assert send(registered, assertion(registered), client_secret=registered.seed.secret)[1] == [9002313]


def test_padded_parts_are_signed_as_they_are(registered: World) -> None:
    """The form of azure-identity's asynchronous certificate credential."""
    header = {"typ": "JWT", "alg": "RS256", "x5t": thumbprint(DER, "sha1") + "="}
    claims = json.loads(base64.urlsafe_b64decode(assertion(registered).split(".")[1] + "=="))
    for filler in ("", "x", "xx"):  # parts of every length
        parts = [json.dumps(part).encode() for part in (header | {"typ": "JWT" + filler}, claims | {"jti": filler})]
        signed = b".".join(base64.urlsafe_b64encode(part) for part in parts)
        signature = base64.urlsafe_b64encode(KEY.sign(signed, PKCS1v15(), SHA256()))
        assert send(registered, f"{signed.decode()}.{signature.decode()}") == (200, [])
        forged = base64.urlsafe_b64encode(KEY.sign(signed + b"=", PKCS1v15(), SHA256()))
        assert send(registered, f"{signed.decode()}.{forged.decode()}") == (401, [700027])
