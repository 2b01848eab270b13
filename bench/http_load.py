"""A load generator for token endpoints: `python -m bench.http_load PORT PATH CONNECTIONS SECONDS`, the form on stdin.

One process, connections that stay open, the next request as soon as the last is answered; the same for every server.
Prints tokens a second, after a second that does not count.
"""

import asyncio
import re
import sys
import time

WARM_UP_SECONDS = 1.0
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


async def main(port: int, path: str, connections: int, seconds: float, form: bytes) -> float:
    """Tokens a second."""
    request = (
        f"POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\n\r\n"
    ).encode() + form
    open_ = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    await asyncio.gather(*(_ask_until(time.perf_counter() + WARM_UP_SECONDS, request, *pair) for pair in open_))
    started = time.perf_counter()
    counts = await asyncio.gather(*(_ask_until(started + seconds, request, *pair) for pair in open_))
    elapsed = time.perf_counter() - started
    for _, writer in open_:
        writer.close()
    return sum(counts) / elapsed


async def _ask_until(end: float, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    count = 0
    while time.perf_counter() < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else await _chunks(reader)
        if not head.startswith(b"HTTP/1.1 200") or b'"access_token"' not in body:
            raise RuntimeError(f"no token: {head!r} {body!r}")
        count += 1
    return count


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


if __name__ == "__main__":
    port, path, connections, seconds = sys.argv[1:]
    print(asyncio.run(main(int(port), path, int(connections), float(seconds), sys.stdin.buffer.read())))
