"""The contract's endpoints against the operations table: what is known has to work, what is not built says so."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vedette.contracts.operations import load_operations

yaml = pytest.importorskip("yaml")
_PARAMETER = re.compile(r"\{[^}]*\}")


def shape(path: str) -> str:
    """A path without what varies: parameters, case, the query."""
    return _PARAMETER.sub("{}", path.partition("?")[0]).lower()


def built(surface: str) -> dict[tuple[str, str], str]:
    """Status by method and shape of every path of a surface."""
    document = load_operations()[surface]
    return {
        (operation.method, shape(template)): operation.status
        for operation in document.operations
        for template in document.templates(operation)
    }


def contract(shared: Path, name: str) -> Any:
    return yaml.safe_load((shared / "contract" / name).read_text())


@pytest.mark.parametrize("tag", ["D", "C", "L", "M"])
def test_endpoints_of_defender_for_endpoint(shared: Path, tag: str) -> None:
    """The issue asks for D and C whole; L and M where the contract gives their shape, which it does for all of them."""
    table = built("defender")
    endpoints = [each for each in contract(shared, "mde_api.yaml")["endpoints"] if each["v"] == tag]
    assert endpoints
    missing = [
        (each["m"], each["p"]) for each in endpoints if table.get((each["m"], shape(each["p"]))) != "implemented"
    ]
    assert missing == []


def test_endpoints_of_defender_xdr(shared: Path) -> None:
    table = built("defender")
    endpoints = list(_described(contract(shared, "xdr_api.yaml")))
    assert len(endpoints) >= 4
    assert [each for each in endpoints if table.get((each[0], shape(each[1]))) != "implemented"] == []


def _described(node: Any) -> Iterator[tuple[str, str]]:
    """Every method and path that a record of the contract gives."""
    if isinstance(node, dict):
        if "method" in node and str(node.get("path", "")).startswith("/api"):
            yield node["method"], node["path"]
        node = list(node.values())
    for each in node if isinstance(node, list) else ():
        yield from _described(each)


def graph_endpoints(document: Any) -> list[tuple[str, str]]:
    """Methods and paths of v1.0 that the contract lists."""
    found: list[tuple[str, str]] = []
    for each in document["endpoints"]:
        if each.get("api") == "beta" or not {"path", "paths"} & set(each):
            continue
        if isinstance(each.get("paths"), dict):
            found += [(method, path) for path, methods in each["paths"].items() for method in methods]
        elif "paths" in each:
            found += [("GET", path) for path in each["paths"]]
        else:
            found += _of_path(each)
    return found


def _of_path(each: Any) -> list[tuple[str, str]]:
    path, _, tail = each["path"].removesuffix("]").partition("[")
    tail = tail or ("/{id}" if each["id"] == "subscriptions" else "")
    methods = [str(method).partition(" ") for method in each.get("methods") or [each.get("method", "GET")]]
    found = []
    for method, _, what in methods:
        is_of_one = bool(tail) and (method in ("PATCH", "DELETE") or (method == "GET" and not what))
        found.append((method, f"{path}{tail}" if is_of_one else path))
    return found


NOT_IN_V1 = re.compile(r"/security/identities/(remediationactions|supportedremediationactions|sensormigration|users)")
"""Paths that the contract lists beside those of v1.0 and that v1.0's metadata does not have: beta alone."""


def test_endpoints_of_graph(shared: Path) -> None:
    document = contract(shared, "graph_security.yaml")
    table = built("graph")
    endpoints = [each for each in graph_endpoints(document) if not NOT_IN_V1.match(each[1].lower())]
    assert len(endpoints) > 60
    missing = [each for each in endpoints if table.get((each[0], shape(f"/v1.0{each[1]}"))) != "implemented"]
    assert missing == []
