"""Batches end to end in one process: what becomes rows, what is counted, what is quarantined, what is repeated."""

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.ingest.fakes import SYSMON, TENANT, MemoryLake, Room, security, sysmon
from vedette.clock import format_ticks
from vedette.ingest.errors import BatchIdError, BatchTooLargeError, UnknownFormatError
from vedette.ingest.pipeline import Pipeline, PipelineLimits
from vedette.ingest.receipts import Receipt
from vedette.ingest.sources.source import Source

GUID = "{b669e388-4a98-5ee0-0000-00100000000%d}"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def balanced(receipt: Receipt) -> bool:
    counted = receipt.accepted + receipt.unmapped + receipt.ignored + receipt.quarantined - receipt.damaged
    return receipt.events == counted


def reasons(room: Room, receipt: Receipt) -> list[str]:
    return [record["reason"] for record in room.quarantine(receipt)]


def start(number: int = 1, **data: object) -> dict[str, object]:
    return sysmon(
        1,
        UtcTime="2026-01-02 03:04:05.123",
        ProcessGuid=GUID % number,
        ProcessId="500",
        Image=r"C:\Windows\System32\cmd.exe",
        CommandLine="cmd /c whoami",
        User=r"CONTOSO\Ann",
        Hashes="SHA1=AA11,MD5=BB22",
        IntegrityLevel="High",
        ParentImage=r"C:\Windows\Explorer.EXE",
        ParentProcessId="400",
        ParentProcessGuid=GUID % 9,
        **data,
    )


def test_a_process_start_becomes_a_row(room: Room) -> None:
    receipt = room.take([start()])
    (row,) = room.lake.rows("DeviceProcessEvents")
    assert receipt.rows == {"DeviceProcessEvents": 1}
    assert format_ticks(row["Timestamp"]) == "2026-01-02T03:04:05.1230000Z"
    assert row["DeviceName"] == "ws1.contoso.example"
    assert len(row["DeviceId"]) == 40
    assert (row["FileName"], row["SHA1"], row["ProcessId"]) == ("cmd.exe", "aa11", 500)
    assert (row["AccountDomain"], row["AccountName"]) == ("contoso", "ann")
    assert row["InitiatingProcessFolderPath"] == r"c:\windows\explorer.exe"
    assert row["ProcessTokenElevation"] == ""
    assert row["FileSize"] is None


def test_later_rows_know_the_process_within_and_across_batches(room: Room) -> None:
    change = sysmon(11, ProcessGuid=GUID % 1, ProcessId="500", Image="cmd.exe", TargetFilename=r"C:\x.txt")
    room.take([start(), change])
    room.take([{**change, "TargetFilename": r"C:\y.txt"}])
    rows = room.lake.rows("DeviceFileEvents")
    assert [row["InitiatingProcessCommandLine"] for row in rows] == ["cmd /c whoami"] * 2
    assert [row["InitiatingProcessSHA1"] for row in rows] == ["aa11"] * 2
    assert [row["InitiatingProcessParentFileName"] for row in rows] == ["Explorer.EXE"] * 2


def test_an_unknown_process_keeps_what_the_event_carries(room: Room) -> None:
    room.take([sysmon(11, ProcessGuid=GUID % 5, ProcessId="77", Image=r"C:\A\B.exe", User=r"D\u", TargetFilename="x")])
    (row,) = room.lake.rows("DeviceFileEvents")
    assert (row["InitiatingProcessFileName"], row["InitiatingProcessFolderPath"]) == ("B.exe", r"c:\a\b.exe")
    assert (row["InitiatingProcessId"], row["InitiatingProcessAccountName"]) == (77, "u")
    assert format_ticks(row["InitiatingProcessCreationTime"]).startswith("2020-06-10T02:51:04")


def test_process_ids_are_reused_and_ended(room: Room) -> None:
    def created(at: str, image: str) -> dict[str, object]:
        return security(4688, TimeCreated=at, NewProcessId="0x10", NewProcessName=image, ProcessId="0x4")

    def read(at: str) -> dict[str, object]:
        return security(4624, TimeCreated=at, ProcessId="0x10", TargetUserName="ann", LogonType="2")

    room.take(
        [
            created("2026-01-01 00:00:01.0", r"C:\first.exe"),
            created("2026-01-01 00:00:05.0", r"C:\second.exe"),
            read("2026-01-01 00:00:03.0"),
            read("2026-01-01 00:00:07.0"),
            read("2026-01-01 00:00:00.0"),
            security(4689, TimeCreated="2026-01-01 00:00:08.0", ProcessId="0x10"),
            read("2026-01-01 00:00:09.0"),
        ]
    )
    names = [row["InitiatingProcessFileName"] for row in room.lake.rows("DeviceLogonEvents")]
    assert names == ["first.exe", "second.exe", "", ""]


