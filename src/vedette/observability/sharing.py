"""Where the processes of one server put their metrics. Imports nothing, so that it can be decided first of all."""

import os
import shutil
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def share_between_processes(folder: Path) -> None:
    """Let this process and its children add up their metrics in `folder`, which is emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    os.environ[VARIABLE] = str(folder)


def join_shared(folder: Path) -> None:
    """Let this process add its metrics to those in `folder`."""
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    os.environ[VARIABLE] = str(folder)
