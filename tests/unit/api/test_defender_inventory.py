"""What machines hold, in pages and in files: the exports and lists of Defender for Endpoint's inventory."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api_fakes import Application, assemble
from tests.asgi import AsgiClient
from tests.endpoint_world import WS01, EndpointWorld, make_world

MACHINES = 45
PRODUCT = {"SoftwareVendor": "google", "SoftwareName": "chrome", "SoftwareVersion": "1.0"}


@pytest.fixture(scope="module")
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    facts = json.dumps(
        {"AvMode": "0", "AvIsSignatureUptoDate": True, "AvScanResults": json.dumps({"Full": {"ScanStatus": "Failed"}})}
    )
    device = {"DeviceId": WS01, "DeviceName": "ws-01.contoso.test", "OSPlatform": "Windows11"}
    world.ingest(
        {
            "DeviceTvmInfoGathering": [
                {"Timestamp": world.ago(1), "LastSeenTime": world.ago(2), "DeviceId": f"{n:040x}",
                 "DeviceName": f"ws-{n}.contoso.test", "OSPlatform": "Windows11" if n else "Linux",
                 "AdditionalFields": facts}
                for n in range(MACHINES)
            ],
            "DeviceTvmSoftwareVulnerabilities": [
                {**device, **PRODUCT, "CveId": "CVE-2025-0001", "VulnerabilitySeverityLevel": "High",
                 "RecommendedSecurityUpdateId": "5068861"}
            ],
            "DeviceTvmSoftwareInventory": [{**device, **PRODUCT, "SoftwareName": "own", "ProductCodeCpe": ""}],
            "DeviceTvmBrowserExtensions": [
                {"DeviceId": WS01, "BrowserName": "chrome", "ExtensionId": "aapb", "IsActivated": "true"}
            ],
            "DeviceTvmCertificateInfo": [{"DeviceId": WS01, "Thumbprint": "A" * 40, "Path": "My", "KeySize": "2048"}],
            "DeviceTvmHardwareFirmware": [{"DeviceId": WS01, "ComponentType": "Bios", "ComponentName": "n1"}],
        }
    )  # fmt: skip
    world.work()
    yield world
    world.close()


@pytest.fixture
def application(world: EndpointWorld) -> Application:
    return assemble(store=world.store, clock=world.clock, endpoint=world.telemetry)


@pytest.fixture
def client(application: Application) -> AsgiClient:
    return application.client("endpoint")


def pages(client: AsgiClient, target: str) -> list[list[dict[str, Any]]]:
    found = []
    while target:
        answer = client.get(target)
        assert answer.status == 200, answer.body
        document = answer.json()
        found.append(document["value"])
        target = document.get("@odata.nextLink", "")
    return found


def test_antivirus_comes_twenty_at_a_time(client: AsgiClient) -> None:
    found = pages(client, "/api/deviceavinfo")
    assert [len(page) for page in found] == [20, 20, 5]
    assert len({each["machineId"] for page in found for each in page}) == MACHINES
    one = found[0][0]
    assert (one["avMode"], one["avIsSignatureUpToDate"], one["avIsEngineUpToDate"]) == ("0", "True", "Unknown")
    assert (one["fullScanResult"], one["quickScanResult"]) == ("Failed", None)


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("osKind eq 'linux'", 1),
        ("osPlatform eq 'Windows11'", MACHINES - 1),
        (f"machineId eq '{5:040x}'", 1),
        ("computerDnsName eq 'ws-7.contoso.test'", 1),
        ("avMode eq '0' and avIsSignatureUpToDate eq 'True'", MACHINES),
        ("fullScanResult eq 'Completed'", 0),
        ("lastSeenTime gt 2020-01-01T00:00:00Z", MACHINES),
        ("rbacGroupId eq 0", MACHINES),
    ],
)
def test_antivirus_filtered(client: AsgiClient, condition: str, count: int) -> None:
    found = pages(client, f"/api/deviceavinfo?$filter={condition.replace(' ', '%20')}")
    assert sum(map(len, found)) == count


def test_what_is_not_filterable_of_the_antivirus(client: AsgiClient) -> None:
    for name in ("id", "rbacGroupName"):
        assert client.get(f"/api/deviceavinfo?$filter={name}%20eq%20'x'").status == 400


EXPORTS = {
    "SoftwareVulnerabilitiesExport": (1, 6, {"DeviceId", "CveId", "RbacGroupId"}),
    "SoftwareInventoryNonCpeExport": (3, 24, {"DeviceId", "SoftwareName"}),
    "browserextensionsinventoryExport": (1, 6, {"DeviceId", "ExtensionId"}),
    "certificateAssessmentExport": (3, 24, {"DeviceId", "Thumbprint"}),
    "HardwareFirmwareInventoryExport": (1, 6, {"DeviceId", "ComponentType"}),
    "InfoGatheringExport": (1, 6, {"DeviceId", "DeviceGatheredInfo"}),
}
"""Files with the fewest and most hours that links to them may be asked to hold, and some of their members."""


@pytest.mark.parametrize("name", EXPORTS)
def test_files(application: Application, world: EndpointWorld, name: str) -> None:
    least, most, members = EXPORTS[name]
    client = application.client("endpoint")
    for hours, status in ((0, 400), (least, 200), (most, 200), (most + 1, 400), ("x", 400)):
        for option in ("sasValidHours", "$sasValidHours"):
            assert client.get(f"/api/machines/{name}?{option}={hours}").status == status
    document = client.get(f"/api/machines/{name}?sasValidHours={most}").json()
    assert set(document) == {"@odata.context", "exportFiles", "generatedTime"}
    anonymous = client.with_token(None)
    lines = [
        {key.upper(): value for key, value in json.loads(line).items()}
        for link in document["exportFiles"]
        for line in gzip.decompress(anonymous.get(link).body).splitlines()
    ]
    assert lines
    assert {member.upper() for member in members} <= set(lines[0])
    other = application.client("endpoint-other").get(f"/api/machines/{name}").json()
    assert other.get("exportFiles", []) == []
    world.clock.advance(most * 3600 - 30)
    assert anonymous.get(document["exportFiles"][0]).status == 200
    world.clock.advance(60)
    assert anonymous.get(document["exportFiles"][0]).status == 403


def test_gathered_facts_are_a_text(client: AsgiClient) -> None:
    link = client.get("/api/machines/InfoGatheringExport").json()["exportFiles"][0]
    lines = [json.loads(line) for line in gzip.decompress(client.with_token(None).get(link).body).splitlines()]
    assert len(lines) == MACHINES
    assert json.loads(lines[0]["DeviceGatheredInfo"])["AvMode"] == "0"


def test_vulnerabilities_by_machine(client: AsgiClient) -> None:
    (page,) = pages(client, "/api/vulnerabilities/machinesVulnerabilities?$filter=severity%20eq%20'High'")
    assert [(each["cveId"], each["machineId"], each["severity"], each["fixingKbId"]) for each in page] == [
        ("CVE-2025-0001", WS01, "High", "5068861")
    ]
