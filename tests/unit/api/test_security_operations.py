"""Incidents, alerts and hunting over HTTP: filters, pages, changes, tenants."""

from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.api_fakes import HOME, Application
from vedette.clock import now_ticks
from vedette.hunting.errors import HuntingTimeoutError, HuntingValueError
from vedette.ids import RandomIds
from vedette.incidents.alerts import AlertDetails, NewAlert, create
from vedette.incidents.evidence import DeviceEvidence
from vedette.odata.paging import encode_token

GRAPH = "/v1.0/security/incidents"
ALERTS = "/v1.0/security/alerts_v2"
XDR = "/api/incidents"


@pytest.fixture
def filled(application: Application) -> Application:
    """Incidents 1 to 5, a minute apart, severities low and high by turns; only the last is of Defender for Cloud."""
    for number in range(1, 6):
        now = now_ticks(application.clock)
        new = NewAlert(
            title=f"Alert {number}",
            severity="high" if number % 2 else "low",
            category="Execution",
            service_source="microsoftDefenderForCloud" if number == 5 else "microsoftDefenderForEndpoint",
            detection_source="customDetection",
            first_activity=now,
            last_activity=now,
            details=AlertDetails(),
            evidence=(DeviceEvidence(device_id=f"{number:040x}"),),
        )
        with application.store.begin() as connection:
            create(connection, HOME, new, application.clock, RandomIds())
        application.clock.advance(60)
    return application


def ids(document: Any) -> list[int]:
    return [int(item.get("id") or item.get("incidentId")) for item in document["value"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("$orderby=lastUpdateDateTime asc", [1, 2, 3, 4, 5]),
        ("$filter=severity eq 'high'&$orderby=createdDateTime", [1, 3, 5]),
        ("$filter=createdDateTime ge 2025-11-23T12:02:00Z&$top=2", [5, 4]),
        ("$skip=3", [2, 1]),
        ("$skip=99", []),
        ("$top=0", []),
        ("$filter=contains(displayName,'Alert 4')", [4]),
        ("$filter=status eq microsoft.graph.security.incidentStatus'active' and assignedTo eq null", [5, 4, 3, 2, 1]),
        ("$filter=status ne 'Active'", []),
    ],
)
def test_graph_lists(filled: Application, query: str, expected: list[int]) -> None:
    answer = filled.client("graph").get(f"{GRAPH}?{quote(query, safe='$=&')}")
    assert answer.status == 200
    assert ids(answer.json()) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("$filter=lastUpdateTime+ge+2025-11-23T12:03:00.0000000Z", [5, 4]),
        ("$filter=lastUpdateTime+ge+2025-11-23T12:03:00+00:00", [5, 4]),
        ("$filter=createdTime+lt+2025-11-23T12:01:00Z+and+status+eq+'Active'", [1]),
        ("$top=1&$skip=1", [4]),
    ],
)
def test_defender_lists(filled: Application, query: str, expected: list[int]) -> None:
    assert ids(filled.client("xdr").get(f"{XDR}?{query}").json()) == expected


@pytest.mark.parametrize(
    ("path", "token", "query"),
    [(GRAPH, "graph", "$top=2&$filter=id ge 1"), (XDR, "xdr", "$top=2"), (GRAPH, "graph", "$top=2&$orderby=severity")],
)
def test_next_links_lead_through_everything_once(filled: Application, path: str, token: str, query: str) -> None:
    client, seen, target = filled.client(token), [], f"{path}?{quote(query, safe='$=&')}"
    for _ in range(5):
        document = client.get(target).json()
        seen += ids(document)
        if "@odata.nextLink" not in document:
            break
        link = urlsplit(document["@odata.nextLink"])
        assert (link.scheme, link.netloc, link.path) == ("https", "localhost", path)
        target = document["@odata.nextLink"]
    assert sorted(seen) == [1, 2, 3, 4, 5]


