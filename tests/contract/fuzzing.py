"""Cases that schemathesis makes of an OpenAPI document, sent to an application in this process; what is checked."""

import dataclasses
import functools
import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import hypothesis
import requests
import schemathesis
from anyio.from_thread import BlockingPortal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.asgi import Answer, AsgiClient
from tests.contract import plausible
from vedette.contracts.answers import AnswerContract

CHECKS = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
BASE = "https://localhost"
REQUEST = ("method", "url", "headers", "files", "data", "params", "auth", "cookies", "json")
"""What `requests` makes a request of."""


@dataclasses.dataclass(frozen=True)
class Fuzzer:
    """Sends the cases of one document's operations. `secrets`: what no answer may contain."""

    client: AsgiClient
    portal: BlockingPortal
    objects: Callable[[str], Mapping[str, str]]
    """Path parameters of objects that exist, by operation id."""
    secrets: Callable[[], list[bytes]]
    answers: Mapping[str, AnswerContract]
    """By operation id."""
    names: Mapping[str, Sequence[str]]
    """Ids that exist, by names of members of bodies."""

    def run(self, operation: Any, examples: int, mode: GenerationMode) -> None:
        """As many cases of an operation, the same ones every time."""
        known = self.objects(operation.definition.raw["operationId"])

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode), seed=st.integers(0, 2**32))
        def check(case: Any, seed: int) -> None:
            self._refine(case, known, random.Random(seed))
            self._check(case)

        check()

    def _refine(self, case: Any, known: Mapping[str, str], chance: random.Random) -> None:
        """Bring a case nearer to what the operation wants, and to what hurts."""
        if known and chance.random() < 0.8:
            hurt = {name: chance.choice(plausible.IN_ADDRESSES) for name in known} if chance.random() < 0.2 else {}
            case.path_parameters = {**(case.path_parameters or {}), **known, **hurt}
        answer = self.answers[case.operation.definition.raw["operationId"]]
        if chance.random() < 0.8:
            case.query = plausible.query(chance, answer)
        taken = plausible.TAKEN.get(case.operation.definition.raw["operationId"])
        if taken is not None and chance.random() < 0.7:
            case.body = plausible.near(chance, taken, chance.choice((0.0, 0.02, 0.06)))
        elif isinstance(case.body, dict | list) and chance.random() < 0.9:
            case.body = plausible.body(chance, case.body, self.names)

    def _check(self, case: Any) -> None:
        request = requests.Request(**_arguments(case)).prepare()
        answer = self._send(request)
        text = f"{request.method} {request.url} {request.body!r:.300} → {answer.status} {answer.body[:300]!r}"
        planned = case.operation.definition.raw["x-status"] == "planned"
        assert answer.status < 500 or (planned and answer.status == 501), text
        for secret in self.secrets():
            assert secret not in answer.body, text
        headers = {name: [value] for name, value in answer.headers.items()}
        case.validate_response(
            schemathesis.Response(answer.status, headers, answer.body, request, 0.0, True), checks=CHECKS
        )

    def _send(self, request: requests.PreparedRequest) -> Answer:
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        send = functools.partial(
            self.client.send_async, str(request.method), str(request.url), body=bytes(body), headers=headers
        )
        return self.portal.call(send)


def _arguments(case: Any) -> dict[str, Any]:
    """Of a request, as `requests` takes them."""
    arguments = case.as_transport_kwargs(base_url=BASE)
    chosen = {name: value for name, value in arguments.items() if name in REQUEST}
    if "json" in chosen:  # written in ASCII: half a surrogate pair is a text in JSON
        chosen["data"] = json.dumps(chosen.pop("json")).encode()
        chosen["headers"] = {**chosen["headers"], "content-type": "application/json"}
    return chosen


def operations(document: dict[str, Any]) -> list[Any]:
    """The operations of a document, as schemathesis has them; those that take things away come last."""
    found = [result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()]
    return sorted(found, key=lambda each: (each.method.upper() == "DELETE" or "/remove" in each.path, each.label))
