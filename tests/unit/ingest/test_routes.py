"""The HTTP intake: headers in, receipts and refusals out."""

import json
from pathlib import Path

import msgspec
import pytest

from tests.unit.ingest.fakes import TENANT, MemoryLake, security
from vedette.api.http import ApiRequest
from vedette.api.ingest.routes import IngestSurface
from vedette.context import Principal, RequestContext, Tenant
from vedette.contracts.operations import load_operations
from vedette.errors import ApiError, InvalidRequestError
from vedette.ingest.pipeline import Pipeline, PipelineLimits

LOGON = json.dumps(security(4624, TargetUserName="ann", LogonType="3")).encode()


@pytest.fixture
def surface(tmp_path: Path) -> IngestSurface:
    return IngestSurface(Pipeline(MemoryLake(), tmp_path, limits=PipelineLimits(batch_bytes=1 << 16)))


def send(surface: IngestSurface, body: bytes, file: Path | None = None, **headers: str) -> dict[str, object]:
    principal = Principal("application", TENANT, "o", "a", "vedette", frozenset({"Vedette.Ingest"}))
    context = RequestContext(Tenant(TENANT, "contoso.example", "Contoso"), principal, "r", "c", "https://localhost")
    named = {f"vedette-{name.replace('_', '-')}": value for name, value in headers.items()}
    request = ApiRequest(
        "POST", "/ingest/v1/events", {}, "", named, body, "https://localhost", "127.0.0.1", "r", body_file=file
    )
    response = surface.handlers()["accept_events"](context, request)
    assert response.status == 200
    return msgspec.json.decode(response.body, type=dict[str, object])


def test_the_answer_has_the_pinned_fields(surface: IngestSurface) -> None:
    answer = send(surface, LOGON, batch_id="b1")
    pinned = {name: answer[name] for name in ("batchId", "accepted", "quarantined", "rows", "duplicate")}
    assert pinned == {
        "batchId": "b1",
        "accepted": 1,
        "quarantined": 0,
        "rows": {"DeviceLogonEvents": 1},
        "duplicate": False,
    }
    assert send(surface, LOGON, batch_id="b1")["duplicate"] is True


def test_a_body_in_a_file_is_the_same(surface: IngestSurface, tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(LOGON)
    assert send(surface, b"", path)["accepted"] == 1


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"format": "xml"}, "UnknownTelemetryFormat"),
        ({"format": "zeek_json"}, "TelemetryFormatNotBuilt"),
        ({"batch_id": "../../etc"}, "InvalidBatchId"),
    ],
)
def test_bad_headers_are_refused(surface: IngestSurface, headers: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        send(surface, LOGON, **headers)
    assert refusal.value.code == code


def test_an_empty_body_is_refused(surface: IngestSurface) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        send(surface, b"")
    assert refusal.value.code == "EmptyBatch"


def test_a_batch_beyond_the_limit_is_refused(surface: IngestSurface) -> None:
    with pytest.raises(ApiError) as refusal:
        send(surface, LOGON + b"\n" + b" " * (1 << 17))
    assert refusal.value.code == "BatchTooLarge"


def test_every_operation_of_the_surface_has_a_handler(surface: IngestSurface) -> None:
    assert {operation.handler for operation in load_operations()["ingest"].operations} == set(surface.handlers())
