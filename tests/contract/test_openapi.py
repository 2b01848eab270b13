"""The OpenAPI documents: valid, the same as the operations table, served on every host, written by a command."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.api_fakes import assemble
from tests.contract.seeded_tenant import SeededTenant
from vedette.api.openapi import routes
from vedette.api.openapi.__main__ import write_documents
from vedette.api.openapi.bodies import BODIES, FORMS, MEMBERS
from vedette.api.openapi.document import FAMILIES, ApiFamily, openapi_document
from vedette.contracts.answers import load_answers
from vedette.contracts.operations import OperationContract, load_operations
from vedette.errors import ContractError

EACH = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
SURFACES = ("defender", "graph")


def described(family: ApiFamily) -> dict[str, tuple[str, str, Any]]:
    """Path, method and description of every operation of a document, by its id."""
    paths = openapi_document(family)["paths"]
    return {
        entry["operationId"]: (path, method.upper(), entry)
        for path, methods in paths.items()
        for method, entry in methods.items()
    }


@EACH
def test_documents_are_valid(family: ApiFamily) -> None:
    validate(openapi_document(family))


def test_every_operation_of_the_table_is_described_once() -> None:
    ids = [name for family in FAMILIES.values() for name in described(family)]
    table = [f"{surface}.{each.handler}" for surface in SURFACES for each in load_operations()[surface].operations]
    assert sorted(ids) == sorted(table)
    assert len(set(ids)) == len(ids)


@EACH
def test_descriptions_say_what_the_table_says(family: ApiFamily) -> None:
    table, found = load_operations()[family.surface], described(family)
    for operation in family.operations():
        path, method, entry = found[f"{family.surface}.{operation.handler}"]
        first, *others = table.templates(operation)
        assert (path, method) == (first, operation.method)
        assert entry.get("x-also-at", []) == others
        assert (entry["x-status"], entry["x-source"]) == (operation.status, operation.source)
        assert [each["name"] for each in entry["parameters"] if each["in"] == "path"] == re.findall(r"{(\w+)}", path)
        for scheme, wanted in (("application", operation.application), ("delegated", operation.delegated)):
            listed = [each[scheme][0] for each in entry["security"] if each.get(scheme)]
            assert list(dict.fromkeys(listed)) == list(wanted)
        assert ("requestBody" in entry) == takes_a_body(family.surface, operation)


def takes_a_body(surface: str, operation: OperationContract) -> bool:
    return operation.handler in BODIES[surface] or operation.handler in MEMBERS or operation.handler in FORMS


BODILESS = {
    "revoke_sign_in_sessions",
    "regenerate_sensor_access_key",
    "restore_deleted_item",
    "reauthorize_subscription",
}
"""Handlers of POST that take nothing."""


@pytest.mark.parametrize("surface", SURFACES)
def test_bodies_are_those_of_operations_that_write(surface: str) -> None:
    writing = {
        each.handler for each in load_operations()[surface].operations if each.method in ("POST", "PATCH", "PUT")
    }
    with_body = {each.handler for each in load_operations()[surface].operations if takes_a_body(surface, each)}
    assert with_body == writing - BODILESS
    assert BODIES[surface].keys() <= writing


def test_an_operation_without_an_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from vedette.contracts import answers

    lacking = {name: load_operations()[name] for name in ("defender",)} | {"graph": load_operations()["defender"]}
    monkeypatch.setattr(answers, "load_operations", lambda: lacking)
    with pytest.raises(ContractError, match="none for"):
        load_answers.__wrapped__("graph")


VALUES = {"top": "1", "skip": "0", "count": "true"}
REQUIRED = {"sinceTime": "2025-11-01T00:00:00Z", "tag": "vip"}


@pytest.mark.parametrize("surface", SURFACES)
def test_the_query_options_that_are_described_are_taken(seeded: SeededTenant, surface: str) -> None:
    refused = []
    for operation in load_operations()[surface].operations:
        answer = load_answers(surface)[operation.handler]
        if operation.method != "GET":
            continue
        own = "&".join(f"{name}={REQUIRED[name]}" for name, type_ in answer.parameters.items() if type_.endswith("!"))
        for option in answer.options:
            value = next(iter(answer.expand), "evidence") if option == "expand" else VALUES.get(option, "")
            address = f"{seeded.path_of(surface, operation)}?{own}&${option}={value}"
            client = seeded.client(surface, person="/me" in operation.path)
            if (status := client.get(address).status) != 200:
                refused.append((operation.handler, option, status))
    assert refused == []


@pytest.mark.parametrize("surface", SURFACES)
def test_no_option_is_taken_that_is_not_described(seeded: SeededTenant, surface: str) -> None:
    """Some operations read over options; those that read them refuse by name what is not offered."""
    for operation in load_operations()[surface].operations:
        offered = load_answers(surface)[operation.handler].options
        if operation.method != "GET" or not offered or operation.path.startswith("/me"):
            continue
        answer = seeded.client(surface).get(f"{seeded.path_of(surface, operation)}?$search=x")
        assert answer.status == 400, operation.handler


@pytest.mark.parametrize(
    "host", ["localhost", "graph.microsoft.com", "api.security.microsoft.com", "api-eu.securitycenter.microsoft.com"]
)
def test_documents_are_served_on_every_host(host: str) -> None:
    application = assemble({"openapi": (load_operations()["openapi"], routes.handlers())})
    client = application.client(host=host)
    listed = client.get("/openapi").json()["documents"]
    assert [each["name"] for each in listed] == list(FAMILIES)
    for each in listed:
        answer = client.get(each["url"])
        assert (answer.status, answer.json()["servers"][0]) == (200, {"url": f"https://{host}"})
    assert client.get("/openapi/Graph").status == 200
    assert client.get("/openapi/nothing").status == 404
    application.close()


def test_documents_are_written(tmp_path: Path) -> None:
    paths = write_documents(tmp_path / "openapi")
    assert [path.stem for path in paths] == list(FAMILIES)
    assert all(json.loads(path.read_bytes())["openapi"] == "3.1.0" for path in paths)
