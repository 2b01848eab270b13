"""`vedette devicegroup` and `vedette role`: what they write is what tokens are bounded by."""

from pathlib import Path

import pytest

from vedette.errors import UsageError
from vedette.machines.group_rules import Condition
from vedette.server.device_groups import read_rules, rule_text
from vedette.server.security_roles import list_permissions


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


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    from vedette.server.device_groups import list_device_groups

    with pytest.raises(UsageError):
        list_device_groups(tmp_path / "nothing", None)
