"""Records of operations, enums, faults, quotas and hunting answers: consistent in themselves and with their sources."""

import json
from pathlib import Path

import msgspec
import pytest

from vedette.contracts.enums import UNKNOWN_FUTURE_VALUE, EnumContract, EnumMember, load_enums
from vedette.contracts.faults import load_faults
from vedette.contracts.functions import load_functions
from vedette.contracts.hunting_answers import load_hunting_answers
from vedette.contracts.operations import OperationContract, load_operations
from vedette.contracts.permissions import load_resources
from vedette.contracts.quotas import load_quota_profile
from vedette.errors import ContractError
from vedette.kql.types import ScalarType


def test_every_permission_of_an_operation_exists() -> None:
    resources = load_resources()
    for document in load_operations().values():
        roles = {role.value for key in document.audiences for role in resources[key].app_roles}
        scopes = {scope.value for key in document.audiences for scope in resources[key].scopes}
        for operation in document.operations:
            assert set(operation.application) <= roles, operation.handler
            assert set(operation.delegated) <= scopes, operation.handler


def test_segments_and_hosts_belong_to_one_surface() -> None:
    documents = load_operations().values()
    segments = [segment for document in documents for segment in document.segments]
    hosts = [host for document in documents for host in document.hosts]
    assert len(segments) == len(set(segments))
    assert len(hosts) == len(set(hosts))
    assert {"api", "v1.0", "beta", "healthz", "readyz", "metrics", "ingest", "*"} <= set(segments)


def test_a_record_without_a_permission_is_refused() -> None:
    operation = OperationContract(method="GET", path="/x", handler="x", source="vedette", status="planned")
    document = load_operations()["graph"]
    broken = msgspec.structs.replace(document, operations=(operation,))
    from vedette.contracts import operations

    with pytest.raises(ContractError, match="no permission"):
        operations._check(broken)


def test_templates() -> None:
    document = load_operations()["graph"]
    [hunting] = [each for each in document.operations if each.handler == "run_hunting_query"]
    assert list(document.templates(hunting)) == [
        "/v1.0/security/runHuntingQuery",
        "/v1.0/security/microsoft.graph.security.runHuntingQuery",
        "/beta/security/runHuntingQuery",
        "/beta/security/microsoft.graph.security.runHuntingQuery",
    ]


def test_enums_have_the_published_members(shared: Path) -> None:
    document = json.loads((shared / "contract" / "graph_security_types.json").read_text())
    published = document["v1.0"]["microsoft.graph.security"]["enums"]
    of_graph = {name: enum for name, enum in load_enums().items() if enum.source.startswith("microsoftgraph/")}
    assert len(of_graph) >= 13
    for name, enum in of_graph.items():
        assert {member.name for member in enum.members} == set(published[name]["members"]), name
        names = [member.name for member in enum.members]
        boundary = names.index(UNKNOWN_FUTURE_VALUE) if UNKNOWN_FUTURE_VALUE in names else len(names)
        for place, member in enumerate(enum.members):
            assert member.evolved == (place > boundary), f"{name}.{member.name}"
            assert member.hidden == (place == boundary), f"{name}.{member.name}"


@pytest.mark.parametrize(
    ("enum", "text", "stored"),
    [
        ("incidentStatus", "Active", "active"),
        ("incidentStatus", "INPROGRESS", "inProgress"),
        ("incidentStatus", "awaitingAction", "awaitingAction"),
        ("alertSeverity", "UnSpecified", "unknown"),
        ("alertDetermination", "CompromisedUser", "compromisedAccount"),
        ("alertDetermination", "compromisedAccount", "compromisedAccount"),
        ("alertDetermination", "InsufficientData", "notEnoughDataToValidate"),
        ("alertDetermination", "NoEnoughDataToValidate", "notEnoughDataToValidate"),
        ("alertDetermination", "Clean", "notMalicious"),
        ("alertDetermination", "NotAvailable", "unknown"),
        ("alertDetermination", "unknownFutureValue", None),
        ("alertDetermination", "", None),
    ],
)
def test_every_documented_spelling_is_read(enum: str, text: str, stored: str | None) -> None:
    assert load_enums()[enum].parse(text) == stored


def test_spellings_of_the_defender_pages(shared: Path) -> None:
    yaml = pytest.importorskip("yaml")
    incidents = yaml.safe_load((shared / "contract" / "xdr_api.yaml").read_text())["incidents"]
    body, variants = incidents["patch_body"], incidents["determination_spelling_variants"]
    determinations = {value for values in body["determination"].values() for value in values}
    determinations |= {value for values in variants.values() for value in values}
    expected = {
        "alertDetermination": determinations,
        "incidentStatus": set(body["status"]["enum"]),
        "alertClassification": set(body["classification"]["enum"])
        | set(incidents["resource"]["classification"]["values"]),
        "alertSeverity": set(incidents["resource"]["severity"]["values"]),
        "investigationState": set(incidents["alert"]["investigationState"]["values"]),
        "alertStatus": set(incidents["alert"]["status"]["values"]),
    }
    for name, values in expected.items():
        enum = load_enums()[name]
        assert {value for value in values if enum.parse(value) is None} == set(), name


def test_one_text_cannot_be_two_members() -> None:
    enum = EnumContract("x", "vedette", (EnumMember("a", accepts=("b",)), EnumMember("b")))
    with pytest.raises(ContractError):
        _ = enum.spellings


def test_members_added_later_are_hidden_unless_asked_for() -> None:
    enum = load_enums()["serviceSource"]
    assert enum.graph("microsoftSentinel") == UNKNOWN_FUTURE_VALUE
    assert enum.graph("microsoftSentinel", evolved=True) == "microsoftSentinel"
    assert enum.graph("microsoft365Defender") == "microsoft365Defender"


def test_every_service_has_a_prefix_of_its_own() -> None:
    prefixes = [member.alert_prefix for member in load_enums()["serviceSource"].members if not member.hidden]
    assert all(len(prefix) == 2 for prefix in prefixes)
    assert len(set(prefixes)) == len(prefixes)


def test_every_type_of_the_language_has_a_wire_name() -> None:
    assert set(load_hunting_answers().type_names) == {type_.value for type_ in ScalarType}


def test_faults_restate_only_what_is_shared() -> None:
    shared_faults = load_faults("shared")
    for surface in ("graph", "defender"):
        assert set(load_faults(surface)) == set(shared_faults)
    assert load_faults("graph")["TokenMissing"].code == "InvalidAuthenticationToken"
    assert load_faults("graph")["TokenMissing"].headers == shared_faults["TokenMissing"].headers


def test_the_real_services_limits() -> None:
    profile = load_quota_profile("microsoft")
    assert (profile.calls["hunting"].per_minute, profile.calls["hunting"].per_hour) == (45, 1500)
    assert (profile.hunting.rows, profile.hunting.lookback_days) == (100_000, 30)
    default = load_quota_profile("default")
    assert all(quota.per_minute is None and quota.per_hour is None for quota in default.calls.values())
    assert default.hunting.lookback_days is None


def test_functions_come_with_their_group() -> None:
    functions = {function.name: function for function in load_functions()}
    assert functions["dcount"].group == "aggregates"