def test_two_sensors_report_one_process_once(room: Room) -> None:
    twin = security(
        4688,
        TimeCreated="2026-01-02 03:04:05.900",
        NewProcessId="0x1f4",
        NewProcessName=r"C:\Windows\System32\CMD.exe",
        SubjectUserSid="S-1-5-18",
        TokenElevationType="%%1937",
    )
    receipt = room.take([start(), twin])
    (row,) = room.lake.rows("DeviceProcessEvents")
    assert (row["SHA1"], row["AccountSid"], row["ProcessTokenElevation"]) == (
        "aa11",
        "S-1-5-18",
        "TokenElevationTypeFull",
    )
    assert receipt.accepted == 2


def test_connections_are_turned_to_the_device(room: Room) -> None:
    def connection(initiated: str, protocol: str, source: str, destination: str) -> dict[str, object]:
        return sysmon(
            3,
            Initiated=initiated,
            Protocol=protocol,
            SourceIp=source,
            SourcePort="1111",
            DestinationIp=destination,
            DestinationPort="2222",
        )

    room.take(
        [
            connection("true", "tcp", "10.0.0.1", "8.8.8.8"),
            connection("false", "tcp", "10.0.0.9", "10.0.0.1"),
            connection("false", "udp", "10.0.0.1", "10.0.0.255"),
            connection("false", "udp", "10.0.0.9", "10.0.0.1"),
        ]
    )
    rows = room.lake.rows("DeviceNetworkEvents")
    assert [row["LocalIP"] for row in rows] == ["10.0.0.1"] * 4
    assert [row["ActionType"] for row in rows] == ["ConnectionSuccess"] + ["InboundConnectionAccepted"] * 3
    assert [(row["RemotePort"], row["RemoteIPType"]) for row in rows][:2] == [(2222, "Public"), (1111, "Private")]


def test_script_blocks_are_joined(room: Room) -> None:
    def part(number: int, text: str) -> dict[str, object]:
        return security(
            4104,
            Channel="Microsoft-Windows-PowerShell/Operational",
            ScriptBlockId="b",
            ScriptBlockText=text,
            MessageNumber=number,
            MessageTotal=2,
        )

    room.take([part(2, "world"), part(1, "hello ")])
    (row,) = room.lake.rows("DeviceEvents")
    assert json.loads(row["AdditionalFields"])["ScriptContent"] == "hello world"


def test_signatures_are_a_second_row_once_per_file(room: Room) -> None:
    load = sysmon(
        7, ImageLoaded=r"C:\a.dll", Hashes="SHA1=AB", Signed="true", Signature="Contoso", SignatureStatus="Valid"
    )
    receipt = room.take([load, load])
    assert receipt.rows == {"DeviceFileCertificateInfo": 1, "DeviceImageLoadEvents": 2}
    (row,) = room.lake.rows("DeviceFileCertificateInfo")
    assert (row["IsSigned"], row["IsTrusted"], row["Signer"]) == (True, True, "Contoso")


def test_handle_requests_are_thinned_unless_asked_for(tmp_path: Path) -> None:
    harmless = sysmon(
        10, SourceImage=r"C:\Windows\System32\svchost.exe", TargetImage=r"C:\a.exe", GrantedAccess="0x1410"
    )
    telling = sysmon(10, SourceImage=r"C:\x.exe", TargetImage=r"C:\Windows\system32\lsass.exe", GrantedAccess="0x1")
    thinned = Room(tmp_path / "a").take([harmless, telling])
    assert (thinned.accepted, thinned.ignored) == (1, 1)
    assert Room(tmp_path / "b", process_access="all").take([harmless, telling]).accepted == 2


def test_counts_tell_unmapped_from_deliberately_unrepresented(room: Room) -> None:
    receipt = room.take([sysmon(4), sysmon(99), sysmon(12, EventType="Odd"), start()])
    assert (receipt.accepted, receipt.ignored, receipt.unmapped) == (1, 1, 2)
    assert receipt.unmapped_events == {f"{SYSMON.lower()}|99": 1, f"{SYSMON.lower()}|12": 1}
    assert balanced(receipt)


