"""Lists of incidents: a page against the same page by FastAPI and pydantic, latency under load, and the cost of depth.

100,000 incidents with two alerts of five pieces of evidence each, one web process on plain HTTP. The page is asked for
as it was sent before, with every incident on it changed since, with every alert changed too, which is what a page that
was never sent costs, and while incidents change one by one.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from urllib.parse import quote

import msgspec

from bench.http_load import ask
from bench.incident_store import SECOND, change_all, changing, fill
from bench.measurement import Measurement
from bench.web_process import free_port, running, web_process
from vedette.clock import format_ticks
from vedette.store.engine import Store

INCIDENTS = 100_000
PAGE = 50
RATIO_GOAL, LATENCY_GOAL, DEPTH_GOAL = 3.0, 5.0, 1.5
CONNECTIONS, SECONDS, ROUNDS = 8, 4.0, 3
FRESH_ROUNDS, CHANGES_PER_SECOND = 25, 20
RATE, RATE_CONNECTIONS, RATE_SECONDS = 100, 16, 10.0
DEEP_PAGE, DEEP_ROUNDS = 1_000, 30


class Server(msgspec.Struct, frozen=True):
    """A server that is asked with GET."""

    port: int
    token: str

    def load(self, target: str, connections: int, seconds: float, rate: float = 0) -> dict[str, float]:
        """Requests a second and latencies, from a process of its own."""
        command = [sys.executable, "-m", "bench.http_load", *map(str, (self.port, connections, seconds, rate))]
        done = subprocess.run(command, input=self.request(target), capture_output=True, check=True)
        return dict(json.loads(done.stdout))

    def get(self, target: str) -> bytes:
        """One answer's body."""
        return asyncio.run(_get(self.port, self.request(target)))

    def seconds(self, target: str) -> float:
        """How long one answer takes over an open connection."""
        return asyncio.run(_time(self.port, self.request(target)))

    def request(self, target: str) -> bytes:
        """The request, as a proxy sends it on: for the same host whatever the port."""
        headers = f"Host: localhost\r\nX-Forwarded-Proto: https\r\nAuthorization: Bearer {self.token}"
        return f"GET {target} HTTP/1.1\r\n{headers}\r\n\r\n".encode()


class Contest(msgspec.Struct, frozen=True):
    """The two servers, the page that both are asked for, and what is on it."""

    ours: Server
    twin: Server
    target: str
    store: Store
    tenant_id: str
    incident_ids: Sequence[int]

    @property
    def servers(self) -> tuple[Server, Server]:
        """Both, in the order in which they are asked."""
        return self.ours, self.twin

    def check(self) -> int:
        """The size of the page. Raises RuntimeError if the answers are not the same bytes."""
        body = self.ours.get(self.target)
        if len(json.loads(body)["value"]) != PAGE or body != self.twin.get(self.target):
            raise RuntimeError("the two answers differ")
        return len(body)


def measure() -> Iterator[Measurement]:
    """Fill a store, then ask the two servers in turns."""
    with tempfile.TemporaryDirectory(prefix="vedette-bench-") as name, contextlib.ExitStack() as stack:
        data = Path(name) / "data"
        process = stack.enter_context(web_process(data))
        newest = fill(data, process.tenant_id, INCIDENTS)
        graph = Server(process.port, process.token("https://graph.microsoft.com"))
        defender = Server(process.port, process.token("https://api.security.microsoft.com"))
        twin = Server(stack.enter_context(_twin(data, process.tenant_id)), graph.token)
        store = stack.enter_context(contextlib.closing(Store.in_folder(data)))
        newest_ids = range(INCIDENTS - PAGE + 1, INCIDENTS + 1)
        contest = Contest(graph, twin, _page_since(newest), store, process.tenant_id, newest_ids)
        yield from _unchanged(contest)
        yield from _fresh(contest)
        yield from _mixed(contest)
        yield from _under_load(defender)
        yield from _depth(graph)


def _page_since(newest: int) -> str:
    since = format_ticks(newest - (PAGE - 1) * SECOND)  # as many as fill the page: there is no link to a next one
    return f"/v1.0/security/incidents?$expand=alerts&$top={PAGE}&$filter={quote(f'createdDateTime ge {since}')}"


def _unchanged(contest: Contest) -> Iterator[Measurement]:
    """As fast as it goes: what did not change is sent again."""
    ours, theirs = _rates(contest)
    yield Measurement("incidents.page", ours, "pages/s")
    peer = f"FastAPI + pydantic, {theirs:.0f}/s of {contest.check() / 1e3:.0f} kB"
    yield Measurement("incidents.page.vs.fastapi", ours / theirs, "x", RATIO_GOAL, "higher", peer)


