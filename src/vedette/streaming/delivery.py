"""Delivers change notifications: a change becomes one job per subscription it concerns, each retried for itself.

Every notification is signed under the subscription's client state: `Vedette-Signature: t=<unix seconds>,v1=<hex>` is
the HMAC-SHA-256 of `<t>.<body>`, so that a receiver can tell it from anybody else's without asking back.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote

import msgspec
from sqlalchemy import ColumnElement, Connection

from vedette.clock import TICKS_PER_SECOND, Clock, format_ticks, now_ticks, to_ticks
from vedette.context import DataScope
from vedette.egress.errors import EgressError
from vedette.egress.transport import EgressResponse
from vedette.errors import InvalidRequestError, VedetteError
from vedette.incidents.alerts import ALERT_FIELDS, Alerts
from vedette.incidents.incidents import INCIDENT_FIELDS, Incidents
from vedette.jobs.queue import Job, JobQueue
from vedette.machines.visibility import alerts_within, incidents_within
from vedette.observability.logs import get_logger
from vedette.odata.sql import PropertyMap, to_condition
from vedette.store.engine import Store
from vedette.store.secrets import Sealer, Secret
from vedette.streaming.encryption import encrypted_content
from vedette.streaming.subscriptions import Subscription, Subscriptions, parse_resource

LOG = get_logger(__name__)

FAN_OUT = "notify_subscribers"
DELIVER = "deliver_notification"
WARN = "warn_subscriber"
SIGNATURE = "Vedette-Signature"
GIVE_UP_SECONDS = 4 * 3600
"""How long a delivery is tried (microsoft-graph-docs-contrib change-notifications-delivery-webhooks)."""

WARN_SECONDS = 15 * 60
"""How long before its end a subscription is warned of."""


class Sender(Protocol):
    """The way out (`egress.transport`)."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> EgressResponse:
        """The answer. Raises EgressError if there was none."""
        ...


class DeliveryError(VedetteError):
    """The receiver did not take a notification. It will be tried again."""


class DeliveryParts(msgspec.Struct, frozen=True):
    """What deliveries work with."""

    store: Store
    queue: JobQueue
    sender: Sender
    sealer: Sealer
    clock: Clock


class Named(msgspec.Struct, frozen=True):
    """An alert or incident. `subject` as in `streaming.subscriptions.RESOURCES`."""

    subject: str
    key: str


Reach = Callable[[Connection, str, Subscription], DataScope | None]
"""What the maker of a subscription may be told of (`streaming.reach`)."""


class Describe(Protocol):
    """Writes a resource as its API shows it."""

    def __call__(
        self, connection: Connection, tenant_id: str, scope: DataScope, resource: Named, base_url: str, /
    ) -> bytes | None:
        """The alert or incident as JSON; None if it is not inside the scope."""
        ...


