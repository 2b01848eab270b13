"""Posts notifications to the addresses of subscribers.

Every one is signed under the subscription's client state: `Vedette-Signature: t=<unix seconds>,v1=<hex>` is the
HMAC-SHA-256 of `<t>.<body>`, so that a receiver can tell it from anybody else's without asking back.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Protocol

import msgspec

from vedette.clock import Clock
from vedette.egress.errors import EgressError
from vedette.egress.transport import EgressResponse
from vedette.errors import VedetteError
from vedette.store.secrets import Secret
from vedette.streaming.subscriptions import Subscription

SIGNATURE = "Vedette-Signature"


class Sender(Protocol):
    """The way out (`egress.transport`)."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> EgressResponse:
        """The answer. Raises EgressError if there was none."""
        ...


class DeliveryError(VedetteError):
    """The receiver did not take a notification."""


def send(sender: Sender, clock: Clock, url: str, subscription: Subscription, document: Mapping[str, object]) -> None:
    """Post a document to a subscriber. Raises DeliveryError if it was not taken."""
    body, headers = msgspec.json.encode(document), {"Content-Type": "application/json"}
    if subscription.client_state is not None:
        headers[SIGNATURE] = sign(subscription.client_state, int(clock.time()), body)
    try:
        answer = sender.post(url, body, headers)
    except EgressError as error:
        raise DeliveryError(error.reason) from error
    if not 200 <= answer.status < 300:
        raise DeliveryError(f"status_{answer.status}")


def sign(key: Secret[bytes], moment: int, body: bytes) -> str:
    """The signature of a notification sent at `moment`."""
    digest = hmac.new(key.reveal(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
