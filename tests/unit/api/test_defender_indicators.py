"""Indicators over HTTP."""

from typing import Any

import pytest

from tests.api_fakes import HOME, Application
from tests.asgi import AsgiClient
from vedette.clock import TICKS_PER_SECOND, format_ticks, now_ticks
from vedette.machines.device_groups import DeviceGroups

GOOD = {
    "indicatorValue": "220e7d15b0b3d7fac48f2bd61114db1022197f7f",
    "indicatorType": "FileSha1",
    "title": "test",
    "application": "demo",
    "expirationTime": "2030-12-12T00:00:00Z",
    "action": "AlertAndBlock",
    "severity": "Informational",
    "description": "test",
    "recommendedActions": "nothing",
    "rbacGroupNames": ["group1", "group2"],
}


@pytest.fixture
def client(application: Application) -> AsgiClient:
    return application.client("endpoint")


def test_created_found_and_deleted(client: AsgiClient, shared: Any) -> None:
    yaml = pytest.importorskip("yaml")
    contract = yaml.safe_load((shared / "contract" / "mde_api.yaml").read_text())["resources"]["indicator"]
    answer = client.post("/api/indicators", GOOD)
    assert answer.status == 200
    created = answer.json()
    assert set(contract) <= set(created)
    assert (created["action"], created["generateAlert"], created["rbacGroupNames"]) == (
        "Block",
        True,
        ["group1", "group2"],
    )
    again = client.post("/api/indicators", {**GOOD, "title": "changed"}).json()
    assert (again["id"], again["title"]) == (created["id"], "changed")
    one = client.get(f"/api/indicators/{created['id']}?$top=50").json()
    assert (one["@odata.context"].rpartition("#")[2], one["title"]) == ("Indicators/$entity", "changed")
    assert {client.get(f"/api/indicators/{other}").status for other in ("99", "x")} == {404}
    listed = client.get("/api/indicators?$filter=severity+eq+'Informational'+and+action+eq+'Block'").json()["value"]
    assert [each["id"] for each in listed] == [created["id"]]
    assert client.send("DELETE", f"/api/indicators/{created['id']}").status == 204
    assert client.send("DELETE", f"/api/indicators/{created['id']}").status == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"indicatorValue": "zz"}, "InvalidHashValue"),
        ({"indicatorType": "Smell"}, "InvalidRequestBody"),
        ({"action": "Audit"}, "InvalidInput"),
        ({"title": ""}, "MissingRequiredParameter"),
        ({"expirationTime": "2001-01-01T00:00:00Z"}, "InvalidRequestBody"),
        ({"colour": "red"}, "InvalidRequestBody"),
        ({"educateUrl": "https://x.test"}, "InvalidInput"),
    ],
)
def test_what_is_refused_changes_nothing(client: AsgiClient, change: dict[str, Any], code: str) -> None:
    answer = client.post("/api/indicators", {**GOOD, **change})
    assert (answer.status, answer.json()["error"]["code"]) == (400, code)
    assert client.get("/api/indicators").json()["value"] == []


def test_import_says_what_became_of_each(client: AsgiClient) -> None:
    bad, unreadable = {**GOOD, "indicatorValue": "x"}, {"indicatorValue": 7}
    answer = client.post("/api/indicators/import", {"Indicators": [GOOD, bad, unreadable]})
    assert [(each["isFailed"], each["indicator"]) for each in answer.json()["value"]] == [
        (False, GOOD["indicatorValue"]),
        (True, "x"),
        (True, None),
    ]
    too_many = client.post("/api/indicators/import", {"Indicators": [GOOD] * 501})
    assert too_many.json()["error"]["code"] == "MaximumBatchSizeExceeded"


def test_what_the_service_writes_is_sent_back_and_not_read(client: AsgiClient) -> None:
    created = client.post("/api/indicators", GOOD).json()
    read_only = {"id": "77", "createdByDisplayName": "Somebody", "lastUpdateTime": "never", "version": None}
    answer = client.post("/api/indicators", {**GOOD, **read_only, "rbacGroupIds": [12, "13"]})
    assert answer.status == 200
    assert {**answer.json(), "lastUpdateTime": 0} == {
        **created,
        "lastUpdateTime": 0,
        "lastUpdatedBy": created["createdBy"],
    }
    imported = client.post("/api/indicators/import", {"Indicators": [{**GOOD, **read_only}]}).json()["value"]
    assert [(each["id"], each["isFailed"]) for each in imported] == [(created["id"], False)]


def test_what_its_author_knows_it_by_is_kept(client: AsgiClient) -> None:
    created = client.post("/api/indicators", {**GOOD, "externalID": "case-7"}).json()
    assert created["externalId"] == "case-7"
    assert client.post("/api/indicators", GOOD).json()["externalId"] == "case-7"


@pytest.mark.parametrize(
    ("given", "expected"),
    [("a, b,,a", ["a", "b"]), (["a", "b"], ["a", "b"]), ("", []), (None, []), ([], [])],
)
def test_groups_are_a_list_or_a_text_with_commas(client: AsgiClient, given: Any, expected: list[str]) -> None:
    assert client.post("/api/indicators", {**GOOD, "rbacGroupNames": given}).json()["rbacGroupNames"] == expected


