"""msgraph-sdk, unmodified, hunts and lists incidents."""

import pytest
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphServiceClient
from msgraph.generated.security.incidents.incidents_request_builder import IncidentsRequestBuilder
from msgraph.generated.security.microsoft_graph_security_run_hunting_query.run_hunting_query_post_request_body import (
    RunHuntingQueryPostRequestBody,
)
from msgraph.graph_request_adapter import GraphRequestAdapter

from .conftest import DemoServer

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def graph(trusted: DemoServer):
    app = trusted.app("confidential")
    async with ClientSecretCredential(
        trusted.home["tenant_id"],
        app["client_id"],
        app["client_secret"],
        authority=trusted.base_url,
        disable_instance_discovery=True,
    ) as credential:
        host = trusted.base_url.removeprefix("https://").split(":")[0]
        provider = AzureIdentityAuthenticationProvider(
            credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=[host]
        )
        adapter = GraphRequestAdapter(provider)
        adapter.base_url = f"{trusted.base_url}/v1.0"
        yield GraphServiceClient(request_adapter=adapter)
        await adapter._http_client._transport.transport.aclose()  # closing the client does not reach it


async def test_run_hunting_query(graph: GraphServiceClient) -> None:
    body = RunHuntingQueryPostRequestBody(
        query="DeviceProcessEvents | summarize Events = count(), Last = max(Timestamp) by DeviceName | top 3 by Events"
    )
    answer = await graph.security.microsoft_graph_security_run_hunting_query.post(body)
    assert [column.name for column in answer.schema] == ["DeviceName", "Events", "Last"]
    assert len(answer.results) == 3
    assert answer.results[0].additional_data["Events"] > 0


async def test_bad_query_is_an_api_error_with_its_place(graph: GraphServiceClient) -> None:
    with pytest.raises(APIError) as caught:
        await graph.security.microsoft_graph_security_run_hunting_query.post(
            RunHuntingQueryPostRequestBody(query="DeviceProcessEvents\n| where FileNam == 'x'")
        )
    assert caught.value.response_status_code == 400
    assert "FileNam" in str(caught.value)


async def test_incidents_with_alerts(graph: GraphServiceClient) -> None:
    query = IncidentsRequestBuilder.IncidentsRequestBuilderGetQueryParameters(expand=["alerts"], top=50)
    answer = await graph.security.incidents.get(RequestConfiguration(query_parameters=query))
    assert len(answer.value) >= 2
    for incident in answer.value:
        assert incident.alerts
        assert all(alert.title and alert.evidence for alert in incident.alerts)
        assert {type(item).__name__ for alert in incident.alerts for item in alert.evidence} & {
            "DeviceEvidence",
            "ProcessEvidence",
            "UserEvidence",
        }
