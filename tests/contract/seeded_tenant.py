"""A tenant in which every operation has something to answer: telemetry, incidents, actions, feeds, a directory.

What was made by the way is known by name: `path_of` writes the address of an object for any operation of the table.
"""

import base64
import dataclasses
import datetime
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.api_fakes import ACTION_DELAY, HOME, NOW, OTHER, PRINCIPALS, Application, assemble, principal
from tests.asgi import Answer, AsgiClient
from tests.contract.security_data import EVIDENCE, alert, fill
from tests.endpoint_world import (
    SHA1,
    SRV02,
    WS01,
    EndpointWorld,
    connection_event,
    logon_event,
    make_world,
    process_event,
)
from tests.unit.api.test_graph_feeds import SAMPLES
from vedette.api.graph.feeds import put_resource
from vedette.clock import now_ticks
from vedette.contracts.operations import OperationContract, load_operations
from vedette.contracts.permissions import load_directory_roles, load_resources
from vedette.identity.provisioning import Provisioning
from vedette.incidents.alerts import ALERT_CREATED, create
from vedette.incidents.evidence import (
    DeviceEvidence,
    FileDetails,
    FileEvidence,
    IpEvidence,
    UrlEvidence,
    UserAccount,
    UserEvidence,
)
from vedette.machines import execution, investigations
from vedette.machines.execution import ActionRunner
from vedette.machines.investigations import InvestigationRunner
from vedette.machines.remediations import RemediationDetails, Remediations
from vedette.machines.simulator import Simulation, Simulator
from vedette.store.secrets import Secret

RUNNING = 5.0
PASSWORD = "quiet-Harbour-71-lantern"
CLIENT_STATE = "known-to-the-subscriber-alone"
CVE = "CVE-2025-0001"
RULE: Mapping[str, Any] = {
    "displayName": "Hidden commands",
    "queryCondition": {"queryText": "DeviceProcessEvents | project Timestamp, DeviceId, ReportId"},
    "schedule": {"period": "12H"},
    "detectionAction": {
        "alertTemplate": {
            "title": "Hidden command",
            "severity": "medium",
            "category": "Execution",
            "impactedAssets": [
                {"@odata.type": "#microsoft.graph.security.impactedDeviceAsset", "identifier": "deviceId"}
            ],
        }
    },
}

_PARAMETER = re.compile(r"\{(\w+)\}")


def everything(surface: str, tenant_id: str = HOME) -> Any:
    """A caller with every application permission of a surface."""
    audiences = load_operations()[surface].audiences
    roles = {role.value for key in audiences for role in load_resources()[key].app_roles}
    return principal(audiences[-1], *roles, tenant_id=tenant_id)


def _person(user_id: str) -> Any:
    """An administrator for whom an application acts that was allowed everything."""
    scopes = tuple(scope.value for scope in load_resources()["graph"].scopes)
    roles = (load_directory_roles()["Global Administrator"].id,)
    person = principal("graph", scopes=scopes, kind="user", directory_roles=roles)
    return msgspec.structs.replace(person, object_id=user_id)


@dataclasses.dataclass
class SeededTenant:
    """The home tenant, with another one beside it. `objects`: ids by the segment of a path that stands before them."""

    world: EndpointWorld
    application: Application
    objects: dict[tuple[str, str], str]
    secrets: list[bytes]
    """Texts that no answer may contain."""
    name: str
    """How the tokens of its callers begin."""

    def client(self, surface: str, *, other: bool = False, person: bool = False) -> AsgiClient:
        """Somebody who may do everything; `other`: of the other tenant; `person`: an administrator."""
        kind = "person" if person else f"{surface}-other" if other else surface
        return self.application.client(f"{self.name}-{kind}")

    def path_of(self, surface: str, operation: OperationContract) -> str:
        """The operation's first address, of objects that exist."""
        template = next(load_operations()[surface].templates(operation))
        if operation.handler == "get_live_response_result":  # of another action than the rest
            return template.replace("{id}", self.objects[surface, "live response"]).replace("{n}", "0")
        return _PARAMETER.sub(lambda match: quote(self._value(surface, template, match), safe=""), template)

    def names(self) -> Mapping[str, Sequence[str]]:
        """Ids that exist, by names that members of bodies have."""
        kinds = {
            "machineid": ("defender", "machines"),
            "incidentid": ("graph", "incidents"),
            "alertid": ("graph", "alerts_v2"),
            "indicatorid": ("defender", "indicators"),
            "appid": ("graph", "applications"),
            "principalid": ("graph", "users"),
            "resourceid": ("graph", "serviceprincipals"),
            "clientid": ("graph", "serviceprincipals"),
            "roledefinitionid": ("graph", "roledefinitions"),
        }
        return {name: (self.objects[kind],) for name, kind in kinds.items()} | {"approleid": (ROLE["id"],)}

    def _value(self, surface: str, template: str, match: re.Match[str]) -> str:
        before = template[: match.start()].rstrip("/").rpartition("/")[2].lower()
        key = before if match[1] not in ("time", "timespan", "workspace", "key") else match[1]
        return self.objects[surface, key]

    def close(self) -> None:
        for name in [name for name in PRINCIPALS if name.startswith(f"{self.name}-")]:
            del PRINCIPALS[name]
        self.application.close()
        self.world.close()


