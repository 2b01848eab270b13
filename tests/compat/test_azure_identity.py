"""azure-identity, unmodified, by argument and by environment."""

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, EnvironmentCredential

from .conftest import DemoServer

GRAPH = "https://graph.microsoft.com/.default"


def test_client_secret_credential(trusted: DemoServer) -> None:
    app = trusted.app("confidential")
    credential = ClientSecretCredential(
        trusted.home["tenant_id"],
        app["client_id"],
        app["client_secret"],
        authority=trusted.base_url,
        disable_instance_discovery=True,
    )
    token = credential.get_token(GRAPH)
    assert token.token.count(".") == 2
    assert token.expires_on > 0


def test_environment_credential(trusted: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    app = trusted.app("confidential")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", trusted.base_url)
    monkeypatch.setenv("AZURE_TENANT_ID", str(trusted.home["tenant_id"]))
    monkeypatch.setenv("AZURE_CLIENT_ID", str(app["client_id"]))
    monkeypatch.setenv("AZURE_CLIENT_SECRET", str(app["client_secret"]))
    assert EnvironmentCredential(disable_instance_discovery=True).get_token(GRAPH).token


def test_wrong_secret_names_the_aadsts_number(trusted: DemoServer) -> None:
    credential = ClientSecretCredential(
        trusted.home["tenant_id"],
        trusted.app("confidential")["client_id"],
        "not-the-secret",
        authority=trusted.base_url,
        disable_instance_discovery=True,
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        credential.get_token(GRAPH)
