"""JSON batching: up to twenty requests in one, in the order that their `dependsOn` asks for."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from vedette.api.bodies import read_object
from vedette.api.graph.surface import graph_answer
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.inner_calls import InnerCalls, InnerRequest
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError

MAX_REQUESTS = 20
_METHOD = re.compile(r"GET|POST|PATCH|PUT|DELETE", re.IGNORECASE)


class Step(msgspec.Struct, frozen=True, rename="camel"):
    """One request of a batch."""

    id: str
    method: str
    url: str
    headers: Mapping[str, str] | None = None
    body: Any = None
    depends_on: tuple[str, ...] | None = None


class BatchBody(msgspec.Struct, frozen=True):
    """A batch."""

    requests: tuple[dict[str, Any], ...]


class GraphBatch:
    """Handler."""

    def __init__(self, calls: InnerCalls) -> None:
        self._calls = calls

    def run(self, _context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /$batch."""
        steps = _read(request)
        answers: dict[str, dict[str, object]] = {}
        for step in _in_order(steps):
            failed = [name for name in step.depends_on or () if int(str(answers[name]["status"])) >= 400]
            answers[step.id] = _failed_dependency(step) if failed else self._answer(request, step)
        return graph_answer({"responses": [answers[step.id] for step in steps]})

    def _answer(self, request: ApiRequest, step: Step) -> dict[str, object]:
        version = request.path.split("/")[1]
        headers = {name.lower(): value for name, value in (step.headers or {}).items()}
        body = msgspec.json.encode(step.body) if step.body is not None else b""
        target = f"/{version}/{step.url.lstrip('/')}"
        answer = self._calls.call(request, InnerRequest(step.method.upper(), target, headers, body))
        members: dict[str, object] = {"id": step.id, "status": answer.status}
        members["headers"] = {**answer.headers, **({"Content-Type": answer.media_type} if answer.body else {})}
        if answer.body:
            members["body"] = _body(answer)
        return members


def _read(request: ApiRequest) -> Sequence[Step]:
    given = read_object(request.body, BatchBody).requests
    if not 0 < len(given) <= MAX_REQUESTS:
        raise InvalidRequestError("BatchTooLong" if given else "BatchEmpty", limit=MAX_REQUESTS)
    try:
        steps = msgspec.json.decode(msgspec.json.encode(given), type=tuple[Step, ...])
    except msgspec.ValidationError as error:
        raise InvalidRequestError("InvalidBodyValue", property="requests") from error
    for step in steps:
        path = step.url.partition("?")[0].strip("/").lower()
        if not step.id or not _METHOD.fullmatch(step.method) or "://" in path or path == "$batch" or not path:
            raise InvalidRequestError("BatchStepInvalid", id=step.id)
    if len({step.id for step in steps}) != len(steps):
        raise InvalidRequestError("InvalidBodyValue", property="requests.id")
    return steps


def _in_order(steps: Sequence[Step]) -> Sequence[Step]:
    """The steps, each behind those it depends on."""
    known = {step.id for step in steps}
    done: dict[str, Step] = {}
    waiting = list(steps)
    while waiting:
        ready = [step for step in waiting if all(name in done for name in step.depends_on or ())]
        if not ready:
            step = next((step for step in waiting if set(step.depends_on or ()) - known), waiting[0])
            raise InvalidRequestError("BatchStepInvalid", id=step.id)
        done[ready[0].id] = ready[0]
        waiting.remove(ready[0])
    return list(done.values())


def _failed_dependency(step: Step) -> dict[str, object]:
    error = {"code": "FailedDependency", "message": "A request that this one depends on has failed."}
    return {"id": step.id, "status": 424, "headers": {"Content-Type": "application/json"}, "body": {"error": error}}


def _body(answer: ApiResponse) -> object:
    if answer.media_type.startswith("application/json"):
        return msgspec.Raw(answer.body)
    return base64.b64encode(answer.body).decode()
