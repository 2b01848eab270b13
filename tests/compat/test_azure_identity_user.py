"""azure-identity, unmodified, with certificates, outside assertions and people."""

import base64
import datetime
import hashlib
import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import jwt
import msal
import pytest
from azure.identity import (
    CertificateCredential,
    ClientAssertionCredential,
    DeviceCodeCredential,
    OnBehalfOfCredential,
    UsernamePasswordCredential,
    WorkloadIdentityCredential,
)
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from vedette.identity.provisioning import Provisioning
from vedette.server.data_folder import existing_data_folder
from vedette.server.wiring import Services
from vedette.settings import load_settings

from .conftest import DemoServer
from .people import Person
from .test_msal import claims
from .test_msal_user import PortKeeper

DEFENDER = "https://api.security.microsoft.com/.default"
INCIDENTS = "https://api.security.microsoft.com/Incident.Read"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Certificate:
    """A key and its self-signed certificate, as an administrator makes them."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
        now = datetime.datetime.now(datetime.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """Key and certificate in one file's content."""
        encoding, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        key = self.key.private_bytes(encoding, private, serialization.NoEncryption())
        return key + self.public_pem

    @property
    def public_pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def assertion(self, server: DemoServer, client_id: str) -> str:
        """A client assertion (RFC 7523) made by hand."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        thumbprint = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
        now = int(time.time())
        audience = f"{server.base_url}/{server.home['tenant_id']}/oauth2/v2.0/token"
        body = {"iss": client_id, "sub": client_id, "aud": audience, "jti": str(uuid.uuid4()), "iat": now}
        return jwt.encode({**body, "exp": now + 600}, self.key, "PS256", headers={"x5t#S256": thumbprint})


@pytest.fixture(scope="module")
def registered(demo_server: DemoServer) -> Certificate:
    """A certificate registered with the demo's confidential application."""
    certificate = Certificate()
    folder = demo_server.data
    services = Services(load_settings({"data": folder}, {}), existing_data_folder(folder))
    try:
        with services.store.begin() as connection:
            Provisioning(connection, services.identity).add_certificate(
                str(demo_server.home["tenant_id"]),
                str(demo_server.app("confidential")["client_id"]),
                certificate.certificate,
            )
    finally:
        services.close()
    return certificate


@pytest.fixture
def person(trusted: DemoServer) -> Iterator[Person]:
    with Person(trusted) as person:
        yield person


def own(server: DemoServer) -> dict[str, object]:
    return {"authority": server.base_url, "disable_instance_discovery": True}


def test_certificate_credential(trusted: DemoServer, registered: Certificate) -> None:
    for chain in (False, True):
        credential = CertificateCredential(
            trusted.home["tenant_id"],
            trusted.app("confidential")["client_id"],
            certificate_data=registered.pem,
            send_certificate_chain=chain,
            **own(trusted),
        )
        assert claims(credential.get_token(DEFENDER).token)["appidacr"] == "2"


@pytest.mark.parametrize("with_thumbprint", [True, False])
def test_msal_with_a_certificate(trusted: DemoServer, registered: Certificate, with_thumbprint: bool) -> None:
    credential = {"private_key": registered.pem.decode(), "public_certificate": registered.public_pem.decode()}
    if with_thumbprint:
        credential["thumbprint"] = registered.certificate.fingerprint(hashes.SHA1()).hex()
    app = msal.ConfidentialClientApplication(
        trusted.app("confidential")["client_id"],
        client_credential=credential,
        authority=f"{trusted.base_url}/{trusted.home['tenant_id']}",
        instance_discovery=False,
    )
    answer = app.acquire_token_for_client([DEFENDER])
    assert "access_token" in answer, answer


def test_a_certificate_that_is_not_registered_is_refused(trusted: DemoServer) -> None:
    credential = CertificateCredential(
        trusted.home["tenant_id"],
        trusted.app("confidential")["client_id"],
        certificate_data=Certificate().pem,
        **own(trusted),
    )
    with pytest.raises(Exception, match="AADSTS700027"):
        credential.get_token(DEFENDER)


