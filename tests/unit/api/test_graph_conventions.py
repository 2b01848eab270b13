"""What any request to Graph may ask for: spellings of paths and options, forms of answers, pages of other origins."""

from typing import Any

import pytest

from tests.api_fakes import Application
from tests.unit.api.test_paging_under_change import new_alert
from vedette.contracts.operations import load_operations

INCIDENTS = "/v1.0/security/incidents"
ALERTS = "/v1.0/security/alerts_v2"


@pytest.fixture
def seeded(application: Application) -> Application:
    """Three alerts of an incident each; the second is high."""
    for number in (1, 2, 3):
        new_alert(application, number)
    return application


def ids(document: dict[str, Any]) -> list[str]:
    return [each["id"] for each in document["value"]]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/v1.0/security/incidents('2')", "2"),
        ("/v1.0/security/incidents('2')/?$select=id", "2"),
        ("/beta/security/incidents%28%272%27%29", "2"),
        ("/v1.0/security/incidents/2/?$format=json", "2"),
        ("/v1.0/security/incidents/2?$format=application/json;odata.metadata=minimal&$select=id", "2"),
        ("/beta/security/incidents/2?select=id&expand=alerts", "2"),
    ],
)
def test_an_incident_by_any_spelling(seeded: Application, target: str, expected: str) -> None:
    answer = seeded.client("graph").get(target)
    assert (answer.status, answer.json().get("id")) == (200, expected), answer.body


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f"{INCIDENTS}?$orderby=id", ["1", "2", "3"]),
        (f"{INCIDENTS}/?$orderby=id&$top=2", ["1", "2"]),
        (f"{INCIDENTS}?$orderby=severity%20desc,id%20desc", ["2", "1", "3"]),
        (f"{INCIDENTS}?%24orderby=id&%24skip=1", ["2", "3"]),
        ("/beta/security/incidents?orderby=id&top=2&skip=1", ["2", "3"]),
        ("/beta/security/incidents?Filter=severity+eq+'high'", ["2"]),
        (f"{INCIDENTS}?$filter=severity+eq+'high'", ["2"]),
        (f"{INCIDENTS}?$filter=severity%20eq%20microsoft.graph.security.alertSeverity'high'", ["2"]),
        (f"{INCIDENTS}?$filter=severity%20eq%20alertSeverity'High'", ["2"]),
        (f"{INCIDENTS}?$filter=createdDateTime%20ge%202020-01-01T00:00Z%20and%20severity%20eq%20'high'", ["2"]),
        (f"{INCIDENTS}?$top=0", []),
    ],
)
def test_lists_by_any_spelling(seeded: Application, target: str, expected: list[str]) -> None:
    answer = seeded.client("graph").get(target)
    assert answer.status == 200, answer.body
    assert ids(answer.json()) == expected


@pytest.mark.parametrize("target", [f"{INCIDENTS}?$format=atom", f"{INCIDENTS}/2?$format=xml"])
def test_other_formats_are_refused(seeded: Application, target: str) -> None:
    assert seeded.client("graph").get(target).status == 400


@pytest.mark.parametrize(
    ("path", "segment"),
    [
        ("/v1.0/v1.0/security/incidents", "v1.0"),
        ("/v1.0/security/nothing", "nothing"),
        ("/v1.0/security/incidents/1/nothing/more", "nothing"),
        ("/v1.0/security", ""),
    ],
)
def test_a_path_that_leads_nowhere_names_where(seeded: Application, path: str, segment: str) -> None:
    answer = seeded.client("graph").get(path)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert answer.json()["error"]["message"] == f"Resource not found for the segment '{segment}'."


def test_alerts_of_an_incident_are_a_list(seeded: Application) -> None:
    graph = seeded.client("graph")
    first = graph.get(f"{INCIDENTS}/1/alerts").json()["value"][0]["id"]
    moved = graph.post(f"{ALERTS}/moveAlerts", {"alertIds": [first], "incidentId": "2"})
    assert moved.status == 200
    path = f"{INCIDENTS}/2/alerts"
    whole = graph.get(f"{path}?$count=true&$select=id,severity&$orderby=severity%20desc").json()
    assert whole["@odata.context"].endswith("$metadata#security/incidents('2')/alerts(id,severity)")
    assert (whole["@odata.count"], [each["severity"] for each in whole["value"]]) == (2, ["high", "medium"])
    assert set(whole["value"][0]) == {"@odata.type", "id", "severity"}
    page = graph.get(f"{path}?$top=1").json()
    rest = graph.get(page["@odata.nextLink"].partition("localhost")[2]).json()
    assert sorted(ids(page) + ids(rest)) == sorted(ids(whole))
    assert "@odata.nextLink" not in rest
    assert ids(graph.get(f"{path}?$filter=severity%20eq%20'medium'").json()) == [first]
    assert graph.get(f"{path}/$count").body == b"2"
    assert graph.get(f"{path}/$count?$filter=severity%20eq%20'high'").body == b"1"
    assert graph.get(f"{INCIDENTS}/77/alerts/$count").status == 404
    assert graph.get(f"{path}?$expand=evidence").status == 400


def test_the_page_size_that_a_client_prefers(seeded: Application) -> None:
    graph = seeded.client("graph")
    for preference, size in [
        ("odata.maxpagesize=2", 2),
        ("respond-async, maxpagesize=1", 1),
        ("odata.maxpagesize=x", 3),
    ]:
        document = graph.get(f"{INCIDENTS}?$orderby=id", prefer=preference).json()
        assert len(document["value"]) == size
    page = graph.get(f"{INCIDENTS}?$orderby=id", prefer="odata.maxpagesize=1").json()
    found = ids(page)
    while link := page.get("@odata.nextLink"):
        page = graph.get(link.partition("localhost")[2]).json()
        assert len(page["value"]) == 1
        found += ids(page)
    assert found == ["1", "2", "3"]
    assert len(ids(graph.get(f"{INCIDENTS}?$top=2", prefer="odata.maxpagesize=500").json())) == 2


