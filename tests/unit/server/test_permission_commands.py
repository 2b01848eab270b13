"""`vedette devicegroup` and `vedette role`: what they write is what tokens are bounded by."""

from pathlib import Path

import pytest
from sqlalchemy import select

from vedette.errors import UsageError
from vedette.identity.audit import CHANGE_TABLES, TOPIC
from vedette.jobs.tables import OUTBOX
from vedette.machines.group_rules import Condition
from vedette.server.bootstrap import bootstrap_client
from vedette.server.device_groups import (
    GroupChange,
    change_device_group,
    create_device_group,
    delete_device_group,
    read_rules,
    rule_text,
)
from vedette.server.security_roles import create_role, delete_role, list_permissions
from vedette.server.tenants import OWNER, create_tenant, owned_services, revoke_tokens, rotate_key


def test_rules_are_read_and_written() -> None:
    rules = read_rules(["name startsWith ws-", "name startsWith pc-", "tag equals first floor"])
    assert rules == (
        Condition("name", "startsWith", ("ws-", "pc-")),
        Condition("tag", "equals", ("first floor",)),
    )
    assert rule_text(rules) == "name startsWith ws- or pc- and tag equals first floor"


@pytest.mark.parametrize("text", ["name", "name startsWith", "colour equals red", "name likes ws"])
def test_rules_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        read_rules([text])


def test_every_permission_is_listed() -> None:
    assert {"key", "group", "name", "rights"} == set(list_permissions()[0])


def test_a_role_of_unknown_permissions_says_how_to_find_them(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"alerts\.shout\. List them with: vedette role permissions"):
        create_role(tmp_path, None, "Crier", ["security_data.read", "alerts.shout"], "")


def test_what_the_owner_of_the_folder_changes_is_told_to_the_audit(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = bootstrap_client(data, "Connector", "contoso.test")
    create_tenant(data, "Fabrikam", "fabrikam.test")
    rotate_key(data, "contoso.test")
    revoke_tokens(data, "contoso.test")
    create_device_group(data, None, "Clients", GroupChange(rules=["name startsWith ws-"]))
    change_device_group(data, None, "Clients", GroupChange(rank=1))
    create_role(data, None, "Analyst", ["security_data.read"], "")
    delete_role(data, None, "Analyst")
    delete_device_group(data, None, "Clients")
    with owned_services(data) as services, services.store.connect() as connection:
        query = select(OUTBOX.c.tenant_id, OUTBOX.c.payload).where(OUTBOX.c.topic == TOPIC)
        told = [
            (row.tenant_id == made["tenant_id"], event["fields"]["action"], event["fields"]["actor_name"])
            for row in connection.execute(query)
            for event in row.payload["events"]
            if event["table"] == CHANGE_TABLES[0]
        ]
    assert {actor for *_, actor in told} == {OWNER}
    assert {action for is_home, action, _ in told if not is_home} == {"Create company"}
    assert {action for is_home, action, _ in told if is_home} == {
        "Create company",
        "Add application",
        "Update application – Certificates and secrets management ",
        "Rotate signing key",
        "Revoke tokens of tenant",
        "Add device group",
        "Update device group",
        "Add custom role",
        "Delete custom role",
        "Delete device group",
    }


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    from vedette.server.device_groups import list_device_groups

    with pytest.raises(UsageError):
        list_device_groups(tmp_path / "nothing", None)
