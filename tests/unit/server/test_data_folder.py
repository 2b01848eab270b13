"""The data folder: ours is recognised, others' are left alone, and one server holds it at a time."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vedette.errors import UsageError
from vedette.server.data_folder import (
    existing_data_folder,
    held,
    is_held,
    open_data_folder,
    write_private,
)


def test_it_is_made_for_its_owner_only_and_opened_again(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b"
    open_data_folder(root)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert open_data_folder(root) == existing_data_folder(root)


def test_settings_and_logs_may_lie_there_before(tmp_path: Path) -> None:
    (tmp_path / "vedette.toml").write_text("")
    (tmp_path / "stderr.log").write_text("")
    open_data_folder(tmp_path)


def test_somebody_else_s_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UsageError, match="not Vedette's"):
        open_data_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vedette.json").write_text('{"format": 99, "made_by": "9.0"}')
    with pytest.raises(UsageError, match=r"newer Vedette \(9\.0\)"):
        open_data_folder(tmp_path)


def test_a_damaged_marker_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vedette.json").write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        open_data_folder(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is not a folder"):
        open_data_folder(tmp_path / "file")
    with pytest.raises(UsageError, match="part of the path is a file"):
        open_data_folder(tmp_path / "file" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be used"):
        open_data_folder(tmp_path)


def test_commands_for_an_installation_need_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a data folder"):
        existing_data_folder(tmp_path)


def test_one_server_at_a_time(tmp_path: Path) -> None:
    folder = open_data_folder(tmp_path)
    assert not is_held(folder)
    with held(folder):
        assert is_held(folder)
        with pytest.raises(UsageError, match="Another Vedette server"), held(folder):
            raise AssertionError
    assert not is_held(folder)


def test_a_killed_server_leaves_no_lock(tmp_path: Path) -> None:
    folder = open_data_folder(tmp_path)
    script = (
        "import sys, time, pathlib; from vedette.server.data_folder import *\n"
        "with held(open_data_folder(pathlib.Path(sys.argv[1]))):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert is_held(folder)
        process.kill()
        process.wait()
    assert not is_held(folder)


def test_private_files_are_private_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    write_private(path, {"a": 1})
    write_private(path, {"a": 2})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert '"a": 2' in path.read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo.json"]
