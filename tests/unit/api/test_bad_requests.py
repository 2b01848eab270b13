"""Bad input to the security APIs: the documented status and body, and nothing changed by half."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.api_fakes import HOME, OTHER, Application
from tests.asgi import AsgiClient
from tests.unit.api.test_kept_lists import add
from tests.unit.api.test_paging_under_change import new_alert
from vedette.indicators.indicators import MAX_ACTIVE
from vedette.indicators.tables import INDICATORS
from vedette.odata.parser import MAX_DEPTH

INCIDENTS = {"graph": "/v1.0/security/incidents", "xdr": "/api/incidents"}


def state(application: Application) -> list[Any]:
    """Everything that a request could have changed."""
    client = application.client("graph")
    return [client.get(f"/v1.0/security/{name}").json()["value"] for name in ("incidents", "alerts_v2")]


@pytest.mark.parametrize("surface", INCIDENTS)
@pytest.mark.parametrize(
    "body",
    [
        {"colour": "red", "status": "resolved"},
        {"status": 5, "assignedTo": "ann"},
        {"status": "nonsense", "assignedTo": "ann"},
        {"classification": "truePositive", "determination": "notMalicious"},
        {"assignedTo": ["ann"]},
        [],
        "text",
        None,
    ],
)
def test_a_wrong_body_changes_nothing(application: Application, surface: str, body: object) -> None:
    new_alert(application, 1)
    before = state(application)
    answer = application.client(surface).patch(f"{INCIDENTS[surface]}/1", body)
    assert answer.status == 400
    assert answer.json()["error"]["message"]
    assert state(application) == before


@pytest.mark.parametrize("surface", INCIDENTS)
@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe{}", b'{"status": "\xe4"}', b"[" * 100_000, b""])
def test_what_is_no_json_is_refused(application: Application, surface: str, raw: bytes) -> None:
    new_alert(application, 1)
    before = state(application)
    answer = application.client(surface).send("PATCH", f"{INCIDENTS[surface]}/1", body=raw)
    assert answer.status == 400
    assert state(application) == before


@pytest.mark.parametrize(
    ("surface", "method", "target"),
    [
        ("graph", "PATCH", "/v1.0/security/incidents/1"),
        ("xdr", "PATCH", "/api/incidents/1"),
        ("endpoint", "POST", "/api/indicators/import"),
        ("graph", "POST", "/v1.0/security/runHuntingQuery"),
    ],
)
def test_a_body_of_100_megabytes_is_refused(application: Application, surface: str, method: str, target: str) -> None:
    new_alert(application, 1)
    answer = application.client(surface).send(method, target, body=b" " * (100 * 1024 * 1024))
    assert answer.status == 413
    assert answer.json()["error"]["code"]


@pytest.mark.parametrize("surface", INCIDENTS)
def test_deep_and_long_filters_are_refused(application: Application, surface: str) -> None:
    client, depth = application.client(surface), MAX_DEPTH + 1
    for condition in (
        "(" * depth + "status eq 'active'" + ")" * depth,
        "not%20" * depth + "(status eq 'active')",
        " or ".join(["status eq 'active'"] * 5_000),
    ):
        assert client.get(f"{INCIDENTS[surface]}?$filter={condition.replace(' ', '+')}").status == 400


@pytest.mark.parametrize("surface", INCIDENTS)
@pytest.mark.parametrize("query", ["$filter=%ff%fe", "$filter=status+eq+'%e4'", "%e4=1"])
def test_a_query_that_is_not_utf8_is_refused(application: Application, surface: str, query: str) -> None:
    assert application.client(surface).get(f"{INCIDENTS[surface]}?{query}").status == 400


def test_ids_of_other_tenants_are_not_there(application: Application) -> None:
    alert_id = new_alert(application, 1, OTHER)
    graph, xdr, endpoint = map(application.client, ("graph", "xdr", "endpoint"))
    for answer in (
        graph.get("/v1.0/security/incidents/1"),
        graph.patch("/v1.0/security/incidents/1", {"status": "resolved"}),
        graph.post("/v1.0/security/incidents/1/comments", {"comment": "x"}),
        graph.get(f"/v1.0/security/alerts_v2/{alert_id}"),
        graph.patch(f"/v1.0/security/alerts_v2/{alert_id}", {"status": "resolved"}),
        graph.get(f"/v1.0/security/alerts/{alert_id}"),
        xdr.get("/api/incidents/1"),
        xdr.patch("/api/incidents/1", {"status": "Resolved"}),
        endpoint.get(f"/api/alerts/{alert_id}"),
        endpoint.patch(f"/api/alerts/{alert_id}", {"status": "Resolved"}),
        endpoint.post("/api/alerts/batchUpdate", {"alertIds": [alert_id], "status": "Resolved"}),
    ):
        assert answer.status == 404
    assert application.client("graph-other").get("/v1.0/security/incidents/1").json()["status"] == "active"


def together(*calls: Callable[[], object]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_patches_at_once_keep_both_comments(application: Application) -> None:
    new_alert(application, 1)
    answers: list[int] = []

    def patch(number: int) -> None:
        body = {"comment": f"comment {number}", "assignedTo": f"user{number}"}
        answers.append(application.client("xdr").patch("/api/incidents/1", body).status)

    together(*(lambda number=number: patch(number) for number in range(6)))  # type: ignore[misc]
    incident = application.client("graph").get("/v1.0/security/incidents/1").json()
    assert answers == [200] * 6
    assert {each["comment"] for each in incident["comments"]} == {f"comment {number}" for number in range(6)}
    assert len({each["createdDateTime"] for each in incident["comments"]}) == 6


def test_an_action_that_is_under_way_is_not_asked_again(application: Application) -> None:
    add(application, 1)
    machine, client = f"{2:040x}", application.client("endpoint")
    add(application, 2)
    path = f"/api/machines/{machine}/runAntiVirusScan"
    statuses: list[tuple[int, str]] = []

    def scan() -> None:
        answer = application.client("endpoint").post(path, {"Comment": "look", "ScanType": "Quick"})
        statuses.append((answer.status, answer.json().get("error", {}).get("code", "")))

    together(*[scan] * 4)
    assert sorted(statuses) == [(201, ""), *[(400, "ActiveRequestAlreadyExists")] * 3]
    pending = client.get(
        f"/api/machineactions?$filter=machineId%20eq%20'{machine}'%20and%20type%20eq%20'RunAntiVirusScan'"
    )
    assert len(pending.json()["value"]) == 1


def indicator(number: int) -> dict[str, str]:
    value = f"198.51.{number // 250}.{number % 250}"
    return {"indicatorValue": value, "indicatorType": "IpAddress", "action": "Block", "title": "t", "description": "d"}


def fill(application: Application, count: int) -> None:
    """So many indicators of others, all at once."""
    row = {
        "tenant_id": HOME, "type": "DomainName", "action": "Allowed", "source": "s", "source_type": "User",
        "title": "others", "description": "d", "severity": "Low", "generate_alert": False, "rbac_group_names": [],
        "created_by": "o", "created_by_name": "o", "created": 1, "last_update": 1,
    }  # fmt: skip
    rows = [
        {**row, "indicator_id": 10**6 + number, "value": f"{number}.test", "match_value": f"{number}.test"}
        for number in range(count)
    ]
    with application.store.begin() as connection:
        connection.execute(INDICATORS.insert(), rows)


def test_indicators_beyond_the_limits(application: Application) -> None:
    client = application.client("endpoint")
    many = {"Indicators": [indicator(number) for number in range(501)]}
    answer = client.post("/api/indicators/import", many)
    assert (answer.status, client.get("/api/indicators").json()["value"]) == (400, [])
    fill(application, MAX_ACTIVE - 3)
    body = client.post("/api/indicators/import", {"Indicators": [indicator(number) for number in range(5)]}).json()
    assert [each["isFailed"] for each in body["value"]] == [False, False, False, True, True]
    assert client.post("/api/indicators", indicator(9)).status == 400
    assert client.post("/api/indicators", {**indicator(0), "title": "new"}).status == 200
    own = "/api/indicators?$filter=startswith(title,'n')%20or%20title%20eq%20't'"
    ids = [each["id"] for each in client.get(own).json()["value"]]
    assert len(ids) == 3
    assert client.post("/api/indicators/BatchDelete", {"IndicatorIds": []}).status == 400
    assert client.post("/api/indicators/BatchDelete", {"IndicatorIds": [*ids, "99999"]}).status == 404
    assert len(client.get(own).json()["value"]) == 3


def test_a_batch_is_changed_whole_or_not_at_all(application: Application) -> None:
    first, second = new_alert(application, 1), new_alert(application, 2)
    before = state(application)
    body = {"alertIds": [first, second, "nothing"], "status": "Resolved"}
    assert application.client("endpoint").post("/api/alerts/batchUpdate", body).status == 404
    assert state(application) == before


def get(client: AsgiClient, target: str) -> Any:
    answer = client.get(target.replace(" ", "%20"))
    assert answer.status == 200, answer.body
    return answer.json()


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ("alerts", 2),
        ("alerts($top=1)", 1),
        ("alerts($skip=1;$select=id)", 1),
        ("alerts($filter=severity eq 'high' and status eq 'new';$count=true)", 1),
        ("alerts($orderby=title desc;$top=1;$select=id,title)", 1),
        ("alerts($filter=title eq 'a;b(,')", 0),
    ],
)
def test_expanded_alerts_have_options_of_their_own(application: Application, options: str, shown: int) -> None:
    ids = [new_alert(application, 1), new_alert(application, 2)]
    client = application.client("graph")
    client.post("/v1.0/security/incidents/mergeIncidents", {"incidentIds": ["1", "2"]})
    (incident,) = get(client, f"/v1.0/security/incidents?$expand={options}&$filter=status eq 'active'")["value"]
    assert len(incident["alerts"]) == shown
    assert get(client, f"/v1.0/security/incidents/1?$expand={options}")["alerts"] == incident["alerts"]
    if "$count" in options:
        assert incident["alerts@odata.count"] == shown
    if "$select" in options:
        assert set(incident["alerts"][0]) <= {"@odata.type", "id", "title"}
    if "$orderby" in options:
        assert incident["alerts"][0]["id"] == ids[1]


@pytest.mark.parametrize(
    "options",
    [
        "alerts(", "alerts)", "alerts($nothing=1)", "alerts($top=x)", "alerts($top=1;$top=2)", "alerts($filter=x eq 1)",
        "alerts($expand=incident)", "nothing", "(x)", "alerts(top=1)",
    ],
)  # fmt: skip
def test_wrong_expansions_are_refused(application: Application, options: str) -> None:
    assert (
        application.client("graph").get(f"/v1.0/security/incidents?$expand={options}".replace(" ", "+")).status == 400
    )
    assert application.client("endpoint").get("/api/alerts?$expand=evidence($top=1)").status == 400


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("customTags/any(t: t eq 'Heron')", 1),
        ("customTags/any(t: startswith(t,'X'))", 0),
        ("customTags/all(t: t eq 'Heron')", 2),
        ("customTags/$count eq 1 and not systemTags/any()", 1),
        ("customTags/any()", 1),
        ("customTags/any() eq false", 1),
        ("true eq customTags/any(t: t eq 'Heron')", 1),
        ("id in (1,2) and status in ('active','resolved')", 2),
        ("not (status eq 'resolved') and lastUpdateDateTime gt 2020-01-01", 2),
    ],
)
def test_collections_are_asked(application: Application, condition: str, found: int) -> None:
    new_alert(application, 1), new_alert(application, 2)
    client = application.client("graph")
    client.patch("/v1.0/security/incidents/1", {"customTags": ["Heron"]})
    assert len(get(client, f"/v1.0/security/incidents?$filter={condition}")["value"]) == found
    counted = client.get(f"/v1.0/security/incidents/$count?$filter={condition}".replace(" ", "+"))
    assert counted.body == str(found).encode()


def test_collections_of_alerts_and_indicators(application: Application) -> None:
    new_alert(application, 1)
    none = "mitreTechniques/any(t: t eq 'T1059')"
    assert get(application.client("graph"), f"/v1.0/security/alerts_v2?$filter={none}")["value"] == []
    client = application.client("endpoint")
    assert get(client, f"/api/alerts?$filter=not {none}&$top=1")["value"]
    client.post("/api/indicators", {**indicator(1), "rbacGroupNames": ["Servers"]})
    client.post("/api/indicators", indicator(2))
    found = get(client, "/api/indicators?$filter=rbacGroupNames/any(g: g eq 'Servers')")["value"]
    assert [each["rbacGroupNames"] for each in found] == [["Servers"]]


def test_json_of_refusals_names_the_request(application: Application) -> None:
    answer = application.client("graph").get("/v1.0/security/incidents?$filter=x")
    error = json.loads(answer.body)["error"]
    assert error["innerError"]["request-id"]
    assert HOME not in answer.body.decode()
