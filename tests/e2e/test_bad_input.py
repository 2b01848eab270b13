"""Issue 2's table of bad input, over HTTP: nothing is lost by half, nothing leaks, every refusal says why."""

import gzip
import io
import json
import re
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import GRAPH, MDE, XDR, Demo
from .installation import OWN, Installation, installation, process_start

GOOD = process_start(1, "good.example")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("bad") / "data", "--single", "--allow-minting") as installed:
        yield installed


def changed(**fields: object) -> bytes:
    """A process start with other fields; None leaves one out."""
    event = {**json.loads(GOOD), **fields}
    return json.dumps({name: value for name, value in event.items() if value is not None}).encode() + b"\n"


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("malformed", b'{"EventID": 1, "Channel":\n', "malformed_json"),
        ("no-json", b"Nov 23 07:00:00 host su: x\n", "malformed_json"),
        ("latin-1", changed(User="EXAMPLE\\anna").replace(b"anna", b"\xe4nna"), "not_utf8"),
        ("utf-16", "{}".encode("utf-16-le") + b"\n", "malformed_json"),
        ("no-time", changed(TimeCreated=None), "no_timestamp"),
        ("unreadable-time", changed(TimeCreated="yesterday"), "unreadable_timestamp"),
        ("year-0", changed(TimeCreated="0000-01-01T00:00:00Z"), "unreadable_timestamp"),
        ("no-id", changed(EventID="x"), "no_event_id"),
        ("unknown", b'{"hello": "world"}\n', "unknown_format"),
    ],
)
def test_a_bad_line_is_quarantined_and_its_neighbours_are_kept(
    server: Installation, name: str, line: bytes, reason: str
) -> None:
    host = f"{name}.example"
    first, last = process_start(1, host), process_start(2, host)
    answer = server.send(first + line + last, **{"Vedette-Batch-Id": name, "Vedette-Source": "collected.json"})
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert (receipt["accepted"], receipt["quarantined"]) == (2, 1)
    (record,) = server.quarantined(name)
    raw = record.pop("raw")
    assert record == {"source": "collected.json", "line": 2, "offset": len(first), "reason": reason}
    assert raw == line.rstrip(b"\r\n").decode(errors="replace")
    assert server.hunt(f"DeviceProcessEvents | where DeviceName == '{host}' | count") == [{"Count": 2}]


def test_an_old_date_is_no_fault(server: Installation) -> None:
    line = changed(TimeCreated="1999-12-31T23:59:59.1234567Z", Hostname="old.example")
    assert server.send(line).json()["accepted"] == 1
    rows = server.hunt("DeviceProcessEvents | where DeviceName == 'old.example' | project Timestamp")
    assert rows == [{"Timestamp": "1999-12-31T23:59:59.1234567Z"}]