def test_native_rows_of_the_streaming_api(room: Room) -> None:
    record = {
        "time": "2026-01-02T03:04:06Z",
        "category": "AdvancedHunting-DeviceProcessEvents",
        "properties": {
            "Timestamp": "2026-01-02T03:04:05.1234567Z",
            "FileName": "a.exe",
            "ProcessId": "12",
            "LogonId": 3,
            "LogonID": 4,
            "AdditionalFields": '{"a":1}',
        },
    }
    receipt = room.take([{"records": [record, {**record, "category": "AdvancedHunting-Nothing"}]}, record])
    assert (receipt.events, receipt.accepted, receipt.unmapped) == (3, 2, 1)
    row = room.lake.rows("DeviceProcessEvents")[0]
    assert format_ticks(row["Timestamp"]) == "2026-01-02T03:04:05.1234567Z"
    assert (row["ProcessId"], row["LogonId"], row["LogonID__2"]) == (12, 3, 4)


def test_values_that_do_not_fit_a_column_are_null_and_cost_no_batch(room: Room) -> None:
    record = {
        "time": "2026-01-02T03:04:06Z",
        "category": "AdvancedHunting-DataSecurityEvents",
        "properties": {"Timestamp": "2026-01-02T03:04:05Z", "ActivityId": "none", "NetworkMessageId": "A" * 32},
    }
    assert room.take([record]).accepted == 1
    (row,) = room.lake.rows("DataSecurityEvents")
    assert row["ActivityId"] is None
    assert row["NetworkMessageId"] == "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{not json", "malformed_json"),
        (b"[1, 2", "malformed_json"),
        (b'"text"', "unknown_format"),
        (b"{}", "unknown_format"),
        (b'{"a":"\xff"}', "not_utf8"),
        ('{"a":"ä"}'.encode("latin-1"), "not_utf8"),
        ('{"EventID":1}'.encode("utf-16-le"), "malformed_json"),
        (json.dumps({**sysmon(1), "@timestamp": None}).encode(), "no_timestamp"),
        (json.dumps({**sysmon(1), "@timestamp": "soon"}).encode(), "unreadable_timestamp"),
        (json.dumps(start() | {"UtcTime": "2026-13-45 99:00:00"}).encode(), "unreadable_timestamp"),
        (json.dumps({**sysmon(1), "EventID": "x"}).encode(), "no_event_id"),
        (b'{"ts":1.5,"uid":"C1"}', "unsupported_format:zeek_json"),
    ],
)
def test_bad_lines_are_quarantined_and_the_rest_is_kept(room: Room, line: bytes, reason: str) -> None:
    good = json.dumps(start()).encode()
    receipt = room.take(good + b"\n" + line + b"\n\r\n" + good + b"\n")
    assert (receipt.accepted, receipt.quarantined, receipt.events) == (2, 1, 3)
    (record,) = room.quarantine(receipt)
    assert (record["source"], record["line"], record["offset"]) == ("input", 2, len(good) + 1)
    assert record["reason"] == reason
    assert record["raw"] == line.decode(errors="replace")


def test_old_and_far_dates_are_fine(room: Room) -> None:
    receipt = room.take(
        [start() | {"UtcTime": "1601-01-01 00:00:00.000"}, start() | {"UtcTime": "9999-12-31 23:59:59.9"}]
    )
    assert receipt.accepted == 2


def test_a_giant_line_is_reported_by_its_start(tmp_path: Path) -> None:
    room = Room(tmp_path, PipelineLimits(line_bytes=1 << 20))
    good = json.dumps(start()).encode() + b"\n"
    giant = b'{"a":"' + b"x" * (5 << 20) + b'"}\n'
    receipt = room.take(good + giant + good)
    assert (receipt.accepted, receipt.quarantined) == (2, 1)
    (record,) = room.quarantine(receipt)
    assert (record["line"], record["reason"], len(record["raw"])) == (2, "line_too_long", 65536)