def test_groups_have_ids_to_be_filtered_by(application: Application, client: AsgiClient) -> None:
    with application.store.begin() as connection:
        groups = DeviceGroups(connection, HOME)
        numbers = {name: str(groups.create(name, ()).group_id) for name in ("group1", "other")}
    created = client.post("/api/indicators", GOOD).json()
    assert created["rbacGroupIds"] == [numbers["group1"]]
    for name, count in (("group1", 1), ("other", 0)):
        query = f"$filter=rbacGroupIds/any(g: g eq '{numbers[name]}')"
        assert len(client.get(f"/api/indicators?{query}").json()["value"]) == count


FILTERS = {
    "application eq 'demo'": 1,
    "application eq 'Demo2'": 0,
    "createdByDisplayName ne 'x'": 1,
    "createdBy ne 'x'": 1,
    "expirationTime gt 2029-01-01T00:00:00Z": 1,
    "expirationTime eq null": 0,
    "generateAlert eq true": 1,
    "title eq 'test'": 1,
    "indicatorValue eq '220e7d15b0b3d7fac48f2bd61114db1022197f7f'": 1,
    "indicatorType eq 'FileSha1'": 1,
    "indicatorType eq 'Url'": 0,
    "creationTimeDateTimeUtc gt 2020-01-01T00:00:00Z": 1,
    "action eq 'AlertAndBlock'": 1,
    "action eq 'Block'": 1,
    "action in ('Warn','Allowed')": 0,
    "severity eq 'Informational'": 1,
    "rbacGroupNames/any(g: g eq 'group2')": 1,
}


def test_what_the_page_filters_by(client: AsgiClient) -> None:
    client.post("/api/indicators", GOOD)
    found = {text: client.get(f"/api/indicators?$filter={text.replace(' ', '+')}") for text in FILTERS}
    assert {text: len(answer.json()["value"]) for text, answer in found.items() if answer.status == 200} == FILTERS
    assert client.get("/api/indicators?$top=10001").status == 400


def test_an_expired_one_is_gone(application: Application, client: AsgiClient) -> None:
    first = client.post("/api/indicators", {**GOOD, "expirationTime": soon(application, 60)}).json()["id"]
    assert len(client.get("/api/indicators").json()["value"]) == 1
    application.clock.advance(61)
    assert client.get("/api/indicators").json()["value"] == []
    assert client.get(f"/api/indicators/{first}").status == 404
    assert client.send("DELETE", f"/api/indicators/{first}").status == 404
    again = client.post("/api/indicators", {**GOOD, "expirationTime": None}).json()
    assert again["id"] != first
    assert (again["expirationTime"], again["lastUpdatedBy"]) == (None, None)


def soon(application: Application, seconds: int) -> str:
    return format_ticks(now_ticks(application.clock) + seconds * TICKS_PER_SECOND)


def test_a_tenant_has_at_most_so_many(client: AsgiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.indicators.indicators.MAX_ACTIVE", 2)
    made = [client.post("/api/indicators", {**GOOD, "indicatorValue": f"{n:040x}"}) for n in range(3)]
    assert [answer.status for answer in made] == [200, 200, 400]
    assert client.post("/api/indicators", {**GOOD, "indicatorValue": f"{1:040x}"}).status == 200
    assert client.send("DELETE", f"/api/indicators/{made[0].json()['id']}").status == 204
    assert client.post("/api/indicators", {**GOOD, "indicatorValue": f"{2:040x}"}).status == 200


def test_batch_delete_is_all_or_nothing(client: AsgiClient) -> None:
    made = [client.post("/api/indicators", {**GOOD, "indicatorValue": f"{n:040x}"}).json()["id"] for n in range(3)]
    assert client.post("/api/indicators/BatchDelete", {"IndicatorIds": [made[0], "999"]}).status == 404
    assert client.post("/api/indicators/BatchDelete", {"IndicatorIds": [made[0], "x"]}).status == 400
    assert len(client.get("/api/indicators").json()["value"]) == 3
    assert client.post("/api/indicators/BatchDelete", {"IndicatorIds": made[:2]}).status == 204
    assert [each["id"] for each in client.get("/api/indicators").json()["value"]] == [made[2]]


def test_another_tenant_has_its_own(application: Application, client: AsgiClient) -> None:
    made = client.post("/api/indicators", GOOD).json()["id"]
    other = application.client("endpoint-other")
    assert other.get("/api/indicators").json()["value"] == []
    assert other.send("DELETE", f"/api/indicators/{made}").status == 404


def test_members_that_recorded_answers_have(client: AsgiClient) -> None:
    plain = {name: GOOD[name] for name in ("indicatorValue", "indicatorType", "title", "description", "action")}
    created = client.post("/api/indicators", plain).json()
    assert {name: created[name] for name in ("createdBySource", "category", "historicalDetection", "severity")} == {
        "createdBySource": "PublicApi",
        "category": 1,
        "historicalDetection": False,
        "severity": "Informational",
    }
    empty = ("recommendedActions", "application", "expirationTime", "lastUpdatedBy", "educateUrl", "externalId")
    assert [created[name] for name in empty] == [None] * len(empty)
    assert (created["rbacGroupNames"], created["rbacGroupIds"], created["mitreTechniques"]) == ([], [], [])
    assert client.post("/api/indicators", plain).json()["lastUpdatedBy"] == created["createdBy"]
