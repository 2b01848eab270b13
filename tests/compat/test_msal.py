"""msal, unmodified, gets application tokens and the documented refusals."""

import base64
import json

import msal
import pytest

from .conftest import DemoServer

DEFENDER = "https://api.security.microsoft.com/.default"
ALIASES = [
    DEFENDER,
    "https://api.securitycenter.microsoft.com/.default",
    "https://api.securitycenter.windows.com/.default",
    "https://securitycenter.onmicrosoft.com/windowsatpservice/.default",
    "https://graph.microsoft.com/.default",
]


def client(server: DemoServer, *, tenant: str | None = None, kind: str = "confidential", secret: str | None = None):
    app = server.app(kind)
    return msal.ConfidentialClientApplication(
        app["client_id"],
        client_credential=secret or app["client_secret"],
        authority=f"{server.base_url}/{tenant or server.home['tenant_id']}",
        instance_discovery=False,
    )


def claims(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.mark.parametrize("scope", ALIASES)
def test_token_for_every_resource_alias(trusted: DemoServer, scope: str) -> None:
    answer = client(trusted).acquire_token_for_client([scope])
    assert answer["token_type"] == "Bearer", answer
    body = claims(answer["access_token"])
    assert body["aud"] == scope.removesuffix("/.default")
    assert body["tid"] == trusted.home["tenant_id"]
    assert body["roles"]
    assert body["oid"] == body["sub"]


def test_tenant_by_domain(trusted: DemoServer) -> None:
    answer = client(trusted, tenant=trusted.home["domain"]).acquire_token_for_client([DEFENDER])
    assert claims(answer["access_token"])["tid"] == trusted.home["tenant_id"]


def test_partner_token_is_for_the_customer_tenant(trusted: DemoServer) -> None:
    partner = client(trusted, tenant=trusted.customer["tenant_id"], kind="multitenant")
    answer = partner.acquire_token_for_client([DEFENDER])
    assert claims(answer["access_token"])["tid"] == trusted.customer["tenant_id"], answer


def test_wrong_secret_is_7000215(trusted: DemoServer) -> None:
    answer = client(trusted, secret="not-the-secret").acquire_token_for_client([DEFENDER])
    assert answer["error"] == "invalid_client"
    assert answer["error_codes"] == [7000215]


def test_unknown_resource_is_500011(trusted: DemoServer) -> None:
    answer = client(trusted).acquire_token_for_client(["https://nobody.example/.default"])
    assert (answer["error"], answer["error_codes"]) == ("invalid_resource", [500011])


def test_scope_without_default_is_1002012(trusted: DemoServer) -> None:
    answer = client(trusted).acquire_token_for_client(["https://api.security.microsoft.com/Incident.Read.All"])
    assert (answer["error"], answer["error_codes"]) == ("invalid_scope", [1002012])


def test_single_tenant_application_is_unknown_elsewhere(trusted: DemoServer) -> None:
    answer = client(trusted, tenant=trusted.customer["tenant_id"]).acquire_token_for_client([DEFENDER])
    assert (answer["error"], answer["error_codes"]) == ("unauthorized_client", [700016])
