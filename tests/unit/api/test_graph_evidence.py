"""Every kind of evidence that Graph publishes is taken, kept and answered as it was given, in Graph's own types."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from tests.contract.graph_types import GraphTypes
from vedette.api.graph.evidence import Wording, to_evidence
from vedette.api.graph.evidence_input import from_graph
from vedette.api.graph.values import complete
from vedette.contracts.graph_types import EVIDENCE, SECURITY, load_graph_types
from vedette.errors import InvalidRequestError
from vedette.incidents.evidence import (
    Evidence,
    OtherEvidence,
    RecordedEvidence,
    UserEvidence,
    decode_evidence,
    encode_evidence,
)

TYPES = load_graph_types()
SAMPLES = {
    "Edm.String": "text",
    "Edm.Boolean": True,
    "Edm.Int32": 7,
    "Edm.Int64": 2**40,
    "Edm.Double": 0.5,
    "Edm.Guid": "77777777-7777-7777-7777-777777777777",
    "Edm.DateTimeOffset": "2025-01-02T03:04:05.1234567Z",
}


def sample(type_name: str, depth: int = 0) -> Any:
    """A value of a type with every property given, three levels deep."""
    if type_name in SAMPLES:
        return SAMPLES[type_name]
    if type_name in TYPES.enums:
        return next(name for name in TYPES.enums[type_name].members if name != "unknownFutureValue")
    if type_name == EVIDENCE:
        type_name = f"{SECURITY}.urlEvidence"
    members: dict[str, Any] = {"@odata.type": f"#{type_name}"}
    if TYPES.types[type_name].open:
        return members | {"key": "value"}
    for prop in TYPES.properties(type_name):
        if prop.type in TYPES.types and depth == 2:
            continue
        value = sample(prop.type, depth + 1)
        members[prop.name] = [value] if prop.is_collection else value
    return members


def answered(given: dict[str, Any]) -> Any:
    entity = decode_evidence(encode_evidence(from_graph(given)))
    wire = to_evidence(RecordedEvidence(638_712_864_000_000_000, entity), Wording(evolved=True))
    return json.loads(msgspec.json.encode(wire))


def test_there_are_all_of_them() -> None:
    assert len(TYPES.evidence()) == 48
    assert {type(from_graph(sample(f"{SECURITY}.{kind}"))) for kind in TYPES.evidence()} == set(get_args(Evidence))


@pytest.mark.parametrize("kind", TYPES.evidence())
def test_what_was_given_is_answered(kind: str, shared: Path) -> None:
    given = sample(f"{SECURITY}.{kind}")
    answer = answered(given)
    assert answer["@odata.type"] == f"#{SECURITY}.{kind}"
    assert includes(answer, {name: value for name, value in given.items() if name != "createdDateTime"}) == []
    assert list(GraphTypes(shared).problems(answer, kind, kind)) == []


@pytest.mark.parametrize("kind", TYPES.evidence())
def test_nothing_given_is_null_or_empty(kind: str, shared: Path) -> None:
    answer = answered({"@odata.type": f"microsoft.graph.security.{kind}"})
    assert list(GraphTypes(shared).problems(answer, kind, kind)) == []


def includes(answer: Any, given: Any, place: str = "") -> list[str]:
    """Where `answer` lacks something of `given`."""
    if isinstance(given, dict):
        missing = [f"{place}.{name}" for name in given if name not in answer and not name.startswith("@")]
        return missing + [
            problem
            for name, value in given.items()
            if name in answer
            for problem in includes(answer[name], value, f"{place}.{name}")
        ]
    if isinstance(given, list):
        pairs = zip(answer, given, strict=True)
        return [problem for ours, theirs in pairs for problem in includes(ours, theirs, place)]
    return [] if answer == given else [f"{place}: {answer!r} is not {given!r}"]


@pytest.mark.parametrize(
    ("given", "property_"),
    [
        ({"@odata.type": "#microsoft.graph.security.nothingEvidence"}, "@odata.type"),
        ({"@odata.type": "#microsoft.graph.security.alertEvidence"}, "@odata.type"),
        ({"ipAddress": "203.0.113.9"}, "@odata.type"),
        ({"@odata.type": "#microsoft.graph.security.ipEvidence", "address": "x"}, "address"),
        ({"@odata.type": "#microsoft.graph.security.ipEvidence", "ipAddress": 7}, "ipAddress"),
        ({"@odata.type": "#microsoft.graph.security.ipEvidence", "verdict": "dire"}, "verdict"),
        ({"@odata.type": "#microsoft.graph.security.ipEvidence", "roles": "attacker"}, "roles"),
        (
            {"@odata.type": "#microsoft.graph.security.dnsEvidence", "hostIpAddress": {"ipAddress": True}},
            "hostIpAddress.ipAddress",
        ),
    ],
)
def test_what_is_not_of_the_type_is_refused_by_name(given: dict[str, Any], property_: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        from_graph(given)
    assert caught.value.fields["property"] == property_


def test_objects_within_objects_end_somewhere() -> None:
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"digestImage": deep}
    with pytest.raises(InvalidRequestError):
        complete(f"{SECURITY}.containerImageEvidence", deep)


def test_assets_are_impacted_unless_they_are_context() -> None:
    account = {"@odata.type": "#microsoft.graph.security.userEvidence", "userAccount": {"accountName": "ann"}}
    user = from_graph(account)
    assert isinstance(user, UserEvidence)
    assert user.is_impacted
    assert not from_graph({**account, "roles": ["Contextual"]}).is_impacted
    pod = from_graph({"@odata.type": "#microsoft.graph.security.kubernetesPodEvidence", "name": "web-1"})
    assert isinstance(pod, OtherEvidence)


def test_what_fields_hold_is_not_stored_once_more() -> None:
    device = {"@odata.type": f"#{SECURITY}.deviceEvidence", "mdeDeviceId": "d1", "ipInterfaces": ["192.0.2.1"]}
    assert from_graph(device | {"tags": ["vip"], "roles": ["compromised"]}).more == ""
