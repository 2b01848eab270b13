"""Alerts of Defender for Endpoint over HTTP, and what is known of files, domains, addresses and users."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.api_fakes import Application, assemble
from tests.asgi import AsgiClient
from tests.endpoint_world import (
    HOME,
    MD5,
    SHA1,
    SHA256,
    SRV02,
    WS01,
    EndpointWorld,
    connection_event,
    logon_event,
    make_world,
    process_event,
)
from vedette.clock import format_ticks
from vedette.incidents.alerts import AlertDetails, NewAlert, create
from vedette.incidents.evidence import (
    DeviceEvidence,
    FileDetails,
    FileEvidence,
    IpEvidence,
    ProcessEvidence,
    RegistryValueEvidence,
    UrlEvidence,
    UserAccount,
    UserEvidence,
)

ANN = UserAccount(account_name="ann", domain_name="contoso", user_sid="S-1-5-21-1-2-3-1105")
TOOL = FileDetails(file_name="tool.exe", file_path="C:\\Temp", sha1=SHA1, sha256=SHA256)


@pytest.fixture
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    yield world
    world.close()


@pytest.fixture
def alert_id(world: EndpointWorld) -> str:
    new = NewAlert(
        title="Credential dumping",
        severity="high",
        category="CredentialAccess",
        service_source="microsoftDefenderForEndpoint",
        detection_source="antivirus",
        first_activity=world.ago(2),
        last_activity=world.ago(1),
        details=AlertDetails(description="LSASS was read.", mitre_techniques=("T1003.001",), detector_id="r-1"),
        evidence=(
            DeviceEvidence(device_id=WS01, device_name="ws-01.contoso.test", is_impacted=True, logged_on_users=(ANN,)),
            UserEvidence(account=ANN),
            ProcessEvidence(process_id=7, command_line="tool.exe", image=TOOL, account=ANN, device_id=WS01),
            FileEvidence(file=TOOL, device_id=WS01),
            IpEvidence(address="203.0.113.9"),
            UrlEvidence(url="https://c2.evil.test/a"),
            RegistryValueEvidence(hive="HKLM", key="Run", value_name="x", value="tool.exe", device_id=WS01),
        ),
    )
    with world.store.begin() as connection:
        return create(connection, HOME, new, world.clock, world.ids).alert.alert_id


@pytest.fixture
def application(world: EndpointWorld, alert_id: str) -> Application:
    world.ingest(
        {
            "DeviceProcessEvents": [process_event(world, 2), process_event(world, 30, SRV02, ReportId=9)],
            "DeviceNetworkEvents": [connection_event(world, 1, RemoteUrl="https://C2.evil.test:8443/a")],
            "DeviceLogonEvents": [logon_event(world, 3)],
        }
    )
    world.work()
    return assemble(store=world.store, clock=world.clock, endpoint=world.telemetry)


@pytest.fixture
def client(application: Application) -> AsgiClient:
    return application.client("endpoint")


def test_an_alert_has_every_documented_key(client: AsgiClient, alert_id: str, shared: Any) -> None:
    yaml = pytest.importorskip("yaml")
    contract = yaml.safe_load((shared / "contract" / "mde_api.yaml").read_text())["resources"]
    alert = client.get(f"/api/alerts/{alert_id}").json()
    assert set(contract["alert"]) <= set(alert)
    assert (alert["machineId"], alert["relatedUser"]) == (WS01, {"userName": "ann", "domainName": "contoso"})
    assert alert["loggedOnUsers"] == [{"accountName": "ann", "domainName": "contoso"}]
    assert (alert["classification"], alert["detectionSource"]) == (None, "WindowsDefenderAv")
    assert [item["entityType"] for item in alert["evidence"]] == ["User", "Process", "File", "Ip", "Url", "Registry"]
    for item in alert["evidence"]:
        assert set(contract["alert_evidence"]["keys"]) <= set(item)


@pytest.mark.parametrize(
    ("query", "count", "evidence"),
    [
        ("", 1, 0),
        ("$expand=evidence&$top=10", 1, 6),
        ("$filter=severity eq 'High' and status eq 'New'", 1, 0),
        ("$filter=alertCreationTime+gt+2025-11-23T00:00:00Z", 1, 0),
        ("$filter=detectionSource eq 'CustomDetection'", 0, 0),
    ],
)
def test_lists(client: AsgiClient, query: str, count: int, evidence: int) -> None:
    answer = client.get(f"/api/alerts?{quote(query, safe='$=&+')}")
    assert answer.status == 200, answer.body
    assert [len(alert["evidence"]) for alert in answer.json()["value"]] == [evidence] * count


def test_changes(client: AsgiClient, alert_id: str) -> None:
    body = {"status": "Resolved", "classification": "TruePositive", "determination": "Malware", "comment": "Done",
            "assignedTo": "ann@contoso.test"}  # fmt: skip
    changed = client.patch(f"/api/alerts/{alert_id}", body).json()
    assert (changed["status"], changed["determination"], changed["resolvedTime"] is not None) == (
        "Resolved",
        "Malware",
        True,
    )
    assert [comment["comment"] for comment in changed["comments"]] == ["Done"]
    missing = client.post("/api/alerts/batchUpdate", {"alertIds": [alert_id, "da1_1"], "status": "New"})
    assert missing.status == 404
    assert client.get(f"/api/alerts/{alert_id}").json()["status"] == "Resolved"
    done = client.post("/api/alerts/batchUpdate", {"alertIds": [alert_id], "status": "InProgress"})
    assert (done.status, done.body) == (200, b"")
    assert client.get(f"/api/alerts/{alert_id}").json()["status"] == "InProgress"
    assert client.patch(f"/api/alerts/{alert_id}", {"status": "Sleeping"}).status == 400


def test_what_an_alert_is_about(client: AsgiClient, alert_id: str) -> None:
    def about(name: str) -> Any:
        answer = client.get(f"/api/alerts/{alert_id}/{name}")
        assert answer.status == 200, answer.body
        return answer.json()

    assert [(file["sha1"], file["globalPrevalence"]) for file in about("files")["value"]] == [(SHA1, 2)]
    assert about("ips")["value"] == [{"id": "203.0.113.9"}]
    assert about("domains")["value"] == [{"host": "c2.evil.test"}]
    assert about("machine")["id"] == WS01
    assert about("machine")["riskScore"] == "High"
    user = about("user")
    assert user["id"] == "contoso\\ann"
    prevalence = ("mostPrevalentMachineId", "leastPrevalentMachineId", "logOnMachinesCount")
    assert [user[name] for name in prevalence] == [WS01, WS01, 1]


def reference(world: EndpointWorld, **more: object) -> dict[str, object]:
    return {
        "machineId": WS01,
        "severity": "Low",
        "title": "Odd tool",
        "description": "Seen by hand",
        "recommendedAction": "Ask Ann",
        "eventTime": format_ticks(world.ago(2)),
        "reportId": "7",
        "category": "Exploit",
        **more,
    }


def test_an_alert_from_an_event(client: AsgiClient, world: EndpointWorld) -> None:
    created = client.post("/api/alerts/CreateAlertByReference", reference(world))
    assert created.status == 200, created.body
    alert = created.json()
    assert (alert["category"], alert["machineId"], alert["investigationId"]) == ("Exploit", WS01, 1)
    assert alert["evidence"][0]["processCommandLine"] == "tool.exe --run"
    assert client.post("/api/alerts/CreateAlertByReference", reference(world)).json()["id"] == alert["id"]
    assert client.get("/api/investigations/1").json()["triggeringAlertId"] == alert["id"]
    assert client.post("/api/alerts/CreateAlertByReference", reference(world, reportId="8")).status == 404
    assert client.post("/api/alerts/CreateAlertByReference", reference(world, category="Odd")).status == 400


@pytest.mark.parametrize(
    ("target", "prevalence"),
    [
        (f"files/{SHA1}/stats", 2),
        (f"files/{SHA1}/stats?lookBackHours=24", 1),
        (f"files/{SHA256.upper()}/stats?lookBackHours=720", 2),
        ("domains/evil.test/stats", 1),
        ("domains/vil.test/stats", 0),
        ("ips/203.0.113.9/stats?lookBackHours=48", 1),
        ("ips/203.0.113.10/stats", 0),
    ],
)
def test_statistics(client: AsgiClient, target: str, prevalence: int) -> None:
    answer = client.get(f"/api/{target}")
    assert answer.status == 200, answer.body
    body = answer.json()
    assert (body["organizationPrevalence"], body["orgPrevalence"]) == (prevalence, str(prevalence))
    assert body.get("globalPrevalence", str(prevalence)) == str(body.get("globallyPrevalence", prevalence))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f"files/{SHA1}/machines", [WS01, SRV02]),
        ("domains/c2.evil.test/machines", [WS01]),
        ("users/ann/machines", [WS01]),
        ("users/nobody/machines", []),
    ],
)
def test_machines_of(client: AsgiClient, target: str, expected: list[str]) -> None:
    assert [machine["id"] for machine in client.get(f"/api/{target}").json()["value"]] == expected


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (f"files/{SHA1}/alerts", True),
        ("files/" + "9" * 40 + "/alerts", False),
        ("domains/evil.test/alerts", True),
        ("domains/vil.test/alerts", False),
        ("ips/203.0.113.9/alerts", True),
        ("ips/203.0.113.1/alerts", False),
        ("users/ANN/alerts", True),
        ("users/an/alerts", False),
        (f"machines/{WS01}/alerts", True),
        (f"machines/{SRV02}/alerts", False),
    ],
)
def test_alerts_of(client: AsgiClient, alert_id: str, target: str, found: bool) -> None:
    answer = client.get(f"/api/{target}")
    assert [alert["id"] for alert in answer.json()["value"]] == ([alert_id] if found else [])


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("files/xyz", 400, "InvalidHashValue"),
        ("files/" + "9" * 40, 404, "ResourceNotFound"),
        (f"files/{SHA1}/stats?lookBackHours=721", 400, "BadRequest"),
        ("domains/%22|%20take/stats", 400, "InvalidDomainName"),
        ("ips/10.0.0/stats", 400, "InvalidIpAddress"),
        ("alerts/da0_0", 404, "ResourceNotFound"),
    ],
)
def test_what_is_refused(client: AsgiClient, target: str, status: int, code: str) -> None:
    answer = client.get(f"/api/{target}")
    assert (answer.status, answer.json()["error"]["code"]) == (status, code)


def test_a_file(client: AsgiClient) -> None:
    file = client.get(f"/api/files/{SHA256}").json()
    assert (file["sha1"], file["md5"], file["isPeFile"], file["signer"]) == (SHA1, MD5, True, None)


def test_another_tenant_sees_nothing(application: Application, alert_id: str) -> None:
    other = application.client("endpoint-other")
    assert other.patch(f"/api/alerts/{alert_id}", {"status": "Resolved"}).status == 404
    assert other.get("/api/alerts").json()["value"] == []
    assert other.get(f"/api/files/{SHA1}/alerts").json()["value"] == []
