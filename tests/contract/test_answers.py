"""Every GET of the table, with data: its answer is of its type, whole, and looks as it did.

The entities lie in `wire/entities/`, one document a type, with what differs from run to run replaced. To accept a
change, run with VEDETTE_WRITE_WIRE=1 and read the difference.
"""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.asgi import Answer
from tests.contract.graph_types import GraphTypes
from tests.contract.seeded_tenant import SeededTenant
from vedette.api.openapi.schemas import AnswerSchemas
from vedette.contracts.answers import AnswerContract, load_answer_types, load_answers
from vedette.contracts.operations import OperationContract, load_operations

yaml = pytest.importorskip("yaml")

WIRE = Path(__file__).parent / "wire" / "entities"
SURFACES = ("defender", "graph")
GETS = [
    pytest.param(surface, operation, id=f"{surface}.{operation.handler}")
    for surface in SURFACES
    for operation in load_operations()[surface].operations
    if operation.method == "GET" and operation.status == "implemented"
]
NARROWED = frozenset({"microsoft.graph.user"})
"""Types of which only some members are answered unless more are selected."""
REQUIRED = {"sinceTime": "2025-11-01T00:00:00Z", "tag": "vip"}
SECURITY = "microsoft.graph.security."


def read(seeded: SeededTenant, surface: str, operation: OperationContract) -> Answer:
    answer = load_answers(surface)[operation.handler]
    own = "&".join(f"{name}={REQUIRED[name]}" for name, type_ in answer.parameters.items() if type_.endswith("!"))
    client = seeded.client(surface, person=operation.path.startswith("/me"))
    return client.get(f"{seeded.path_of(surface, operation)}{'?' if own else ''}{own}")


@cache
def validator(type_name: str) -> Any:
    """Checks that a value is of a type, with every member that the type has."""
    schemas = AnswerSchemas(load_answer_types(), partial=NARROWED)
    return jsonschema_rs.validator_for(
        {**schemas.of(type_name), "components": {"schemas": schemas.components}}, validate_formats=True
    )


@pytest.mark.parametrize(("surface", "operation"), GETS)
def test_answers_are_of_their_types(seeded: SeededTenant, surface: str, operation: OperationContract) -> None:
    answer, found = read(seeded, surface, operation), load_answers(surface)[operation.handler]
    assert answer.status == found.statuses[0], answer.body
    if found.media != "application/json":
        assert found.media == "*/*" or answer.headers["content-type"].startswith(found.media)
        return
    value = answer.json()["value"] if found.is_collection or found.type.startswith("Edm.") else answer.json()
    assert value != [], "there is nothing to look at"
    problems = [f"{error.instance_path}: {error.message}" for error in validator(found.type).iter_errors(value)]
    assert problems == []


def entities(answer: AnswerContract, document: Any) -> Iterator[Any]:
    if answer.is_collection:
        yield from document["value"]
    else:
        yield document


@pytest.mark.parametrize(
    ("surface", "operation"), [each for each in GETS if each.id is not None and each.id.startswith("graph.")]
)
def test_answers_are_of_the_published_types(
    seeded: SeededTenant, shared: Path, surface: str, operation: OperationContract
) -> None:
    """Against the types as they were published, by another reader than the one that made the schemas."""
    answer = load_answers(surface)[operation.handler]
    document = json.loads((shared / "contract" / "graph_security_types.json").read_text())
    published = document["v1.0"][SECURITY.rstrip(".")]
    known = published["entities"].keys() | published["complex"].keys()
    types = GraphTypes(shared)
    for entity in entities(answer, read(seeded, surface, operation).json() if answer.type.count("microsoft") else {}):
        name = str(entity.get("@odata.type", f"#{answer.element}")).removeprefix("#")
        if name.startswith(SECURITY) and name.removeprefix(SECURITY) in known:
            assert list(types.problems(entity, name.removeprefix(SECURITY))) == []


