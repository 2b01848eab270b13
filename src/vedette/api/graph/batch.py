"""JSON batching: up to twenty requests in one. Ids are matched without regard to case.

What is malformed refuses the whole batch; an address that leads nowhere (one with the version, or an absolute one) is
the failure of its own request, as in the real service.
"""

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from vedette.api.bodies import read_object
from vedette.api.graph.surface import graph_answer
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.inner_calls import InnerCalls, InnerRequest
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError

MAX_REQUESTS = 20
WRITES = frozenset({"POST", "PATCH", "PUT"})
"""Methods whose requests have to name the type of their body, also of one that is not there."""

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
        for step in steps:
            failed = [name for name in step.depends_on or () if int(str(answers[name.lower()]["status"])) >= 400]
            answers[step.id.lower()] = _failed_dependency(step) if failed else self._answer(request, step)
        return graph_answer({"responses": list(answers.values())})

    def _answer(self, request: ApiRequest, step: Step) -> dict[str, object]:
        version = request.path.split("/")[1]
        headers = {name.lower(): value for name, value in (step.headers or {}).items()}
        target = f"/{version}/{step.url.lstrip('/')}"
        answer = self._calls.call(request, InnerRequest(step.method.upper(), target, headers, _content(step)))
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
        raise InvalidRequestError("BatchMalformed") from error
    before: set[str] = set()
    for step in steps:
        _check(step, before)
        before.add(step.id.lower())
    return steps


def _check(step: Step, before: Collection[str]) -> None:
    """Raise InvalidRequestError for what refuses the whole batch. `before`: ids of the requests before, lower case."""
    path = step.url.partition("?")[0].strip("/").lower()
    if not step.id or not _METHOD.fullmatch(step.method) or path == "$batch" or not path:
        raise InvalidRequestError("BatchStepInvalid", id=step.id)
    if step.id.lower() in before:
        raise InvalidRequestError("BatchIdRepeated", id=step.id)
    if step.method.upper() in WRITES and not _content_type(step):
        raise InvalidRequestError("BatchStepWithoutType", id=step.id)
    if not {name.lower() for name in step.depends_on or ()} <= set(before):
        raise InvalidRequestError("BatchDependencyInvalid", id=step.id)


def _content_type(step: Step) -> str:
    return next((text for name, text in (step.headers or {}).items() if name.lower() == "content-type"), "")


def _content(step: Step) -> bytes:
    """The body as its request takes it: JSON as it is, anything else in base64 of either alphabet."""
    if step.body is None:
        return b""
    if not isinstance(step.body, str):
        return msgspec.json.encode(step.body)
    is_json = "json" in _content_type(step).lower()
    try:
        content = base64.b64decode(
            step.body.replace("-", "+").replace("_", "/") + "=" * (-len(step.body) % 4), validate=True
        )
        if is_json:
            msgspec.json.decode(content)
    except (ValueError, msgspec.DecodeError):
        return msgspec.json.encode(step.body) if is_json else step.body.encode()
    return content


def _failed_dependency(step: Step) -> dict[str, object]:
    error = {"code": "FailedDependency", "message": "A request that this one depends on has failed."}
    return {"id": step.id, "status": 424, "headers": {"Content-Type": "application/json"}, "body": {"error": error}}


def _body(answer: ApiResponse) -> object:
    if answer.media_type.startswith("application/json"):
        return msgspec.Raw(answer.body)
    return base64.b64encode(answer.body).decode()
