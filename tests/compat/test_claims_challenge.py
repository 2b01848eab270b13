"""Continuous access evaluation: kiota's clients and azure-identity answer a claims challenge by themselves."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kiota_abstractions.api_error import APIError
from msgraph import GraphServiceClient

from .conftest import DemoServer
from .test_msgraph_sdk import anyio_backend, graph

__all__ = ["anyio_backend", "graph"]

pytestmark = pytest.mark.anyio


@pytest.fixture
def challenge(demo_server: DemoServer) -> Iterator[None]:
    """Every token from before now is challenged, as a user orders it."""

    def vedette(*arguments: str) -> None:
        command = [Path(sys.executable).with_name("vedette"), "fault", *arguments, "--data", demo_server.data]
        subprocess.run([str(part) for part in command], check=True, capture_output=True)

    yield lambda operation: vedette("add", "claims-challenge", "--operation", operation)
    vedette("clear")


async def test_the_sdk_comes_back_with_the_claims(graph: GraphServiceClient, challenge) -> None:
    before = await graph.security.incidents.get()
    challenge("graph.*")
    after = await graph.security.incidents.get()
    assert [each.id for each in after.value] == [each.id for each in before.value]


async def test_a_client_without_the_capability_meets_no_challenge(graph: GraphServiceClient, challenge) -> None:
    provider = graph.request_adapter._authentication_provider.access_token_provider
    provider._is_cae_enabled = False  # as an application sets it when it makes the provider
    await graph.security.incidents.get()
    challenge("graph.*")
    assert (await graph.security.incidents.get()).value


async def test_a_client_that_ignores_the_claims_is_refused(graph: GraphServiceClient, challenge) -> None:
    await graph.security.incidents.get()
    challenge("graph.*")
    adapter = graph.request_adapter
    provider = adapter._authentication_provider.access_token_provider

    async def old_token(*arguments: object, **options: object) -> str:
        return kept

    kept = (await provider._credentials.get_token("https://graph.microsoft.com/.default", enable_cae=True)).token
    provider.get_authorization_token = old_token
    with pytest.raises(APIError) as refused:
        await graph.security.incidents.get()
    assert refused.value.response_status_code == 401
    assert "insufficient_claims" in str(refused.value.response_headers)
