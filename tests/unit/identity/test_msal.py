"""The unmodified msal over the handlers: secrets, certificates both ways, and the refusals it reports."""

import datetime

import msal
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from .msal_transport import HandlerTransport
from .world import BASE, MTP, START, World, claims_of

SCOPES = [f"{MTP}/.default"]
KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def certificate(days: int = 10, key: rsa.RSAPrivateKey = KEY) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    start = datetime.datetime.fromtimestamp(START, datetime.UTC) - datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=days))
    return builder.sign(key, SHA256())


def credential(kind: str) -> dict[str, str]:
    made = certificate()
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = {"public_certificate": made.public_bytes(Encoding.PEM).decode()}
    thumbprint = {"thumbprint": made.fingerprint(SHA1()).hex()}
    chosen = {"thumbprint": thumbprint, "certificate": public, "both": thumbprint | public}[kind]
    return {"private_key": pem} | chosen


def client(world: World, secret: object, *, tenant: str = "") -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        world.seed.app.app_id,
        client_credential=secret,
        authority=f"{BASE}/{tenant or world.seed.home.tenant_id}",
        instance_discovery=False,
        http_client=HandlerTransport(world),
    )


def test_a_secret(world: World) -> None:
    answer = client(world, world.seed.secret).acquire_token_for_client(SCOPES)
    assert claims_of(answer["access_token"])["tid"] == world.seed.home.tenant_id
    assert answer["expires_in"] == 3599


@pytest.fixture
def now(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """msal's own clock, set to the world's."""
    monkeypatch.setattr("time.time", world.clock.time)
    return world


@pytest.mark.parametrize("kind", ["thumbprint", "certificate", "both"])
def test_certificates(now: World, kind: str) -> None:
    with now.provisioning() as admin:
        admin.add_certificate(now.seed.home.tenant_id, now.seed.app.app_id, certificate())
    answer = client(now, credential(kind)).acquire_token_for_client(SCOPES)
    assert claims_of(answer["access_token"])["appidacr"] == "2", answer


def test_an_unregistered_certificate_is_700027(now: World) -> None:
    answer = client(now, credential("both")).acquire_token_for_client(SCOPES)
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [700027])


def test_an_expired_certificate_is_700027(now: World) -> None:
    with now.provisioning() as admin:
        admin.add_certificate(now.seed.home.tenant_id, now.seed.app.app_id, certificate())
    now.clock.advance(10 * 86_400)
    answer = client(now, credential("both")).acquire_token_for_client(SCOPES)
    assert answer["error_codes"] == [700027]


def test_refusals_reach_the_caller(world: World) -> None:
    answer = client(world, "wrong").acquire_token_for_client(SCOPES)
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [7000215])
    assert answer["error_description"].startswith("AADSTS7000215: Invalid client secret provided.")
    answer = client(world, world.seed.secret, tenant="fabrikam.example").acquire_token_for_client(SCOPES)
    assert (answer["error"], answer["error_codes"]) == ("unauthorized_client", [700016])


def test_an_unknown_tenant_fails_at_discovery(world: World) -> None:
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        client(world, "x", tenant="nobody.example").acquire_token_for_client(SCOPES)
