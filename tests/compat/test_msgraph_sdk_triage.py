"""msgraph-sdk, unmodified: pages with PageIterator, changes, and errors of its own type."""

import pytest
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph import GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.security.alert_comment import AlertComment
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


async def test_comments_of_an_alert(graph: GraphServiceClient) -> None:  # noqa: F811
    alert = (await graph.security.alerts_v2.get()).value[0]
    item = graph.security.alerts_v2.by_alert_id(alert.id)
    await item.comments.post([AlertComment(comment="seen"), AlertComment(comment="and understood")])
    comments = (await item.get()).comments
    assert [each.comment for each in comments[-2:]] == ["seen", "and understood"]
    assert all(each.created_by_display_name and each.created_date_time for each in comments)


async def test_alerts_of_an_incident(graph: GraphServiceClient) -> None:  # noqa: F811
    incident = (await graph.security.incidents.get()).value[0]
    item = graph.security.incidents.by_incident_id(incident.id)
    alerts = (await item.alerts.get()).value
    assert {alert.incident_id for alert in alerts} == {incident.id}
    assert await item.alerts.count.get() == len(alerts)


async def test_comments_of_an_incident(graph: GraphServiceClient) -> None:  # noqa: F811
    incident = (await graph.security.incidents.get()).value[0]
    adapter, item = graph.request_adapter, graph.security.incidents.by_incident_id(incident.id)
    request = RequestInformation(Method.POST, "{+baseurl}/security/incidents/{id}/comments", {"id": incident.id})
    request.set_content_from_parsable(adapter, "application/json", AlertComment(comment="seen"))
    await adapter.send_no_response_content_async(request, {"XXX": ODataError})  # the client has no builder for it
    assert (await item.get()).comments[-1].comment == "seen"


async def test_an_unknown_incident_is_an_api_error(graph: GraphServiceClient) -> None:  # noqa: F811
    with pytest.raises(APIError) as caught:
        await graph.security.incidents.by_incident_id("999999").get()
    assert caught.value.response_status_code == 404
