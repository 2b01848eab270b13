"""A load generator: `python -m bench.http_load PORT CONNECTIONS SECONDS [RATE]`, one HTTP request on stdin.

One process, connections that stay open. Without a rate the next request goes out as soon as the last is answered; with
one, requests are due at fixed times however slow the answers are, and waiting for a connection counts as latency.
Prints requests a second and latencies in milliseconds as JSON, after a second that does not count.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from statistics import quantiles

WARM_UP_SECONDS = 1.0
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def main(port: int, connections: int, seconds: float, rate: float, request: bytes) -> dict[str, float]:
    """Requests a second, and the median and the 99th percentile of latency."""
    open_ = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    await _load(open_, WARM_UP_SECONDS, rate, request)
    started = time.perf_counter()
    latencies = await _load(open_, seconds, rate, request)
    elapsed = time.perf_counter() - started
    for _, writer in open_:
        writer.close()
    cuts = quantiles(latencies, n=100)
    return {"rate": len(latencies) / elapsed, "p50": cuts[49] * 1e3, "p99": cuts[98] * 1e3}


async def _load(open_: list[Connection], seconds: float, rate: float, request: bytes) -> list[float]:
    due = _schedule(seconds, rate)
    each = await asyncio.gather(*(_ask_when_due(due, request, connection) for connection in open_))
    return [latency for latencies in each for latency in latencies]


def _schedule(seconds: float, rate: float) -> Iterator[float]:
    """When requests are due, one after the other; shared by all connections."""
    started = time.perf_counter()
    count = 0
    while (now := time.perf_counter()) < started + seconds:
        moment = started + count / rate if rate else now
        count += 1
        yield moment


async def _ask_when_due(due: Iterator[float], request: bytes, connection: Connection) -> list[float]:
    latencies = []
    for moment in due:
        if (wait := moment - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        await ask(request, *connection)
        latencies.append(time.perf_counter() - moment)
    return latencies


async def ask(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The body of an answer. Raises RuntimeError if its status is not 200."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    body = await reader.readexactly(int(length[1])) if length else await _chunks(reader)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"refused: {head!r} {body!r}")
    return body


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


if __name__ == "__main__":
    port, connections, seconds, *rate = sys.argv[1:]
    measured = main(int(port), int(connections), float(seconds), float(*rate or "0"), sys.stdin.buffer.read())
    print(json.dumps(asyncio.run(measured)))
