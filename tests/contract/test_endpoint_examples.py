"""The example requests of Defender for Endpoint's pages, sent as they stand to a tenant of everything.

Source: MicrosoftDocs/defender-docs defender-endpoint/api/*.md; ids are those of the tenant, times lie ahead.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.seeded_tenant import SeededTenant, make_seeded_tenant

HOSTS = (
    "api.security.microsoft.com",
    "api.securitycenter.microsoft.com",
    "api.securitycenter.windows.com",
    "api-us.securitycenter.microsoft.com",
    "api-eu.securitycenter.microsoft.com",
    "api-uk.securitycenter.microsoft.com",
    "api-gcc.securitycenter.microsoft.us",
    "api-gov.securitycenter.microsoft.us",
    "us.api.security.microsoft.com",
)
LIST = "Collection(microsoft.windowsDefenderATP.api."
READS = [
    # exposed-apis-odata-samples.md, 1 to 8
    ("/api/alerts?$top=10&$expand=evidence", "Alerts"),
    ("/api/alerts?$filter=lastUpdateTime+ge+2019-11-22T00:00:00Z", "Alerts"),
    ("/api/machines?$filter=riskScore+eq+'High'", "Machines"),
    ("/api/machines?$filter=healthStatus+ne+'Active'&$top=100", "Machines"),
    ("/api/machines?$filter=lastSeen%20gt%202018-08-01Z", "Machines"),
    ("/api/machineactions?$filter=requestor%20eq%20'Analyst@contoso.com'%20and%20type%20eq%20'RunAntiVirusScan'",
     "MachineActions"),
    ("/api/machines/{machines}/alerts/$count", None),
    ("/api/machines/{machines}/machineactions?$filter=type+in+('Isolate','Unisolate')+and+status+eq+'Succeeded'&$top=1",
     "MachineActions"),
    # each page
    ("/api/alerts", "Alerts"),
    ("/api/alerts?$filter=lastUpdateTime%20ge%202019-11-22T00:00:00Z%20and%20severity%20eq%20'High'&$skip=1", "Alerts"),
    ("/api/alerts/{alerts}", "Alerts/$entity"),
    ("/api/alerts/{alerts}/domains", "Domains"),
    ("/api/alerts/{alerts}/files", "Files"),
    ("/api/alerts/{alerts}/ips", "Ips"),
    ("/api/alerts/{alerts}/machine", "Machines/$entity"),
    ("/api/alerts/{alerts}/user", "Users/$entity"),
    ("/api/machines", "Machines"),
    ("/api/machines/{machines}", "Machines/$entity"),
    ("/api/machines/{machines}/logonusers", "Users"),
    ("/api/machines/{machines}/alerts", "Alerts"),
    ("/api/machines/{machines}/software", "Software"),
    ("/api/machines/{machines}/vulnerabilities", "Collection(Analytics.Contracts.PublicAPI.PublicVulnerabilityDto)"),
    ("/api/machines/{machines}/recommendations", "Recommendations"),
    ("/api/machines/findbytag?tag=vip&useStartsWithFilter=true", "Machines"),
    ("/api/machines/findbyip(ip='10.0.0.4',timestamp={time})", "Machines"),
    ("/api/machineactions", "MachineActions"),
    ("/api/machineactions?$filter=machineId%20eq%20'{machines}'&$top=2", "MachineActions"),
    ("/api/machineactions/{machineactions}", "MachineActions/$entity"),
    ("/api/machineactions/{machineactions}/getPackageUri", "Edm.String"),
    ("/api/machineactions/{live response}/GetLiveResponseResultDownloadLink(index=0)", "Edm.String"),
    ("/api/libraryfiles", "LibraryFiles"),
    ("/api/indicators", "Indicators"),
    ("/api/indicators?$filter=action+eq+'AlertAndBlock'", "Indicators"),
    ("/api/investigations", "Investigations"),
    ("/api/investigations?$filter=startTime%20gt%202020-10-01T00:00:00Z&$top=2&$skip=0", "Investigations"),
    ("/api/investigations/{investigations}", "Investigations/$entity"),
    ("/api/files/{files}", "Files/$entity"),
    ("/api/files/{files}/stats?lookBackHours=48", None),
    ("/api/files/{files}/alerts", "Alerts"),
    ("/api/files/{files}/machines", "Machines"),
    ("/api/domains/{domains}/stats?lookBackHours=48", None),
    ("/api/domains/{domains}/alerts", "Alerts"),
    ("/api/domains/{domains}/machines", "Machines"),
    ("/api/ips/{ips}/stats?lookBackHours=48", None),
    ("/api/ips/{ips}/alerts", "Alerts"),
    ("/api/users/{users}/alerts", "Alerts"),
    ("/api/users/{users}/machines", "Machines"),
    ("/api/Vulnerabilities", "Vulnerabilities"),
    ("/api/vulnerabilities?$filter=severity%20eq%20'High'&$top=8000", "Vulnerabilities"),
    ("/api/Vulnerabilities/{vulnerabilities}", "Vulnerabilities/$entity"),
    ("/api/vulnerabilities/{vulnerabilities}/machineReferences", "MachineReferences"),
    ("/api/vulnerabilities/machinesVulnerabilities?$filter=severity%20eq%20'High'&$top=10000", None),
    ("/api/Software", "Software"),
    ("/api/Software/{software}", "Software/$entity"),
    ("/api/Software/{software}/distributions", "Distributions"),
    ("/api/Software/{software}/machineReferences", "MachineReferences"),
    ("/api/Software/{software}/vulnerabilities", None),
    ("/api/Software/{software}/getmissingkbs", None),
    ("/api/machines/{machines}/getmissingkbs", None),
    ("/api/recommendations", "Recommendations"),
    ("/api/recommendations/{recommendations}", "Recommendations/$entity"),
    ("/api/recommendations/{recommendations}/software", None),
    ("/api/recommendations/{recommendations}/machineReferences", "MachineReferences"),
    ("/api/recommendations/{recommendations}/vulnerabilities", None),
    ("/api/exposureScore", "ExposureScore/$entity"),
    ("/api/exposureScore/ByMachineGroups", "ExposureScore"),
    ("/api/configurationScore", "ConfigurationScore/$entity"),
    ("/api/remediationTasks", "RemediationTasks"),
    ("/api/remediationTasks/{remediationtasks}", "RemediationTasks/$entity"),
    ("/api/remediationTasks/{remediationtasks}/machineReferences", "MachineReferences"),
    ("/api/browserextensions/permissionsinfo", "BrowserExtension"),
    ("/api/baselineProfiles", None),
    ("/api/baselineConfigurations", "BaselineConfigurations"),
    ("/api/deviceavinfo", "DeviceAvInfo"),
    ("/api/deviceavinfo?$filter=machineId%20eq%20'{machines}'", "DeviceAvInfo"),
    # exports: pages as JSON and files; the pages' own blanks are in them
    ("/api/machines/SoftwareInventoryByMachine?pageSize=5%20%20&sinceTime=2021-05-19T18%3A35%3A49.924Z",
     f"{LIST}AssetSoftware)"),
    ("/api/machines/SoftwareInventoryNoProductCodeByMachine?pageSize=3%20", f"{LIST}AssetNonCpeSoftware)"),
    ("/api/machines/SoftwareVulnerabilitiesByMachine?pageSize=5", f"{LIST}AssetVulnerability)"),
    ("/api/machines/SoftwareVulnerabilityChangesByMachine?pageSize=5&sinceTime=2021-05-19T18%3A35%3A49.924Z",
     f"{LIST}DeltaAssetVulnerability)"),
    ("/api/machines/SecureConfigurationsAssessmentByMachine?pageSize=5", f"{LIST}AssetConfiguration)"),
    ("/api/machines/baselineComplianceAssessmentByMachine", None),
    ("/api/machines/BrowserExtensionsInventoryByMachine?pageSize=5&sinceTime=2021-05-19T18%3A35%3A49.924Z", None),
    ("/api/machines/certificateAssessmentByMachine", f"{LIST}AssetCertificateAssessment)"),
    ("/api/machines/HardwareFirmwareInventoryByMachine?pageSize=1", None),
    *((f"/api/machines/{name}", None) for name in (
        "SoftwareInventoryExport", "SoftwareInventoryNonCpeExport", "SoftwareVulnerabilitiesExport",
        "SecureConfigurationsAssessmentExport", "BaselineComplianceAssessmentExport", "InfoGatheringExport",
        "browserextensionsinventoryExport?$sasValidHours=1", "certificateAssessmentExport?sasValidHours=24",
        "HardwareFirmwareInventoryExport",
    )),
    ("/api/public/avdeviceshealth", None),
    # api-hello-world.md and others write paths and options in cases of their own
    ("/api/Alerts?$filter=alertCreationTime%20ge%202018-10-24T00:00:00Z&$Top=1", "Alerts"),
    ("/API/machines", "Machines"),
    ("/api/v1.0/machines", "Machines"),
]  # fmt: skip

COMMENT = {"Comment": "Check machine for viruses due to alert 3212"}
INDICATOR = {
    "indicatorValue": "220e7d15b011d7fac48f2bd61114db1022197f7f", "indicatorType": "FileSha1", "title": "test",
    "application": "demo-test", "expirationTime": "2030-12-12T00:00:00Z", "action": "AlertAndBlock",
    "severity": "Informational", "description": "test", "recommendedActions": "nothing",
    "rbacGroupNames": ["group1", "group2"],
}  # fmt: skip
SCRIPT = [{"key": "ScriptName", "value": "check.ps1"}, {"key": "Args", "value": "-processName notepad.exe"}]
WRITES: list[tuple[str, str, object, int, dict[str, Any]]] = [
    ("PATCH", "/api/alerts/{alerts}",
     {"status": "Resolved", "assignedTo": "secop2@contoso.com", "classification": "FalsePositive",
      "determination": "Malware", "comment": "Resolve my alert and assign to secop2"},
     200, {"status": "Resolved", "assignedTo": "secop2@contoso.com", "classification": "FalsePositive"}),
    ("POST", "/api/alerts/batchUpdate",
     {"alertIds": ["{alerts}"], "status": "Resolved", "assignedTo": "secop2@contoso.com",
      "classification": "FalsePositive", "determination": "Malware", "comment": "Resolve my alert"}, 200, {}),
    ("POST", "/api/alerts/CreateAlertByReference",
     {"machineId": "{machines}", "severity": "Low", "title": "example", "description": "example alert",
      "recommendedAction": "nothing", "eventTime": "{event time}", "reportId": "7", "category": "Exploit"},
     200, {"severity": "Low", "title": "example", "machineId": "{machines}"}),
    ("POST", "/api/machines/{machines}/tags", {"Value": "test Tag 2", "Action": "Add"}, 200, {}),
    ("POST", "/api/machines/AddOrRemoveTagForMultipleMachines",
     {"Value": "Test Tag", "Action": "Add", "MachineIds": ["{machines}"]}, 200, {}),
    ("POST", "/api/machines/{machines}/setDeviceValue", {"DeviceValue": "High"}, 200, {"deviceValue": "High"}),
    ("PATCH", "/api/machines/{machines}", {"deviceValue": "Normal", "machineTags": ["Demo Device", "Generic User"]},
     200, {"deviceValue": "Normal"}),
    ("POST", "/api/machines/{machines}/isolate",
     {"Comment": "Isolate machine due to alert 1234", "IsolationType": "Full"}, 201, {"type": "Isolate"}),
    ("POST", "/api/machines/{machines}/restrictCodeExecution", COMMENT, 201, {"type": "RestrictCodeExecution"}),
    ("POST", "/api/machines/{machines}/runAntiVirusScan", {**COMMENT, "ScanType": "Full"}, 201,
     {"type": "RunAntiVirusScan", "status": "Pending"}),
    ("POST", "/api/machines/{machines}/offboard", COMMENT, 201, {"type": "Offboard"}),
    ("POST", "/api/machines/{machines}/StopAndQuarantineFile",
     {**COMMENT, "Sha1": "87662bc3d60e4200ceaf7aae249d1c343f4b83c9"}, 201, {"type": "StopAndQuarantineFile"}),
    ("POST", "/api/machines/{machines}/collectInvestigationPackage", COMMENT, 201,
     {"type": "CollectInvestigationPackage"}),
    ("POST", "/api/machines/{machines}/startInvestigation", {"Comment": "Test investigation"}, 201, {}),
    ("POST", "/API/machines/{machines}/runliveresponse",
     {"Commands": [{"type": "RunScript", "params": SCRIPT},
                   {"type": "GetFile", "params": [{"key": "Path", "value": "C:\\windows\\SysWOW64\\notepad.exe"}]}],
      "Comment": "Testing Live Response API"}, 201,
     {"type": "LiveResponse", "requestorComment": "Testing Live Response API"}),
    ("POST", "/api/indicators", INDICATOR, 200, {"indicatorType": "FileSha1", "application": "demo-test"}),
    ("POST", "/api/indicators/import", {"Indicators": [{**INDICATOR, "action": "Alert"}]}, 200, {}),
    ("POST", "/api/indicators/BatchDelete", {"IndicatorIds": ["{indicators}"]}, 204, {}),
    ("DELETE", "/api/libraryfiles/check.ps1", None, 204, {}),
]  # fmt: skip


@pytest.fixture(scope="module")
def changing() -> Iterator[SeededTenant]:
    """A tenant that these tests change."""
    tenant = make_seeded_tenant("examples")
    yield tenant
    tenant.close()


def filled(seeded: SeededTenant, value: Any) -> Any:
    """With the ids that exist."""
    if isinstance(value, dict):
        return {name: filled(seeded, each) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(seeded, each) for each in value]
    for (surface, name), known in seeded.objects.items():
        if surface == "defender" and isinstance(value, str):
            value = value.replace("{" + name + "}", known)
    return value


@pytest.mark.parametrize(("path", "context"), READS, ids=[path for path, _ in READS])
def test_reading(seeded: SeededTenant, path: str, context: str | None) -> None:
    client = seeded.client("defender")
    answer = client.get(filled(seeded, path).replace("{{", "{"))
    assert answer.status == 200, answer.body
    if not path.endswith("$count"):
        found = answer.json()["@odata.context"].rpartition("$metadata#")[2]
        assert context is None or found == context
        assert client.send("GET", filled(seeded, path), host=HOSTS[0]).status == 200


@pytest.mark.parametrize("host", HOSTS)
def test_hosts(seeded: SeededTenant, host: str) -> None:
    answer = seeded.client("defender").send("GET", "/api/machines?$top=1", host=host)
    assert (answer.status, answer.json()["@odata.context"]) == (200, f"https://{host}/api/$metadata#Machines")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"), WRITES, ids=[f"{each[0]} {each[1]}" for each in WRITES]
)
def test_writing(
    changing: SeededTenant, method: str, path: str, body: object, status: int, expected: dict[str, Any]
) -> None:
    client = changing.client("defender")
    if "{event time}" in str(body):
        event = "DeviceProcessEvents | where DeviceId startswith 'aaaa' | project Timestamp | take 1"
        rows = client.post("/api/advancedqueries/run", {"Query": event}).json()["Results"]
        changing.objects["defender", "event time"] = rows[0]["Timestamp"]
    document = filled(changing, body)
    target = filled(changing, path)
    answer = (
        client.post(target, document)
        if method == "POST"
        else client.patch(target, document)
        if method == "PATCH"
        else client.send(method, target)
    )
    assert answer.status == status, answer.body
    members = answer.json() if answer.body else {}
    assert {name: members.get(name) for name in expected} == filled(changing, expected)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/alerts?$top=10001", 400, None),
        ("/api/machines?$top=10001", 400, None),
        ("/api/vulnerabilities?$top=8001", 400, None),
        ("/api/machines/findbytag", 400, None),
        ("/api/machines/findbyip(ip='999.1.1.1',timestamp=2025-11-23T09:10:00Z)", 400, None),
        ("/api/files/{files}/stats?lookBackHours=721", 400, None),
        ("/api/files/zz", 400, None),
        ("/api/files/" + "9" * 40, 404, "ResourceNotFound"),
        ("/api/ips/256.1.1.1/stats", 400, None),
        ("/api/alerts/nothing", 404, "ResourceNotFound"),
        ("/api/machines/" + "0" * 40, 404, "ResourceNotFound"),
        ("/api/machineactions/00000000-0000-0000-0000-000000000000", 404, "ResourceNotFound"),
        ("/api/investigations/99999", 404, "ResourceNotFound"),
        ("/api/Software/no-_-such", 404, "ResourceNotFound"),
        ("/api/Vulnerabilities/CVE-1999-9999", 404, "ResourceNotFound"),
        ("/api/recommendations/va-_-no-_-such", 404, "ResourceNotFound"),
        ("/api/remediationTasks/00000000-0000-0000-0000-000000000000", 404, "ResourceNotFound"),
        ("/api/machines/SoftwareInventoryExport?sasValidHours=7", 400, None),
        ("/api/machines/certificateAssessmentExport?sasValidHours=25", 400, None),
        ("/api/machines/SoftwareInventoryByMachine?pageSize=200001", 400, None),
        ("/api/machines?$filter=riskScore+eq+'Enormous'", 400, None),
        ("/api/machines?$filter=colour+eq+'red'", 400, None),
        ("/api/machines?$expand=owner", 400, None),
        ("/api/nothing", 404, None),
    ],
)
def test_refusals(seeded: SeededTenant, path: str, status: int, code: str | None) -> None:
    answer = seeded.client("defender").get(filled(seeded, path))
    assert answer.status == status, answer.body
    error = answer.json()["error"]
    assert error["message"]
    assert code is None or error["code"] == code
