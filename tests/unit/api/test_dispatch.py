"""What dispatch does around handlers: bodies, threads, ids, unexpected errors, clients that go away."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from tests.api_fakes import HOME, Application
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.contracts.operations import OperationContract, OperationsDocument
from vedette.errors import ContractError, NotFoundError

SEEN: list[ApiRequest] = []


def operation(handler: str, **changes: object) -> OperationContract:
    values: dict[str, object] = {
        "method": "POST",
        "path": f"/x/{handler}",
        "handler": handler,
        "source": "vedette",
        "status": "implemented",
        "application": ("Vedette.Ingest",),
        **changes,
    }
    return OperationContract(**values)  # type: ignore[arg-type]


def echo(context: RequestContext, request: ApiRequest) -> ApiResponse:
    content = request.body if request.body_file is None else request.body_file.read_bytes()
    return ApiResponse(200, body=content, media_type="text/plain")


def fail(context: RequestContext, request: ApiRequest) -> ApiResponse:
    raise ContractError("the secret is swordfish")


def wrongly_worded(context: RequestContext, request: ApiRequest) -> ApiResponse:
    raise NotFoundError  # its text needs a field


def spool(context: RequestContext, request: ApiRequest) -> ApiResponse:
    assert request.body_file is not None
    SEEN.append(request)
    return echo(context, request)


@pytest.fixture
def application_with(assembled: Callable[..., Application]) -> Callable[..., Application]:
    return lambda **handlers: _application_with(assembled, **handlers)


def _application_with(assembled: Callable[..., Application], **handlers: object) -> Application:
    operations = (
        operation("echo", max_body=10),
        operation("spool", body="file", max_body=3_000_000),
        operation("fail"),
        operation("wrongly_worded"),
        operation("wait", limiter="hunting"),
    )
    document = OperationsDocument(surface="x", segments=("x",), operations=operations, audiences=("vedette",))
    known = {"echo": echo, "spool": spool, "fail": fail, "wrongly_worded": wrongly_worded, "wait": echo}
    return assembled({"x": (document, {**known, **handlers})})


def test_bodies_have_a_limit(application_with: Callable[..., Application]) -> None:
    client = application_with().client("ingest")
    assert client.send("POST", "/x/echo", body=[b"12345", b"67890"]).body == b"1234567890"
    chunked = client.send("POST", "/x/echo", body=[b"12345", b"678901"])
    assert (chunked.status, chunked.json()["error"]["code"]) == (413, "RequestEntityTooLarge")
    declared = client.send("POST", "/x/echo", body=b"12345678901", headers={"content-length": "11"})
    assert declared.status == 413


def test_a_large_body_becomes_a_file_and_goes_again(application_with: Callable[..., Application]) -> None:
    application = application_with()
    client = application.client("ingest")
    content = [bytes([number]) * 900_000 for number in range(3)]
    answer = client.send("POST", "/x/spool", body=content)
    assert answer.body == b"".join(content)
    assert isinstance(SEEN[-1].body_file, Path)
    assert client.send("POST", "/x/spool", body=[*content, content[0]]).status == 413
    assert list(application.spool.iterdir()) == []


def test_who_may_not_write_gets_no_file(application_with: Callable[..., Application]) -> None:
    application = application_with()
    before = len(SEEN)
    assert application.client("xdr").send("POST", "/x/spool", body=b"x" * 10).status == 401
    assert list(application.spool.iterdir()) == []
    assert len(SEEN) == before


def test_a_client_that_goes_before_its_body_is_there(application_with: Callable[..., Application]) -> None:
    application = application_with()

    gone = threading.Event()
    gone.set()

    def cut_off(path: str) -> int:
        return application.client("ingest").send("POST", path, body=[], gone=gone).status

    assert cut_off("/x/echo") == 400  # the server says the same of chunks that are none: somebody may be there
    assert cut_off("/x/spool") == 400
    assert list(application.spool.iterdir()) == []
    assert [record.status for record in application.records] == [400, 400]


def test_a_client_that_stops_sending_is_not_waited_for(assembled: Callable[..., Application]) -> None:
    application = _application_with(partial(assembled, body_silence=0.01))
    for path in ("/x/echo", "/x/spool"):
        answer = application.client("ingest").send("POST", path, body=[])
        assert (answer.status, answer.json()["error"]["code"]) == (408, "RequestTimeout")
    assert list(application.spool.iterdir()) == []


@pytest.mark.parametrize(
    "host",
    [
        "localhost:443@evil.test",
        "localhost:evil.test",
        "[::1]evil.test",
        "localhost:",
        "localhost/x",
        "localhost:123456",
    ],
)
def test_a_host_that_leads_elsewhere_in_a_link_is_none_of_ours(application: Application, host: str) -> None:
    assert application.client("graph", host=host).get("/v1.0/security/incidents").status == 421


def test_what_opens_a_file_is_not_told(application: Application) -> None:
    application.client().get("/api/downloads/a-link-that-opens")
    record = application.records[-1]
    assert (record.operation, record.path) == ("defender.download", "/api/downloads/[redacted]")
    assert "a-link" not in record.uri


@pytest.mark.parametrize("handler", ["fail", "wrongly_worded"])
def test_an_unexpected_error_leaks_nothing(application_with: Callable[..., Application], handler: str) -> None:
    application = application_with()
    answer = application.client("ingest").send("POST", f"/x/{handler}")
    assert answer.status == 500
    request_id = answer.headers["request-id"]
    assert answer.json() == {
        "error": {
            "code": "InternalServerError",
            "message": f"An unexpected error occurred. Request id: {request_id}.",
            "requestId": request_id,
        }
    }
    assert b"swordfish" not in answer.body


def test_an_unexpected_error_is_reported(application_with: Callable[..., Application]) -> None:
    application = application_with()
    application.client("ingest").send("POST", "/x/fail")
    record = application.records[-1]
    assert isinstance(record.error, ContractError)
    assert (record.status, record.error_code, record.tenant_id) == (500, "InternalServerError", HOME)


def test_request_ids(application: Application) -> None:
    client = application.client("graph")
    answer = client.get("/v1.0/security/incidents", client_request_id="my-id-1")
    assert answer.headers["client-request-id"] == "my-id-1"
    assert answer.headers["request-id"] == application.records[-1].request_id
    answer = client.get("/v1.0/security/incidents", client_request_id="x" * 200)
    assert answer.headers["client-request-id"] == answer.headers["request-id"]
    error = client.get("/v1.0/security/incidents/99", client_request_id="my-id-2").json()["error"]
    assert error["innerError"]["client-request-id"] == "my-id-2"
    assert error["innerError"]["date"] == "2025-11-23T12:00:00"


def test_a_query_whose_client_has_gone_is_stopped(assembled: Callable[..., Application]) -> None:
    running, stopped = threading.Event(), threading.Event()
    asked_to_stop: list[RequestContext] = []

    def wait(context: RequestContext, request: ApiRequest) -> ApiResponse:
        running.set()
        assert stopped.wait(10)
        raise NotFoundError(resource="x")  # how it ends no longer matters

    def stop(context: RequestContext) -> None:
        asked_to_stop.append(context)
        if len(asked_to_stop) == 2:  # the first attempt may come before the query is there to be stopped
            stopped.set()

    application = _application_with(partial(assembled, on_disconnect=stop), wait=wait)
    answer = application.client("ingest").send("POST", "/x/wait", gone=running)
    assert answer.status == 0
    assert {(context.tenant.tenant_id, context.request_id) for context in asked_to_stop} == {
        (HOME, application.records[-1].request_id)
    }
    assert application.records[-1].status == 499


def test_handlers_run_outside_the_event_loop(application_with: Callable[..., Application]) -> None:
    threads: list[int] = []

    def remember(context: RequestContext, request: ApiRequest) -> ApiResponse:
        threads.append(threading.get_ident())
        return ApiResponse(200)

    application_with(echo=remember).client("ingest").send("POST", "/x/echo")
    assert threads
    assert threads[0] != threading.get_ident()


def test_a_refusal_does_not_queue_behind_queries(assembled: Callable[..., Application]) -> None:
    """All hunting threads are busy; who has no token hears so at once."""
    running, release = threading.Semaphore(0), threading.Event()

    def wait(context: RequestContext, request: ApiRequest) -> ApiResponse:
        running.release()
        assert release.wait(10)
        return ApiResponse(200)

    application = _application_with(assembled, wait=wait)

    async def scenario() -> list[int]:
        statuses: list[int] = []

        async def ask(token: str | None) -> None:
            client = application.client(token)
            statuses.append((await client.send_async("POST", "/x/wait")).status)

        async with anyio.create_task_group() as group:
            for _ in range(application.hunting_threads):
                group.start_soon(ask, "ingest")
            for _ in range(application.hunting_threads):
                await anyio.to_thread.run_sync(running.acquire)
            await ask(None)
            release.set()
        return statuses

    assert anyio.run(scenario) == [401, 200, 200]


def test_cookies_that_come_one_by_one_are_all_there() -> None:
    from vedette.api.exchange import _headers

    assert _headers([(b"Cookie", b"a=1"), (b"cookie", b"b=2"), (b"x", b"1"), (b"x", b"2")]) == {
        "cookie": "a=1; b=2",
        "x": "2",
    }
