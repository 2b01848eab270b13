"""`vedette ingest` against a real server: real telemetry in every form it comes in, found again by KQL over HTTP."""

import datetime
import gzip
import os
import pty
import re
import signal
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conformance.telemetry.facts import FactQuery, query_of

from .conftest import VEDETTE, environment, eventually, vedette
from .installation import Installation, installation, process_start

SETS = (
    "otrf/dcsync",
    "otrf/wdigest",
    "otrf/lsass_comsvcs",
    "otrf/schtask_create",
    "otrf/run_key",
    "evtx_gpl/sysmon_10_11_lsass_memdump",
    "evtx_gpl/kerberos_pwd_spray_4771",
    "evtx_cc0/id4720_4726_fast_created_deleted_user",
)
"""Flat-event and NXLog shapes in .zip and .tar.gz, and event logs."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("ingest") / "data", "--single") as installed:
        yield installed


@pytest.fixture(scope="module")
def sets(shared: Path) -> dict[str, dict[str, Any]]:
    manifest = yaml.safe_load((shared / "telemetry" / "MANIFEST.yaml").read_text())
    return {entry["name"]: entry for entry in manifest["sets"] if entry["name"] in SETS}


def during(entry: dict[str, Any], query: FactQuery) -> str:
    """The query of a fact, over the time of its set only."""
    first, last = (datetime.datetime.fromisoformat(str(entry[end])).replace(tzinfo=None) for end in ("first", "last"))
    second = datetime.timedelta(seconds=1)
    table, _, rest = query.kql().partition(" | ")
    span = f"where Timestamp between (datetime({first - second:%FT%T}) .. datetime({last + second:%FT%T}))"
    return f"{table} | {span} | {rest}"


@pytest.mark.shared
def test_real_sets_are_taken_in_and_their_facts_found(
    server: Installation, sets: dict[str, dict[str, Any]], shared: Path
) -> None:
    files = [shared / "telemetry" / file["file"] for entry in sets.values() for file in entry["files"]]
    done = server.vedette("ingest", *files, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    table = done.stdout.splitlines()
    assert all(any(path.name in line for line in table) for path in files)
    everything = sum(entry["events"] for entry in sets.values())
    assert re.search(rf"^\s*all\s+{everything}\s", done.stdout, re.MULTILINE), done.stdout
    facts = [(entry, query_of(fact)) for entry in sets.values() for fact in entry["facts"]]
    assert len(facts) >= len(SETS)
    for entry, query in facts:
        assert isinstance(query, FactQuery), query
        assert server.hunt(during(entry, query)) == [{"Count": query.events}], query.what


@pytest.mark.shared
def test_the_same_file_again_changes_nothing_and_says_so(server: Installation, shared: Path) -> None:
    path = shared / "telemetry" / "evtx_gpl" / "sysmon_10_11_lsass_memdump.evtx"
    assert server.vedette("ingest", path).returncode == 0
    count = "DeviceFileEvents | where FolderPath has 'dmp' | count"
    before = server.hunt(count)
    again = server.vedette("ingest", path)
    assert again.returncode == 0
    assert "taken in before" in again.stdout
    assert server.hunt(count) == before


@pytest.mark.parametrize("form", ["plain", "gz", "zip", "tar.gz", "zip in a zip"])
def test_every_packing_gives_the_same_rows(server: Installation, form: str, tmp_path: Path) -> None:
    host = f"{form.replace(' ', '-').replace('.', '-')}.example"
    lines = b"".join(process_start(number, host) for number in range(20))
    done = server.vedette("ingest", packed(tmp_path, form, lines))
    assert done.returncode == 0, done.stderr
    rows = server.hunt(f"DeviceProcessEvents | where DeviceName == '{host}' | summarize count(), dcount(ProcessId)")
    assert rows == [{"count_": 20, "dcount_ProcessId": 20}]


def packed(folder: Path, form: str, lines: bytes) -> Path:
    plain = folder / "events.json"
    plain.write_bytes(lines)
    if form == "plain":
        return plain
    path = folder / f"packed.{form.split(' ', maxsplit=1)[0]}"
    if form == "gz":
        path.write_bytes(gzip.compress(lines))
    elif form == "tar.gz":
        with tarfile.open(path, "w:gz") as archive:
            archive.add(plain, "events.json")
    else:
        inner = folder / "inner.zip" if " in a " in form else path
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(plain, "events.json")
        if inner is not path:
            with zipfile.ZipFile(path, "w") as archive:
                archive.write(inner, "inner.zip")
    return path


def test_a_folder_is_all_its_files(server: Installation, tmp_path: Path) -> None:
    for name in ("one", "two/three", ".hidden"):
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(process_start(1, f"{path.stem.strip('.')}-folder.example"))
    done = server.vedette("ingest", tmp_path)
    assert done.returncode == 0, done.stderr
    found = server.hunt("DeviceProcessEvents | where DeviceName endswith '-folder.example' | distinct DeviceName")
    assert {row["DeviceName"] for row in found} == {"one-folder.example", "three-folder.example"}


def test_a_named_batch_is_taken_in_once_whatever_its_content(server: Installation, tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    for number in (1, 2):
        path.write_bytes(process_start(number, "named.example"))
        done = server.vedette("ingest", path, "--batch-id", "shift-7")
        assert done.returncode == 0
        assert ("taken in before" in done.stdout) == (number == 2)
    rows = server.hunt("DeviceProcessEvents | where DeviceName == 'named.example' | project ProcessCommandLine")
    assert rows == [{"ProcessCommandLine": "cmd.exe /c echo 1"}]


def test_some_bad_lines_are_exit_3_and_told_in_the_table(server: Installation, tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(process_start(1, "half.example") + b"{nonsense\n" + process_start(2, "half.example"))
    done = server.vedette("ingest", path, "--batch-id", "half-bad", COLUMNS="120")
    assert done.returncode == 3, done.stderr
    assert re.search(r"events\.json\s+3\s+2\s+1\s+2\s+half-bad", done.stdout), done.stdout
    (record,) = server.quarantined("half-bad")
    assert record == {
        "source": "events.json",
        "line": 2,
        "offset": len(process_start(1, "half.example")),
        "reason": "malformed_json",
        "raw": "{nonsense",
    }


def test_a_narrow_terminal_gets_lines_that_fit(server: Installation, tmp_path: Path) -> None:
    path = tmp_path / "a-file-with-quite-a-long-name.json"
    path.write_bytes(process_start(1, "narrow.example") + b"{nonsense\n")
    done = server.vedette("ingest", path, "--batch-id", "narrow", COLUMNS="50")
    assert done.returncode == 3
    assert max(len(line) for line in done.stdout.splitlines()) <= 50
    assert "quarantined: 1" in done.stdout


def test_one_refused_file_does_not_keep_the_others_back(server: Installation, tmp_path: Path) -> None:
    (tmp_path / "a-empty.json").write_bytes(b"")
    (tmp_path / "b-good.json").write_bytes(process_start(1, "good.example"))
    done = server.vedette("ingest", tmp_path)
    assert done.returncode == 3, done.stderr
    assert "b-good.json" in done.stdout
    assert "a-empty.json" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["missing.json"], 2),
        (["--follow"], 2),
        (["here.json", "there.json", "--batch-id", "x"], 2),
        (["here.json", "--format", "zeek_json"], 1),
        (["here.json", "--format", "nonsense"], 1),
        (["here.json", "--batch-id", "not/an/id"], 1),
    ],
)
def test_what_cannot_be_sent_is_one_sentence(
    server: Installation, arguments: list[str], code: int, tmp_path: Path
) -> None:
    for name in ("here.json", "there.json"):
        (tmp_path / name).write_bytes(process_start(1, "refused.example"))
    words = [str(tmp_path / word) if word.endswith(".json") else word for word in arguments]
    done = server.vedette("ingest", *words)
    assert done.returncode == code, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("vedette: ")
    assert done.stdout == ""


def test_without_the_right_secret_it_is_exit_4(server: Installation, tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(process_start(1))
    done = server.vedette("ingest", path, AZURE_CLIENT_SECRET="wrong")
    assert done.returncode == 4
    assert "AADSTS7000215" in done.stderr


def test_without_a_server_it_is_exit_1_and_without_credentials_2(server: Installation, tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(process_start(1))
    nobody = server.vedette("ingest", path, AZURE_AUTHORITY_HOST="https://127.0.0.1:9")
    assert (nobody.returncode, "Nobody answers" in nobody.stderr) == (1, True)
    assert vedette("ingest", path, "--data", tmp_path / "none").returncode == 2


def test_the_progress_bar_is_on_standard_error(server: Installation, tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(b"".join(process_start(number, "bar.example") for number in range(5_000)))
    controller, terminal = pty.openpty()
    done = subprocess.Popen(
        [VEDETTE, "ingest", str(path)],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=environment(**server.environment(), TERM="xterm", COLUMNS="100"),
        text=True,
    )
    os.close(terminal)
    shown = drained(controller)
    output, _ = done.communicate(timeout=60)
    assert done.returncode == 0
    assert re.search(r"events\.json .*━.*[kM]B", shown), shown
    assert "━" not in output.splitlines()[0]
    assert re.search(r"events\.json\s+5000\s+5000\s+5000", output), output


def drained(descriptor: int) -> str:
    """What is written to a terminal until its last writer is gone."""
    pieces = []
    while True:
        try:
            piece = os.read(descriptor, 65_536)
        except OSError:  # how Linux reports that nobody holds the other end
            piece = b""
        if not piece:
            os.close(descriptor)
            return b"".join(pieces).decode(errors="replace")
        pieces.append(piece)


def test_following_a_file_sends_what_is_added_to_it(server: Installation, tmp_path: Path) -> None:
    path = tmp_path / "growing.json"
    path.write_bytes(process_start(1, "grows.example"))
    count = "DeviceProcessEvents | where DeviceName == 'grows.example' | count"
    following = subprocess.Popen(
        [VEDETTE, "ingest", str(path), "--follow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**server.environment()),
        text=True,
    )
    assert eventually(lambda: server.hunt(count) == [{"Count": 1}])
    with path.open("ab") as file:
        second = process_start(2, "grows.example")
        file.write(second + second[:40])  # half a line is not sent
        file.flush()
        assert eventually(lambda: server.hunt(count) == [{"Count": 2}])
        file.write(second[40:] + b"{nonsense\n")  # the same line as before, further down
    assert eventually(lambda: server.hunt(count) == [{"Count": 3}])
    time.sleep(0.2)
    following.send_signal(signal.SIGINT)
    _, errors = following.communicate(timeout=30)
    assert following.returncode == 3, errors
    assert "1 quarantined" in errors


def test_files_are_loaded_at_the_start_and_only_once(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(process_start(1, "loaded.example") + b"{nonsense\n")
    for _ in range(2):
        with installation(tmp_path / "data", "--single", "--load", path) as installed:
            assert installed.hunt("DeviceProcessEvents | count") == [{"Count": 1}]
    (quarantine,) = (tmp_path / "data" / "quarantine").iterdir()
    assert '"malformed_json"' in quarantine.read_text()
