"""Device groups: rules, ranks, the default group, and machines that move when they or the groups change."""

import pytest

from tests.endpoint_world import HOME, OTHER, SRV02, WS01, EndpointWorld, process_event
from vedette.context import DataScope
from vedette.errors import InvalidRequestError
from vedette.incidents.alerts import Alerts, NewAlert, create
from vedette.incidents.evidence import DeviceEvidence
from vedette.machines.device_groups import DEFAULT_GROUP_ID, DeviceGroups
from vedette.machines.group_rules import MAX_VALUES, Condition, DeviceGroup, MachineFacts, group_of, is_match
from vedette.machines.inventory import Machines

WS = MachineFacts("WS-01.eu.contoso.test", ("VIP", "lab"), "Windows11")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Condition("name", "startsWith", ("ws-",)), True),
        (Condition("name", "equals", ("ws-01",)), True),
        (Condition("name", "equals", ("ws-01.eu.contoso.test",)), True),
        (Condition("name", "endsWith", ("01",)), True),
        (Condition("name", "endsWith", ("02", "03")), False),
        (Condition("domain", "equals", ("eu.contoso.test",)), True),
        (Condition("domain", "endsWith", ("fabrikam.test", "contoso.test")), True),
        (Condition("domain", "startsWith", ("ws",)), False),
        (Condition("tag", "equals", ("vip",)), True),
        (Condition("tag", "equals", ("vi",)), False),
        (Condition("osPlatform", "equals", ("Windows10", "Windows11")), True),
        (Condition("osPlatform", "contains", ("linux",)), False),
        (Condition("reportedGroup", "equals", ("x",)), False),
    ],
)
def test_conditions(condition: Condition, expected: bool) -> None:
    assert is_match(WS, DeviceGroup(1, "g", 1, (condition,))) is expected


def test_all_conditions_and_the_highest_rank_count() -> None:
    name, tag = Condition("name", "startsWith", ("ws",)), Condition("tag", "equals", ("finance",))
    both = DeviceGroup(1, "both", 1, (name, tag))
    one = DeviceGroup(2, "one", 3, (name,))
    better = DeviceGroup(3, "better", 2, (name,))
    assert group_of(WS, [both, one, better]) == better
    assert group_of(WS, [DeviceGroup(4, "no rule", 1)]) is None
    assert group_of(MachineFacts("ws-9", ("Finance",)), [one, both]) == both


def group_names(world: EndpointWorld) -> dict[str, tuple[int, str | None]]:
    with world.store.connect() as connection:
        machines = Machines(connection, HOME, 0).of_ids([WS01, SRV02])
    return {machine.machine_id: (machine.rbac_group_id, machine.rbac_group_name) for machine in machines}


@pytest.fixture
def filled(world: EndpointWorld) -> EndpointWorld:
    world.ingest({"DeviceProcessEvents": [process_event(world, 2), process_event(world, 3, SRV02)]})
    world.work()
    return world


def test_machines_follow_groups_tags_and_ranks(filled: EndpointWorld) -> None:
    assert set(group_names(filled).values()) == {(DEFAULT_GROUP_ID, None)}
    with filled.store.begin() as connection:
        groups = DeviceGroups(connection, HOME)
        all_of_them = groups.create("Contoso", (Condition("domain", "equals", ("contoso.test",)),))
        vips = groups.create("VIP", (Condition("tag", "equals", ("vip",)),))
        assert (all_of_them.rank, vips.rank) == (1, 2)
        Machines(connection, HOME, 0).tag(WS01, "vip", add=True)
    assert group_names(filled)[WS01] == (all_of_them.group_id, "Contoso")
    with filled.store.begin() as connection:
        groups = DeviceGroups(connection, HOME)
        groups.move(groups.get("VIP"), 1)
        assert [group.name for group in groups.all()] == ["VIP", "Contoso"]
    assert group_names(filled)[WS01] == (vips.group_id, "VIP")
    with filled.store.begin() as connection:
        Machines(connection, HOME, 0).tag(WS01, "vip", add=False)
        groups = DeviceGroups(connection, HOME)
        groups.remove(groups.get("Contoso"))
        assert [(group.name, group.rank) for group in groups.all()] == [("VIP", 1)]
        assert DeviceGroups(connection, OTHER).all() == []
    assert set(group_names(filled).values()) == {(DEFAULT_GROUP_ID, None)}


