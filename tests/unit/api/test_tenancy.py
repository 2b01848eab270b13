"""The tenant of a request is its token's: no handler can get another one into a repository."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import vedette

API = Path(vedette.__file__).parent / "api"
SURFACES = [path for surface in ("graph", "defender") for path in sorted((API / surface).glob("*.py"))]
REPOSITORIES = {
    "Incidents",
    "Alerts",
    "Machines",
    "MachineActions",
    "Investigations",
    "LibraryFiles",
    "Indicators",
    "Groups",
}
OWN_TENANT = "context.tenant.tenant_id"
OF_A_LINK = "download.tenant_id"
"""What a signed link says, once its signature has been checked."""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def assigned(function: ast.AST, name: str) -> set[str]:
    """The expressions that a function assigns to a local name."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            pairs = (
                zip(target.elts, value.elts, strict=True)
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
                else [(target, value)]
            )
            found |= {ast.unparse(v) for t, v in pairs if isinstance(t, ast.Name) and t.id == name}
    return found


@pytest.mark.parametrize("path", SURFACES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_repositories_are_bound_to_the_callers_tenant(path: Path) -> None:
    if path.name == "resource_data.py":  # told by the job of a subscription, which names the tenant
        return
    tree = ast.parse(path.read_text())
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in calls(function):
            if isinstance(call.func, ast.Name) and call.func.id in REPOSITORIES:
                tenant = ast.unparse(call.args[1])
                sources = assigned(function, tenant) if tenant.isidentifier() else {tenant}
                assert sources in ({OWN_TENANT}, {OF_A_LINK}), f"{path.name}:{call.lineno}"


SCOPED = {
    "Incidents": {"seen_incidents(context)"},
    "Alerts": {"seen_alerts(context)"},
    "Machines": {"context.scope", "scope"},
    "MachineActions": {"context.scope"},
    "Investigations": {"context.scope"},
}
"""How each repository whose rows are about machines learns what the caller sees."""
ANSWERED_TO_NOBODY = {"downloads.py", "resource_data.py"}
"""Links were made by somebody who saw the action; subscriptions are made by those who see everything."""


@pytest.mark.parametrize("path", SURFACES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_repositories_are_bound_to_what_the_caller_sees(path: Path) -> None:
    for call in calls(ast.parse(path.read_text())):
        if isinstance(call.func, ast.Name) and call.func.id in SCOPED and path.name not in ANSWERED_TO_NOBODY:
            assert ast.unparse(call.args[-1]) in SCOPED[call.func.id], f"{path.name}:{call.lineno}"


@pytest.mark.parametrize("path", sorted((API / "defender").glob("*.py")), ids=lambda path: path.name)
def test_telemetry_is_read_as_the_caller_sees_it(path: Path) -> None:
    tree = ast.parse(path.read_text())
    asked = {
        ast.unparse(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "within"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("parts.telemetry"):
            assert ast.unparse(node) in asked, f"{path.name}:{node.lineno}"


def test_the_check_sees_the_repositories() -> None:
    made = [
        call
        for path in SURFACES
        for call in calls(ast.parse(path.read_text()))
        if isinstance(call.func, ast.Name) and call.func.id in REPOSITORIES
    ]
    assert len(made) > 10
