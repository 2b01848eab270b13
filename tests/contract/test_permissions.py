"""Permissions of the whole table: nothing without a token, nothing without a permission, nothing of another tenant."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.api_fakes import PRINCIPALS, principal
from tests.asgi import Answer, AsgiClient
from tests.contract import plausible
from tests.contract.seeded_tenant import SeededTenant
from vedette.api.openapi.bodies import BodySchemas
from vedette.contracts.answers import load_answers
from vedette.contracts.operations import OperationContract, load_operations

SURFACES = ("defender", "graph")
ALL = [
    pytest.param(surface, operation, id=f"{surface}.{operation.handler}")
    for surface in SURFACES
    for operation in load_operations()[surface].operations
    if operation.authentication == "bearer"
]
TOKEN_CODES = {"defender": "Unauthorized", "graph": "InvalidAuthenticationToken"}
OPERATION = ("surface", "operation")


def send(client: AsgiClient, seeded: SeededTenant, surface: str, operation: OperationContract) -> Answer:
    """A request that would be answered if its caller were allowed to ask."""
    name = f"{surface}.{operation.handler}"
    body = plausible.TAKEN.get(name, {}) if BodySchemas(surface, [operation.handler]).of(operation.handler) else None
    own = load_answers(surface)[operation.handler].parameters
    values = {"sinceTime": "2025-11-01T00:00:00Z", "tag": "vip"}
    query = "&".join(f"{each}={values[each]}" for each, type_ in own.items() if type_.endswith("!"))
    target = f"{seeded.path_of(surface, operation)}{'?' if query else ''}{query}"
    return client.send(operation.method, target, body=b"" if body is None else msgspec.json.encode(body))


def error_of(surface: str, answer: Answer) -> Any:
    """The error of an answer in the surface's shape."""
    error = answer.json()["error"]
    if surface == "graph":
        assert {"date", "request-id", "client-request-id"} == set(error["innerError"])
        assert error["innerError"]["request-id"] == answer.headers["request-id"]
    else:
        assert set(error) == {"code", "message", "target"}
        assert error["target"] == answer.headers["request-id"]
    return error


@pytest.fixture
def callers(seeded: SeededTenant) -> Iterator[dict[str, str]]:
    """Tokens of those who may nothing: applications and people, by surface."""
    added = {}
    for surface in SURFACES:
        audience = load_operations()[surface].audiences[-1]
        added[f"nobody-{surface}"] = principal(audience)
        added[f"nobody-{surface}-person"] = principal(audience, kind="user")
    PRINCIPALS.update(added)
    yield {name: name for name in added}
    for name in added:
        del PRINCIPALS[name]


@pytest.mark.parametrize(OPERATION, ALL)
def test_without_a_token(seeded: SeededTenant, surface: str, operation: OperationContract) -> None:
    answer = send(seeded.application.client(), seeded, surface, operation)
    assert answer.status == 401
    assert error_of(surface, answer)["code"] == TOKEN_CODES[surface]
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(OPERATION, ALL)
def test_with_a_token_for_somebody_else(seeded: SeededTenant, surface: str, operation: OperationContract) -> None:
    other = {"defender": "graph", "graph": "xdr"}[surface]
    answer = send(seeded.application.client(other), seeded, surface, operation)
    assert answer.status == 401
    assert error_of(surface, answer)["code"] == TOKEN_CODES[surface]
    assert send(seeded.application.client("ingest"), seeded, surface, operation).status == 401
    assert send(seeded.application.client("expired"), seeded, surface, operation).status == 401


@pytest.mark.parametrize(OPERATION, ALL)
def test_without_a_permission(
    seeded: SeededTenant, callers: dict[str, str], surface: str, operation: OperationContract
) -> None:
    for kind, wanted in (("", operation.application), ("-person", operation.delegated)):
        answer = send(seeded.application.client(callers[f"nobody-{surface}{kind}"]), seeded, surface, operation)
        assert answer.status == 403, answer.body
        error = error_of(surface, answer)
        if operation.part == "directory":
            assert error["code"] == "Authorization_RequestDenied"
        else:
            assert error["code"] == "Forbidden"
            assert ",".join(wanted) in error["message"]


@pytest.mark.parametrize(OPERATION, ALL)
def test_each_permission_is_enough(
    seeded: SeededTenant, monkeypatch: pytest.MonkeyPatch, surface: str, operation: OperationContract
) -> None:
    """Whatever the answer is then, it is no refusal of the caller. Only of operations that change nothing."""
    if operation.method != "GET" or operation.path.startswith("/me"):
        return
    for permission in operation.application:
        besides = operation.besides[:1]
        caller = principal(load_operations()[surface].audiences[-1], permission, *besides)
        monkeypatch.setitem(PRINCIPALS, "enough", caller)
        answer = send(seeded.application.client("enough"), seeded, surface, operation)
        assert answer.status not in (401, 403), (permission, answer.body)


OF_NOBODY = {
    "get_role_definition",
    "find_tenant_by_id",
    "find_tenant_by_domain",
    "get_directory_role",
    "list_directory_role_members",
    "get_hunting_query",
    "find_machines_by_ip",
    "get_machines_by_vulnerability",
}  # fmt: skip
"""Operations on what every tenant has, or that name no object of one."""
KNOWN_TO_ALL = {"ips", "domains", "users", "files", "findbyip(ip='"}
"""Segments before facts of the world that are in no tenant: an address, a domain, a name, a hash."""


def names_an_object(operation: OperationContract) -> bool:
    segments = [part.lower() for part in operation.path.split("/")]
    return "{" in operation.path and operation.handler not in OF_NOBODY and not KNOWN_TO_ALL & set(segments[1:2])


NAMED = [each for each in ALL if names_an_object(each.values[1])]  # type: ignore[arg-type]


@pytest.mark.parametrize(OPERATION, NAMED)
def test_objects_of_another_tenant_do_not_exist(
    seeded: SeededTenant, monkeypatch: pytest.MonkeyPatch, surface: str, operation: OperationContract
) -> None:
    """In the same words as ids that never were: no 403 tells that there is something."""
    monkeypatch.setitem(seeded.objects, ("graph", "incidents"), "2")  # numbers count from 1 in every tenant
    answer = send(seeded.client(surface, other=True), seeded, surface, operation)
    assert answer.status in ((404,) if operation.method in ("GET", "DELETE") else (404, 400)), answer.body
    error_of(surface, answer)


@pytest.mark.parametrize("path", ["/api/nothing", "/v1.0/security/nothing", "/beta/nothing", "/v1.0", "/api"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
def test_what_is_not_in_the_table_is_not_there(seeded: SeededTenant, path: str, method: str) -> None:
    surface = "defender" if path.startswith("/api") else "graph"
    answer = seeded.client(surface).send(method, path)
    assert answer.status in (400, 404)
    error_of(surface, answer)


OPEN = {"graph.metadata", "defender.download", "server.health", "server.readiness"}
"""Operations without a caller: the schema, links that are a permission themselves, probes."""


def test_what_wants_no_caller_is_written_down() -> None:
    """Login and portal know people in ways of their own; the OpenAPI documents are of the program, not of a tenant."""
    found = {
        f"{surface}.{operation.handler}"
        for surface, document in load_operations().items()
        if surface not in ("login", "portal", "openapi")
        for operation in document.operations
        if operation.authentication == "none"
    }
    assert found == OPEN