def test_a_token_of_another_order_is_refused(filled: Application) -> None:
    client = filled.client("graph")
    token = client.get(f"{GRAPH}?$top=2&$orderby=severity").json()["@odata.nextLink"].partition("$skiptoken=")[2]
    too_long = encode_token((2**64 - 1, 2**64 - 1))
    for bad in (token[:-4], "%21", "AAAA", too_long):
        answer = client.get(f"{GRAPH}?$skiptoken={bad}")
        assert (answer.status, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_counting(filled: Application) -> None:
    document = filled.client("graph").get(f"{GRAPH}?$count=true&$top=1&$filter=severity%20eq%20'low'").json()
    assert document["@odata.count"] == 2


def test_alerts_v2_clamps_its_pages(filled: Application) -> None:
    document = filled.client("graph").get(f"{ALERTS}?$top=5000&$select=title,severity").json()
    assert [list(alert) for alert in document["value"]] == [["@odata.type", "severity", "title"]] * 5


@pytest.mark.parametrize(
    ("target", "token", "code"),
    [
        (f"{GRAPH}?$filter=investigationState eq 'x'", "graph", "BadRequest"),
        (f"{GRAPH}?$top=ten", "graph", "BadRequest"),
        (f"{GRAPH}?$expand=machines", "graph", "BadRequest"),
        (f"{GRAPH}?$select=colour", "graph", "BadRequest"),
        (f"{GRAPH}/1?$filter=id eq 1", "graph", "BadRequest"),
        (f"{XDR}?$expand=alerts", "xdr", "ODataError"),
        (f"{XDR}?$filter=lastUpdateTime ge 'yesterday'", "xdr", "ODataError"),
        (f"{XDR}?$filter={'(' * 300}", "xdr", "ODataError"),
    ],
)
def test_query_options_that_are_refused(filled: Application, target: str, token: str, code: str) -> None:
    answer = filled.client(token).get(quote(target, safe="/?$=&"))
    assert (answer.status, answer.json()["error"]["code"]) == (400, code)


def test_members_added_later_only_on_request(filled: Application) -> None:
    client = filled.client("graph")
    target = f"{ALERTS}?$filter=incidentId%20eq%205"
    assert client.get(target).json()["value"][0]["serviceSource"] == "unknownFutureValue"
    asked = client.get(target, prefer="include-unknown-enum-members")
    assert asked.json()["value"][0]["serviceSource"] == "microsoftDefenderForCloud"


def test_updating_an_incident_shows_on_both_surfaces(filled: Application) -> None:
    body = {
        "@odata.type": "#microsoft.graph.security.incident",
        "assignedTo": "ann@contoso.test",
        "status": "Resolved",
        "classification": "TruePositive",
        "determination": "compromisedUser",
        "customTags": ["vip"],
    }
    answer = filled.client("graph").patch(f"{GRAPH}/2", body)
    assert answer.status == 200
    changed = answer.json()
    assert (changed["status"], changed["determination"]) == ("resolved", "compromisedAccount")
    assert changed["lastModifiedBy"] == "Heron connector"
    xdr = filled.client("xdr").get(f"{XDR}/2").json()
    assert (xdr["status"], xdr["determination"], xdr["tags"]) == ("Resolved", "CompromisedAccount", ["vip"])
    again = filled.client("xdr").patch(f"{XDR}/2", {"comment": "From here.", "tags": [], "status": "InProgress"})
    assert again.status == 200
    graph = filled.client("graph").get(f"{GRAPH}/2").json()
    assert (graph["status"], graph["customTags"], graph["assignedTo"]) == ("inProgress", [], "ann@contoso.test")
    assert [comment["comment"] for comment in graph["comments"]] == ["From here."]
    assert graph["lastUpdateDateTime"] > changed["lastUpdateDateTime"]


def test_updating_an_alert(filled: Application) -> None:
    client = filled.client("graph")
    alert_id = client.get(f"{ALERTS}?$top=1").json()["value"][0]["id"]
    changed = client.patch(f"{ALERTS}/{alert_id}", {"status": "resolved", "classification": None}).json()
    assert changed["status"] == "resolved"
    assert changed["resolvedDateTime"] == changed["lastUpdateDateTime"]
    comments = client.post(f"{ALERTS}/{alert_id}/comments", {"comment": "Seen."}).json()["value"]
    assert [comment["comment"] for comment in comments] == ["Seen."]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"status": "asleep"}, "status"),
        ({"status": 1}, "status"),
        ({"id": "7"}, "id"),
        ({"customTags": "vip"}, "customTags"),
        ({"displayName": None}, "displayName"),
        ([], "object"),
    ],
)
def test_a_wrong_body_changes_nothing(filled: Application, body: object, word: str) -> None:
    client = filled.client("graph")
    before = client.get(f"{GRAPH}/1").json()
    answer = client.patch(f"{GRAPH}/1", body)
    assert answer.status == 400
    assert word in answer.json()["error"]["message"]
    assert client.get(f"{GRAPH}/1").json() == before


