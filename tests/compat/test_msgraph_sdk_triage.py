"""msgraph-sdk, unmodified: pages with PageIterator, changes, and errors of its own type."""

import pytest
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.models.security.incident import Incident
from msgraph.generated.models.security.incident_status import IncidentStatus
from msgraph.generated.security.alerts_v2.alerts_v2_request_builder import Alerts_v2RequestBuilder
from msgraph_core.tasks.page_iterator import PageIterator

from .test_msgraph_sdk import anyio_backend, graph  # noqa: F401 — fixtures

pytestmark = pytest.mark.anyio


async def test_page_iterator_visits_every_alert_once(graph: GraphServiceClient) -> None:  # noqa: F811
    query = Alerts_v2RequestBuilder.Alerts_v2RequestBuilderGetQueryParameters(top=2, count=True)
    first = await graph.security.alerts_v2.get(RequestConfiguration(query_parameters=query))
    seen: list[str] = []

    def visit(alert: object) -> bool:
        seen.append(alert.id)  # type: ignore[attr-defined]
        return True

    await PageIterator(first, graph.request_adapter).iterate(visit)
    assert len(seen) == len(set(seen)) == first.odata_count > 2


async def test_a_change_is_answered(graph: GraphServiceClient) -> None:  # noqa: F811
    incident = (await graph.security.incidents.get()).value[0]
    item = graph.security.incidents.by_incident_id(incident.id)
    changed = await item.patch(Incident(status=IncidentStatus.InProgress, assigned_to="ann", custom_tags=["rehearsal"]))
    assert (changed.status, changed.assigned_to) == (IncidentStatus.InProgress, "ann")
    assert changed.last_update_date_time > incident.last_update_date_time


async def test_an_unknown_incident_is_an_api_error(graph: GraphServiceClient) -> None:  # noqa: F811
    with pytest.raises(APIError) as caught:
        await graph.security.incidents.by_incident_id("999999").get()
    assert caught.value.response_status_code == 404