def _fresh(contest: Contest) -> Iterator[Measurement]:
    """One page at a time, with every incident on it changed before each, and then with every alert too.

    The quickest of each server counts: what else the machine did meanwhile is left out.
    """
    for name, with_alerts in (("fresh", False), ("first", True)):
        times: dict[Server, list[float]] = {server: [] for server in contest.servers}
        for _ in range(FRESH_ROUNDS):
            for server, measured in times.items():
                change_all(contest.store, contest.tenant_id, contest.incident_ids, with_alerts=with_alerts)
                measured.append(server.seconds(contest.target))
        contest.check()
        ours, theirs = (min(measured) * 1e3 for measured in times.values())
        peer = f"FastAPI + pydantic, {theirs:.1f} ms against {ours:.1f} ms"
        yield Measurement(f"incidents.page.{name}.vs.fastapi", theirs / ours, "x", RATIO_GOAL, "higher", peer)


def _mixed(contest: Contest) -> Iterator[Measurement]:
    """As fast as it goes, while incidents of the page change one after the other."""
    with changing(contest.store, contest.tenant_id, contest.incident_ids, CHANGES_PER_SECOND):
        ours, theirs = _rates(contest)
    contest.check()
    peer = f"FastAPI + pydantic, {theirs:.0f}/s, {CHANGES_PER_SECOND} incidents changed a second"
    yield Measurement("incidents.page.mixed.vs.fastapi", ours / theirs, "x", RATIO_GOAL, "higher", peer)


def _rates(contest: Contest) -> tuple[float, float]:
    """Pages a second of the two, asked in turns."""
    rates: dict[Server, list[float]] = {server: [] for server in contest.servers}
    for _ in range(ROUNDS):
        for server, measured in rates.items():
            measured.append(server.load(contest.target, CONNECTIONS, SECONDS)["rate"])
    return median(rates[contest.ours]), median(rates[contest.twin])


def _under_load(defender: Server) -> Iterator[Measurement]:
    rounds = [
        {
            target: defender.load(target, RATE_CONNECTIONS, RATE_SECONDS, RATE)["p99"]
            for target in ("/healthz", "/api/incidents")
        }
        for _ in range(ROUNDS)
    ]
    health, incidents = (median(each[target] for each in rounds) for target in ("/healthz", "/api/incidents"))
    yield Measurement(
        "incidents.p99.vs.healthz", incidents / health, "x", LATENCY_GOAL, peer=f"/healthz, {health:.2f} ms at {RATE}/s"
    )
    yield Measurement("incidents.p99", incidents, "ms")


def _depth(graph: Server) -> Iterator[Measurement]:
    """The first page and a deep one, each as its link says, in turns."""
    first = target = f"/v1.0/security/incidents?$top={PAGE}"
    for _ in range(DEEP_PAGE - 1):
        target = json.loads(graph.get(target))["@odata.nextLink"].partition("localhost")[2]
    times: dict[str, list[float]] = {first: [], target: []}
    for _ in range(DEEP_ROUNDS):
        for each, measured in times.items():
            started = time.perf_counter()
            graph.get(each)
            measured.append(time.perf_counter() - started)
    shallow, deep = median(times[first]), median(times[target])
    peer = f"page 1, {shallow * 1e3:.1f} ms"
    yield Measurement(f"incidents.page_{DEEP_PAGE}.vs.page_1", deep / shallow, "x", DEPTH_GOAL, peer=peer)


@contextlib.contextmanager
def _twin(data: Path, tenant_id: str) -> Iterator[int]:
    port = free_port()
    options = [
        "--port",
        str(port),
        "--log-level",
        "warning",
        "--no-access-log",
        "--loop",
        "uvloop",
        "--http",
        "httptools",
    ]
    command = [sys.executable, "-m", "uvicorn", "bench._incidents_twin:app", *options]
    variables = {"BENCH_STORE": str(data / "control.db"), "BENCH_TENANT": tenant_id}
    with running(command, port, variables):
        yield port


async def _get(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await ask(request, reader, writer)
    finally:
        writer.close()


async def _time(port: int, request: bytes) -> float:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        started = time.perf_counter()
        await ask(request, reader, writer)
        return time.perf_counter() - started
    finally:
        writer.close()
