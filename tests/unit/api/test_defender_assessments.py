"""What only exports and lists of updates show, filters on computed lists, and remediation tasks."""

import gzip
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.api_fakes import HOME, Application, assemble
from tests.asgi import AsgiClient
from tests.endpoint_world import SRV02, WS01, EndpointWorld, make_world, process_event
from vedette.clock import now_ticks
from vedette.ids import RandomIds
from vedette.incidents.alerts import NewAlert, create
from vedette.incidents.evidence import FileDetails, FileEvidence
from vedette.machines.remediations import Completer, RemediationDetails, Remediations


@pytest.fixture
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    yield world
    world.close()


def device(device_id: str) -> dict[str, object]:
    name = "ws-01.contoso.test" if device_id == WS01 else "srv-02.contoso.test"
    return {"DeviceId": device_id, "DeviceName": name, "OSPlatform": "Windows11"}


def product(device_id: str, version: str = "1.0", name: str = "chrome") -> dict[str, object]:
    return {**device(device_id), "SoftwareVendor": "google", "SoftwareName": name, "SoftwareVersion": version}


def found(device_id: str, cve: str, version: str = "1.0", **more: object) -> dict[str, object]:
    return {**product(device_id, version), "CveId": cve, "VulnerabilitySeverityLevel": "High", **more}


KB = {"RecommendedSecurityUpdate": "November 2025 Updates", "RecommendedSecurityUpdateId": "5068861"}


@pytest.fixture
def application(world: EndpointWorld) -> Application:
    world.ingest(
        {
            "DeviceProcessEvents": [process_event(world, 2), process_event(world, 1, SRV02)],
            "DeviceTvmSoftwareVulnerabilities": [
                found(WS01, "CVE-2025-0001", **KB),
                found(SRV02, "CVE-2025-0001", "2.0", **KB),
                found(WS01, "CVE-2025-0002", VulnerabilitySeverityLevel="Low"),
            ],
            "DeviceTvmSoftwareInventory": [
                {**product(WS01), "ProductCodeCpe": "cpe:2.3:a:google:chrome"},
                {**product(WS01, name="own tool"), "ProductCodeCpe": "Not Available"},
            ],
        }
    )
    world.work()
    return assemble(store=world.store, clock=world.clock, endpoint=world.telemetry)


@pytest.fixture
def client(application: Application) -> AsgiClient:
    return application.client("endpoint")


def get(client: AsgiClient, target: str) -> Any:
    answer = client.get(f"/api/{target}".replace(" ", "%20"))
    assert answer.status == 200, answer.body
    return answer.json()


def ids(client: AsgiClient, target: str) -> list[str]:
    return [each["id"] for each in get(client, target)["value"]]


def test_missing_updates(client: AsgiClient) -> None:
    (update,) = get(client, f"machines/{WS01}/getmissingkbs")["value"]
    assert update == {
        "id": "5068861",
        "name": "November 2025 Updates",
        "productsNames": ["chrome"],
        "url": "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB5068861",
        "machineMissedOn": 1,
        "cveAddressed": 1,
        "osBuild": None,
    }
    (update,) = get(client, "Software/google-_-chrome/getmissingkbs")["value"]
    assert (update["machineMissedOn"], update["cveAddressed"]) == (2, 1)
    assert client.get("/api/machines/nobody/getmissingkbs").status == 404


def test_versions_of_a_product(client: AsgiClient) -> None:
    document = get(client, "Software/google-_-chrome/distributions")
    assert document["@odata.context"].endswith("#Distributions")
    assert document["value"] == [
        {"version": "1.0", "installations": 1, "vulnerabilities": 2},
        {"version": "2.0", "installations": 1, "vulnerabilities": 1},
    ]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("severity eq 'High'", ["CVE-2025-0001"]),
        ("severity eq 'low'", ["CVE-2025-0002"]),
        ("exposedMachines gt 1", ["CVE-2025-0001"]),
        ("cvssV3 eq null and contains(id,'0002')", ["CVE-2025-0002"]),
        ("publicExploit eq true", []),
        ("publishedOn ge 2020-01-01T00:00:00Z", []),
        ("id in ('CVE-2025-0002','CVE-1')", ["CVE-2025-0002"]),
        ("not exploitTypes/any()", ["CVE-2025-0001", "CVE-2025-0002"]),
    ],
)
def test_filters_on_computed_lists(client: AsgiClient, condition: str, expected: list[str]) -> None:
    assert ids(client, f"Vulnerabilities?$filter={condition}") == expected
    assert get(client, f"Vulnerabilities?$filter={condition}&$count=true&$top=0")["@odata.count"] == len(expected)