def _zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def _tarred(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _many(count: int) -> bytes:
    return b"".join(json.dumps(start() | {"RecordNumber": n * 7919}).encode() + b"\n" for n in range(count))


@pytest.mark.parametrize("packed", [gzip.compress, lambda c: _zipped("a.json", c), lambda c: _tarred("a.json", c)])
def test_archives_are_unpacked_and_cut_off_ones_kept_as_far_as_they_go(room: Room, packed: Any) -> None:
    content = packed(_many(3000))
    whole = room.take(content)
    assert (whole.accepted, whole.quarantined) == (3000, 0)
    cut = room.take(content[: len(content) * 2 // 3])
    assert 0 < cut.accepted < 3000
    assert cut.damaged >= 1
    assert balanced(cut)
    assert any("truncated" in reason for reason in reasons(room, cut))


def test_archives_in_archives_and_many_files_in_one_batch(room: Room) -> None:
    inner = gzip.compress(_many(3))
    receipt = room.take(_zipped("inner.gz", inner))
    assert receipt.accepted == 3
    deep = inner
    for _ in range(8):
        deep = _zipped("deeper.zip", deep)
    assert reasons(room, room.take(deep)) == ["nested_too_deeply"]


def test_an_archive_that_unpacks_without_end_is_refused_whole(tmp_path: Path) -> None:
    room = Room(tmp_path, PipelineLimits(batch_bytes=1 << 20))
    with pytest.raises(BatchTooLargeError):
        room.take(gzip.compress(b" " * (8 << 20)))
    assert room.lake.batches == {}
    assert list(tmp_path.iterdir()) == []


def test_the_same_batch_changes_nothing_and_answers_the_same(room: Room) -> None:
    first = room.take([start(), {"bad": 1}], batch="b1")
    again = room.take([start()], batch="b1")
    assert (again.duplicate, first.duplicate) == (True, False)
    assert (again.accepted, again.quarantined, again.rows) == (first.accepted, first.quarantined, first.rows)
    assert len(room.lake.batches) == 1
    assert len(room.quarantine(first)) == 1
    assert [path.name for path in room.folder.iterdir()] == ["b1.jsonl"]


def test_without_an_id_the_content_is_the_batch(room: Room) -> None:
    assert not room.take([start()]).duplicate
    assert room.take([start()]).duplicate
    other = room.pipeline.accept(
        "22222222-2222-2222-2222-222222222222", None, [Source("x", json.dumps(start()).encode())]
    )
    assert not other.duplicate


def test_two_tenants_with_one_batch_id_get_a_quarantine_file_each(room: Room) -> None:
    room.take([{"mine": 1}], batch="b")
    room.pipeline.accept("22222222-2222-2222-2222-222222222222", "b", [Source("x", b'{"theirs":1}\n')])
    names = sorted(path.name for path in room.folder.iterdir())
    assert names == ["b.22222222-2222-2222-2222-222222222222.jsonl", "b.jsonl"]
    assert "mine" in (room.folder / "b.jsonl").read_text()


@pytest.mark.parametrize("batch", ["", "../x", "a/b", ".hidden", "x" * 129, "a b"])
def test_batch_ids_cannot_leave_their_folder(room: Room, batch: str) -> None:
    with pytest.raises(BatchIdError):
        room.take([start()], batch=batch)


def test_formats_are_known_or_refused(room: Room) -> None:
    assert room.take([start()], format_="nxlog_flat").accepted == 1
    with pytest.raises(UnknownFormatError):
        room.take([start()], format_="nxlog_round")
    with pytest.raises(UnknownFormatError) as refusal:
        room.take([start()], format_="zeek_json")
    assert refusal.value.recognised


def test_a_failing_lake_leaves_no_trace(tmp_path: Path) -> None:
    class FullDisk(MemoryLake):
        def append(self, *_: Any) -> bytes | None:
            raise OSError("no space left")

    pipeline = Pipeline(FullDisk(), tmp_path)
    with pytest.raises(OSError, match="no space"):
        pipeline.accept(TENANT, "b", [Source("x", b"{}\n")])
    assert list(tmp_path.iterdir()) == []


LINES = st.one_of(
    st.sampled_from([start(), sysmon(4), sysmon(99), sysmon(12), {**sysmon(1), "@timestamp": "x"}]).map(
        lambda event: json.dumps(event).encode()
    ),
    st.binary(max_size=30).map(lambda raw: b"z" + raw.replace(b"\n", b"").replace(b"\r", b"")),
    st.just(b""),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=12))
def test_no_line_is_lost(room: Room, lines: list[bytes]) -> None:
    receipt = room.take(b"\n".join(lines))
    assert balanced(receipt)
    assert receipt.events == sum(bool(line.strip()) for line in lines)