class Delivery:
    """Handlers of the jobs, and the check of an address. `filters` say what each resource filters by."""

    def __init__(
        self, parts: DeliveryParts, filters: Mapping[str, PropertyMap], describe: Describe, reach: Reach
    ) -> None:
        self._describe = describe
        self._reach = reach
        self._store = parts.store
        self._queue = parts.queue
        self._sender = parts.sender
        self._sealer = parts.sealer
        self._clock = parts.clock
        self._filters = filters

    def validate(self, url: str, token: str) -> None:
        """Ask an address to repeat a token. Raises InvalidRequestError if it does not."""
        separator = "&" if "?" in url else "?"
        address = f"{url}{separator}validationToken={quote(token, safe='')}"
        try:
            answer = self._sender.post(address, b"", {"Content-Type": "text/plain; charset=utf-8"})
        except EgressError as error:
            raise InvalidRequestError("SubscriptionValidationFailed", reason=error.reason) from error
        if answer.status != 200 or answer.body.decode("utf-8", "replace").strip() != token:
            raise InvalidRequestError("SubscriptionValidationFailed", reason=f"status_{answer.status}")

    def watch(self, connection: Connection, tenant_id: str, subscription: Subscription) -> None:
        """See to it that the subscriber is warned before the end, if there is an address for that."""
        if subscription.lifecycle_url is None:
            return
        ends = (subscription.expires - to_ticks(0)) / TICKS_PER_SECOND
        payload = {"subscription_id": subscription.subscription_id, "expires": subscription.expires}
        key = f"{subscription.subscription_id}/{subscription.expires}"
        run_at = max(self._clock.time(), ends - WARN_SECONDS)
        self._queue.enqueue(connection, tenant_id, WARN, payload, run_at=run_at, key=key)

    def warn(self, job: Job) -> None:
        """Tell that a subscription ends soon, unless it was renewed or removed. Raises DeliveryError."""
        with self._store.connect() as connection:
            found = Subscriptions(connection, job.tenant_id, self._sealer).get(
                str(job.payload["subscription_id"]), now_ticks(self._clock)
            )
        if found is not None and found.expires == int(job.payload["expires"]):
            self._tell(job.tenant_id, found, "reauthorizationRequired")

    def _tell(self, tenant_id: str, subscription: Subscription, event: str) -> None:
        """Send a lifecycle notification. Raises DeliveryError."""
        if subscription.lifecycle_url is None:
            return
        state = subscription.client_state
        notification = {
            "subscriptionId": subscription.subscription_id,
            "subscriptionExpirationDateTime": format_ticks(subscription.expires),
            "clientState": None if state is None else state.reveal().decode(),
            "tenantId": tenant_id,
            "lifecycleEvent": event,
        }
        self._send(subscription.lifecycle_url, subscription, {"value": [notification]})

    def _send(self, url: str, subscription: Subscription, document: Mapping[str, object]) -> None:
        body = msgspec.json.encode(document)
        headers = {"Content-Type": "application/json", **self._signature(subscription, body)}
        try:
            answer = self._sender.post(url, body, headers)
        except EgressError as error:
            raise DeliveryError(error.reason) from error
        if not 200 <= answer.status < 300:
            raise DeliveryError(f"status_{answer.status}")

    def fan_out(self, job: Job) -> None:
        """Make a job for every subscription that a change concerns."""
        now = now_ticks(self._clock)
        subject = "alert" if "alert_id" in job.payload else "incident"
        key = job.payload[f"{subject}_id"]
        change_type = "created" if job.payload["activity"] == "created" else "updated"
        with self._store.begin() as connection:
            for subscription in Subscriptions(connection, job.tenant_id, self._sealer).live(now):
                if change_type in subscription.change_types and self._concerns(
                    connection, job.tenant_id, subscription, subject, key
                ):
                    payload = {
                        "subscription_id": subscription.subscription_id,
                        "change_type": change_type,
                        "key": str(key),
                        "until": self._clock.time() + GIVE_UP_SECONDS,
                    }
                    name = f"{subscription.subscription_id}/{key}/{job.payload['change_number']}"
                    self._queue.enqueue(connection, job.tenant_id, DELIVER, payload, key=name)

    def deliver(self, job: Job) -> None:
        """Send one notification. Raises DeliveryError if it was not taken and may be tried again."""
        with self._store.connect() as connection:
            found = Subscriptions(connection, job.tenant_id, self._sealer).get(
                str(job.payload["subscription_id"]), now_ticks(self._clock)
            )
        if found is None:
            return  # nobody waits for it any more
        if self._clock.time() > float(job.payload["until"]):
            self._tell(job.tenant_id, found, "missed")
            return
        notification = self._notification(job, found)
        if notification is not None:
            self._send(found.notification_url, found, {"value": [notification]})

    def _concerns(
        self, connection: Connection, tenant_id: str, subscription: Subscription, subject: str, key: object
    ) -> bool:
        resource = parse_resource(subscription.resource)
        if resource.subject != subject:
            return False
        scope = self._reach(connection, tenant_id, subscription)
        if scope is None:
            return False
        named, filtered = Named(subject, str(key)), None
        if resource.condition is not None:
            filtered = to_condition(resource.condition, self._filters[resource.path])
        return _is_there(connection, tenant_id, scope, named, filtered)

    def _notification(self, job: Job, subscription: Subscription) -> dict[str, object] | None:
        """What is sent; None if its subscriber may not be told of it any more."""
        resource, key = parse_resource(subscription.resource), str(job.payload["key"])
        named = Named(resource.subject, key)
        with self._store.connect() as connection:
            scope = self._reach(connection, job.tenant_id, subscription)
            if scope is None or not _is_there(connection, job.tenant_id, scope, named):
                return None
            carries = subscription.encryption_certificate is not None
            data = self._describe(connection, job.tenant_id, scope, named, subscription.base_url) if carries else None
        path = f"{resource.path}/{key}"
        state = subscription.client_state
        notification: dict[str, object] = {
            "subscriptionId": subscription.subscription_id,
            "subscriptionExpirationDateTime": format_ticks(subscription.expires),
            "clientState": None if state is None else state.reveal().decode(),
            "changeType": job.payload["change_type"],
            "resource": path,
            "tenantId": job.tenant_id,
            "resourceData": {
                "@odata.type": f"#microsoft.graph.security.{resource.subject}",
                "@odata.id": path,
                "id": key,
            },
        }
        if data is not None and subscription.encryption_certificate is not None:
            certificate_id = subscription.encryption_certificate_id or ""
            notification["encryptedContent"] = encrypted_content(
                data, subscription.encryption_certificate, certificate_id
            )
        return notification

    def _signature(self, subscription: Subscription, body: bytes) -> dict[str, str]:
        if subscription.client_state is None:
            return {}
        return {SIGNATURE: sign(subscription.client_state, int(self._clock.time()), body)}


def _is_there(
    connection: Connection,
    tenant_id: str,
    scope: DataScope,
    named: Named,
    condition: ColumnElement[bool] | None = None,
) -> bool:
    """Whether an alert or incident is inside a scope, and meets a condition."""
    repository: Alerts | Incidents
    if named.subject == "alert":
        repository = Alerts(connection, tenant_id, alerts_within(tenant_id, scope))
        own = ALERT_FIELDS["alert_id"] == named.key
    else:
        repository = Incidents(connection, tenant_id, incidents_within(tenant_id, scope))
        own = INCIDENT_FIELDS["incident_id"] == int(named.key)
    return repository.count(own if condition is None else own & condition) > 0


def sign(key: Secret[bytes], moment: int, body: bytes) -> str:
    """The signature of a notification sent at `moment`."""
    digest = hmac.new(key.reveal(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
