"""Fixtures for users' tests. Enable them with `pytest_plugins = ["vedette.testing"]`.

`vedette_server`: a demo server, one a session (and a worker of pytest-xdist), with a folder and a port of its own.
`vedette_app`: its application with every permission. `vedette_admin`: faults, seeds, snapshots, quotas of the server.
`vedette_clock`: the server's clock, for a test to move; it goes back afterwards. `vedette_state`: the server, and after
the test everything as it was before the first one.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from vedette.client.administration import Administration
from vedette.testing.server import ServerClock, VedetteServer, running_server

BASELINE = "pytest-baseline"


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


@pytest.fixture(scope="session")
def vedette_admin(vedette_server: VedetteServer) -> Iterator[Administration]:
    """Administration of the server."""
    with vedette_server.administration() as admin:
        yield admin


@pytest.fixture
def vedette_clock(vedette_admin: Administration) -> Iterator[ServerClock]:
    """The server's clock: tokens, schedules, quotas and retention obey it."""
    before = float(vedette_admin.clock()["offsetSeconds"])
    clock = ServerClock(vedette_admin)
    yield clock
    clock.advance(before - float(vedette_admin.clock()["offsetSeconds"]))


@pytest.fixture(scope="session")
def _vedette_baseline(vedette_admin: Administration) -> str:
    vedette_admin.save(BASELINE)
    return BASELINE


@pytest.fixture
def vedette_state(
    vedette_server: VedetteServer, vedette_admin: Administration, _vedette_baseline: str
) -> Iterator[VedetteServer]:
    """The server; what the test does to it, clock and faults included, is undone."""
    yield vedette_server
    vedette_admin.restore(_vedette_baseline)
