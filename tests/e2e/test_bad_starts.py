"""Starts that cannot work: one clear sentence on standard error, nothing on standard output, exit code 2."""

import os
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import RunningServer, free_port, vedette

Arrange = Callable[[Path], list[object]]


def port_in_use(folder: Path) -> list[object]:
    server = socket.create_server(("127.0.0.1", 0))
    _kept.append(server)
    return ["--data", folder / "data", "--port", server.getsockname()[1]]


def foreign_folder(folder: Path) -> list[object]:
    (folder / "thesis.tex").write_text("")
    return ["--data", folder]


def file_as_folder(folder: Path) -> list[object]:
    (folder / "file").write_text("")
    return ["--data", folder / "file"]


def unwritable_folder(folder: Path) -> list[object]:
    if os.geteuid() == 0:
        return ["--data", "/proc/vedette"]  # where even root cannot write
    folder.chmod(0o500)
    return ["--data", folder / "data"]


def newer_folder(folder: Path) -> list[object]:
    (folder / "vedette.json").write_text('{"format": 99, "made_by": "9.9"}')
    return ["--data", folder]


def newer_database(folder: Path) -> list[object]:
    (folder / "vedette.json").write_text('{"format": 1, "made_by": "0.1.0"}')
    with sqlite3.connect(folder / "control.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()
    return ["--data", folder]


def unknown_setting(folder: Path) -> list[object]:
    (folder / "vedette.toml").write_text("prot = 1")
    return ["--data", folder]


def half_a_certificate(folder: Path) -> list[object]:
    return ["--data", folder, "--tls-cert", folder / "x.pem"]


def missing_certificate(folder: Path) -> list[object]:
    return ["--data", folder / "data", "--tls-cert", folder / "x.pem", "--tls-key", folder / "x.key"]


def nothing_to_load(folder: Path) -> list[object]:
    return ["--data", folder / "data", "--load", folder / "nothing.json"]


def foreign_address(folder: Path) -> list[object]:
    return ["--data", folder / "data", "--host", "192.0.2.1"]


_kept: list[socket.socket] = []


@pytest.mark.parametrize("mode", [[], ["--single"]], ids=["processes", "single"])
@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (port_in_use, "in use"),
        (foreign_folder, "not Vedette's"),
        (file_as_folder, "not a folder"),
        (unwritable_folder, "cannot be used"),
        (newer_folder, "newer Vedette (9.9)"),
        (newer_database, "newer version"),
        (unknown_setting, "'prot'"),
        (half_a_certificate, "both tls_cert and tls_key"),
        (missing_certificate, "cannot be read"),
        (nothing_to_load, "nothing to load"),
        (foreign_address, "not an address of this machine"),
    ],
)
def test_it_is_refused_in_one_sentence(arrange: Arrange, words: str, mode: list[str], tmp_path: Path) -> None:
    arguments = arrange(tmp_path)
    port = [] if "--port" in arguments else ["--port", free_port()]
    done = vedette("up", *arguments, *port, *mode)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("vedette: ")
    assert words in line


def test_one_server_a_folder(tmp_path: Path) -> None:
    server = RunningServer(tmp_path / "data", "--single")
    server.wait_until_ready()
    try:
        done = vedette("up", "--data", server.data, "--port", free_port())
        assert done.returncode == 2
        assert "Another Vedette server" in done.stderr
        # What administers the state is done by the server that has the folder.
        assert vedette("snapshot", "save", "x", "--data", server.data).returncode == 0
        assert vedette("reset", "--yes", "--data", server.data).returncode == 0
    finally:
        assert server.stop() == 0
