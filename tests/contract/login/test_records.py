"""Contract data of identity against the code that serves it and the facts it came from."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import vedette.api.login
import vedette.identity
from tests.unit.identity.world import World
from vedette.contracts.login_faults import load_login_faults, login_faults_by_key
from vedette.contracts.operations import load_operations
from vedette.contracts.permissions import load_resources
from vedette.ids import derived_guid, is_guid


def test_every_operation_has_a_handler_and_the_reverse(world: World) -> None:
    assert {operation.handler for operation in load_operations()["login"].operations} == set(world.handlers)


def test_faults_agree_with_the_contract(shared: Path) -> None:
    contract = yaml.safe_load((shared / "contract" / "entra.yaml").read_text(encoding="utf-8"))
    faults = load_login_faults()
    for entry in contract["errors"]:
        fault = faults[entry["code"]]
        assert fault.error in entry["error"].replace("interaction", "interaction_required")
        assert fault.status == entry["http"]
        assert fault.name == entry["name"]
        assert fault.suberror == entry.get("suberror")
    assert set(faults) - {entry["code"] for entry in contract["errors"]} == {650052, 700212, 700214}


def test_every_refusal_in_the_code_has_its_record_and_fields() -> None:
    faults = login_faults_by_key()
    raised = list(refusals_in(Path(vedette.identity.__file__).parent, Path(vedette.api.login.__file__).parent))
    assert len(raised) > 40
    for key, given in raised:
        wanted = {name for _, name, _, _ in string.Formatter().parse(faults[key].text) if name}
        assert given - {"oauth_error"} == wanted, key


def refusals_in(*folders: Path) -> Iterator[tuple[str, set[str]]]:
    """Keys and field names of every `OAuthError("key", field=…)` below the folders."""
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "OAuthError":
                [argument] = node.args
                keys = [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]
                for key in keys:
                    assert isinstance(key, ast.Constant), f"{path}:{node.lineno}"
                    yield key.value, {keyword.arg or "" for keyword in node.keywords}


def test_fault_texts_are_one_line_with_plain_fields() -> None:
    for fault in login_faults_by_key().values():
        assert "\n" not in fault.text
        fields = [name for _, name, spec, _ in string.Formatter().parse(fault.text) if name is not None and not spec]
        assert all(name.isidentifier() for name in fields), fault.code


@pytest.mark.parametrize("key", ["mtp", "wdatp"])
def test_permissions_agree_with_the_contract(shared: Path, key: str) -> None:
    contract = yaml.safe_load((shared / "contract" / "permissions.yaml").read_text(encoding="utf-8"))
    entry = next(app for app in contract["resource_apps"] if app["key"] == key)
    resource = load_resources()[key]
    assert resource.app_id == entry["appId"]
    assert resource.owner_tenant_id == entry["appOwnerTenantId"]
    for kind, known in (("application_permissions", resource.app_roles), ("delegated_scopes", resource.scopes)):
        ids = {permission.value: permission.id for permission in known}
        assert set(ids) == {permission["value"] for permission in entry[kind]}
        for permission in entry[kind]:
            if "id" in permission and "doubtful" not in permission["id_src"]:
                assert ids[permission["value"]] == permission["id"]


def test_graph_permission_ids_agree_with_the_contract(shared: Path) -> None:
    contract = yaml.safe_load((shared / "contract" / "entra.yaml").read_text(encoding="utf-8"))
    graph = load_resources()["graph"]
    roles = {role.value: role.id for role in graph.app_roles}
    scopes = {scope.value: scope.id for scope in graph.scopes}
    for name, ids in contract["graph_management"]["permission_ids"].items():
        assert roles.get(name) == ids["app_role_id"], name
        assert scopes.get(name) == ids["scope_id"], name


def test_invented_ids_are_derived_and_marked() -> None:
    for resource in load_resources().values():
        for kind, permissions in (("role", resource.app_roles), ("scope", resource.scopes)):
            for permission in permissions:
                assert is_guid(permission.id)
                derived = permission.id == derived_guid(resource.key, kind, permission.value)
                assert derived == (permission.id_source == "vedette"), (resource.key, permission.value)


@pytest.mark.parametrize("plural", ["Incidents.Read.All", "Incidents.ReadWrite.All"])
def test_the_misspelt_permission_of_the_sample_token_does_not_exist(plural: str) -> None:
    names = {role.value for resource in load_resources().values() for role in resource.app_roles}
    assert plural not in names
