"""Tokens of an outside issuer in place of a key, and on-behalf-of: unmodified clients, sync and async, over TLS."""

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
import msal
import pytest
from azure.identity import (
    ClientAssertionCredential,
    EnvironmentCredential,
    OnBehalfOfCredential,
    WorkloadIdentityCredential,
    aio,
)
from cryptography.hazmat.primitives.asymmetric import rsa

from vedette.identity.directory.applications import Applications, RedirectUris, ResourceAccess
from vedette.identity.directory.exposed_permissions import ExposedPermissions, PermissionScope
from vedette.identity.directory.federated_credentials import FederatedCredential, FederatedCredentials
from vedette.identity.provisioning import Provisioning
from vedette.server.data_folder import existing_data_folder
from vedette.server.wiring import Services
from vedette.settings import load_settings

from .conftest import DemoServer
from .people import Person
from .test_azure_identity_user import DEFENDER, own
from .test_msal import claims
from .test_msal_user import PortKeeper

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SUBJECT = "system:serviceaccount:hunting:runner"
AUDIENCE = "api://AzureADTokenExchange"
SCOPE_ID = "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0c"


class Issuer:
    """A cluster's OpenID provider: metadata, keys, and tokens for its workloads."""

    def __init__(self, certificate: Path) -> None:
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        documents = {
            "/.well-known/openid-configuration": lambda: {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/keys": lambda: {
                "keys": [{**jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), True), "kid": "k"}]
            },
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                document = documents.get(self.path)
                body = json.dumps(document() if document else {}).encode()
                self.send_response(200 if document else 404)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Be quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def token(self, **changes: object) -> str:
        """A workload's token."""
        now = int(time.time())
        body = {"iss": self.url, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "exp": now + 600} | changes
        return jwt.encode(body, self._key, "RS256", headers={"kid": "k"})

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Federated:
    """An application without a key that trusts the issuer, and an API that a public client may call."""

    def __init__(self, server: DemoServer, issuer: Issuer) -> None:
        home = str(server.home["tenant_id"])
        services = Services(load_settings({"data": server.data}, {}), existing_data_folder(server.data))
        try:
            with services.store.begin() as connection:
                admin, applications = Provisioning(connection, services.identity), Applications(connection, home)
                app = admin.create_application(home, "Keyless")
                admin.add_required_permissions(home, app.app_id, "mtp", application=["Incident.Read.All"])
                FederatedCredentials(connection, app).add(
                    FederatedCredential(services.ids.guid(), "cluster", issuer.url, SUBJECT, (AUDIENCE,))
                )
                ExposedPermissions(connection, app).add_scope(PermissionScope(SCOPE_ID, "access", "Use the API"))
                admin.add_required_permissions(home, app.app_id, "mtp", delegated=["Incident.Read"])
                uris = RedirectUris(public_client=("http://localhost",))
                caller = admin.create_application(home, "Caller", kind="public", redirect_uris=uris)
                applications.add_required(caller, ResourceAccess(app.app_id, SCOPE_ID, "Scope"))
                for each in (app, caller):
                    admin.grant_admin_consent(home, each.app_id)
                self.secret = admin.add_password(home, app.app_id).secret.reveal()
        finally:
            services.close()
        self.tenant, self.client_id, self.caller_id = home, app.app_id, caller.app_id


@pytest.fixture(scope="module")
def issuer(outside_certificate: Path) -> Iterator[Issuer]:
    issuer = Issuer(outside_certificate)
    yield issuer
    issuer.close()


@pytest.fixture(scope="module")
def federated(demo_server: DemoServer, issuer: Issuer) -> Federated:
    return Federated(demo_server, issuer)


def test_client_assertion_credential(trusted: DemoServer, federated: Federated, issuer: Issuer) -> None:
    with ClientAssertionCredential(federated.tenant, federated.client_id, issuer.token, **own(trusted)) as credential:
        body = claims(credential.get_token(DEFENDER).token)
    assert (body["appid"], body["appidacr"], body["roles"]) == (federated.client_id, "2", ["Incident.Read.All"])


def test_a_workload_of_another_name_is_refused(trusted: DemoServer, federated: Federated, issuer: Issuer) -> None:
    stranger = lambda: issuer.token(sub="system:serviceaccount:other:runner")  # noqa: E731
    credential = ClientAssertionCredential(federated.tenant, federated.client_id, stranger, **own(trusted))
    with pytest.raises(Exception, match="AADSTS700213"):
        credential.get_token(DEFENDER)


