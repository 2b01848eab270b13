"""Alerts and machines of a file, domain, address, user or machine: asked for like any other list of their kind."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.api_fakes import HOME, assemble
from tests.asgi import AsgiClient
from tests.endpoint_world import SHA1, SRV02, WS01, EndpointWorld, make_world, process_event
from vedette.incidents.alerts import NewAlert, create
from vedette.incidents.evidence import DeviceEvidence, FileDetails, FileEvidence

TITLES = ("First", "Second", "Third")


@pytest.fixture
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    world.ingest({"DeviceProcessEvents": [process_event(world, 2), process_event(world, 30, SRV02)]})
    world.work()
    for title in TITLES:
        _raise_alert(world, title)
        world.clock.advance(60)
    yield world
    world.close()


@pytest.fixture
def client(world: EndpointWorld) -> AsgiClient:
    return assemble(store=world.store, clock=world.clock, endpoint=world.telemetry).client("endpoint")


def _raise_alert(world: EndpointWorld, title: str) -> None:
    new = NewAlert(
        title=title,
        severity="high" if title == "Second" else "low",
        category="Execution",
        service_source="microsoftDefenderForEndpoint",
        detection_source="antivirus",
        first_activity=world.ago(2),
        last_activity=world.ago(1),
        evidence=(
            DeviceEvidence(device_id=WS01, device_name="ws-01.contoso.test", host_name="ws-01"),
            FileEvidence(file=FileDetails(file_name="tool.exe", sha1=SHA1), device_id=WS01),
        ),
    )
    with world.store.begin() as connection:
        create(connection, HOME, new, world.clock, world.ids)


def _titles(client: AsgiClient, target: str) -> list[str]:
    answer = client.get(f"/api/{target}")
    assert answer.status == 200, answer.body
    return [alert["title"] for alert in answer.json()["value"]]


@pytest.mark.parametrize("subject", [f"files/{SHA1}", f"machines/{WS01}"])
def test_alerts_about_one_thing(client: AsgiClient, subject: str) -> None:
    assert _titles(client, f"{subject}/alerts") == ["Third", "Second", "First"]
    assert _titles(client, f"{subject}/alerts?$top=1&$skip=1") == ["Second"]
    high = quote("$filter=severity eq 'High'", safe="$=")
    assert _titles(client, f"{subject}/alerts?{high}") == ["Second"]
    expanded = client.get(f"/api/{subject}/alerts?$top=1&$expand=evidence").json()["value"][0]["evidence"]
    assert {each["entityType"] for each in expanded} >= {"File"}


def test_pages_of_alerts_about_one_thing(client: AsgiClient) -> None:
    found, target = [], f"/api/files/{SHA1}/alerts?$top=2"
    while target:
        page = client.get(target).json()
        found += [alert["title"] for alert in page["value"]]
        target = page.get("@odata.nextLink", "").partition("/api/")[2]
        target = target and f"/api/{target}"
    assert found == ["Third", "Second", "First"]


def test_machines_that_had_a_file(client: AsgiClient) -> None:
    def ids(options: str) -> list[str]:
        answer = client.get(f"/api/files/{SHA1}/machines{options}")
        assert answer.status == 200, answer.body
        return [machine["id"] for machine in answer.json()["value"]]

    assert sorted(ids("?$top=100&")) == sorted([WS01, SRV02])
    assert len(ids("?$top=1")) == 1
    assert ids("?" + quote(f"$filter=id eq '{SRV02}'", safe="$=")) == [SRV02]
    assert client.get(f"/api/files/{SHA1}/machines?$expand=alerts").status == 400


def test_scores_of_groups_are_a_list(client: AsgiClient, world: EndpointWorld) -> None:
    product = {"SoftwareVendor": "google", "SoftwareName": "chrome", "SoftwareVersion": "1.0"}
    weakness = {"CveId": "CVE-2025-0001", "VulnerabilitySeverityLevel": "High", "OSPlatform": "Windows11"}
    row = {"DeviceId": WS01, "DeviceName": "ws-01.contoso.test", **product, **weakness}
    world.ingest({"DeviceTvmSoftwareVulnerabilities": [row]})
    world.work()
    page = client.get("/api/exposureScore/ByMachineGroups?$top=1000&$skip=0").json()
    assert [group["rbacGroupName"] for group in page["value"]] == ["Unassigned"]
    assert client.get("/api/exposureScore/ByMachineGroups?$top=1000&$skip=1000").json()["value"] == []


def test_updates_say_the_build_of_the_machine_that_lacks_them(client: AsgiClient, world: EndpointWorld) -> None:
    update = {"RecommendedSecurityUpdate": "November 2025 Updates", "RecommendedSecurityUpdateId": "5068861"}
    product = {"SoftwareVendor": "microsoft", "SoftwareName": "windows_11", "SoftwareVersion": "10.0"}
    found = {"DeviceId": WS01, "DeviceName": "ws-01.contoso.test", "CveId": "CVE-2025-0001", **product, **update}
    profile = {"DeviceId": WS01, "DeviceName": "ws-01.contoso.test", "Timestamp": world.ago(1), "OSBuild": 22631}
    for rows in ({"DeviceInfo": [profile]}, {"DeviceTvmSoftwareVulnerabilities": [found]}):
        world.ingest(rows)
        world.work()
    (of_machine,) = client.get(f"/api/machines/{WS01}/getmissingkbs").json()["value"]
    (of_product,) = client.get("/api/Software/microsoft-_-windows_11/getmissingkbs").json()["value"]
    assert (of_machine["osBuild"], of_product["osBuild"]) == (22631, None)