@pytest.mark.parametrize(
    "accept", ["application/json;odata.metadata=none", "application/json; odata.metadata=none, */*"]
)
def test_answers_without_metadata(seeded: Application, accept: str) -> None:
    graph = seeded.client("graph")
    answer = graph.get(f"{INCIDENTS}?$expand=alerts&$top=1&$count=true", accept=accept)
    assert "odata.metadata=none" in answer.headers["content-type"]
    assert answer.body.count(b"@odata.") == 2
    assert answer.json()["@odata.count"] == 3
    assert "@odata.nextLink" in answer.json()
    whole = graph.get(f"{INCIDENTS}?$expand=alerts&$top=1", accept="application/json;odata.metadata=full")
    assert "odata.metadata=minimal" in whole.headers["content-type"]
    assert whole.json()["value"][0]["alerts"][0]["@odata.type"] == "#microsoft.graph.security.alert"


def test_long_numbers_as_texts(seeded: Application) -> None:
    graph, accept = seeded.client("graph"), "application/json;IEEE754Compatible=true"
    listed = graph.get(f"{ALERTS}?$count=true&$top=1", accept=accept)
    assert "IEEE754Compatible=true" in listed.headers["content-type"]
    assert listed.json()["@odata.count"] == "3"
    hunted = graph.post("/v1.0/security/runHuntingQuery", {"Query": "t"}, accept=accept).json()
    assert [each["type"] for each in hunted["schema"]].count("Int64") == 1
    assert (hunted["results"][0]["ProcessId"], hunted["results"][0]["Score"]) == ("4711", 0.5)


def test_members_below_members(seeded: Application) -> None:
    graph = seeded.client("graph")
    graph.post(f"{INCIDENTS}/2/comments", {"comment": "seen"})
    incident = graph.get(f"{INCIDENTS}/2?$select=id,comments/comment").json()
    assert {name: value for name, value in incident.items() if "@" not in name} == {
        "id": "2",
        "comments": [{"comment": "seen"}],
    }
    legacy = graph.get("/v1.0/security/alerts?$select=vendorInformation/provider&$top=1").json()["value"][0]
    assert set(legacy["vendorInformation"]) == {"provider"}
    for path in ("id/more", "comments/nothing"):
        assert graph.get(f"{INCIDENTS}/2?$select={path}").status == 400


def test_what_was_preferred_is_said_to_be_applied(seeded: Application) -> None:
    answer = seeded.client("graph").get(f"{INCIDENTS}/2", prefer="include-unknown-enum-members")
    assert answer.headers["preference-applied"] == "include-unknown-enum-members"
    assert "preference-applied" not in seeded.client("graph").get(f"{INCIDENTS}/2").headers


def test_pages_of_other_origins_may_call(seeded: Application) -> None:
    asked = {
        "origin": "https://explorer.contoso.test",
        "access_control_request_method": "PATCH",
        "access_control_request_headers": "authorization,content-type,sdkversion",
    }
    preflight = seeded.client().send("OPTIONS", f"{INCIDENTS}/2", headers=asked)
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "PATCH" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "authorization,content-type,sdkversion"
    assert "access-control-allow-credentials" not in preflight.headers
    for client, status in ((seeded.client("graph"), 200), (seeded.client(), 401)):
        answer = client.get(f"{INCIDENTS}/2", origin="https://explorer.contoso.test")
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, "*")
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in seeded.client("graph").get(f"{INCIDENTS}/2").headers


def test_other_surfaces_let_no_page_in(seeded: Application) -> None:
    asked = {"origin": "https://explorer.contoso.test", "access_control_request_method": "GET"}
    for answer in (
        seeded.client().send("OPTIONS", "/api/incidents", headers=asked),
        seeded.client("xdr").get("/api/incidents", origin="https://explorer.contoso.test"),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


OF_TELEMETRY = frozenset({"list_identity_accounts", "list_secure_scores", "list_secure_score_control_profiles"})
"""Lists that are hunted for: there is nothing to hunt in here."""

COUNTED = sorted(
    each.path
    for each in load_operations()["graph"].operations
    if each.handler.startswith("list_") and not each.part and "{id}" not in each.path
    if any(alias.endswith("/$count") for alias in each.aliases) and each.handler not in OF_TELEMETRY
)


@pytest.mark.parametrize("path", COUNTED)
def test_lists_can_be_counted(seeded: Application, path: str) -> None:
    graph = seeded.client("graph")
    listed = graph.get(f"/beta{path}?$count=true")
    counted = graph.get(f"/beta{path}/$count?$top=0&$orderby=id")
    assert (counted.status, counted.headers["content-type"]) == (200, "text/plain"), counted.body
    assert int(counted.body) == listed.json()["@odata.count"]


def test_counts_are_narrowed(seeded: Application) -> None:
    graph = seeded.client("graph")
    assert graph.get("/v1.0/security/alerts/$count?$filter=severity%20eq%20'high'").body == b"1"
    assert graph.get("/beta/security/alerts_v2/$count?filter=severity+eq+'high'").body == b"1"
    assert graph.get("/v1.0/security/alerts/$count?$filter=nothing%20eq%201").status == 400
