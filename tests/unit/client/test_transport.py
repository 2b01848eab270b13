"""The transport against a real local server: replies, refusals in the body's own words, and dead addresses."""

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.client.credentials import ClientSecret, TokenSource
from vedette.client.errors import AuthenticationError, ConnectionFailedError, ResponseError
from vedette.client.transport import Transport, checked


class Handler(http.server.BaseHTTPRequestHandler):
    seen: list[tuple[str, bytes]] = []  # noqa: RUF012 - reset by the fixture

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, body))
        if b"good" in body:
            self._answer(200, b'{"access_token": "t0k3n", "expires_in": 3599}')
        elif "token" in self.path:
            self._answer(
                401,
                b'{"error": "x", "error_description": "AADSTS7000215: No.\\r\\nTrace", "error_codes": [7000215]}',
            )
        else:
            self._answer(403, b'{"error": {"code": "Forbidden", "message": "Missing roles."}}')

    def do_GET(self) -> None:
        self._answer(500, b"<html>")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def transport() -> Iterator[Transport]:
    Handler.seen = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Transport(f"http://127.0.0.1:{server.server_port}/") as transport:
            yield transport
        server.shutdown()


def credentials(secret: str) -> ClientSecret:
    return ClientSecret("http://unused", "tenant", "client", secret)


def test_a_token_is_asked_for_once(transport: Transport) -> None:
    source = TokenSource(transport, credentials("good"))
    assert source.headers("https://graph.microsoft.com") == {"Authorization": "Bearer t0k3n"}
    assert source.token("https://graph.microsoft.com") == "t0k3n"
    assert [path for path, _ in Handler.seen] == ["/tenant/oauth2/v2.0/token"]


def test_a_wrong_secret_keeps_the_services_number(transport: Transport) -> None:
    with pytest.raises(AuthenticationError, match=r"^AADSTS7000215: No\.$") as caught:
        TokenSource(transport, credentials("bad")).token("https://graph.microsoft.com")
    assert caught.value.aadsts == 7000215


def test_a_refusal_is_told_in_the_body_s_words(transport: Transport) -> None:
    with pytest.raises(ResponseError, match=r"Missing roles\. \(Forbidden, HTTP 403\)"):
        checked(transport.send("POST", "/api/x", json={}))
    with pytest.raises(ResponseError, match="without saying why"):
        checked(transport.send("GET", "/html"))


def test_files_are_sent_in_pieces_and_counted(transport: Transport, tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    file.write_bytes(b"good" * 100_000)
    sent: list[int] = []
    assert transport.upload("/ingest/v1/events", file, headers={}, progress=sent.append).is_success
    assert len(sent) == 2
    assert sum(sent) == 400_000 == len(Handler.seen[0][1])


def test_nobody_there_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with (
        Transport(f"https://127.0.0.1:{port}") as transport,
        pytest.raises(ConnectionFailedError, match="Nobody answers"),
    ):
        transport.send("GET", "/")
