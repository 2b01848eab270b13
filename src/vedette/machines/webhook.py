"""The executor behind a webhook: every step is a signed POST, its answer says how far the action has come.

The signature is the hexadecimal HMAC-SHA-256 of `<Vedette-Timestamp>.<body>`. An answer of 2xx without a body means
that the action was accepted; `{"status": "InProgress" | "Succeeded" | "Failed" | "TimeOut", "checkAfter": seconds,
"errorHResult": number, "outputs": [{"index": n, "fileName": …, "mediaType": …, "content": base64}]}` says more.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from vedette.clock import Clock
from vedette.egress.errors import EgressError
from vedette.egress.transport import EgressResponse
from vedette.machines.actions import Output
from vedette.machines.execution import Finished, Order, Progress, Working
from vedette.observability.logs import get_logger
from vedette.store.secrets import Secret

LOG = get_logger(__name__)

CHECK_SECONDS = 15.0
RETRY_SECONDS = 60.0


class Poster(Protocol):
    """`egress.transport`, as far as it is needed here."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> EgressResponse:
        """Send a body. Raises EgressError."""
        ...


class _Output(msgspec.Struct, frozen=True, rename="camel"):
    index: int
    content: bytes
    file_name: str = "output"
    media_type: str = "application/octet-stream"


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    status: Literal["InProgress", "Succeeded", "Failed", "TimeOut"] = "InProgress"
    check_after: float = CHECK_SECONDS
    error_h_result: int = 0
    outputs: tuple[_Output, ...] = ()


class WebhookExecutor:
    """An executor that asks somebody else."""

    def __init__(self, egress: Poster, url: str, secret: Secret[str], clock: Clock) -> None:
        self._egress = egress
        self._url = url
        self._secret = secret
        self._clock = clock

    def start(self, order: Order) -> Progress:
        """See `Executor`."""
        return self._ask("start", order)

    def check(self, order: Order) -> Progress:
        """See `Executor`."""
        return self._ask("check", order)

    def _ask(self, event: str, order: Order) -> Progress:
        body = msgspec.json.encode(_document(event, order))
        timestamp = str(int(self._clock.time()))
        headers = {
            "Content-Type": "application/json",
            "Vedette-Timestamp": timestamp,
            "Vedette-Signature": sign(self._secret, timestamp, body),
        }
        try:
            response = self._egress.post(self._url, body, headers)
        except EgressError as error:
            LOG.warning("the webhook of machine actions cannot be reached", reason=error.reason)
            return Working(RETRY_SECONDS, is_accepted=False)
        return _progress(response)


def sign(secret: Secret[str], timestamp: str, body: bytes) -> str:
    """The signature of a request."""
    return hmac.new(secret.reveal().encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _document(event: str, order: Order) -> Mapping[str, object]:
    action = order.action
    return {
        "event": event,
        "tenantId": order.tenant_id,
        "actionId": action.action_id,
        "type": action.type,
        "scope": action.scope,
        "machineId": action.machine_id,
        "computerDnsName": action.dns_name,
        "comment": action.requestor_comment,
        "fileIdentifier": action.file_identifier,
        "commands": [state.command for state in action.commands],
    }


def _progress(response: EgressResponse) -> Progress:
    if not 200 <= response.status < 300:
        LOG.warning("the webhook of machine actions refuses", status=response.status)
        return Working(RETRY_SECONDS, is_accepted=False)
    try:
        answer = msgspec.json.decode(response.body, type=_Answer) if response.body.strip() else _Answer()
    except msgspec.MsgspecError:
        LOG.warning("the webhook of machine actions answers what is not understood")
        return Working(RETRY_SECONDS, is_accepted=False)
    if answer.status == "InProgress":
        return Working(max(answer.check_after, 1.0))
    outputs = tuple(Output(each.index, each.file_name, each.media_type, each.content) for each in answer.outputs)
    return Finished(answer.status, answer.error_h_result, outputs=outputs)
