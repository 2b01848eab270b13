"""Clients that are too heavy, or too picky about their neighbours, to be dependencies: installed by their tests."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import lacking

INSTALL_SECONDS = 300


def python_client(folder: Path, *requirements: str) -> Path:
    """The interpreter of a fresh environment with these packages. Without them the test is skipped, or fails in CI."""
    _run([sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, str(folder)])
    python = folder / "bin" / "python"
    _run([sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python), *requirements])
    return python


def node_packages(folder: Path, *packages: str) -> Path:
    """The folder, with these packages from npm in it. Without them the test is skipped, or fails in CI."""
    npm = shutil.which("npm")
    if npm is None:
        lacking("npm is missing")
    _run([npm, "install", "--no-audit", "--no-fund", *packages], folder)
    return folder


def _run(command: list[str], folder: Path | None = None) -> None:
    what = " ".join(command[-2:])
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        lacking(f"{what}: not installed within {INSTALL_SECONDS} s")
    except subprocess.CalledProcessError as error:
        lacking(f"{what}: {error.stderr.strip().splitlines()[-1:]}")
