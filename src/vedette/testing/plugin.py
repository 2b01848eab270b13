"""Fixtures for users' tests. Enable them with `pytest_plugins = ["vedette.testing"]`.

`vedette_server`: a demo server, one a session. `vedette_app`: its application with every permission.
`vedette_clock`: a clock that stands still until it is moved, for code that is given its clock.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from vedette.clock import ManualClock
from vedette.testing.server import VedetteServer, running_server

START = 1_790_000_000.0


@pytest.fixture(scope="session")
def vedette_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VedetteServer]:
    """A running server with two tenants, applications and incidents."""
    with running_server(tmp_path_factory.mktemp("vedette")) as server:
        yield server


@pytest.fixture
def vedette_app(vedette_server: VedetteServer) -> dict[str, Any]:
    """The demo's confidential application, as in `demo.json`: tenant, client id, secret, permissions."""
    app: dict[str, Any] = vedette_server.demo["apps"][0]
    return app


@pytest.fixture
def vedette_clock() -> ManualClock:
    """A clock at a fixed moment."""
    return ManualClock(START)
