"""Every operation of every surface of a running server: closed to whoever shows nothing, or something else."""

import http.client
import re
import ssl
from collections.abc import Iterator

import pytest

from vedette.contracts.operations import OperationContract, load_operations

from .conftest import GRAPH, XDR, Demo, vedette

OWN = "api://vedette"
CLOSED = ("defender", "graph", "ingest", "vedette")
RESOURCES = {"defender": XDR, "graph": GRAPH, "ingest": OWN, "vedette": OWN}
OTHERS = {"defender": GRAPH, "graph": XDR, "ingest": XDR, "vedette": GRAPH}
SHAPES = {
    "defender": {"code", "message", "target"},
    "graph": {"code", "message", "innerError"},
    "ingest": {"code", "message", "requestId"},
    "vedette": {"code", "message", "requestId"},
}
"""Members of the error of a refusal."""
WRONG = ("", "Basic eDp5", "Bearer", "Bearer x", "Bearer a.b.c", "Bearer eyJhbGciOiJub25lIn0.eyJ0aWQiOiJ4In0.")
OPEN_PAGES = {"/portal/sign-in", "/portal/signed-in", "/portal/first-run", "/portal/sign-out"}


def operations(surface: str) -> Iterator[tuple[OperationContract, str]]:
    """Each operation that wants a caller, with an address."""
    document = load_operations()[surface]
    for operation in document.operations:
        if operation.authentication != "none":
            for template in document.templates(operation):
                yield operation, re.sub(r"\{\w+\}", "1", template)


@pytest.mark.parametrize("surface", CLOSED)
def test_nothing_is_open(demo: Demo, surface: str) -> None:
    other = f"Bearer {demo.token(OTHERS[surface])}"
    with demo.server.client() as client:
        for number, (operation, path) in enumerate(operations(surface)):
            for header in ("", WRONG[number % len(WRONG)], other):
                headers = {"Authorization": header} if header else {}
                answer = client.request(operation.method, path, headers=headers, content=b"{}")
                assert answer.status_code == 401, (operation.method, path, header[:20], answer.text)
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert set(answer.json()["error"]) == SHAPES[surface]
                assert answer.headers["request-id"] in answer.text


@pytest.mark.parametrize(("surface", "role"), [("ingest", "Vedette.Administer"), ("vedette", "Vedette.Ingest")])
def test_each_of_our_own_roles_opens_its_own(demo: Demo, surface: str, role: str) -> None:
    app = demo.document["apps"][0]
    order = ["--tenant", app["tenant_id"], "--app", app["client_id"], "--resource", "vedette", "--roles", role]
    minted = vedette("token", "mint", *order, "--data", demo.server.data)
    assert minted.returncode == 0, minted.stderr
    with demo.server.client(headers={"Authorization": f"Bearer {minted.stdout.strip()}"}) as client:
        for operation, path in operations(surface):
            answer = client.request(operation.method, path, content=b"{}")
            assert answer.status_code == 403, (operation.method, path, answer.text)
            assert operation.application[0] in answer.json()["error"]["message"]


def test_pages_want_somebody_who_has_signed_in(demo: Demo) -> None:
    with demo.server.client() as client:
        for operation in load_operations()["portal"].operations:
            path = re.sub(r"\{\w+\}", "1", operation.path)
            if path in OPEN_PAGES:
                continue
            answer = client.request(operation.method, path, headers={"Origin": demo.base_url})
            assert answer.status_code in (303, 400, 403), (operation.method, path, answer.text)
            if answer.status_code == 303:
                assert answer.headers["location"].startswith("/portal/sign-in")


def test_a_scraper_of_this_machine_needs_no_token_and_probes_never_do(demo: Demo) -> None:
    with demo.server.client() as client:
        assert [client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200, 200, 200]


def test_a_scraper_has_the_token_where_there_is_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    from .conftest import RunningServer

    folder = tmp_path_factory.mktemp("scraped")
    (folder / "data").mkdir(mode=0o700)
    (folder / "token").write_text("let-me-read-9f2c\n")
    (folder / "data" / "vedette.toml").write_text(f'metrics_token_file = "{folder / "token"}"\n')
    server = RunningServer(folder / "data", "--single")
    server.wait_until_ready()
    with server.client() as client:
        sent = ({}, {"Authorization": "Bearer let-me-read"}, {"Authorization": "Bearer let-me-read-9f2c"})
        assert [client.get("/metrics", headers=headers).status_code for headers in sent] == [401, 401, 200]
        assert client.get("/healthz").status_code == 200
    assert server.stop() == 0
    assert "let-me-read" not in server.log.read_text()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/ingest/v1/events", 401), ("/api/nothing", 404), ("/api/incidents", 405), ("/v1.0/$batch", 413)],
)
def test_a_refusal_before_the_body_ends_the_connection_and_says_so(demo: Demo, path: str, status: int) -> None:
    context = ssl.create_default_context(cafile=demo.server.data / "tls" / "ca.pem")
    connection = http.client.HTTPSConnection("127.0.0.1", demo.server.port, context=context, timeout=30)
    body = b"x" * (5 * 2**20 if status == 413 else 100)
    for _ in range(3):  # over a new connection each time, which the client makes because it was told to
        connection.putrequest("POST", path)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(b"x" * 100)
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.headers["connection"]) == (status, "close")
    connection.request("GET", "/healthz")
    assert connection.getresponse().headers["connection"] is None
    connection.close()
