"""Retry policies of unmodified clients act on ordered faults as they do on the real services' answers."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core import PipelineClient
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphServiceClient
from msgraph.graph_request_adapter import GraphRequestAdapter

from .conftest import DemoServer

XDR = "https://api.security.microsoft.com"


def order(server: DemoServer, *words: object) -> str:
    """Run `vedette fault …`; what it printed."""
    command = [str(Path(sys.executable).with_name("vedette")), "fault", *map(str, words), "--data", str(server.data)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def struck(server: DemoServer) -> int:
    """How often the only fault struck."""
    return int(re.findall(r"\d+", order(server, "list"))[-1])


@pytest.fixture
def faulty(trusted: DemoServer) -> Iterator[DemoServer]:
    yield trusted
    order(trusted, "clear")


@pytest.fixture
def azure(faulty: DemoServer) -> Iterator[PipelineClient[HttpRequest, HttpResponse]]:
    """azure-core's pipeline, as connectors on it are built."""
    app = faulty.app("confidential")
    credential = ClientSecretCredential(
        str(faulty.home["tenant_id"]),
        str(app["client_id"]),
        str(app["client_secret"]),
        authority=faulty.base_url,
        disable_instance_discovery=True,
    )
    policies = [
        RetryPolicy(retry_total=3, retry_backoff_factor=0.01),
        BearerTokenCredentialPolicy(credential, f"{XDR}/.default"),
    ]
    with credential, PipelineClient(faulty.base_url, policies=policies) as client:
        yield client


@pytest.mark.parametrize(("kind", "waits"), [("429", True), ("503", True), ("500", False), ("504", False)])
def test_azure_core_tries_again(
    faulty: DemoServer, azure: PipelineClient[HttpRequest, HttpResponse], kind: str, waits: bool
) -> None:
    order(faulty, "add", kind, "--operation", "defender.list_incidents", "--count", 2, "--seconds", 1)
    started = time.monotonic()
    answer = azure.send_request(HttpRequest("GET", f"{faulty.base_url}/api/incidents"))
    assert answer.status_code == 200
    assert answer.json()["value"]
    assert (time.monotonic() - started >= 2) is waits
    assert struck(faulty) == 2


def test_azure_core_gives_up_in_the_end(faulty: DemoServer, azure: PipelineClient[HttpRequest, HttpResponse]) -> None:
    order(faulty, "add", "503", "--operation", "defender.*", "--seconds", 1, "--count", 4)
    answer = azure.send_request(HttpRequest("GET", f"{faulty.base_url}/api/incidents"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert azure.send_request(HttpRequest("GET", f"{faulty.base_url}/api/incidents")).status_code == 200


def test_azure_core_asks_again_for_an_answer_that_breaks_off(
    faulty: DemoServer, azure: PipelineClient[HttpRequest, HttpResponse]
) -> None:
    order(faulty, "add", "cut-off", "--operation", "defender.list_incidents", "--count", 1)
    assert azure.send_request(HttpRequest("GET", f"{faulty.base_url}/api/incidents")).json()["value"]
    assert struck(faulty) == 1


def test_half_of_the_calls_fail(faulty: DemoServer, azure: PipelineClient[HttpRequest, HttpResponse]) -> None:
    order(faulty, "add", "500", "--operation", "defender.get_incident", "--share", 0.5)
    answers = [
        azure.send_request(HttpRequest("GET", f"{faulty.base_url}/api/incidents/1")).status_code for _ in range(20)
    ]
    assert answers.count(200) > 10  # tried again
    assert struck(faulty) > 3


def test_msgraph_sdk_tries_again_and_tells_what_it_cannot(faulty: DemoServer) -> None:
    order(faulty, "add", "429", "--operation", "graph.list_incidents", "--count", 1, "--seconds", 1)

    async def scenario() -> float:
        app = faulty.app("confidential")
        names = (str(faulty.home["tenant_id"]), str(app["client_id"]), str(app["client_secret"]))
        async with AsyncClientSecretCredential(
            *names, authority=faulty.base_url, disable_instance_discovery=True
        ) as credential:
            host = faulty.base_url.removeprefix("https://").split(":")[0]
            provider = AzureIdentityAuthenticationProvider(
                credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=[host]
            )
            adapter = GraphRequestAdapter(provider)
            adapter.base_url = f"{faulty.base_url}/v1.0"
            graph = GraphServiceClient(request_adapter=adapter)
            started = time.monotonic()
            assert (await graph.security.incidents.get()).value
            waited = time.monotonic() - started
            await asyncio.to_thread(order, faulty, "add", "500", "--operation", "graph.list_alerts", "--count", 1)
            with pytest.raises(APIError) as caught:
                await graph.security.alerts_v2.get()
            assert caught.value.response_status_code == 500
            await adapter._http_client._transport.transport.aclose()
        return waited

    assert asyncio.run(scenario()) >= 1
