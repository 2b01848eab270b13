"""The state of a running demo, saved and brought back while it runs: what a test suite waits for between two tests."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.measurement import Measurement
from vedette.client.administration import Administration
from vedette.testing.server import running_server

ROUNDS = 15
GOAL_MS = 200.0
SETTLE_SECONDS = 5.0
"""For the background work that follows the start."""

NAME = "bench"


def measure() -> Iterator[Measurement]:
    """Milliseconds of a call, as its caller sees them; the median and the slowest."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder) / "data") as server,
        server.administration() as admin,
    ):
        time.sleep(SETTLE_SECONDS)
        saved = [_milliseconds(lambda: admin.save(NAME)) for _ in range(ROUNDS)]
        restored = []
        for _ in range(ROUNDS):
            _change(admin)
            restored.append(_milliseconds(lambda: admin.restore(NAME)))
    for name, times in (("save", saved), ("restore", restored)):
        yield Measurement(f"snapshot {name}, median", statistics.median(times), "ms", GOAL_MS)
        yield Measurement(f"snapshot {name}, slowest", max(times), "ms", GOAL_MS)


def _change(admin: Administration) -> None:
    admin.seed(b'{"alerts": [{"title": "Bench"}], "events": {"DeviceEvents": [{"ActionType": "Bench"}]}}')


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000
