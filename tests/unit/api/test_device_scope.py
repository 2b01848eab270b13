"""A user limited to some device groups sees no other machine, by whichever operation or query they ask."""

import gzip
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from tests import api_fakes
from tests.api_fakes import HOME, READER, Application, assemble, principal
from tests.asgi import AsgiClient
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
from vedette.clock import format_ticks
from vedette.context import Principal, RoleGrant
from vedette.contracts.operations import load_operations
from vedette.contracts.permissions import load_directory_roles, load_resources
from vedette.incidents.alerts import ALERT_CREATED, NewAlert, create
from vedette.incidents.evidence import DeviceEvidence, FileDetails, FileEvidence
from vedette.jobs.queue import JobQueue
from vedette.machines.actions import NewAction
from vedette.machines.device_groups import DeviceGroups
from vedette.machines.execution import ActionRequests
from vedette.machines.group_rules import Condition
from vedette.machines.inventory import Machines
from vedette.machines.investigations import InvestigationRequests

EVERY_SCOPE = tuple({scope.value for key in ("wdatp", "mtp", "graph") for scope in load_resources()[key].scopes})
AUDIENCES = ("graph", "mtp", "wdatp")
ACTING = frozenset({"view_data", "view_vulnerabilities", "alerts_investigation", "active_remediation_actions"})


def user(audience: str, **limits: Any) -> Principal:
    """A person with every scope and the role Security Reader, or what the limits say."""
    reader = principal(audience, scopes=EVERY_SCOPE, kind="user", directory_roles=(READER,))
    return msgspec.structs.replace(reader, **limits)


