"""Vulnerabilities, software, recommendations, scores and exports: everything traces to ingested DeviceTvm rows."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api_fakes import Application, assemble
from tests.asgi import AsgiClient
from tests.endpoint_world import SRV02, WS01, EndpointWorld, make_world


@pytest.fixture
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    yield world
    world.close()


def device(device_id: str) -> dict[str, object]:
    name = "ws-01.contoso.test" if device_id == WS01 else "srv-02.contoso.test"
    return {"DeviceId": device_id, "DeviceName": name, "OSPlatform": "Windows11", "OSVersion": "22H2"}


def found(device_id: str, cve: str, name: str = "chrome", version: str = "1.0") -> dict[str, object]:
    product = {"SoftwareVendor": "google", "SoftwareName": name, "SoftwareVersion": version}
    return {**device(device_id), **product, "CveId": cve, "VulnerabilitySeverityLevel": "High"}


def installed(device_id: str, name: str) -> dict[str, object]:
    return {**device(device_id), "SoftwareVendor": "google", "SoftwareName": name, "SoftwareVersion": "1.0"}


@pytest.fixture
def application(world: EndpointWorld) -> Application:
    tables: dict[str, list[dict[str, Any]]] = {
        "DeviceTvmSoftwareVulnerabilities": [
            found(WS01, "CVE-2025-0001"),
            found(SRV02, "CVE-2025-0001"),
            found(WS01, "CVE-2025-0002"),
        ],
        "DeviceTvmSoftwareVulnerabilitiesKB": [
            {"CveId": "CVE-2025-0001", "CvssScore": "9.8", "IsExploitAvailable": True,
             "VulnerabilityDescription": "Use after free", "PublishedDate": world.ago(900)},
        ],
        "DeviceTvmSoftwareInventory": [installed(WS01, "chrome"), installed(WS01, "earth")],
        "DeviceTvmSecureConfigurationAssessment": [
            {**device(WS01), "Timestamp": world.ago(hours), "ConfigurationId": "scid-1", "IsCompliant": ok,
             "IsApplicable": True, "ConfigurationImpact": 8.0, "ConfigurationCategory": "Security controls"}
            for hours, ok in ((9, True), (1, False))
        ],
        "DeviceTvmSecureConfigurationAssessmentKB": [
            {"ConfigurationId": "scid-1", "ConfigurationName": "Turn on the firewall"}
        ],
    }  # fmt: skip
    for rows in tables.values():
        for row in rows:
            if "Timestamp" in row:
                row.pop("OSVersion", None)
    world.ingest(tables)
    world.ingest({"DeviceTvmSoftwareVulnerabilities": [found(WS01, "CVE-2025-0001")]})
    world.work()
    return assemble(store=world.store, clock=world.clock, endpoint=world.telemetry)


@pytest.fixture
def client(application: Application) -> AsgiClient:
    return application.client("endpoint")


def get(client: AsgiClient, target: str) -> Any:
    answer = client.get(f"/api/{target}")
    assert answer.status == 200, answer.body
    return answer.json()


def test_vulnerabilities(client: AsgiClient, shared: Any) -> None:
    yaml = pytest.importorskip("yaml")
    resources = yaml.safe_load((shared / "contract" / "mde_api.yaml").read_text())["resources"]
    first, second = get(client, "Vulnerabilities")["value"]
    assert set(resources["vulnerability"]) <= set(first)
    assert (first["id"], first["cvssV3"], first["publicExploit"], first["exposedMachines"]) == (
        "CVE-2025-0001", 9.8, True, 2)  # fmt: skip
    assert (second["id"], second["cvssV3"], second["exposedMachines"]) == ("CVE-2025-0002", None, 1)
    assert get(client, "Vulnerabilities/cve-2025-0001")["description"] == "Use after free"
    assert client.get("/api/Vulnerabilities/CVE-1").status == 404
    machines = get(client, "Vulnerabilities/CVE-2025-0001/machineReferences")["value"]
    assert sorted(machine["id"] for machine in machines) == [WS01, SRV02]
    assert len(get(client, "vulnerabilities/machinesVulnerabilities?$top=2")["value"]) == 2
    assert [each["id"] for each in get(client, f"machines/{SRV02}/vulnerabilities")["value"]] == ["CVE-2025-0001"]


def test_software(client: AsgiClient, shared: Any) -> None:
    yaml = pytest.importorskip("yaml")
    resources = yaml.safe_load((shared / "contract" / "mde_api.yaml").read_text())["resources"]
    chrome, earth = get(client, "Software")["value"]
    assert set(resources["software"]) <= set(chrome)
    assert (chrome["id"], chrome["weaknesses"], chrome["exposedMachines"]) == ("google-_-chrome", 2, 2)
    assert (earth["id"], earth["weaknesses"], earth["impactScore"]) == ("google-_-earth", 0, 0.0)
    assert (chrome["isNormalized"], earth["isNormalized"]) == (True, False)  # one has a product code
    assert get(client, "Software/google-_-chrome")["impactScore"] == 9.8
    assert [each["id"] for each in get(client, "Software/google-_-earth/machineReferences")["value"]] == [WS01]
    assert len(get(client, "Software/google-_-chrome/vulnerabilities")["value"]) == 2
    assert len(get(client, f"machines/{WS01}/software")["value"]) == 2
    assert client.get("/api/Software/nobody-_-nothing").status == 404


def test_recommendations(client: AsgiClient, shared: Any) -> None:
    yaml = pytest.importorskip("yaml")
    resources = yaml.safe_load((shared / "contract" / "mde_api.yaml").read_text())["resources"]
    update, setting = get(client, "recommendations")["value"]
    assert set(resources["recommendation"]) <= set(update)
    assert (update["id"], update["remediationType"]) == ("va-_-google-_-chrome", "Update")
    assert (setting["id"], setting["recommendationName"]) == ("sca-_-scid-1", "Turn on the firewall")
    assert setting["recommendationCategory"] == "SecurityControls"
    assert get(client, "recommendations/sca-_-scid-1")["exposedMachinesCount"] == 1
    assert [m["id"] for m in get(client, "recommendations/sca-_-scid-1/machineReferences")["value"]] == [WS01]
    assert len(get(client, "recommendations/va-_-google-_-chrome/machineReferences")["value"]) == 2
    assert get(client, "recommendations/va-_-google-_-chrome/software")["id"] == "google-_-chrome"
    assert len(get(client, "recommendations/va-_-google-_-chrome/vulnerabilities")["value"]) == 2
    assert [each["id"] for each in get(client, f"machines/{SRV02}/recommendations")["value"]] == [
        "va-_-google-_-chrome"
    ]
    assert client.get("/api/recommendations/va-_-google-_-earth").status == 404


def test_scores_without_records(world: EndpointWorld) -> None:
    client = assemble(store=world.store, clock=world.clock, endpoint=world.telemetry).client("endpoint")
    assert get(client, "exposureScore")["score"] == 0.0
    assert get(client, "configurationScore")["score"] == 0.0
    assert get(client, "recommendations")["value"] == []


def test_antivirus_health(client: AsgiClient, world: EndpointWorld, shared: Any) -> None:
    yaml = pytest.importorskip("yaml")
    contract = yaml.safe_load((shared / "contract" / "mde_api.yaml").read_text())["resources"]["av_health"]
    assert get(client, "public/avdeviceshealth")["value"] == []
    facts = {"AvMode": "0", "AvEngineVersion": "1.1.25", "AvIsSignatureUptoDate": True}
    row = {"DeviceId": WS01, "DeviceName": "ws-01", "OSPlatform": "Windows11", "Timestamp": world.ago(1)}
    world.ingest({"DeviceTvmInfoGathering": [{**row, "AdditionalFields": json.dumps(facts)}]})
    (health,) = get(client, "public/avdeviceshealth")["value"]
    assert set(health) == set(contract) - {"not_filterable"}
    assert (health["avMode"], health["osKind"], health["avIsSignatureUpToDate"]) == ("0", "windows", "True")
    assert (health["avEngineVersion"], health["avIsEngineUpToDate"]) == ("1.1.25", "Unknown")


def test_scores(client: AsgiClient) -> None:
    (group,) = get(client, "exposureScore/ByMachineGroups")["value"]
    assert (group["score"], group["rbacGroupId"], group["rbacGroupName"]) == (98.0, 0, "Unassigned")
    assert get(client, "exposureScore")["score"] == 98.0
    assert get(client, "configurationScore")["score"] == 0.0


FAMILIES = [
    ("SoftwareVulnerabilities", "software_vulnerability_by_machine", 3),
    ("SoftwareInventory", "software_inventory_by_machine", 2),
    ("SecureConfigurationsAssessment", "secure_configuration_by_machine", 1),
]


@pytest.mark.parametrize(("family", "resource", "count"), FAMILIES)
def test_exports(client: AsgiClient, shared: Any, family: str, resource: str, count: int) -> None:
    yaml = pytest.importorskip("yaml")
    contract = yaml.safe_load((shared / "contract" / "mde_api.yaml").read_text())["resources"][resource]
    records, target = [], f"/api/machines/{family}ByMachine?pageSize=1"
    for _ in range(count):
        document = client.get(target).json()
        records += document["value"]
        target = document.get("@odata.nextLink", "")
    assert (len(records), target) == (count, "")
    for record in records:
        assert set(record) == set(contract) - {"delta_only"}
    files = client.get(f"/api/machines/{family}Export").json()
    assert set(files) == {"@odata.context", "exportFiles", "generatedTime"}
    fetched = client.with_token(None).get(files["exportFiles"][0])
    lines = [json.loads(line) for line in gzip.decompress(fetched.body).splitlines()]
    assert [{name.upper(): value for name, value in line.items()} for line in lines] == [
        {name.upper(): value for name, value in record.items()} for record in records
    ]
    assert {"DeviceId", "OSPlatform", "RbacGroupName"} <= set(lines[0])


def test_a_top_has_no_next_link(client: AsgiClient) -> None:
    document = client.get("/api/machines/SoftwareVulnerabilitiesByMachine?$top=1").json()
    assert (len(document["value"]), "@odata.nextLink" in document) == (1, False)
    assert client.get("/api/machines/SoftwareVulnerabilitiesByMachine?pageSize=200001").status == 400


def test_another_tenant_has_none(application: Application) -> None:
    other = application.client("endpoint-other")
    assert other.get("/api/machines/SoftwareVulnerabilitiesByMachine").status == 403