def make_seeded_tenant(name: str) -> SeededTenant:
    """The tenant, all its jobs done; `name` tells its callers from those of others that are there at the same time."""
    world = make_world()
    simulator = Simulator(Simulation(RUNNING, {}), world.clock)
    world.handlers[execution.JOB] = ActionRunner(world.store, world.queue, simulator, world.clock).run
    runner = InvestigationRunner(world.store, world.queue, world.clock, running=RUNNING)
    world.handlers[investigations.JOB] = runner.run
    world.ingest(_telemetry(world))
    world.work()
    application = assemble(store=world.store, clock=world.clock, endpoint=world.telemetry, queries=world.hunting)
    for surface in ("graph", "defender"):
        PRINCIPALS[f"{name}-{surface}"] = everything(surface)
        PRINCIPALS[f"{name}-{surface}-other"] = everything(surface, OTHER)
    tenant = SeededTenant(world, application, {}, [PASSWORD.encode(), CLIENT_STATE.encode()], name)
    _seed_incidents(tenant)
    _seed_feeds(tenant)
    _seed_graph(tenant)
    _seed_directory(tenant)
    _seed_machines(tenant)
    return tenant


def _telemetry(world: EndpointWorld) -> dict[str, list[dict[str, object]]]:
    names = {WS01: "ws-01.contoso.test", SRV02: "srv-02.contoso.test"}

    def device(device_id: str, **more: object) -> dict[str, object]:
        return {"DeviceId": device_id, "DeviceName": names[device_id], "OSPlatform": "Windows11", **more}

    product = {"SoftwareVendor": "google", "SoftwareName": "chrome", "SoftwareVersion": "1.0"}
    update = {"RecommendedSecurityUpdate": "November 2025 Updates", "RecommendedSecurityUpdateId": "5068861"}
    setting = {"ConfigurationId": "scid-1", "IsCompliant": False, "IsApplicable": True, "ConfigurationImpact": 8.0}
    baseline = {"ProfileId": "p-1", "ConfigurationId": "c-1", "IsCompliant": True, "IsApplicable": True}
    extension = {"BrowserName": "chrome", "ExtensionId": "aapbdbdomjkkjkaonfhkkikfgjllcleb"}
    antivirus = {"AvMode": "0", "AvScanResults": json.dumps({"Quick": {"ScanStatus": "Completed"}})}
    return {
        "DeviceProcessEvents": [process_event(world, 2), process_event(world, 30, SRV02)],
        "DeviceNetworkEvents": [connection_event(world, 1)],
        "DeviceLogonEvents": [logon_event(world, 3)],
        "DeviceTvmSoftwareVulnerabilities": [
            device(each, OSVersion="22H2", CveId=CVE, VulnerabilitySeverityLevel="High", **product, **update)
            for each in (WS01, SRV02)
        ],
        "DeviceTvmSoftwareVulnerabilitiesKB": [
            {"CveId": CVE, "CvssScore": "9.8", "IsExploitAvailable": True, "PublishedDate": world.ago(900)}
        ],
        "DeviceTvmSoftwareInventory": [
            device(WS01, ProductCodeCpe="cpe:2.3:a:google:chrome", **product),
            device(WS01, SoftwareVendor="own", SoftwareName="tool", SoftwareVersion="2", ProductCodeCpe=""),
        ],
        "DeviceTvmSecureConfigurationAssessment": [
            device(WS01, Timestamp=world.ago(1), ConfigurationCategory="Security controls", **setting)
        ],
        "DeviceTvmSecureConfigurationAssessmentKB": [
            {"ConfigurationId": "scid-1", "ConfigurationName": "Turn on the firewall"}
        ],
        "DeviceTvmSoftwareEvidenceBeta": [
            {"DeviceId": WS01, **product, "DiskPaths": json.dumps(["C:\\Program Files\\chrome.exe"])}
        ],
        "DeviceTvmBrowserExtensions": [{"DeviceId": WS01, **extension, "IsActivated": "true"}],
        "DeviceTvmBrowserExtensionsKB": [
            {**extension, "PermissionId": "tabs", "PermissionName": "Tabs", "PermissionRisk": "High"}
        ],
        "DeviceTvmCertificateInfo": [{"DeviceId": WS01, "Thumbprint": "A" * 40, "Path": "My", "KeySize": "2048"}],
        "DeviceTvmHardwareFirmware": [{"DeviceId": WS01, "ComponentType": "Bios", "ComponentName": "n1"}],
        "DeviceBaselineComplianceProfiles": [{"ProfileId": "p-1", "ProfileName": "Workstations", "Status": True}],
        "DeviceBaselineComplianceAssessmentKB": [
            {
                "ConfigurationId": "c-1",
                "ConfigurationName": "Passwords",
                "ConfigurationBenchmark": "CIS_1.4.0-windows_11",
            }
        ],
        "DeviceBaselineComplianceAssessment": [device(WS01, **baseline)],
        "DeviceTvmInfoGathering": [
            device(WS01, Timestamp=world.ago(1), AdditionalFields=json.dumps(antivirus))
        ],
        "IdentityInfo": [
            {"Timestamp": world.ago(1), "AccountName": "ann", "AccountDomain": "contoso",
             "OnPremSid": "S-1-5-21-1-2-3-1105", "AccountDisplayName": "Ann", "IsAccountEnabled": True}
        ],
    }  # fmt: skip


