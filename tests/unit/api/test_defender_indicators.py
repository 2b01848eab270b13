"""Indicators over HTTP."""

from typing import Any

import pytest

from tests.api_fakes import Application
from tests.asgi import AsgiClient

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
    read_only = {"id": "77", "externalId": "x-1", "createdByDisplayName": "Somebody", "lastUpdateTime": "never"}
    answer = client.post("/api/indicators", {**GOOD, **read_only, "rbacGroupIds": [12, "13"]})
    assert answer.status == 200
    assert {**answer.json(), "lastUpdateTime": 0} == {
        **created,
        "lastUpdateTime": 0,
        "lastUpdatedBy": created["createdByDisplayName"],
    }
    imported = client.post("/api/indicators/import", {"Indicators": [{**GOOD, **read_only}]}).json()["value"]
    assert [(each["id"], each["isFailed"]) for each in imported] == [(created["id"], False)]


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