def test_filters_elsewhere(client: AsgiClient) -> None:
    assert ids(client, "Software?$filter=vendor eq 'google' and weaknesses eq 2") == ["google-_-chrome"]
    assert ids(client, f"machines/{WS01}/software?$filter=weaknesses eq 0&$select=id") == ["google-_-own tool"]
    assert ids(client, "recommendations?$filter=remediationType eq 'Update'") == ["va-_-google-_-chrome"]
    findings = get(client, f"vulnerabilities/machinesVulnerabilities?$filter=machineId eq '{SRV02}'")["value"]
    assert [each["cveId"] for each in findings] == ["CVE-2025-0001"]
    machines = ids(client, "Vulnerabilities/CVE-2025-0001/machineReferences?$filter=startswith(computerDnsName,'ws')")
    assert machines == [WS01]
    assert ids(client, "Vulnerabilities?$orderby=exposedMachines,id desc") == ["CVE-2025-0002", "CVE-2025-0001"]
    assert client.get("/api/Vulnerabilities?$filter=nothing%20eq%201").status == 400
    assert client.get("/api/Vulnerabilities?$filter=severity%20eq%20'Severe'").status == 400


def test_pages_of_a_computed_list_are_cut_from_one_state(client: AsgiClient, world: EndpointWorld) -> None:
    first = get(client, "Vulnerabilities?$top=1&$count=true")
    world.ingest({"DeviceTvmSoftwareVulnerabilities": [found(WS01, "CVE-2025-0000")]})
    parts = urlsplit(first["@odata.nextLink"])
    second = client.get(f"{parts.path}?{parts.query}").json()
    assert [each["id"] for each in (*first["value"], *second["value"])] == ["CVE-2025-0001", "CVE-2025-0002"]
    assert second["@odata.count"] == 2
    assert "@odata.nextLink" not in second


def test_changes_since(client: AsgiClient, world: EndpointWorld) -> None:
    target = "machines/SoftwareVulnerabilityChangesByMachine"
    assert client.get(f"/api/{target}").status == 400
    assert client.get(f"/api/{target}?sinceTime=yesterday").status == 400
    records = get(client, f"{target}?sinceTime=2020-01-01")["value"]
    assert [(each["cveId"], each["status"]) for each in records] == [
        ("CVE-2025-0001", "New"), ("CVE-2025-0002", "New"), ("CVE-2025-0001", "New")]  # fmt: skip
    world.clock.advance(3600)
    since = quote(records[0]["eventTimestamp"])
    world.ingest(
        {
            "DeviceTvmSoftwareInventory": [product(WS01, "1.1")],
            "DeviceTvmSoftwareVulnerabilities": [
                found(SRV02, "CVE-2025-0001", "2.0", VulnerabilitySeverityLevel="Low")
            ],
        }
    )
    statuses = {
        (each["deviceId"], each["cveId"]): each["status"]
        for each in get(client, f"{target}?sinceTime={since}")["value"]
    }
    assert statuses[WS01, "CVE-2025-0001"] == "Fixed"
    assert statuses[SRV02, "CVE-2025-0001"] == "Updated"
    assert get(client, f"{target}?sinceTime=2999-01-01")["value"] == []
    page = get(client, f"{target}?sinceTime=2020-01-01&pageSize=2")
    parts = urlsplit(page["@odata.nextLink"])
    assert len(client.get(f"{parts.path}?{parts.query}").json()["value"]) == 1


def test_software_without_a_product_code(client: AsgiClient) -> None:
    (record,) = get(client, "machines/SoftwareInventoryNoProductCodeByMachine")["value"]
    assert set(record) == {
        "deviceId", "deviceName", "rbacGroupName", "rbacGroupId", "osPlatform", "softwareVendor", "softwareName",
        "softwareVersion", "softwareLastSeenTimestamp"}  # fmt: skip
    assert (record["softwareName"], record["deviceId"]) == ("own tool", WS01)
    assert lines(client, "SoftwareInventoryNonCpeExport") == [record]


def lines(client: AsgiClient, export: str) -> list[Any]:
    link = get(client, f"machines/{export}")["exportFiles"][0]
    fetched = client.with_token(None).get(link)
    return [json.loads(line) for line in gzip.decompress(fetched.body).splitlines()]


def test_baselines(client: AsgiClient, world: EndpointWorld) -> None:
    row = {**device(WS01), "ProfileId": "p1", "ConfigurationId": "1.1.1", "IsApplicable": True}
    world.ingest({"DeviceBaselineComplianceAssessment": [{**row, "IsCompliant": False, "CurrentValue": '["24"]'}]})
    world.clock.advance(1)
    world.ingest({"DeviceBaselineComplianceAssessment": [{**row, "IsCompliant": True, "CurrentValue": '["30"]'}]})
    (record,) = get(client, "machines/baselineComplianceAssessmentByMachine")["value"]
    assert (record["id"], record["isCompliant"], record["currentValue"]) == (f"{WS01}_p1_1.1.1", True, ["30"])
    assert lines(client, "BaselineComplianceAssessmentExport") == [record]
    assert client.get("/api/machines/BaselineComplianceAssessmentExport?sasValidHours=7").status == 400