def test_a_line_of_100_megabytes_costs_only_itself(server: Installation, tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    with path.open("wb") as file:
        file.write(process_start(1, "long.example") + b'{"CommandLine": "')
        for _ in range(100):
            file.write(b"A" * 2**20)
        file.write(b'"}\n' + process_start(2, "long.example"))
    done = server.vedette("ingest", path, "--batch-id", "long")
    assert done.returncode == 3, done.stderr
    (record,) = server.quarantined("long")
    assert (record["line"], record["reason"], len(record["raw"])) == (2, "line_too_long", 64 * 1024)
    assert server.hunt("DeviceProcessEvents | where DeviceName == 'long.example' | count") == [{"Count": 2}]


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.json", content)
    return buffer.getvalue()


def tarred(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("events.json")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, zipped, tarred], ids=["gz", "zip", "tar.gz"])
def test_the_readable_lines_of_a_cut_off_archive_are_kept(server: Installation, pack: Any) -> None:
    name = f"cut-{pack.__name__}"
    whole = b"".join(process_start(number, f"{name}.example", f"{number * 7919:x}") for number in range(5_000))
    packed = pack(whole)
    answer = server.send(packed[: len(packed) * 2 // 3], **{"Vedette-Batch-Id": name})
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert receipt["damaged"] >= 1  # the archive, and what lay in it
    assert 1_000 < receipt["accepted"] < 5_000
    assert any(record["line"] == 0 and record["reason"].startswith("truncated") for record in server.quarantined(name))
    rows = server.hunt(f"DeviceProcessEvents | where DeviceName == '{name}.example' | count")
    assert rows == [{"Count": receipt["accepted"]}]


@pytest.mark.shared
def test_the_readable_records_of_a_cut_off_event_log_are_kept(server: Installation, shared: Path) -> None:
    log = shared / "telemetry" / "evtx_cc0" / "id4624_4688_5140_5145_eternal_romance_ms17_010_psexec_global.evtx"
    whole = log.read_bytes()
    answer = server.send(whole[: 4096 + 65_536 // 2], **{"Vedette-Batch-Id": "cut-evtx"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["damaged"] == 1
    assert [record["reason"] for record in server.quarantined("cut-evtx") if record["line"] == 0] == ["truncated_evtx"]


@pytest.mark.parametrize(
    ("query", "place", "word"),
    [
        ("DeviceProcessEvents | wher x", "1:23", "wher"),
        ("DeviceProcessEvents\n| where Nothing == 1", "2:9", "Nothing"),
        ("DeviceProcessEvents | where (", "1:30", "missing an expression"),
        ("NoSuchTable | take 1", "1:1", "NoSuchTable"),
        ("DeviceProcessEvents | take 'x'", "1:28", ""),
    ],
)
def test_a_wrong_query_is_400_with_place_and_reason(server: Installation, query: str, place: str, word: str) -> None:
    for path, resource in (
        ("/api/advancedhunting/run", XDR),
        ("/api/advancedqueries/run", MDE),
        ("/v1.0/security/runHuntingQuery", GRAPH),
    ):
        with server.client(resource) as client:
            answer = client.post(path, json={"Query": query})
        assert answer.status_code == 400, answer.text
        message = answer.json()["error"]["message"]
        assert word.lower() in message.lower()
        found = re.search(r"(?:line )?(\d+)(?:, column |:)(\d+)", message)
        assert found is not None, message
        assert f"{found[1]}:{found[2]}" == place
        assert not re.search(r"duckdb|sql|traceback|\.py", message, re.IGNORECASE), message


def test_without_a_valid_token_everything_is_401_and_tells_nothing(server: Installation) -> None:
    operations = (
        ("GET", "/api/incidents"),
        ("POST", "/api/advancedhunting/run"),
        ("GET", "/v1.0/security/incidents"),
        ("POST", "/ingest/v1/events"),
    )
    good = server.token(XDR)
    head, body, signature = good.split(".")
    forged = [
        None,
        "Basic eDp5",
        "Bearer",
        "Bearer x",
        f"Bearer {head}.{body}.",
        f"Bearer {head}.{body}.{signature[:-4]}AAAA",
    ]
    with server.server.client() as client:
        for method, path in operations:
            for header in forged:
                answer = client.request(method, path, headers={"Authorization": header} if header else {})
                assert answer.status_code == 401, (path, header, answer.text)
                assert answer.json()["error"]["code"]
                assert server.credentials["tenant_id"] not in answer.text
                assert "WWW-Authenticate" in answer.headers


def test_an_expired_token_is_401(server: Installation) -> None:
    order = ["--tenant", server.credentials["tenant_id"], "--app", server.credentials["client_id"], "--resource", "mtp"]
    minted = server.vedette("token", "mint", *order, "--lifetime", 1, "--data", server.server.data)
    assert minted.returncode == 0, minted.stderr
    headers = {"Authorization": f"Bearer {minted.stdout.strip()}"}
    with server.server.client(headers=headers) as client:
        deadline = time.monotonic() + 20
        while (answer := client.get("/api/incidents")).status_code == 200 and time.monotonic() < deadline:
            time.sleep(0.1)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"]


@pytest.mark.parametrize(
    ("resource", "path"),
    [(GRAPH, "/api/incidents"), (XDR, "/v1.0/security/incidents"), (XDR, "/ingest/v1/events"), (OWN, "/api/incidents")],
)
def test_a_token_for_another_audience_is_401(server: Installation, resource: str, path: str) -> None:
    with server.client(resource) as client:
        answer = client.request("POST" if "ingest" in path else "GET", path, content=GOOD if "ingest" in path else None)
    assert answer.status_code == 401, answer.text


def test_a_token_without_the_role_is_403(server: Installation) -> None:
    order = ["--tenant", server.credentials["tenant_id"], "--app", server.credentials["client_id"]]
    minted = server.vedette(
        "token", "mint", *order, "--roles", "Incident.Read.All", "--resource", "mtp", "--data", server.server.data
    )
    assert minted.returncode == 0, minted.stderr
    with server.server.client(headers={"Authorization": f"Bearer {minted.stdout.strip()}"}) as client:
        assert client.get("/api/incidents").status_code == 200
        answer = client.post("/api/advancedhunting/run", json={"Query": "DeviceInfo"})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"]


def test_another_tenant_s_incident_is_not_there(demo: Demo) -> None:
    number = demo.ask("GET", "/api/incidents", XDR).json()["value"][0]["incidentId"]
    token = demo.token(XDR, app=2, tenant=1)
    with demo.server.client(headers={"Authorization": f"Bearer {token}"}) as client:
        other, missing = (client.get(f"/api/incidents/{which}") for which in (number, 987_654))
    assert (other.status_code, missing.status_code) == (404, 404)
    assert other.json()["error"]["code"] == missing.json()["error"]["code"]


@pytest.mark.parametrize("host", ["evil.example", "login.microsoftonline.com.evil.example", "127.0.0.2"])
@pytest.mark.parametrize("path", ["/healthz", "/api/incidents", "/common/v2.0/.well-known/openid-configuration"])
def test_an_unknown_host_is_421(server: Installation, host: str, path: str) -> None:
    with server.server.client(headers={"Host": host}) as client:
        answer = client.get(path)
    assert answer.status_code == 421
