"""Bad input to every operation: no server error, the surface's own error body, and nothing changed by a refusal.

Each operation and each property gets some of what hurts, by turns; all of it with VEDETTE_FUZZ at 50 or more.
"""

import copy
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pytest

from tests.asgi import Answer, AsgiClient
from tests.contract import plausible
from tests.contract.seeded_tenant import ROLE, SeededTenant, make_seeded_tenant
from tests.contract.test_permissions import error_of
from vedette.api.bodies import MAX_DEPTH
from vedette.contracts.answers import load_answers
from vedette.contracts.operations import OperationContract, load_operations
from vedette.store.metadata import METADATA

SURFACES = ("defender", "graph")
THOROUGH = int(os.environ.get("VEDETTE_FUZZ", "3")) >= 50
TURNS = 2
"""Values that a property gets."""

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, "", "x", "\x00", "\ud800", "9" * 30, [], {}, [None], [[]], ["x"], {"a": {}},
    "x" * 40_000, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2025-02-30T00:00:00Z", "\u202e", "%s{0}",
)  # fmt: skip
RAW = (
    b"", b"null", b"[]", b'"x"', b"1", b"{", b"\xff\xfe{}", b'{"a":"\xe4"}', b"[" * 20_000, b'{"a":' * 20_000, b"NaN",
    b'{"a":NaN}', b'{"a":1e999}', b"\x00", b'{"a":1}garbage', b"\xef\xbb\xbf{}", b"{}", b"[]" * 3, b'{"a":1,"a":[2]}',
    b'{"a":"\\ud800"}', b"a=b&c=d", b"<a/>",
)  # fmt: skip
QUERIES = (
    "$filter=%ff%fe", "%e4=1", "$filter=%00", "$filter=id%20eq%20'%00'", "$filter=" + "(" * 5_000,
    "$filter=" + "not+" * 5_000, "$filter=" + "+or+".join(["id+eq+'1'"] * 3_000), "$filter=id+eq+", "$filter='",
    "$filter=id+in+(" + "1," * 4_000 + "1)", "$filter=" + "+or+".join(["id+eq+1"] * 1_300),
    "$filter=" + "+and+".join(["id+in+('1','2')"] * 480), "$filter=" + "+or+".join(["not+(id+eq+1)"] * 490),
    "$filter=a/b/c/d/e+eq+1", "$filter=id/any(x:x/any(y:y/any(z:z+eq+1)))", "$orderby=" + ",".join(["id"] * 2_000),
    "$orderby=%00", "$top=" + "9" * 400, "$top=-1", "$top=1e3", "$top=%D9%A3", "$skip=" + "9" * 30, "$skip=-1",
    "$top=1&$top=2", "$select=" + ",".join(["id"] * 3_000), "$select=%00", "$select=*,*", "$expand=" + "(" * 3_000,
    "$expand=" + "a(" * 500, "$count=perhaps", "$skiptoken=%00", "$skiptoken=" + "A" * 9_000, "$search=%22",
    "$nothing=1", "=", "&&&", "%", "%zz=1", "$filter=id+eq+" + "9" * 5_000, "$filter=id+eq+1e999",
    "$filter=id+eq+9999-99-99T99:99:99Z", "$format=xml", "$apply=x",
)  # fmt: skip
IN_PATHS = (
    "%00", "%ff", "%2F", "%2e%2e", "..%2f..%2fetc%2fpasswd", "'", "''", "%27%20or%201=1--", "(", ")", "%25", "%",
    "%zz", "\\", "*", "{id}", "x" * 9_000, "%F0%9F%98%80", "%ED%A0%80", "-1", "0", "9" * 40, "1%20", "%09", "1;a=b",
    "null", "%C4%B1", *(quote(text, safe="") for text in plausible.IN_ADDRESSES if "\x00" not in text),
)  # fmt: skip

DEPTHS = (MAX_DEPTH - 3, MAX_DEPTH + 1, 300, 450, 900)

