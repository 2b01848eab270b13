"""Fixtures for every test. The folder of conformance and telemetry data lies beside the project, never in it."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

PROJECT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("VEDETTE_SHARED", PROJECT.parent / "shared"))


def lacking(reason: str) -> NoReturn:
    """End a test that cannot run here: a skip, and in CI, where all that tests need is there, a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with conformance/, telemetry/, contract/ and judge/. Missing: a failure in CI, a skip elsewhere."""
    if SHARED.is_dir():
        return SHARED
    lacking(f"no shared data at {SHARED}; set VEDETTE_SHARED to run this test")