def _seed_incidents(tenant: SeededTenant) -> None:
    world = tenant.world
    made = fill(tenant.application, world.ids)
    evidence = (
        DeviceEvidence(device_id=WS01, device_name="ws-01.contoso.test", host_name="ws-01"),
        UserEvidence(account=UserAccount(account_name="ann", domain_name="contoso")),
        FileEvidence(file=FileDetails(file_name="tool.exe", file_path="C:\\Temp", sha1=SHA1), device_id=WS01),
        IpEvidence(address="203.0.113.9"),
        UrlEvidence(url="https://evil.test/a"),
    )
    with world.store.begin() as connection:
        new = alert("Tool", "Execution", *evidence, at=world.ago(1))
        alert_id = create(connection, HOME, new, world.clock, world.ids).alert.alert_id
        world.outbox.publish(connection, HOME, ALERT_CREATED, {"alert_id": alert_id})
        world.clock.advance(60)
        spare = [
            create(connection, HOME, alert(f"Spare {number}", "Execution", EVIDENCE[4]), world.clock, world.ids)
            for number in (1, 2)
        ]
    world.work()
    tenant.objects |= {
        ("graph", "incidents"): "1",
        ("graph", "alerts_v2"): made[0],
        ("graph", "alerts"): alert_id,
        ("defender", "incidents"): str(spare[0].alert.incident_id),
        ("defender", "alerts"): alert_id,
    }


def _seed_feeds(tenant: SeededTenant) -> None:
    now = now_ticks(tenant.world.clock)
    with tenant.world.store.begin() as connection:
        for path, sample in SAMPLES.items():
            put_resource(connection, HOME, path, {"id": "one", **sample}, ("seed", now))
            tenant.objects["graph", path.rpartition("/")[2].lower()] = "one"
        package = {"id": "deploymentPackage", "downloadUrl": "https://feed.contoso.test/p.zip", "version": "2.1"}
        from vedette.api.graph.identity_accounts import CONFIGURATION
        from vedette.feeds.resources import Resources

        Resources(connection, HOME).put(CONFIGURATION, package, {}, "seed", now)
    tenant.objects["graph", "intelligenceprofileindicators"] = "one"
    tenant.objects["graph", "components"] = "one"