OPERATIONS = [
    (surface, operation)
    for surface in SURFACES
    for operation in load_operations()[surface].operations
    if operation.status != "planned"  # answered 501, whatever is sent
]
WITH_BODY = [
    pytest.param(surface, operation, id=f"{surface}.{operation.handler}")
    for surface, operation in OPERATIONS
    if operation.method not in ("GET", "DELETE")
]
WITH_QUERY = [
    pytest.param(surface, operation, id=f"{surface}.{operation.handler}")
    for surface, operation in OPERATIONS
    if operation.method == "GET"
]
WITH_PARAMETERS = [
    pytest.param(surface, operation, id=f"{surface}.{operation.handler}")
    for surface, operation in OPERATIONS
    if "{" in operation.path
]


def some(of: Sequence[Any], count: int, operation: OperationContract, step: int = 0) -> list[Any]:
    """As many of what hurts, others for each operation and step; everything where the tests are to be thorough."""
    if THOROUGH:
        return list(of)
    start = sum(operation.handler.encode()) + step * count
    return [of[(start + number) % len(of)] for number in range(count)]


@pytest.fixture(scope="module")
def hurt() -> Iterator[SeededTenant]:
    """A tenant for everything that could change it."""
    tenant = make_seeded_tenant("hurt")
    yield tenant
    tenant.close()


def taken(tenant: SeededTenant, surface: str, operation: OperationContract) -> Any:
    """A body that the operation takes, if it takes one in JSON."""
    objects = tenant.objects
    ids = {
        "create_service_principal": {"appId": ROLE["id"], "tags": ["a"]},
        "create_grant": {
            "clientId": objects["graph", "serviceprincipals"], "consentType": "Principal", "scope": "Incident.Read",
            "principalId": objects["graph", "users"], "resourceId": objects["graph", "serviceprincipals"],
        },
        "update_grant": {"scope": "Incident.Read"},
        "create_directory_role_assignment": {
            "principalId": objects["graph", "users"], "roleDefinitionId": objects["graph", "roledefinitions"],
            "directoryScopeId": "/",
        },
        "move_alerts": {"alertIds": [objects["graph", "alerts_v2"]], "newIncidentName": "N", "newAlertComment": "C"},
        "invoke_identity_action": {
            "accountId": objects["graph", "users"], "action": "disable", "identityProvider": "entraID",
        },
        "activate_sensor_candidates": {"serverIds": ["one"]},
        "batch_update_alerts": {"alertIds": [objects["defender", "alerts"]], "status": "Resolved", "comment": "C"},
        "create_alert_by_reference": {
            "machineId": objects["defender", "machines"], "severity": "Low", "title": "T", "description": "D",
            "recommendedAction": "N", "eventTime": "2025-11-23T00:00:00Z", "reportId": "1", "category": "None",
        },
    }  # fmt: skip
    assignment = {
        "principalId": objects["graph", "users"],
        "resourceId": objects["graph", "serviceprincipals"],
        "appRoleId": ROLE["id"],
    }
    ids |= dict.fromkeys(
        ("create_role_assignment", "create_assigned_role", "create_user_role", "create_group_role"), assignment
    )
    reference = {"@odata.id": f"https://localhost/v1.0/directoryObjects/{objects['graph', 'users']}"}
    ids |= dict.fromkeys(("add_group_member", "add_directory_role_member"), reference)
    return ids.get(operation.handler) or plausible.TAKEN.get(f"{surface}.{operation.handler}")


def stored(tenant: SeededTenant) -> dict[str, int]:
    """What every table holds, as one number each."""
    with tenant.world.store.connect() as connection:
        ask = connection.connection.dbapi_connection.execute  # type: ignore[union-attr]
        return {name: hash(tuple(sorted(map(repr, ask(f'SELECT * FROM "{name}"'))))) for name in METADATA.tables}