@pytest.mark.parametrize("incident_id", ["1", "99", "abc", "-1", "9" * 40])
def test_another_tenants_incident_is_not_there(filled: Application, incident_id: str) -> None:
    graph, xdr = filled.client("graph-other"), filled.client("xdr-other")
    answers = [
        graph.get(f"{GRAPH}/{incident_id}"),
        graph.patch(f"{GRAPH}/{incident_id}", {"status": "resolved"}),
        graph.post(f"{GRAPH}/{incident_id}/comments", {"comment": "x"}),
        graph.get(f"{GRAPH}/{incident_id}/alerts"),
        xdr.get(f"{XDR}/{incident_id}"),
        xdr.patch(f"{XDR}/{incident_id}", {"status": "Resolved"}),
    ]
    assert [answer.status for answer in answers] == [404] * 6
    assert ids(graph.get(GRAPH).json()) == []
    assert ids(xdr.get(XDR).json()) == []


def test_another_tenants_alert_is_not_there(filled: Application) -> None:
    alert_id = filled.client("graph").get(f"{ALERTS}?$top=1").json()["value"][0]["id"]
    other = filled.client("graph-other")
    assert other.get(f"{ALERTS}/{alert_id}").status == 404
    assert other.patch(f"{ALERTS}/{alert_id}", {"status": "resolved"}).status == 404
    assert filled.client("graph").get(f"{ALERTS}/{alert_id}").json()["status"] == "new"


@pytest.mark.parametrize(
    ("token", "target"),
    [
        ("graph", "/v1.0/security/runHuntingQuery"),
        ("graph", "/beta/security/microsoft.graph.security.runHuntingQuery"),
        ("graph", "/v1.0//Security/RunHuntingQuery"),
        ("xdr", "/api/advancedhunting/run"),
        ("xdr", "/api/v1.0/AdvancedHunting/run"),
        ("mde", "/api/advancedqueries/run"),
    ],
)
@pytest.mark.parametrize("keys", [("Query", "Timespan"), ("query", "timespan")])
def test_hunting_takes_both_spellings(application: Application, token: str, target: str, keys: tuple[str, str]) -> None:
    answer = application.client(token).post(target, {keys[0]: "print 1", keys[1]: "P7D", "workspaceId": "w"})
    assert answer.status == 200
    assert application.hunting.asked == [(HOME, "print 1", "P7D")]


@pytest.mark.parametrize("body", [{}, {"Query": ""}, {"Query": "  "}, {"timespan": "P1D"}])
def test_hunting_without_a_query(application: Application, body: dict[str, str]) -> None:
    answer = application.client("xdr").post("/api/advancedhunting/run", body)
    assert answer.status == 400
    assert answer.json()["error"]["message"] == "Parameter Query is missing."
    assert application.hunting.asked == []


def test_hunting_errors(application: Application) -> None:
    application.hunting.failure = HuntingTimeoutError()
    graph = application.client("graph").post("/v1.0/security/runHuntingQuery", {"Query": "x"})
    assert (graph.status, graph.json()["error"]["code"], graph.json()["error"]["message"]) == (504, "UnknownError", "")
    application.hunting.failure = HuntingValueError(incident_id="i-1")
    xdr = application.client("xdr").post("/api/advancedhunting/run", {"Query": "x"})
    assert xdr.status == 400
    assert "i-1" in xdr.json()["error"]["message"]