def test_new_machines_are_placed_as_they_arrive_and_hunted_by_group(world: EndpointWorld) -> None:
    with world.store.begin() as connection:
        DeviceGroups(connection, HOME).create("Workstations", (Condition("name", "startsWith", ("ws-",)),))
    world.ingest({"DeviceProcessEvents": [process_event(world, 2), process_event(world, 3, SRV02)]})
    world.work()
    assert {key: name for key, (_, name) in group_names(world).items()} == {WS01: "Workstations", SRV02: None}
    rows = world.rows("DeviceInfo | summarize take_any(MachineGroup) by DeviceId")
    assert {str(row["DeviceId"]): row["MachineGroup"] or None for row in rows} == {WS01: "Workstations", SRV02: None}


def test_reported_groups_come_behind_those_that_people_make(world: EndpointWorld) -> None:
    info = {"DeviceId": WS01, "DeviceName": "ws-01.contoso.test", "MachineGroup": "Reported"}
    world.ingest({"DeviceInfo": [{**info, "Timestamp": world.ago(1)}]})
    world.work()
    assert group_names(world)[WS01][1] == "Reported"
    with world.store.begin() as connection:
        groups = DeviceGroups(connection, HOME)
        groups.create("Ours", (Condition("name", "startsWith", ("ws",)),))
        assert [group.name for group in groups.all()] == ["Ours", "Reported"]
    assert group_names(world)[WS01][1] == "Ours"


def test_evidence_of_alerts_shows_the_present_group(filled: EndpointWorld) -> None:
    new = NewAlert(
        title="t", severity="low", category="Execution", service_source="microsoftDefenderForEndpoint",
        detection_source="antivirus", first_activity=1, last_activity=2,
        evidence=(DeviceEvidence(device_id=WS01.upper()),),
    )  # fmt: skip
    with filled.store.begin() as connection:
        alert_id = create(connection, HOME, new, filled.clock, filled.ids).alert.alert_id
        DeviceGroups(connection, HOME).create("Workstations", (Condition("name", "startsWith", ("ws-",)),))
        alert = Alerts(connection, HOME).get(alert_id)
    assert alert is not None
    device = alert.evidence[0].entity
    assert isinstance(device, DeviceEvidence)
    assert device.rbac_group_name == "Workstations"


@pytest.mark.parametrize(
    "conditions",
    [
        (Condition("tag", "equals", ()),),
        (Condition("tag", "equals", (" ",)),),
        (Condition("tag", "equals", tuple(map(str, range(MAX_VALUES + 1)))),),
    ],
)
def test_rules_that_cannot_be(world: EndpointWorld, conditions: tuple[Condition, ...]) -> None:
    with world.store.begin() as connection, pytest.raises(InvalidRequestError):
        DeviceGroups(connection, HOME).create("x", conditions)


def test_names_are_unique_and_not_that_of_the_default_group(world: EndpointWorld) -> None:
    with world.store.begin() as connection:
        DeviceGroups(connection, HOME).create("x", ())
    for name in ("x", "", "Ungrouped devices (default)"):
        with world.store.begin() as connection, pytest.raises(InvalidRequestError):
            DeviceGroups(connection, HOME).create(name, ())


def test_a_scope_bounds_reading_and_writing(filled: EndpointWorld) -> None:
    with filled.store.begin() as connection:
        group = DeviceGroups(connection, HOME).create("Workstations", (Condition("name", "startsWith", ("ws-",)),))
        machines = Machines(connection, HOME, 0, DataScope(device_groups=frozenset({group.group_id})))
        assert machines.get(SRV02) is None
        assert machines.find("srv-02") is None
        assert machines.count() == 1
        assert machines.tag(SRV02, "x", add=True) is None
        assert Machines(connection, HOME, 0, DataScope(device_groups=frozenset())).count() == 0
        ungrouped = DataScope(hidden_device_groups=frozenset({group.group_id}))
        assert [each.machine_id for each in Machines(connection, HOME, 0, ungrouped).of_ids([WS01, SRV02])] == [SRV02]
