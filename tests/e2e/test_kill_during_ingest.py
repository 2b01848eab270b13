"""`kill -9` of a whole server while clients send batches: after the restart every acknowledged batch is there, once."""

import os
import signal
import threading
import time
from pathlib import Path

import httpx2
import pytest

from .conftest import RunningServer, alive, eventually, free_port, vedette
from .installation import OWN, Installation, process_start

CLIENTS = 3
ROWS = 40
ROUNDS = 2
SECONDS = 3.0


class Sender(threading.Thread):
    """One client that sends batch after batch until it is told to stop or the server is gone."""

    def __init__(self, server: Installation, name: str, token: str) -> None:
        super().__init__(name=name)
        self.acknowledged: list[str] = []
        self.attempted: list[str] = []
        self._server = server
        self._token = token

    def run(self) -> None:
        with self._server.server.client(headers={"Authorization": f"Bearer {self._token}"}) as client:
            for number in range(100_000):
                batch = f"{self.name}-{number}"
                self.attempted.append(batch)
                body = b"".join(process_start(row, f"{batch}.example") for row in range(ROWS))
                try:
                    answer = client.post("/ingest/v1/events", content=body, headers={"Vedette-Batch-Id": batch})
                except httpx2.TransportError:
                    return  # killed
                assert answer.status_code == 200, answer.text
                assert answer.json()["rows"] == {"DeviceProcessEvents": ROWS}
                self.acknowledged.append(batch)


def kill_group(server: RunningServer) -> None:
    """SIGKILL for the server and all its processes at once."""
    children = server.children()
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert server.process.stdout is not None
    server.process.stdout.close()
    assert eventually(lambda: not any(alive(pid) for pid in children))


@pytest.fixture
def port() -> int:
    """One port for all starts, as a service has it."""
    return free_port()


def test_every_acknowledged_batch_is_there_once(tmp_path: Path, port: int) -> None:
    data = tmp_path / "data"
    server = RunningServer(data, port=port)
    server.wait_until_ready()
    installed = Installation.of(server, vedette("bootstrap", "--client", "e2e", "--data", data).stdout)
    acknowledged: set[str] = set()
    attempted: set[str] = set()
    for round_ in range(ROUNDS):
        token = installed.token(OWN)
        senders = [Sender(installed, f"r{round_}c{number}", token) for number in range(CLIENTS)]
        for sender in senders:
            sender.start()
        time.sleep(SECONDS)
        kill_group(server)
        for sender in senders:
            sender.join()
            assert sender.acknowledged
            acknowledged.update(sender.acknowledged)
            attempted.update(sender.attempted)
        server = RunningServer(data, port=port)
        server.wait_until_ready()
        installed = Installation(server, installed.credentials)
    try:
        query = "DeviceProcessEvents | summarize Rows = count(), Distinct = dcount(ProcessId, 4) by DeviceName"
        found = {row["DeviceName"].removesuffix(".example"): row for row in installed.hunt(query)}
        assert acknowledged <= set(found), "an acknowledged batch is gone"
        assert {(row["Rows"], row["Distinct"]) for row in found.values()} == {(ROWS, ROWS)}, "twice, or half a batch"
        assert set(found) <= attempted
        assert len(set(found) - acknowledged) <= CLIENTS * ROUNDS
        for batch in sorted(attempted - acknowledged):  # a client that heard nothing sends again
            body = b"".join(process_start(row, f"{batch}.example") for row in range(ROWS))
            answer = installed.send(body, **{"Vedette-Batch-Id": batch}).json()
            assert answer["duplicate"] == (batch in found)
        counts = installed.hunt("DeviceProcessEvents | summarize Rows = count() by DeviceName | distinct Rows")
        assert counts == [{"Rows": ROWS}]
    finally:
        assert server.stop() == 0