class Scene:
    """Two machines in two groups, alerts on one, the other and both; a client for each kind of person."""

    def __init__(self, world: EndpointWorld, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        self._patch = patch
        self._numbers = itertools.count()
        _ingest(world)
        with world.store.begin() as connection:
            groups = DeviceGroups(connection, HOME)
            self.seen = groups.create("Workstations", (Condition("name", "startsWith", ("ws-",)),)).group_id
            self.hidden = groups.create("Servers", (Condition("name", "startsWith", ("srv-",)),)).group_id
        self.alerts = {name: _alert(world, name, *ids) for name, ids in ALERTED.items()}
        queue = JobQueue(world.store, world.clock, world.ids)
        with world.store.begin() as connection:
            actions = ActionRequests(queue, world.clock, world.ids, delay=1.0)
            machine = Machines(connection, HOME, world.ago(0)).get(SRV02)
            assert machine is not None
            new = NewAction(machine_id=SRV02, dns_name=machine.dns_name, type="Isolate", requestor="x", comment="x")
            self.action_id = actions.request(connection, HOME, new).action_id
            investigations = InvestigationRequests(queue, world.clock, delay=1.0)
            self.investigation = investigations.start(connection, HOME, machine, "x").investigation_id
        self.application: Application = assemble(
            store=world.store, clock=world.clock, endpoint=world.telemetry, queries=world.hunting
        )

    def client(self, audience: str, **limits: Any) -> AsgiClient:
        token = f"person-{next(self._numbers)}"
        self._patch.setitem(api_fakes.PRINCIPALS, token, user(audience, **limits))
        return self.application.client(token)

    def limited(self, audience: str) -> AsgiClient:
        """Somebody whom the servers' user access leaves out."""
        return self.client(audience, hidden_device_groups=frozenset({self.hidden}))


ALERTED = {"ws": (WS01,), "srv": (SRV02,), "both": (WS01, SRV02)}


def _ingest(world: EndpointWorld) -> None:
    inventory: list[dict[str, Any]] = [
        {"DeviceId": each, "DeviceName": name, "OSPlatform": "Windows11", "SoftwareVendor": "google",
         "SoftwareName": "chrome", "SoftwareVersion": "1.0"}
        for each, name in ((WS01, "ws-01.contoso.test"), (SRV02, "srv-02.contoso.test"))
    ]  # fmt: skip
    world.ingest(
        {
            "DeviceProcessEvents": [process_event(world, 2), process_event(world, 3, SRV02)],
            "DeviceNetworkEvents": [connection_event(world, 1), connection_event(world, 1, SRV02, LocalIP="10.0.0.5")],
            "DeviceLogonEvents": [logon_event(world, 3), logon_event(world, 3, SRV02)],
            "DeviceNetworkInfo": [
                {"Timestamp": world.ago(1), "DeviceId": each, "NetworkAdapterName": "e0", "MacAddress": mac,
                 "IPAddresses": f'[{{"IPAddress":"{address}"}}]'}
                for each, mac, address in ((WS01, "AA", "10.0.0.4"), (SRV02, "BB", "10.0.0.5"))
            ],
            "DeviceInfo": [
                {"Timestamp": world.ago(1), "DeviceId": SRV02, "DeviceName": "srv-02.contoso.test",
                 "OnboardingStatus": "Onboarded"},
                {"Timestamp": world.ago(1), "DeviceId": WS01, "DeviceName": "ws-01.contoso.test",
                 "OnboardingStatus": "Onboarded", "HostDeviceId": SRV02, "MergedToDeviceId": WS01},
            ],
            "IdentityLogonEvents": [
                {"Timestamp": world.ago(1), "AccountName": account, "DeviceName": source, "DestinationDeviceName": to}
                for account, source, to in (
                    ("on-ws", "WS-01", "dc-9.contoso.test"), ("from", "SRV-02.contoso.test", ""),
                    ("to", "ws-01", "srv-02"),
                )
            ],
            "DeviceTvmSoftwareInventory": inventory,
            "DeviceTvmSoftwareVulnerabilities": [{**row, "CveId": "CVE-2025-0001"} for row in inventory],
            "DeviceTvmSecureConfigurationAssessment": [
                {"Timestamp": world.ago(1), "DeviceId": row["DeviceId"], "DeviceName": row["DeviceName"],
                 "ConfigurationId": "scid-1", "IsCompliant": False, "IsApplicable": True, "ConfigurationImpact": 8.0}
                for row in inventory
            ],
            "BehaviorInfo": [{"Timestamp": world.ago(1), "BehaviorId": "b-1", "Title": "srv only"}],
            "BehaviorEntities": [{"Timestamp": world.ago(1), "BehaviorId": "b-1", "DeviceId": SRV02}],
        }
    )  # fmt: skip
    world.work()


def _alert(world: EndpointWorld, title: str, *device_ids: str) -> tuple[str, int]:
    evidence = [DeviceEvidence(device_id=each, device_name=f"{each[:1]}.test", is_impacted=True) for each in device_ids]
    tool = FileEvidence(file=FileDetails(file_name=f"{title}.exe", sha1=SHA1), device_id=device_ids[-1])
    new = NewAlert(
        title=title,
        severity="high",
        category="Execution",
        service_source="microsoftDefenderForEndpoint",
        detection_source="antivirus",
        first_activity=world.ago(2),
        last_activity=world.ago(1),
        evidence=(*evidence, tool),
    )
    with world.store.begin() as connection:
        alert = create(connection, HOME, new, world.clock, world.ids).alert
        world.outbox.publish(connection, HOME, ALERT_CREATED, {"alert_id": alert.alert_id})
    world.work()
    return alert.alert_id, alert.incident_id


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def scene(patch: pytest.MonkeyPatch) -> Iterator[Scene]:
    world = make_world()
    yield Scene(world, patch)
    world.close()


SPECIAL = {"domain": ["evil.test"], "ip": ["10.0.0.5", "203.0.113.9"], "n": ["0"], "cveId": ["CVE-2025-0001"]}


def targets(scene: Scene) -> Iterator[tuple[str, str]]:
    """Audience and address of every GET of the two surfaces, each parameter with everything that could be asked for."""
    alerts = [str(key) for keys in scene.alerts.values() for key in keys]
    values = [SRV02, WS01, SHA1, "evil.test", "ann", "google-_-chrome", "sca-_-scid-1", "va-_-google-_-chrome",
              scene.action_id, str(scene.investigation), *alerts]  # fmt: skip
    special = {**SPECIAL, "time": [format_ticks(scene.world.ago(0.5))]}
    for surface, audiences in (("graph", ("graph",)), ("defender", ("wdatp", "mtp"))):
        document = load_operations()[surface]
        for operation in document.operations:
            if operation.method != "GET" or operation.authentication != "bearer" or operation.part == "directory":
                continue
            template = next(iter(document.templates(operation)))
            names = re.findall(r"{(\w+)}", template)
            for found in itertools.product(*(special.get(name, dict.fromkeys(values)) for name in names)):
                target = template
                for name, value in zip(names, found, strict=True):
                    target = target.replace(f"{{{name}}}", quote(value, safe=""))
                for audience in audiences:
                    yield audience, target


QUERIES = {"incidents": "?$expand=alerts", "alerts": "?$expand=evidence"}


def bodies(scene: Scene, of: Callable[[str], AsgiClient]) -> dict[str, str]:
    """What every GET answers that answers anything."""
    clients = {audience: of(audience) for audience in AUDIENCES}
    found: dict[str, str] = {}
    for audience, target in targets(scene):
        query = QUERIES.get(target.rpartition("/")[2], "")
        for asked in dict.fromkeys((target, target + query)):
            answer = clients[audience].get(asked)
            assert answer.status < 500 or answer.status == 501, (asked, answer.body)
            if answer.status == 200:
                found[f"{audience} {asked}"] = answer.body.decode(errors="replace")
    return found


def test_no_operation_shows_a_machine_out_of_sight(scene: Scene) -> None:
    everything = bodies(scene, scene.client)
    showing = {target for target, body in everything.items() if SRV02 in body}
    assert len(showing) >= 30  # the very answers that may not show it to everybody
    limited = bodies(scene, scene.limited)
    assert {target for target, body in limited.items() if SRV02 in body or "srv-02" in body} == set()
    hidden = [scene.alerts[name][0] for name in ("srv", "both")]
    assert {target for target, body in limited.items() if any(alert_id in body for alert_id in hidden)} == set()
    assert any(WS01 in body for body in limited.values())


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_ids_out_of_sight_are_unknown_not_forbidden(scene: Scene, method: str) -> None:
    endpoint, graph = scene.client("wdatp", **_acting(scene)), scene.client("graph", **_acting(scene))
    alert_id, _ = scene.alerts["srv"]
    comment = {"Comment": "x"}
    asked: dict[str, list[tuple[AsgiClient, str, Any]]] = {
        "GET": [
            (endpoint, f"/api/machines/{SRV02}", None),
            (endpoint, "/api/machines/srv-02.contoso.test", None),
            (endpoint, f"/api/machines/{SRV02}/alerts", None),
            (endpoint, f"/api/machineactions/{scene.action_id}", None),
            (endpoint, f"/api/investigations/{scene.investigation}", None),
            (endpoint, f"/api/alerts/{alert_id}", None),
            (graph, f"/v1.0/security/alerts_v2/{alert_id}", None),
        ],
        "POST": [
            (endpoint, f"/api/machines/{SRV02}/isolate", {**comment, "IsolationType": "Full"}),
            (endpoint, f"/api/machines/{SRV02}/runAntiVirusScan", {**comment, "ScanType": "Quick"}),
            (endpoint, f"/api/machines/{SRV02}/startInvestigation", comment),
            (endpoint, f"/api/machines/{SRV02}/tags", {"Value": "vip", "Action": "Add"}),
            (endpoint, "/api/machines/AddOrRemoveTagForMultipleMachines",
             {"Value": "vip", "Action": "Add", "MachineIds": [WS01, SRV02]}),
            (endpoint, f"/api/machineactions/{scene.action_id}/cancel", comment),
            (endpoint, "/api/alerts/batchUpdate", {"alertIds": [scene.alerts["ws"][0], alert_id], "status": "New"}),
            (graph, f"/v1.0/security/alerts_v2/{alert_id}/comments", {"comment": "x"}),
            (graph, "/v1.0/security/alerts_v2/moveAlerts", {"alertIds": [alert_id]}),
        ],
        "PATCH": [
            (endpoint, f"/api/machines/{SRV02}", {"deviceValue": "High"}),
            (endpoint, f"/api/alerts/{alert_id}", {"status": "Resolved"}),
            (graph, f"/v1.0/security/alerts_v2/{alert_id}", {"status": "resolved"}),
        ],
    }  # fmt: skip
    for client, target, body in asked[method]:
        sent = b"" if body is None else msgspec.json.encode(body)
        answer = client.send(method, target, body=sent)
        assert answer.status == 404, (target, answer.status, answer.body)
    with scene.world.store.connect() as connection:
        machine = Machines(connection, HOME, 0).get(SRV02)
    assert machine is not None
    assert (machine.tags, machine.device_value) == ((), "Normal")


def _acting(scene: Scene) -> dict[str, Any]:
    """A custom role with every permission to act, on the workstations alone."""
    grant = RoleGrant(ACTING | {"manage_security_settings"}, device_groups=frozenset({scene.seen}))
    return {"directory_roles": frozenset(), "role_grants": (grant,)}


LEAKS = [
    "DeviceProcessEvents",
    "find in (DeviceProcessEvents, DeviceInfo, AlertEvidence) where isnotempty(DeviceId)",
    'search in (DeviceInfo, DeviceProcessEvents, AlertEvidence) "srv-02"',
    "union withsource=T Device*",
    "DeviceProcessEvents | join kind=fullouter (DeviceLogonEvents) on DeviceId",
    "let Ids = DeviceInfo | distinct DeviceId; DeviceNetworkEvents | where DeviceId in (Ids)",
    "print Ids = toscalar(DeviceProcessEvents | summarize make_set(DeviceId))",
    "let F = () { DeviceProcessEvents }; F() | union (F())",
    "let V = view () { DeviceLogonEvents }; union V, DeviceInfo",
    "let M = materialize(DeviceProcessEvents | project DeviceId); M | union M",
    "DeviceProcessEvents | as T | union (T | extend X = 1)",
    "DeviceProcessEvents | lookup kind=leftouter DeviceInfo on DeviceId",
    "DeviceInfo | invoke SeenBy()",
    "DeviceFromIP(datatable(IP:string)['10.0.0.5'])",
    "datatable(IP:string)['10.0.0.5'] | invoke DeviceFromIP()",
    "datatable(SHA1:string)['" + SHA1 + "'] | invoke FileProfile() | join DeviceProcessEvents on SHA1",
    f"AssignedIPAddresses('{SRV02}')",
    "AlertEvidence | union AlertInfo",
    "AlertInfo | join kind=leftanti AlertEvidence on AlertId",
    "BehaviorInfo | union BehaviorEntities",
    "DeviceTvmSoftwareInventory | union DeviceTvmSoftwareVulnerabilities",
    "DeviceProcessEvents | summarize dcount(DeviceId), arg_max(Timestamp, *) by DeviceName",
    "DeviceProcessEvents | partition by DeviceId (take 1)",
    "DeviceNetworkInfo | mv-expand parse_json(IPAddresses)",
    "DeviceInfo | project DeviceId, HostDeviceId, MergedToDeviceId, MergedDeviceIds",
    "IdentityLogonEvents",
    "IdentityLogonEvents | union DeviceInfo | project pack_all()",
]


def hunts(scene: Scene, client: Callable[[str], AsgiClient], query: str) -> list[str]:
    """What the three surfaces answer."""
    asked = (
        ("graph", "/v1.0/security/runHuntingQuery"),
        ("mtp", "/api/advancedhunting/run"),
        ("wdatp", "/api/advancedqueries/run"),
    )
    answers = [client(audience).post(path, {"Query": query}) for audience, path in asked]
    assert [answer.status for answer in answers] == [200, 200, 200], answers[0].body
    return [answer.body.decode() for answer in answers]


@pytest.mark.parametrize("query", LEAKS)
def test_no_query_reads_rows_of_a_machine_out_of_sight(scene: Scene, query: str) -> None:
    for answer in hunts(scene, scene.limited, query):
        assert SRV02 not in answer
        assert "srv-02" not in answer
        assert scene.alerts["srv"][0] not in answer
        assert "srv only" not in answer


def test_the_same_queries_show_it_to_who_may_see_it(scene: Scene) -> None:
    shown = [query for query in LEAKS if SRV02 in hunts(scene, scene.client, query)[0]]
    assert len(shown) >= 15


def test_what_names_no_machine_out_of_sight_is_shown(scene: Scene) -> None:
    rows = msgspec.json.decode(hunts(scene, scene.limited, "IdentityLogonEvents")[0])["results"]
    assert [row["AccountName"] for row in rows] == ["on-ws"]
    rows = msgspec.json.decode(hunts(scene, scene.limited, "DeviceInfo | where isnotempty(MergedToDeviceId)")[0])
    assert [(row["HostDeviceId"], row["MergedToDeviceId"]) for row in rows["results"]] in ([(None, WS01)], [("", WS01)])


def test_counts_and_derived_tables_stop_at_the_scope(scene: Scene) -> None:
    query = f"datatable(SHA1:string)['{SHA1}'] | invoke FileProfile() | project GlobalPrevalence"
    everything = msgspec.json.decode(hunts(scene, scene.client, query)[0])["results"]
    limited = msgspec.json.decode(hunts(scene, scene.limited, query)[0])["results"]
    assert (everything[0]["GlobalPrevalence"], limited[0]["GlobalPrevalence"]) == (2, 1)


def test_new_alerts_show_the_groups_of_their_machines(scene: Scene) -> None:
    alert = scene.client("graph").get(f"/v1.0/security/alerts_v2/{scene.alerts['ws'][0]}").json()
    assert alert["evidence"][0]["rbacGroupName"] == "Workstations"
    assert alert["evidence"][0]["rbacGroupId"] == scene.seen


def test_an_incident_is_seen_with_its_visible_alerts(scene: Scene) -> None:
    incident_id = scene.alerts["ws"][1]
    graph = scene.limited("graph").get(f"/v1.0/security/incidents/{incident_id}?$expand=alerts").json()
    assert [alert["title"] for alert in graph["alerts"]] == ["ws"]
    xdr = scene.limited("mtp").get(f"/api/incidents/{incident_id}").json()
    assert [alert["title"] for alert in xdr["alerts"]] == ["ws"]


def test_administrators_and_applications_see_everything(scene: Scene) -> None:
    hidden = {"hidden_device_groups": frozenset({scene.hidden})}
    for role in ("Global Administrator", "Security Administrator"):
        ids = frozenset({load_directory_roles()[role].id})
        client = scene.client("wdatp", directory_roles=ids, **hidden)
        assert client.get(f"/api/machines/{SRV02}").status == 200
    assert scene.application.client("endpoint").get(f"/api/machines/{SRV02}").status == 200


def test_a_role_reaches_as_far_as_its_assignment(scene: Scene) -> None:
    """Data sources bound what is read, and rights what is done: each where its own assignment says."""
    views = RoleGrant(frozenset({"view_data"}), sources=frozenset({"office"}))
    office = scene.client("wdatp", directory_roles=frozenset(), role_grants=(views,))
    assert office.get(f"/api/machines/{WS01}").status == 404
    assert office.get("/api/alerts").json()["value"] == []
    both = (
        RoleGrant(frozenset({"view_data"})),
        RoleGrant(frozenset({"active_remediation_actions"}), device_groups=frozenset({scene.seen})),
    )
    client = scene.client("wdatp", directory_roles=frozenset(), role_grants=both)
    body = {"Comment": "x", "IsolationType": "Full"}
    assert client.get(f"/api/machines/{SRV02}").status == 200
    assert client.post(f"/api/machines/{SRV02}/isolate", body).status == 404
    assert client.post(f"/api/machines/{WS01}/isolate", body).status == 201
    assert client.patch(f"/api/machines/{WS01}", {"deviceValue": "Low"}).status == 403


def test_a_link_to_an_export_shows_what_its_maker_saw(scene: Scene) -> None:
    path = "/api/machines/SoftwareVulnerabilitiesExport"
    for client, devices in ((scene.client, 2), (scene.limited, 1)):
        link = client("wdatp").get(path).json()["exportFiles"][0]
        lines = gzip.decompress(scene.application.client().get("/" + link.split("/", 3)[3]).body).splitlines()
        assert len(lines) == devices


INDICATOR = {"indicatorType": "DomainName", "action": "Block", "title": "t", "description": "d"}


def test_indicators_are_for_machines_that_their_author_sees(scene: Scene) -> None:
    everybody, limited = scene.application.client("endpoint"), scene.client("wdatp", **_acting(scene))
    groups_of = {"ws": ["Workstations"], "srv": ["Servers"], "all": [], "two": ["Workstations", "Servers"]}
    made = {}
    for name, groups in groups_of.items():
        body = {**INDICATOR, "indicatorValue": f"{name}.test", "rbacGroupNames": groups}
        made[name] = everybody.post("/api/indicators", body).json()["id"]
    assert {each["indicatorValue"] for each in everybody.get("/api/indicators").json()["value"]} >= {"srv.test"}
    shown = {each["indicatorValue"] for each in limited.get("/api/indicators").json()["value"]}
    assert shown == {"ws.test", "all.test", "two.test"}
    for groups, status in ((["Workstations"], 200), (["Servers"], 403), (["Workstations", "Servers"], 403), ([], 403)):
        body = {**INDICATOR, "indicatorValue": f"mine{len(groups)}.test", "rbacGroupNames": groups}
        assert limited.post("/api/indicators", body).status == status
    taken_over = {**INDICATOR, "indicatorValue": "srv.test", "rbacGroupNames": ["Workstations"]}
    assert limited.post("/api/indicators", taken_over).status == 403
    imported = limited.post("/api/indicators/import", {"Indicators": [taken_over]}).json()["value"]
    assert imported[0]["isFailed"] is True
    both = {"IndicatorIds": [made["ws"], made["srv"]]}
    for refused in ({"IndicatorIds": [made["all"]]}, both):
        assert limited.post("/api/indicators/BatchDelete", refused).status == 403
    assert limited.send("DELETE", f"/api/indicators/{made['two']}").status == 403
    assert limited.send("DELETE", f"/api/indicators/{made['ws']}").status == 204


def test_the_rest_of_a_list_is_for_its_caller_alone(scene: Scene) -> None:
    """Also where it is the same person, whose roles changed meanwhile."""
    sees_all = scene.client("graph")
    link = sees_all.get("/v1.0/security/alerts_v2?$top=1").json()["@odata.nextLink"]
    target = "/" + link.split("/", 3)[3]
    assert scene.limited("graph").get(target).status == 400
    assert scene.client("graph", object_id="somebody-else").get(target).status == 400
    assert scene.client("graph").get(target).status == 200


NOTIFIED = {
    "changeType": "updated",
    "notificationUrl": "https://x.test/n",
    "resource": "security/alerts_v2",
    "expirationDateTime": "2025-11-24T00:00:00Z",
}


def test_subscriptions_of_an_application_are_each_of_the_person_who_made_it(scene: Scene) -> None:
    """Whoever sees more must not have their notifications sent elsewhere by whoever sees less."""
    ann, bob = (scene.client("graph", object_id=name) for name in ("ann", "bob"))
    path = f"/v1.0/subscriptions/{ann.post('/v1.0/subscriptions', NOTIFIED).json()['id']}"
    assert ann.get(path).status == 200
    assert bob.get("/v1.0/subscriptions").json()["value"] == []
    for method, body in (("GET", b""), ("PATCH", b'{"notificationUrl": "https://bob.test"}'), ("DELETE", b"")):
        assert bob.send(method, path, body=body).status == 404
    assert scene.application.client("graph").get(path).status == 200
