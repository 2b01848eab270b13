import http.server
import ipaddress
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.egress.errors import EgressFailedError, EgressRefusedError
from vedette.egress.policy import EgressPolicy, IpAddress, check_address, check_url
from vedette.egress.transport import Egress

PORT = 18_210


class Names:
    """A resolver with an answer per host."""

    def __init__(self, **hosts: str) -> None:
        self._hosts = {name.replace("_", "."): addresses.split() for name, addresses in hosts.items()}

    def addresses(self, host: str, port: int) -> list[IpAddress]:
        if host not in self._hosts:
            raise OSError("unknown")
        return [ipaddress.ip_address(address) for address in self._hosts[host]]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.answer(302, b"", Location=f"http://inside.example:{PORT}/list")
        elif self.path == "/loop":
            self.answer(302, b"", Location="/loop")
        elif self.path == "/away":
            self.answer(302, b"", Location="https://evil.example/")
        elif self.path == "/slow":
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.server.slow.wait(5)  # type: ignore[attr-defined]
        elif self.path == "/large":
            self.answer(200, b"x" * 5_000)
        elif self.path == "/missing":
            self.answer(404, b"no")
        else:
            self.answer(200, f"{self.path} for {self.headers['Host']}".encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(410, body.upper())

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the test's output is for the test."""


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    server.slow = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield
    server.slow.set()  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def egress(**options: object) -> Egress:
    policy = {"private_hosts": ("inside.example",), "max_bytes": 1_000, "timeout_seconds": 2.0, **options}
    names = Names(inside_example="127.0.0.1", evil_example="127.0.0.1", mixed_example="93.184.216.34 10.0.0.1")
    return Egress(EgressPolicy(**policy), names)  # type: ignore[arg-type]


URL = f"http://inside.example:{PORT}"


@pytest.mark.usefixtures("server")
def test_a_listed_host_answers_under_its_own_name() -> None:
    assert egress().get(f"{URL}/list?a=1").body == f"/list?a=1 for inside.example:{PORT}".encode()
    assert egress().get(f"{URL}/redirect").body == f"/list for inside.example:{PORT}".encode()
    answer = egress().post(f"{URL}/hook", b"news", {"Content-Type": "text/plain"})
    assert (answer.status, answer.body) == (410, b"NEWS")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/large", "too_large"),
        ("/missing", "status_404"),
        ("/slow", "timeout"),
    ],
)
def test_an_answer_is_limited_and_has_to_be_good(path: str, reason: str) -> None:
    with pytest.raises(EgressFailedError) as raised:
        egress(timeout_seconds=0.3).get(URL + path)
    assert raised.value.reason == reason


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(("path", "reason"), [("/away", "host_not_allowed"), ("/loop", "too_many_redirects")])
def test_redirects_are_checked_one_by_one(path: str, reason: str) -> None:
    with pytest.raises(EgressRefusedError) as raised:
        egress().get(URL + path)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://other.example/", "host_not_allowed"),
        ("https://evil.example/", "address_not_allowed"),
        ("https://mixed.example/", "address_not_allowed"),
        ("http://evil.example/", "not_https"),
        ("file:///etc/passwd", "malformed"),
        ("ftp://evil.example/", "scheme_not_allowed"),
        ("https://user:pass@evil.example/", "malformed"),
        ("https://evil.example/a b", "malformed"),
        ("https://evil.example/\r\nX: y", "malformed"),
        ("https://evil.example:99999/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://unknown.example/", "name_not_found"),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_is_sent(url: str, reason: str) -> None:
    hosts = ("evil.example", "mixed.example", "unknown.example")
    with pytest.raises((EgressRefusedError, EgressFailedError)) as raised:
        egress(hosts=hosts).get(url)
    assert raised.value.reason == reason


def test_nothing_is_allowed_by_default() -> None:
    with pytest.raises(EgressRefusedError):
        Egress(EgressPolicy()).get("https://example.com/")


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.216.34", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
    ],
)
def test_private_addresses(address: str, allowed: bool) -> None:
    target = check_url(EgressPolicy(hosts=("*.example",)), "https://a.example/")
    assert check_address(target, ipaddress.ip_address(address)) is allowed


def test_the_mirror_serves_files_and_nothing_outside_itself(tmp_path: Path) -> None:
    (tmp_path / "mirror" / "feeds.example" / "a b").mkdir(parents=True)
    (tmp_path / "mirror" / "feeds.example" / "a b" / "list.txt").write_bytes(b"one")
    (tmp_path / "secret").write_bytes(b"secret")
    offline = egress(mirror=tmp_path / "mirror")
    assert offline.get("https://feeds.example/a%20b/list.txt?token=1").body == b"one"
    for path in ("../../secret", "%2e%2e/%2e%2e/secret", "/../../../secret", "missing"):
        with pytest.raises(EgressRefusedError):
            offline.get(f"https://feeds.example/{path}")