RESOURCES = {
    "alert": "alert",
    "alert_evidence": "alertEvidence",
    "machine": "machine",
    "machineAction": "machineAction",
    "indicator": "indicator",
    "investigation": "investigation",
    "file": "file",
    "file_stats": "inOrgFileStats",
    "domain_stats": "inOrgDomainStats",
    "ip_stats": "inOrgIPStats",
    "user": "user",
    "vulnerability": "vulnerability",
    "software": "software",
    "recommendation": "recommendation",
    "machine_ref": "machineReference",
    "exposure_score": "score",
    "remediation": "remediation",
    "software_vulnerability_by_machine": "assetVulnerability",
    "software_inventory_by_machine": "assetSoftware",
    "secure_configuration_by_machine": "assetConfiguration",
    "av_health": "antivirusHealth",
    "library_file": "libraryFile",
    "hunting_response": "huntingAnswer",
}
NO_FIELDS = {"context", "v", "note", "delta_only", "not_filterable", "keys"}
"""What the contract says about a resource beside its fields."""


@pytest.mark.parametrize("resource", RESOURCES)
def test_types_of_defender_for_endpoint_have_the_fields_of_the_contract(shared: Path, resource: str) -> None:
    record = yaml.safe_load((shared / "contract" / "mde_api.yaml").read_text())["resources"][resource]
    fields = set(record["keys"]) if isinstance(record.get("keys"), list) else set(record) - NO_FIELDS
    type_name = f"microsoft.windowsDefenderATP.api.{RESOURCES[resource]}"
    assert fields <= {prop.name for prop in load_answer_types().properties(type_name)}


FIRST = {
    (surface, load_answers(surface)[operation.handler].element): operation
    for surface in SURFACES
    for is_collection in (True, False)
    for operation in reversed(load_operations()[surface].operations)
    if load_answers(surface)[operation.handler].is_collection == is_collection
    and operation.method == "GET"
    and load_answers(surface)[operation.handler].element.startswith("microsoft.")
}
"""The first operation of the table that answers one of a type, else a list of it."""

_CHANGING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "guid"),
    (re.compile(r"da\d{18}_-?\d+"), "alert"),
    (re.compile(r"(?<=api/downloads/)[\w.~-]+"), "token"),
    (re.compile(r"(?<=\"deploymentAccessKey\": \")[\w-]+"), "key"),
    (re.compile(r'(?<="hint": ")[^"]+'), "hint"),
    (re.compile(r'(?<="customKeyIdentifier": ")[^"]+'), "thumbprint"),
    (re.compile(r"(?<=\"id\": \")[\w-]{40,}-1(?=\")"), "assignment"),
    (re.compile(r"(?<=\"id\": \")(?![\da-f]{40}\")[\w-]{43}(?=\")"), "grant"),
)
_KEPT = {"11111111-1111-1111-1111-111111111111", "aaaaaaaa-0000-0000-0000-000000000001"}


def stable(text: str) -> str:
    """`text` with ids that are new each time numbered in their order."""
    for pattern, word in _CHANGING:
        numbers: dict[str, int] = {}

        def numbered(match: re.Match[str], numbers: dict[str, int] = numbers, word: str = word) -> str:
            if match[0] in _KEPT or match[0].startswith("3a5b2c1d-"):
                return match[0]
            return f"{{{word} {numbers.setdefault(match[0], len(numbers) + 1)}}}"

        text = pattern.sub(numbered, text)
    return text


@pytest.mark.parametrize(("surface", "type_name"), FIRST)
def test_entities_look_as_they_did(seeded: SeededTenant, surface: str, type_name: str) -> None:
    operation = FIRST[surface, type_name]
    document = read(seeded, surface, operation).json()
    if isinstance(document.get("value"), list):
        document["value"] = document["value"][:1]
    text = stable(json.dumps(document, indent=1, ensure_ascii=False)) + "\n"
    path = WIRE / f"{type_name}.json"
    if os.environ.get("VEDETTE_WRITE_WIRE") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()
