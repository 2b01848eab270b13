"""Graph's feeds, identities, secure scores, older alerts, threat indicators and hunting by address."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.api_fakes import HOME, Application, assemble
from tests.asgi import AsgiClient
from tests.endpoint_world import SRV02, WS01, EndpointWorld, connection_event, make_world
from vedette.api.graph.feeds import BELONGINGS, FEEDS, put_resource
from vedette.clock import now_ticks
from vedette.errors import InvalidRequestError
from vedette.ids import RandomIds
from vedette.incidents.alerts import AlertDetails, NewAlert, create
from vedette.incidents.evidence import (
    DeviceEvidence,
    FileDetails,
    FileEvidence,
    IpEvidence,
    ProcessEvidence,
    RegistryValueEvidence,
    UserAccount,
    UserEvidence,
)

CONTENT = {"content": "Text", "format": "text"}
SAMPLES: dict[str, dict[str, Any]] = {
    "identities/healthIssues": {"displayName": "Sensor stopped", "severity": "high", "status": "open"},
    "identities/sensors": {"displayName": "dc-01", "healthStatus": "healthy", "settings": {"description": "one"}},
    "identities/sensorCandidates": {"computerDnsName": "dc-02.contoso.test", "senseClientVersion": "10.1"},
    "threatIntelligence/articles": {"title": "Heron", "body": CONTENT, "tags": ["a"]},
    "threatIntelligence/articleIndicators": {"source": "osint", "article": {"id": "one"}},
    "threatIntelligence/intelProfiles": {"title": "Heron", "kind": "actor"},
    "threatIntelligence/intelligenceProfileIndicators": {"source": "public", "intelligenceProfile": {"id": "one"}},
    "threatIntelligence/hosts": {"@odata.type": "#microsoft.graph.security.hostname", "registrar": "R"},
    "threatIntelligence/hostComponents": {"name": "nginx", "host": {"id": "one"}},
    "threatIntelligence/hostCookies": {"name": "c", "domain": "d", "host": {"id": "one"}},
    "threatIntelligence/hostPairs": {"parentHost": {"id": "one"}, "childHost": {"id": "one"}},
    "threatIntelligence/hostReputations": {"score": 90, "classification": "malicious", "host": {"id": "one"}},
    "threatIntelligence/hostTrackers": {"kind": "k", "value": "v", "host": {"id": "one"}},
    "threatIntelligence/passiveDnsRecords": {"recordType": "A", "parentHost": {"id": "one"}, "artifact": {"id": "one"}},
    "threatIntelligence/vulnerabilities": {"priorityScore": 5},
    "threatIntelligence/vulnerabilityComponents": {"name": "nginx", "vulnerability": {"id": "one"}},
}


SINGLE = [path for path in FEEDS if not path.endswith(("Reputations", "yComponents", "sensorCandidates"))]
"""Collections whose members have an address of their own."""


@pytest.fixture
def client(application: Application) -> AsgiClient:
    with application.store.begin() as connection:
        for path, sample in SAMPLES.items():
            put_resource(connection, HOME, path, {"id": "one", **sample}, ("seed", now_ticks(application.clock)))
    return application.client("graph")


def get(client: AsgiClient, target: str) -> Any:
    answer = client.get(target.replace(" ", "%20"))
    assert answer.status == 200, answer.body
    return answer.json()


@pytest.mark.parametrize("path", SINGLE)
def test_resources_of_feeds(client: AsgiClient, application: Application, path: str) -> None:
    document = get(client, f"/v1.0/security/{path}/one")
    assert document["id"] == "one"
    assert document["@odata.type"].startswith("#microsoft.graph.security.")
    assert client.get(f"/v1.0/security/{path}/two").status == 404
    assert application.client("graph-other").get(f"/v1.0/security/{path}/one").status == 403


@pytest.mark.parametrize(
    "path",
    [
        "articles/one/indicators", "intelProfiles/one/indicators", "hosts/one/components", "hosts/one/cookies",
        "hosts/one/trackers", "hosts/one/hostPairs", "hosts/one/childHostPairs", "hosts/one/parentHostPairs",
        "hosts/one/passiveDns", "hosts/one/passiveDnsReverse", "vulnerabilities/one/components",
    ],
)  # fmt: skip
def test_what_belongs_to_a_resource(client: AsgiClient, path: str) -> None:
    assert [each["id"] for each in get(client, f"/v1.0/security/threatIntelligence/{path}")["value"]] == ["one"]
    assert client.get(f"/v1.0/security/threatIntelligence/{path.replace('/one/', '/two/')}").status == 404
    assert len(BELONGINGS) == 11


def test_single_belongings(client: AsgiClient) -> None:
    assert get(client, "/v1.0/security/threatIntelligence/hosts/one/reputation")["score"] == 90
    assert get(client, "/v1.0/security/threatIntelligence/vulnerabilities/one/components/one")["name"] == "nginx"
    assert client.get("/v1.0/security/threatIntelligence/vulnerabilities/two/components/one").status == 404


def test_lists_are_filtered_and_changed(client: AsgiClient) -> None:
    base = "/v1.0/security/identities/healthIssues"
    assert get(client, f"{base}?$filter=severity eq 'High' and status eq 'open'&$count=true")["@odata.count"] == 1
    answer = client.patch(f"{base}/one", {"status": "closed"})
    assert (answer.status, answer.json()["status"], answer.json()["severity"]) == (200, "closed", "high")
    assert get(client, f"{base}?$filter=status eq 'open'")["value"] == []
    assert client.patch(f"{base}/one", {"displayName": "x"}).status == 400
    assert client.patch(f"{base}/one", {"status": "nonsense"}).status == 400
    sensors = "/v1.0/security/identities/sensors"
    settings = client.patch(f"{sensors}/one", {"settings": {"isDelayedDeploymentEnabled": True}}).json()["settings"]
    assert (settings["description"], settings["isDelayedDeploymentEnabled"]) == ("one", True)
    assert get(client, "/v1.0/security/threatIntelligence/articles?$filter=tags/any(t: t eq 'a')&$select=id")["value"]


def test_unknown_resources_are_refused(application: Application) -> None:
    for path, given in (
        ("nothing", {"id": "x"}),
        ("identities/sensors", {}),
        ("identities/sensors", {"id": "x", "nonsense": 1}),
        ("threatIntelligence/hosts", {"id": "x"}),
    ):
        with application.store.begin() as connection, pytest.raises(InvalidRequestError):
            put_resource(connection, HOME, path, given, ("seed", 0))


def test_settings_and_keys_of_sensors(client: AsgiClient, application: Application) -> None:
    base = "/v1.0/security/identities"
    assert get(client, f"{base}/sensorCandidateActivationConfiguration")["activationMode"] == "manual"
    answer = client.post(f"{base}/sensorCandidateActivationConfiguration", {"activationMode": "Automated"})
    assert (answer.status, answer.json()["activationMode"]) == (200, "automated")
    assert get(client, f"{base}/sensorCandidateActivationConfiguration")["activationMode"] == "automated"
    assert get(client, f"{base}/settings/autoAuditingConfiguration")["isAutomatic"] is False
    assert client.post(f"{base}/settings/autoAuditingConfiguration", {"isAutomatic": "yes"}).status == 400
    key = get(client, f"{base}/sensors/getDeploymentAccessKey")["deploymentAccessKey"]
    assert (
        get(client, f"{base}/sensors/microsoft.graph.security.getDeploymentAccessKey()")["deploymentAccessKey"] == key
    )
    new = client.post(f"{base}/sensors/regenerateDeploymentAccessKey", {}).json()["deploymentAccessKey"]
    assert new != key
    assert key.encode() not in (application.spool.parent / "control.db").read_bytes()
    assert client.get(f"{base}/sensors/getDeploymentPackageUri").status == 404
    assert client.post(f"{base}/sensorCandidates/activate", {"serverIds": ["two"]}).status == 404
    with application.store.begin() as connection:
        put_resource(connection, HOME, "identities/sensorCandidates", {"id": "dc2"}, ("seed", 0))
    assert client.post(f"{base}/sensorCandidates/activate", {"serverIds": ["dc2"]}).status == 204
    assert get(client, f"{base}/sensors/dc2")["serviceStatus"] == "starting"
    assert [each["id"] for each in get(client, f"{base}/sensorCandidates")["value"]] == ["one"]


@pytest.fixture
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    yield world
    world.close()


def test_secure_scores(world: EndpointWorld) -> None:
    def assessed(device: str, days: int, ok: bool, control: str = "scid-1") -> dict[str, object]:
        return {
            "DeviceId": device, "DeviceName": "d", "Timestamp": world.ago(24 * days), "ConfigurationId": control,
            "IsApplicable": True, "IsCompliant": ok, "ConfigurationImpact": 8.0,
            "ConfigurationCategory": "Security controls",
        }  # fmt: skip

    rows = [
        assessed(WS01, 3, False),
        assessed(SRV02, 3, True),
        assessed(WS01, 1, True),
        assessed(WS01, 200, True, "old"),
    ]
    world.ingest(
        {
            "DeviceTvmSecureConfigurationAssessment": rows,
            "DeviceTvmSecureConfigurationAssessmentKB": [
                {"ConfigurationId": "scid-1", "ConfigurationName": "Firewall"}
            ],
        }
    )
    client = assemble(store=world.store, clock=world.clock, endpoint=world.telemetry).client("graph")
    newest, older = get(client, "/v1.0/security/secureScores?$count=true")["value"]
    firewall = next(each for each in newest["controlScores"] if each["controlName"] == "scid-1")
    assert (firewall["score"], firewall["scoreInPercentage"], firewall["total"]) == (8.0, 100.0, "2")
    assert newest["currentScore"] - older["currentScore"] == 4.0
    assert get(client, f"/v1.0/security/secureScores/{older['id']}")["createdDateTime"] == older["createdDateTime"]
    assert len(get(client, "/v1.0/security/secureScores?$top=1")["value"]) == 1
    assert client.get("/v1.0/security/secureScores/nothing").status == 404
    target = "/v1.0/security/secureScoreControlProfiles/scid-1"
    assert get(client, target)["title"] == "Firewall"
    body = {"controlStateUpdates": [{"state": "ignored", "comment": "Known"}], "vendorInformation": {}}
    changed = client.patch(target, body).json()
    assert [(each["state"], each["comment"], each["updatedBy"]) for each in changed["controlStateUpdates"]] == [
        ("Ignored", "Known", "Heron connector")
    ]
    assert client.patch(target, {"controlStateUpdates": [{"state": "nonsense"}]}).status == 400
    condition = quote("vendorInformation/provider eq 'SecureScore' and maxScore ge 8")
    assert len(get(client, f"/v1.0/security/secureScoreControlProfiles?$filter={condition}")["value"]) == 2


def new_alert(application: Application) -> str:
    now = now_ticks(application.clock)
    image = FileDetails(file_name="tool.exe", file_path="C:\\Temp", sha256="d" * 64)
    new = NewAlert(
        title="Heron", severity="high", category="Execution", service_source="microsoftDefenderForEndpoint",
        detection_source="customDetection", first_activity=now, last_activity=now,
        details=AlertDetails(threat_family_name="Heron", recommended_actions="Look"),
        evidence=(
            DeviceEvidence(device_id=WS01, device_name="ws-01.contoso.test", last_ip_address="10.0.0.4"),
            UserEvidence(account=UserAccount(account_name="ann", user_principal_name="ann@contoso.test")),
            FileEvidence(file=image), ProcessEvidence(process_id=7, image=image, created=now),
            IpEvidence(address="203.0.113.9"),
            RegistryValueEvidence(hive="HKEY_LOCAL_MACHINE\\SOFTWARE", key="Run", value_name="x", value="y"),
        ),
    )  # fmt: skip
    with application.store.begin() as connection:
        return create(connection, HOME, new, application.clock, RandomIds()).alert.alert_id


def test_older_alerts(application: Application) -> None:
    client, alert_id = application.client("graph"), new_alert(application)
    alert = get(client, f"/v1.0/security/alerts/{alert_id}")
    assert (alert["status"], alert["severity"], alert["vendorInformation"]["provider"]) == (
        "newAlert", "high", "Microsoft Defender ATP")  # fmt: skip
    assert alert["hostStates"][0]["fqdn"] == "ws-01.contoso.test"
    assert alert["userStates"][0]["userPrincipalName"] == "ann@contoso.test"
    assert alert["fileStates"][0]["fileHash"] == {"hashType": "sha256", "hashValue": "d" * 64}
    assert alert["registryKeyStates"][0]["hive"] == "localMachineSoftware"
    for condition in (
        "vendorInformation/provider eq 'Microsoft Defender ATP'", "status eq 'newAlert'", "severity eq 'high'",
        "status eq microsoft.graph.alertStatus'newAlert'", "createdDateTime ge 2020-01-01T00:00:00Z",
    ):  # fmt: skip
        found = get(client, f"/v1.0/security/alerts?$filter={condition}&$top=5")["value"]
        assert [each["id"] for each in found] == [alert_id]
    assert get(client, "/v1.0/security/alerts?$filter=feedback eq 'falsePositive'")["value"] == []
    assert client.get("/v1.0/security/alerts?$skip=501").status == 400
    vendor = {"vendorInformation": {"provider": "Microsoft Defender ATP", "vendor": "Microsoft"}}
    body = {**vendor, "status": "dismissed", "feedback": "falsePositive", "comments": ["Seen"], "assignedTo": "ann"}
    assert client.patch(f"/v1.0/security/alerts/{alert_id}", body).status == 204
    assert client.patch(f"/v1.0/security/alerts/{alert_id}", {"status": "resolved"}).status == 400
    changed = get(client, f"/v1.0/security/alerts_v2/{alert_id}")
    assert (changed["status"], changed["classification"], changed["assignedTo"]) == ("resolved", "falsePositive", "ann")
    assert [each["comment"] for each in changed["comments"]] == ["Seen"]
    again = client.patch(
        f"/v1.0/security/alerts/{alert_id}", {**vendor, "comments": ["Seen", "Again"]}, prefer="return=representation"
    )
    assert (again.status, again.json()["comments"], again.json()["feedback"]) == (
        200,
        ["Seen", "Again"],
        "falsePositive",
    )


def indicator(**more: Any) -> dict[str, Any]:
    return {
        "action": "alert", "description": "Heron", "expirationDateTime": "2030-01-01T00:00:00Z", "severity": 4,
        "targetProduct": "Microsoft Defender ATP", "threatType": "C2", "tlpLevel": "green",
        "networkDestinationIPv4": "203.0.113.9", "externalId": "e1", **more,
    }  # fmt: skip


def test_threat_indicators_take_effect(world: EndpointWorld) -> None:
    application = assemble(store=world.store, clock=world.clock, endpoint=world.telemetry)
    client, base = application.client("graph"), "/beta/security/tiIndicators"
    made = client.post(base, indicator())
    assert (made.status, made.json()["tlpLevel"], made.json()["networkDestinationIPv4"]) == (
        201,
        "green",
        "203.0.113.9",
    )
    stored = application.client("endpoint").get("/api/indicators").json()["value"]
    assert [(each["indicatorValue"], each["action"], each["severity"]) for each in stored] == [
        ("203.0.113.9", "Audit", "High")
    ]
    world.ingest({"DeviceNetworkEvents": [connection_event(world, 1)]})
    world.work()
    assert len(get(client, "/v1.0/security/alerts_v2")["value"]) == 1
    key = made.json()["id"]
    assert client.patch(f"{base}/{key}", {"severity": 0, "description": "Less"}).status == 204
    assert get(client, f"{base}/{key}?$top=50")["severity"] == 0
    assert client.patch(f"{base}/{key}", {"networkDestinationIPv4": "203.0.113.10"}).status == 400
    assert get(client, f"{base}?$filter=externalId eq 'e1' and severity lt 3")["value"][0]["id"] == key
    assert client.send("DELETE", f"{base}/{key}").status == 204
    assert client.get(f"{base}/{key}").status == 404
    assert client.get("/v1.0/security/tiIndicators").status == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "nonsense"}, {"targetProduct": "Other"}, {"expirationDateTime": "2001-01-01"}, {"severity": 6},
        {"networkDestinationIPv4": None}, {"networkDestinationIPv4": "10.0.0.0/8"}, {"nonsense": 1},
        {"confidence": 101},
        {"fileHashValue": "x", "fileHashType": "ctph"},
    ],
)  # fmt: skip
def test_wrong_threat_indicators(application: Application, wrong: dict[str, Any]) -> None:
    client = application.client("graph")
    assert client.post("/beta/security/tiIndicators", indicator(**wrong)).status == 400
    assert get(client, "/beta/security/tiIndicators")["value"] == []


def test_threat_indicators_as_connectors_write_them(application: Application) -> None:
    client, base = application.client("graph"), "/beta/security/tiIndicators"
    made = client.post(base, indicator(passiveOnly="true", additionalInformation=80))
    assert made.status == 201
    assert (made.json()["passiveOnly"], made.json()["additionalInformation"]) == (True, "80")
    assert client.patch(f"{base}/{made.json()['id']}", {"passiveOnly": "False"}).status == 204
    assert get(client, f"{base}/{made.json()['id']}")["passiveOnly"] is False
    assert client.post(base, indicator(passiveOnly="perhaps")).status == 400


def test_threat_indicators_in_bulk(application: Application) -> None:
    client, base = application.client("graph"), "/beta/security/tiIndicators"
    body = {
        "value": [indicator(), indicator(severity=9), indicator(networkDestinationIPv4="203.0.113.10", externalId="e2")]
    }
    answer = client.post(f"{base}/submitTiIndicators", body)
    assert answer.status == 206
    first, failed, second = answer.json()["value"]
    assert (first["externalId"], failed["code"], second["externalId"]) == ("e1", 400, "e2")
    changes = {"value": [{"id": first["id"], "severity": 1}, {"id": "99", "severity": 1}]}
    assert client.post(f"{base}/updateTiIndicators", changes).status == 206
    assert get(client, f"{base}/{first['id']}")["severity"] == 1
    assert client.post(f"{base}/deleteTiIndicatorsByExternalId", {"value": ["e2"]}).status == 200
    assert client.post(f"{base}/deleteTiIndicators", {"value": [first["id"]]}).status == 200
    assert get(client, base)["value"] == []
    assert client.post(f"{base}/submitTiIndicators", {"value": [indicator()] * 101}).status == 400


def test_hunting_by_address(application: Application) -> None:
    client, name = application.client("graph"), "microsoft.graph.security.getRunHuntingQuery"
    query = quote("DeviceInfo | where DeviceName == 'a'".replace("'", "''"))
    assert get(client, f"/beta/security/{name}(query='{query}')")["schema"]
    assert get(client, f"/beta/security/{name}(query='{query}',timespan='P7D')")["results"]
    assert application.hunting.asked[-1][1:] == ("DeviceInfo | where DeviceName == 'a'", "P7D")
    assert client.get(f"/beta/security/{name}(query='{query}',timespan='P7D',workspaceId='w')").status == 400
    assert client.get(f"/v1.0/security/{name}(query='{query}')").status == 400


def test_identity_accounts(world: EndpointWorld) -> None:
    row = {"Timestamp": world.ago(1), "AccountName": "ann", "AccountDomain": "contoso", "OnPremSid": "S-1-5-21-1"}
    world.ingest({"IdentityInfo": [{**row, "AccountDisplayName": "Ann", "IsAccountEnabled": True}]})
    client = assemble(store=world.store, clock=world.clock, endpoint=world.telemetry).client("graph")
    base = "/v1.0/security/identities/identityAccounts"
    (account,) = get(client, f"{base}?$filter=isEnabled eq true and domain eq 'contoso'")["value"]
    assert (account["displayName"], account["onPremisesSecurityIdentifier"]) == ("Ann", "S-1-5-21-1")
    assert account["accounts"] == [{"actions": [], "identifier": "S-1-5-21-1", "identityProvider": "activeDirectory"}]
    assert get(client, f"{base}/{account['id']}")["id"] == account["id"]
    body = {"accountId": "S-1-5-21-1", "action": "disable", "identityProvider": "activeDirectory"}
    assert client.post(f"{base}/{account['id']}/invokeAction", body).status == 400
    assert client.post(f"{base}/nobody/invokeAction", body).status == 404


def manual(**more: Any) -> dict[str, Any]:
    entities = [
        {"entityType": "ip", "entityIdentifier": "address", "identifierValue": "203.0.113.9", "role": "related"},
        {"entityType": "user", "entityIdentifier": "userPrincipalName", "identifierValue": "ann@contoso.test",
         "role": "impacted"},
    ]  # fmt: skip
    return {"title": "Heron", "severity": "high", "category": "Execution", "entityDefinitions": entities, **more}


def test_alerts_made_by_hand(application: Application) -> None:
    client, path = application.client("graph"), "/beta/security/alerts_v2/createAlert"
    alert = client.post(path, manual(mitreTechniques=["T1059.001"], description="Seen")).json()
    assert (alert["detectionSource"], alert["severity"], alert["mitreTechniques"]) == ("manual", "high", ["T1059.001"])
    kinds = [each["@odata.type"].rpartition(".")[2] for each in alert["evidence"]]
    assert sorted(kinds) == ["ipEvidence", "userEvidence"]
    linked = client.post(path, manual(linkToIncident=int(alert["incidentId"]))).json()
    apart = client.post(path, manual(isExcludedFromCorrelation=True)).json()
    assert linked["incidentId"] == alert["incidentId"] != apart["incidentId"]
    assert len(get(client, f"/v1.0/security/incidents/{alert['incidentId']}?$expand=alerts")["alerts"]) == 2
    assert client.post(path.replace("beta", "v1.0"), manual()).status in (400, 404, 405)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"title": " "}, 400),
        ({"severity": "loud"}, 400),
        ({"mitreTechniques": ["x"]}, 400),
        ({"linkToIncident": 99}, 404),
        ({"sentinelWorkspace": "w"}, 400),
        ({"entityDefinitions": [{"entityType": "process", "entityIdentifier": "x", "identifierValue": "y"}]}, 400),
        ({"entityDefinitions": [{"entityType": "ip", "entityIdentifier": "x", "identifierValue": "y"}]}, 400),
        (
            {"entityDefinitions": [{"entityType": "device", "entityIdentifier": "deviceId", "identifierValue": "y"}]},
            400,
        ),
    ],
)
def test_alerts_that_cannot_be_made(application: Application, wrong: dict[str, Any], status: int) -> None:
    client = application.client("graph")
    assert client.post("/beta/security/alerts_v2/createAlert", manual(**wrong)).status == status
    assert get(client, "/v1.0/security/alerts_v2")["value"] == []
