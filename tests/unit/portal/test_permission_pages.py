"""The page Permissions: device groups and custom roles, made and changed by forms, by those who may."""

import pytest
from sqlalchemy import select

from tests.api_fakes import HOME, Application
from tests.unit.portal.test_portal import person, portal, signed_in
from vedette.identity.audit import CHANGE_TABLES, TOPIC
from vedette.identity.directory.device_access import DeviceGroupAccess
from vedette.identity.directory.groups import Group, Groups
from vedette.identity.directory.security_roles import SecurityRoles
from vedette.jobs.tables import OUTBOX
from vedette.machines.device_groups import DeviceGroups

__all__ = ["portal"]
TEAM = "00000000-0000-4000-8000-00000000000a"


def test_a_device_group_is_made_ruled_given_and_deleted(portal: Application) -> None:
    browser = signed_in(portal)
    with portal.store.begin() as connection:
        Groups(connection, HOME).create(Group(TEAM, "Workplace <team>", 1))
    browser.submit("/portal/permissions", action="device-group", name="Workstations")
    with portal.store.connect() as connection:
        (group,) = DeviceGroups(connection, HOME).all()
    page = f"/portal/permissions/device-groups/{group.group_id}"
    browser.submit(
        page, action="save", name="Clients", rank="1", **{"name-operator": "startsWith", "name-values": "ws-"}
    )
    browser.submit(page, action="access", people=TEAM)
    with portal.store.connect() as connection:
        (group,) = DeviceGroups(connection, HOME).all()
        assert DeviceGroupAccess(connection, HOME).all() == {group.group_id: {TEAM}}
    assert (group.name, [each.values for each in group.conditions]) == ("Clients", [("ws-",)])
    shown = browser.get("/portal/permissions").body.decode()
    assert "Clients" in shown
    assert "Workplace &lt;team&gt;" in shown
    browser.submit(page, action="delete")
    with portal.store.connect() as connection:
        assert DeviceGroups(connection, HOME).all() == []
    assert told(portal, "DeviceGroup") == {
        "Add device group", "Update device group", "Update user access of device group", "Delete device group",
    }  # fmt: skip


def test_a_role_is_made_and_given(portal: Application) -> None:
    browser, ann = signed_in(portal), person(portal, "nobody@contoso.test")
    browser.submit("/portal/permissions", action="role", name="Analyst", permission="security_data.read")
    with portal.store.connect() as connection:
        role = SecurityRoles(connection, HOME).get("Analyst")
    page = f"/portal/permissions/roles/{role.id}"
    browser.submit(page, action="assign", principal=ann.id, source="endpoint")
    with portal.store.connect() as connection:
        (grant,) = SecurityRoles(connection, HOME).grants_of({ann.id})
    assert (grant.rights, grant.sources, grant.device_groups) == ({"view_data"}, {"endpoint"}, None)
    assert "nobody@contoso.test" in browser.get(page).body.decode()
    with portal.store.connect() as connection:
        (assignment,) = SecurityRoles(connection, HOME).assignments()
    browser.submit(page, action="unassign", assignment=assignment.id)
    browser.submit(page, action="save", permission="alerts.manage", description="")
    browser.submit(page, action="delete")
    assert told(portal, "Role") == {
        "Add custom role", "Add custom role assignment", "Remove custom role assignment", "Update custom role",
        "Delete custom role",
    }  # fmt: skip


def told(portal: Application, kind: str) -> set[str]:
    """The changes that the audit was told of, by the kind of what they are about."""
    with portal.store.connect() as connection:
        payloads = list(connection.scalars(select(OUTBOX.c.payload).where(OUTBOX.c.topic == TOPIC)))
    events = [event for payload in payloads for event in payload["events"]]
    fields = [event["fields"] for event in events if event["table"] == CHANGE_TABLES[0]]
    return {each["action"] for each in fields if each.get("target_kind") == kind}


@pytest.mark.parametrize("name", ["people@contoso.test", "nobody@contoso.test"])
def test_others_are_refused(portal: Application, name: str) -> None:
    assert signed_in(portal, name).get("/portal/permissions").status == 403