def _seed_graph(tenant: SeededTenant) -> None:
    graph = tenant.client("graph")
    later = datetime.datetime.fromtimestamp(tenant.world.clock.time(), datetime.UTC) + datetime.timedelta(days=1)
    subscription = made(
        graph.post(
            "/v1.0/subscriptions",
            {
                "changeType": "created,updated",
                "notificationUrl": "https://hooks.contoso.test/graph",
                "resource": "security/alerts_v2",
                "expirationDateTime": f"{later:%Y-%m-%dT%H:%M:%SZ}",
                "clientState": CLIENT_STATE,
            },
        )
    )
    rule = made(graph.post("/beta/security/rules/detectionRules", RULE))
    indicator = {
        "action": "alert",
        "description": "Heron",
        "domainName": "evil.test",
        "expirationDateTime": f"{later:%Y-%m-%dT%H:%M:%SZ}",
        "targetProduct": "Microsoft Defender ATP",
        "threatType": "Malware",
        "tlpLevel": "green",
    }
    scores = made(graph.get("/v1.0/security/secureScores"))["value"]
    controls = made(graph.get("/v1.0/security/secureScoreControlProfiles"))["value"]
    accounts = made(graph.get("/v1.0/security/identities/identityAccounts"))["value"]
    tenant.objects |= {
        ("graph", "subscriptions"): subscription["id"],
        ("graph", "detectionrules"): rule["id"],
        ("graph", "tiindicators"): made(graph.post("/beta/security/tiIndicators", indicator))["id"],
        ("graph", "securescores"): scores[0]["id"],
        ("graph", "securescorecontrolprofiles"): controls[0]["id"],
        ("graph", "identityaccounts"): accounts[0]["id"],
        ("graph", "microsoft.graph.security.getrunhuntingquery(query='"): "DeviceInfo | take 1",
        ("graph", "timespan"): "P7D",
        ("graph", "workspace"): "",
    }


def _seed_directory(tenant: SeededTenant) -> None:
    with tenant.world.store.begin() as connection:
        admin = Provisioning(connection, tenant.application.identity)
        admin.create_tenant("Contoso", "contoso.test", tenant_id=HOME, is_home=True)
        admin.create_tenant("Fabrikam", "fabrikam.test", tenant_id=OTHER)
        user = admin.create_user(
            HOME, "ada@contoso.test", "Ada", Secret(PASSWORD), roles=["Security Reader", "Global Administrator"]
        )
    graph = tenant.client("graph")
    certificate, key = _certificate()
    PRINCIPALS[f"{tenant.name}-person"] = _person(user.id)
    person = tenant.client("graph", person=True)
    application = made(person.post("/v1.0/applications", {"displayName": "Heron", "appRoles": [ROLE]}))
    base = f"/v1.0/applications/{application['id']}"
    password = made(graph.post(f"{base}/addPassword", {}))
    credential = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": certificate}
    made(graph.patch(base, {"keyCredentials": [credential]}))
    federated = {
        "name": "ci-build",
        "issuer": "https://ci.test",
        "subject": "repo:heron",
        "audiences": ["api://AzureADTokenExchange"],
    }
    federated = made(graph.post(f"{base}/federatedIdentityCredentials", federated))
    own = made(graph.post("/v1.0/servicePrincipals", {"appId": application["appId"]}))
    resource = made(graph.get(f"/v1.0/servicePrincipals?$filter=appId%20eq%20'{load_resources()['mtp'].app_id}'"))
    resource = resource["value"][0] if resource["value"] else own
    group = made(graph.post("/v1.0/groups", {"displayName": "Team", "mailNickname": "team", "mailEnabled": False,
                                             "securityEnabled": True}))  # fmt: skip
    reference = {"@odata.id": f"https://localhost/v1.0/directoryObjects/{user.id}"}
    made(graph.post(f"/v1.0/groups/{group['id']}/members/$ref", reference))
    assigned = {}
    for holder, holder_id in (("servicePrincipals", own["id"]), ("users", user.id), ("groups", group["id"])):
        body = {"principalId": holder_id, "resourceId": own["id"], "appRoleId": ROLE["id"]}
        assigned[holder] = made(graph.post(f"/v1.0/{holder}/{holder_id}/appRoleAssignments", body))["id"]
    grant = {
        "clientId": own["id"],
        "consentType": "AllPrincipals",
        "resourceId": resource["id"],
        "scope": "Incident.Read",
    }
    made(graph.post("/v1.0/oauth2PermissionGrants", {**grant, "consentType": "Principal", "principalId": user.id}))
    grant = made(graph.post("/v1.0/oauth2PermissionGrants", grant))
    deleted = made(graph.post("/v1.0/applications", {"displayName": "Gone"}))
    made(graph.send("DELETE", f"/v1.0/applications/{deleted['id']}"))
    role = load_directory_roles()["Security Reader"]
    roles = made(graph.get("/v1.0/roleManagement/directory/roleAssignments"))["value"]
    tenant.secrets += [password["secretText"].encode(), key]
    tenant.objects |= {
        ("graph", "applications"): application["id"],
        ("graph", "federatedidentitycredentials"): federated["id"],
        ("graph", "deleteditems"): deleted["id"],
        ("graph", "serviceprincipals"): own["id"],
        ("graph", "approleassignments"): assigned["servicePrincipals"],
        ("graph", "approleassignedto"): assigned["servicePrincipals"],
        ("graph", "oauth2permissiongrants"): grant["id"],
        ("graph", "users"): user.id,
        ("graph", "groups"): group["id"],
        ("graph", "members"): user.id,
        ("graph", "organization"): HOME,
        ("graph", "domains"): "contoso.test",
        ("graph", "directoryroles"): made(graph.get("/v1.0/directoryRoles"))["value"][0]["id"],
        ("graph", "roledefinitions"): role.id,
        ("graph", "roleassignments"): roles[0]["id"],
        ("graph", "findtenantinformationbytenantid(tenantid='"): HOME,
        ("graph", "findtenantinformationbydomainname(domainname='"): "contoso.test",
    }