def test_client_assertion_credential(trusted: DemoServer, registered: Certificate) -> None:
    client_id = str(trusted.app("confidential")["client_id"])
    credential = ClientAssertionCredential(
        trusted.home["tenant_id"], client_id, lambda: registered.assertion(trusted, client_id), **own(trusted)
    )
    assert claims(credential.get_token(DEFENDER).token)["roles"]


def test_workload_identity_credential(trusted: DemoServer, registered: Certificate, tmp_path: Path) -> None:
    client_id = str(trusted.app("confidential")["client_id"])
    token_file = tmp_path / "token"
    token_file.write_text(registered.assertion(trusted, client_id))
    credential = WorkloadIdentityCredential(
        tenant_id=trusted.home["tenant_id"], client_id=client_id, token_file_path=str(token_file), **own(trusted)
    )
    assert claims(credential.get_token(DEFENDER).token)["roles"]


def test_device_code_credential(trusted: DemoServer, person: Person) -> None:
    pages: list[threading.Thread] = []

    def sign_in(address: str, user_code: str, _: object) -> None:
        page = person.submit(person.open(address), user_code=user_code)
        confirm = person.submit(page, username=person.name, password=person.password)
        person.submit(confirm, answer="accept")
        pages.append(threading.current_thread())

    credential = DeviceCodeCredential(
        trusted.app("public")["client_id"],
        tenant_id=trusted.home["tenant_id"],
        prompt_callback=sign_in,
        **own(trusted),
    )
    assert claims(credential.get_token(INCIDENTS).token)["upn"] == person.name
    assert pages


def test_username_password_credential(trusted: DemoServer, person: Person) -> None:
    credential = UsernamePasswordCredential(
        trusted.app("public")["client_id"],
        person.name,
        person.password,
        tenant_id=trusted.home["tenant_id"],
        transport=_transport(trusted),
        **own(trusted),
    )
    assert claims(credential.get_token(INCIDENTS).token)["upn"] == person.name


def _transport(server: DemoServer) -> object:
    from azure.core.pipeline.transport import RequestsTransport

    return RequestsTransport(session=PortKeeper(server.base_url), session_owner=False)


def test_on_behalf_of_refuses_an_applications_token(trusted: DemoServer) -> None:
    app = trusted.app("confidential")
    tenant, client_id, secret = trusted.home["tenant_id"], app["client_id"], app["client_secret"]
    asserted = msal.ConfidentialClientApplication(
        client_id, client_credential=secret, authority=f"{trusted.base_url}/{tenant}", instance_discovery=False
    ).acquire_token_for_client([f"{client_id}/.default"])["access_token"]
    credential = OnBehalfOfCredential(tenant, client_id, client_secret=secret, user_assertion=asserted, **own(trusted))
    with pytest.raises(Exception, match="AADSTS7000114"):
        credential.get_token(DEFENDER)


async def _async_token(server: DemoServer) -> str:
    app = server.app("confidential")
    credential = AsyncClientSecretCredential(
        server.home["tenant_id"], app["client_id"], app["client_secret"], **own(server)
    )
    async with credential:
        return (await credential.get_token(DEFENDER)).token


def test_async_client_secret_credential(trusted: DemoServer) -> None:
    import asyncio

    assert json.dumps(claims(asyncio.run(_async_token(trusted)))["roles"])


def test_async_certificate_credential(trusted: DemoServer, registered: Certificate) -> None:
    import asyncio

    from azure.identity.aio import CertificateCredential as AsyncCertificateCredential

    async def asked() -> str:
        credential = AsyncCertificateCredential(
            trusted.home["tenant_id"],
            trusted.app("confidential")["client_id"],
            certificate_data=registered.pem,
            **own(trusted),
        )
        async with credential:
            return (await credential.get_token(DEFENDER)).token

    assert claims(asyncio.run(asked()))["appidacr"] == "2"