class Watch:
    """Sends what hurts to an operation and looks at what comes of it."""

    def __init__(self, tenant: SeededTenant, surface: str, operation: OperationContract) -> None:
        self._tenant, self._surface = tenant, surface
        self._before = stored(tenant)
        self._method = operation.method
        self.client: AsgiClient = tenant.client(surface, person=operation.path.startswith("/me"))
        own = load_answers(surface)[operation.handler].parameters
        values = {"sinceTime": "2025-11-01T00:00:00Z", "tag": "vip"}
        self.needed = "&".join(f"{name}={values[name]}" for name, type_ in own.items() if type_.endswith("!"))
        self.path = tenant.path_of(surface, operation)

    def send(self, target: str, body: bytes = b"", **headers: str) -> Answer:
        answer = self.client.send(self._method, target, body=body, headers=headers)
        sent = f"{self._method} {target[:300]} {body[:300]!r} → {answer.status} {answer.body[:300]!r}"
        assert answer.status < 500, sent
        assert len(answer.body) < 100_000 or answer.status < 300, sent
        after = self._before if self._method == "GET" else stored(self._tenant)
        if answer.status >= 400:
            error = error_of(self._surface, answer)
            assert all(error[name] for name in ("code", "message")), sent
            assert after == self._before, sent
        self._before = after
        return answer


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is something in a body; of an array, in its first item."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*at, key))


def put(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """A body with something else in one place."""
    if not at:
        return new
    changed = copy.copy(value)
    changed[at[0]] = put(value[at[0]], at[1:], new)
    return changed


def found(value: Any, at: tuple[Any, ...]) -> Any:
    for key in at:
        value = value[key]
    return value


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(("surface", "operation"), WITH_BODY)
def test_wrong_bodies(hurt: SeededTenant, surface: str, operation: OperationContract) -> None:
    watch = Watch(hurt, surface, operation)
    for raw in some(RAW, 6, operation):
        watch.send(watch.path, raw)
    body = taken(hurt, surface, operation)
    for turn, at in enumerate(places(body) if body else ()):
        for value in some(VALUES, TURNS, operation, turn):
            watch.send(watch.path, json.dumps(put(body, at, value)).encode())
        if isinstance(found(body, at), dict):
            watch.send(watch.path, json.dumps(put(body, at, {**found(body, at), "colour": "red"})).encode())


@pytest.mark.parametrize(("surface", "operation"), WITH_BODY)
def test_deep_bodies(hurt: SeededTenant, surface: str, operation: OperationContract) -> None:
    watch = Watch(hurt, surface, operation)
    body = taken(hurt, surface, operation) or {"value": 1}
    for depth in some(DEPTHS, 2, operation):
        for name in some(list(body), 1, operation):
            watch.send(watch.path, json.dumps({**body, name: nested(depth)}).encode())
            watch.send(watch.path, json.dumps({**body, f"{name}@odata.type": nested(depth)}).encode())


@pytest.mark.parametrize(("surface", "operation"), WITH_BODY)
def test_wrong_media_types(hurt: SeededTenant, surface: str, operation: OperationContract) -> None:
    watch = Watch(hurt, surface, operation)
    for media in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "\xe4",
        "application/json;",
    ):
        watch.send(watch.path, b'{"nothing": 1}', content_type=media)


@pytest.mark.parametrize(("surface", "operation"), WITH_QUERY)
def test_wrong_queries(hurt: SeededTenant, surface: str, operation: OperationContract) -> None:
    watch = Watch(hurt, surface, operation)
    for query in some(QUERIES, 8, operation):
        watch.send(f"{watch.path}?{watch.needed}&{query}" if watch.needed else f"{watch.path}?{query}")


@pytest.mark.parametrize(("surface", "operation"), WITH_PARAMETERS)
def test_wrong_ids(hurt: SeededTenant, surface: str, operation: OperationContract) -> None:
    watch = Watch(hurt, surface, operation)
    body = taken(hurt, surface, operation)
    template = next(load_operations()[surface].templates(operation))
    for text in some(IN_PATHS, 8, operation):
        target = "".join(text if part.startswith("{") else part for part in _split(template))
        watch.send(f"{target}?{watch.needed}", b"" if body is None else json.dumps(body).encode())


def _split(template: str) -> Iterator[str]:
    """A template in pieces, its parameters among them."""
    rest = template
    while "{" in rest:
        before, _, rest = rest.partition("{")
        yield before
        name, _, rest = rest.partition("}")
        yield "{" + name + "}"
    yield rest


UNKNOWN: Mapping[str, str] = {"defender": "/api/incidents", "graph": "/v1.0/security/incidents"}


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "FOO", "get", "\xe4"])
def test_methods_that_are_not_there(hurt: SeededTenant, surface: str, method: str) -> None:
    answer = hurt.client(surface).send(method, UNKNOWN[surface])
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]
    error_of(surface, answer)