ROLE: Mapping[str, Any] = {
    "id": "3a5b2c1d-0000-4000-8000-000000000001",
    "displayName": "Read",
    "description": "Read",
    "value": "Things.Read",
    "allowedMemberTypes": ["Application", "User"],
}


def _certificate() -> tuple[str, bytes]:
    """A certificate, and the private key that stays with its owner."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "heron")])
    start = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start - datetime.timedelta(days=1))
        .not_valid_after(start + datetime.timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(), private.splitlines()[1]


def _seed_machines(tenant: SeededTenant) -> None:
    world, defender = tenant.world, tenant.client("defender")
    made(defender.post(f"/api/machines/{WS01}/tags", {"Value": "vip", "Action": "Add"}))
    made(upload(defender, "check.ps1", b"echo 1"))
    package = made(defender.post(f"/api/machines/{WS01}/collectInvestigationPackage", {"Comment": "x"}))
    commands = [{"type": "RunScript", "params": [{"key": "ScriptName", "value": "check.ps1"}]}]
    response = made(defender.post(f"/api/machines/{SRV02}/runliveresponse", {"Comment": "x", "Commands": commands}))
    investigation = made(defender.post(f"/api/machines/{WS01}/startInvestigation", {"Comment": "x"}))
    for _ in range(4):
        world.clock.advance(ACTION_DELAY + RUNNING)
        world.work()
    indicator = {
        "indicatorValue": "203.0.113.77", "indicatorType": "IpAddress", "action": "Audit", "title": "Heron",
        "description": "Seen", "generateAlert": True,
    }  # fmt: skip
    task_id = "11111111-2222-4333-8444-555555555555"
    details = RemediationDetails(recommendation_id="va-_-google-_-chrome", title="Update Chrome")
    with world.store.begin() as connection:
        Remediations(connection, HOME).add(task_id, details, [WS01, SRV02], now_ticks(world.clock))
    link = made(defender.get(f"/api/machineactions/{package['id']}/getPackageUri"))["value"].strip('"')
    seen = datetime.datetime.fromtimestamp(world.clock.time(), datetime.UTC) - datetime.timedelta(hours=1)
    tenant.objects |= {
        ("defender", key): value
        for key, value in {
            "machines": WS01,
            "findbyip(ip='": "10.0.0.4",
            "key": "'10.0.0.4'",
            "time": f"{seen:%Y-%m-%dT%H:%M:%SZ}",
            "machineactions": package["id"],
            "getliveresponseresultdownloadlink(index=": "0",
            "libraryfiles": "check.ps1",
            "indicators": made(defender.post("/api/indicators", indicator))["id"],
            "investigations": investigation["id"],
            "files": SHA1,
            "domains": "evil.test",
            "ips": "203.0.113.9",
            "users": "ann",
            "vulnerabilities": CVE,
            "software": "google-_-chrome",
            "recommendations": "va-_-google-_-chrome",
            "remediationtasks": task_id,
            "downloads": urlsplit(link).path.rpartition("/")[2],
            "live response": response["id"],
        }.items()
    }


def upload(client: AsgiClient, name: str, content: bytes) -> Answer:
    """Put a file into the library of live response."""
    head = f'--b0undary\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--b0undary--\r\n"
    return client.send(
        "POST", "/api/libraryfiles", body=body, headers={"content_type": "multipart/form-data; boundary=b0undary"}
    )


def made(answer: Answer) -> Any:
    """The document of an answer that is no error."""
    assert answer.status < 300, (answer.status, answer.body)
    return answer.json() if answer.body else None