@pytest.fixture
def workload(
    trusted: DemoServer, federated: Federated, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the webhook of a cluster puts into a pod."""
    token_file = tmp_path / "token"
    token_file.write_text(issuer.token())
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", trusted.base_url)
    monkeypatch.setenv("AZURE_TENANT_ID", federated.tenant)
    monkeypatch.setenv("AZURE_CLIENT_ID", federated.client_id)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token_file))


@pytest.mark.usefixtures("workload")
def test_workload_identity_from_the_environment() -> None:
    with WorkloadIdentityCredential(disable_instance_discovery=True) as credential:
        assert claims(credential.get_token(DEFENDER).token)["roles"] == ["Incident.Read.All"]


async def roles_of(credential: object) -> object:
    """`roles` of the token that an async credential gets."""
    async with credential:
        return claims((await credential.get_token(DEFENDER)).token)["roles"]


@pytest.mark.usefixtures("workload")
def test_async_workload_identity() -> None:
    credential = aio.WorkloadIdentityCredential(disable_instance_discovery=True)
    assert asyncio.run(roles_of(credential)) == ["Incident.Read.All"]


def test_async_client_assertion(trusted: DemoServer, federated: Federated, issuer: Issuer) -> None:
    credential = aio.ClientAssertionCredential(federated.tenant, federated.client_id, issuer.token, **own(trusted))
    assert asyncio.run(roles_of(credential)) == ["Incident.Read.All"]


def test_the_environment_sync_and_async(
    trusted: DemoServer, federated: Federated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", trusted.base_url)
    monkeypatch.setenv("AZURE_TENANT_ID", federated.tenant)
    monkeypatch.setenv("AZURE_CLIENT_ID", federated.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", federated.secret)
    with EnvironmentCredential(disable_instance_discovery=True) as credential:
        assert claims(credential.get_token(DEFENDER).token)["appidacr"] == "1"
    credential = aio.EnvironmentCredential(disable_instance_discovery=True)
    assert asyncio.run(roles_of(credential)) == ["Incident.Read.All"]


@pytest.fixture
def users_token(trusted: DemoServer, federated: Federated) -> str:
    """A person's token for the API."""
    with Person(trusted) as person:
        caller = msal.PublicClientApplication(
            federated.caller_id,
            authority=f"{trusted.base_url}/{federated.tenant}",
            instance_discovery=False,
            http_client=PortKeeper(trusted.base_url),
        )
        answer = caller.acquire_token_by_username_password(
            person.name, person.password, [f"{federated.client_id}/access"]
        )
    assert claims(answer["access_token"])["aud"] == federated.client_id, answer
    return str(answer["access_token"])


def test_msal_on_behalf_of(trusted: DemoServer, federated: Federated, users_token: str) -> None:
    api = msal.ConfidentialClientApplication(
        federated.client_id,
        client_credential=federated.secret,
        authority=f"{trusted.base_url}/{federated.tenant}",
        instance_discovery=False,
    )
    scopes = ["https://api.security.microsoft.com/Incident.Read"]
    answer = api.acquire_token_on_behalf_of(users_token, scopes)
    body = claims(answer["access_token"])
    assert (body["scp"], body["appid"]) == ("Incident.Read", federated.client_id)
    assert body["oid"] == claims(users_token)["oid"]
    refused = api.acquire_token_on_behalf_of(answer["access_token"], scopes)  # a token for another API
    assert refused["error_codes"] == [50013]


def test_on_behalf_of_credentials(trusted: DemoServer, federated: Federated, users_token: str) -> None:
    arguments = {"client_secret": federated.secret, "user_assertion": users_token, **own(trusted)}
    scope = "https://api.security.microsoft.com/Incident.Read"
    with OnBehalfOfCredential(federated.tenant, federated.client_id, **arguments) as credential:
        assert claims(credential.get_token(scope).token)["scp"] == "Incident.Read"

    async def asked() -> object:
        async with aio.OnBehalfOfCredential(federated.tenant, federated.client_id, **arguments) as credential:
            return claims((await credential.get_token(scope)).token)["scp"]

    assert asyncio.run(asked()) == "Incident.Read"