def test_gathered_facts(client: AsgiClient, world: EndpointWorld) -> None:
    scans = json.dumps({"Quick": {"ScanStatus": "Completed", "ErrorCode": "", "Timestamp": "2025-11-22T01:02:03Z"}})
    facts = {"AvMode": "0", "AvScanResults": scans, "TlsClient10": "Disabled"}
    world.ingest(
        {"DeviceTvmInfoGathering": [{**device(WS01), "Timestamp": world.ago(1), "AdditionalFields": json.dumps(facts)}]}
    )
    (record,) = lines(client, "InfoGatheringExport")
    assert (record["DeviceId"], record["OsPlatform"], record["RbacGroupName"]) == (WS01, "Windows11", "None")
    assert json.loads(record["DeviceGatheredInfo"])["TlsClient10"] == "Disabled"
    (health,) = get(client, "public/avdeviceshealth?$filter=osKind eq 'windows' and quickScanTime ge 2025-11-01")[
        "value"
    ]
    assert (health["quickScanResult"], health["fullScanResult"]) == ("Completed", None)
    assert get(client, "public/avdeviceshealth?$filter=avMode eq '1'")["value"] == []
    assert client.get("/api/public/avdeviceshealth?$filter=id%20eq%20'x'").status == 400


def test_a_product_has_an_active_alert(client: AsgiClient, application: Application, world: EndpointWorld) -> None:
    evidence = {**product(WS01), "DiskPaths": '["C:\\\\Program Files\\\\Google\\\\Chrome"]'}
    del evidence["DeviceName"], evidence["OSPlatform"]
    world.ingest({"DeviceTvmSoftwareEvidenceBeta": [evidence]})
    assert get(client, "Software/google-_-chrome")["activeAlert"] is False
    now = now_ticks(application.clock)
    file = FileDetails(file_name="chrome.exe", file_path="c:\\program files\\google\\chrome\\bin")
    new = NewAlert(
        title="A", severity="low", category="Execution", service_source="microsoftDefenderForEndpoint",
        detection_source="customDetection", first_activity=now, last_activity=now,
        evidence=(FileEvidence(file=file, device_id=WS01),),
    )  # fmt: skip
    with application.store.begin() as connection:
        alert = create(connection, HOME, new, application.clock, RandomIds()).alert
    assert ids(client, "Software?$filter=activeAlert eq true") == ["google-_-chrome"]
    assert get(client, "recommendations/va-_-google-_-chrome")["activeAlert"] is True
    assert client.patch(f"/api/alerts/{alert.alert_id}", {"status": "Resolved"}).status == 200
    assert get(client, "Software/google-_-chrome")["activeAlert"] is False


def test_alerts_by_investigation(client: AsgiClient) -> None:
    assert get(client, "alerts?$filter=InvestigationId eq 7")["value"] == []
    assert client.get("/api/alerts?$filter=investigationId%20eq%20'x'").status == 400


def test_remediation_tasks(client: AsgiClient, application: Application, shared: Any) -> None:
    yaml = pytest.importorskip("yaml")
    contract = yaml.safe_load((shared / "contract" / "mde_api.yaml").read_text())["resources"]["remediation"]
    assert get(client, "remediationTasks")["value"] == []
    task_id = "03942ef5-aecb-4c6e-b555-d6a97013844c"
    details = RemediationDetails(recommendation_id="va-_-google-_-chrome", title="Update Chrome", priority="High")
    with application.store.begin() as connection:
        Remediations(connection, HOME).add(task_id, details, [WS01, SRV02], now_ticks(application.clock))
    (task,) = get(client, "remediationTasks?$filter=priority eq 'high' and status eq 'Active'")["value"]
    assert set(task) == set(contract)
    assert (task["targetDevices"], task["fixedDevices"], task["nameId"]) == (2, 0, "chrome")
    assert sorted(ids(client, f"remediationTasks/{task_id}/machineReferences")) == [WS01, SRV02]
    with application.store.begin() as connection:
        assert Remediations(connection, HOME).complete(
            task_id, Completer("u", "ann@contoso.test"), task["fixedDevices"]
        )
    task = get(client, f"remediationTasks/{task_id.upper()}")
    assert (task["status"], task["completionMethod"], task["completerEmail"]) == (
        "Completed", "manually", "ann@contoso.test")  # fmt: skip
    assert client.get("/api/remediationTasks/nothing").status == 404
    assert application.client("endpoint-other").get("/api/remediationTasks").status == 403
