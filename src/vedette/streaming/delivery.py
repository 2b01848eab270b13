"""Delivers change notifications: a change becomes one job per subscription it concerns, each tried again for itself."""

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote

import msgspec
from sqlalchemy import ColumnElement, Connection

from vedette.clock import format_ticks, now_ticks
from vedette.context import DataScope
from vedette.contracts.notifications import load_notifications
from vedette.egress.errors import EgressError
from vedette.errors import InvalidRequestError
from vedette.ids import derived_guid
from vedette.incidents.alerts import ALERT_FIELDS, Alerts
from vedette.incidents.incidents import INCIDENT_FIELDS, Incidents
from vedette.jobs.queue import Job, retry_delay
from vedette.machines.visibility import alerts_within, incidents_within
from vedette.observability.logs import get_logger
from vedette.odata.sql import PropertyMap, to_condition
from vedette.streaming.encryption import encrypted_content
from vedette.streaming.lifecycle import DeliveryParts, Lifecycle
from vedette.streaming.sending import DeliveryError, send
from vedette.streaming.subscriptions import Subscription, Subscriptions, parse_resource

LOG = get_logger(__name__)

FAN_OUT = "notify_subscribers"
DELIVER = "deliver_notification"


class Named(msgspec.Struct, frozen=True):
    """An alert or incident. `subject` as in `streaming.subscriptions.RESOURCES`."""

    subject: str
    key: str


Vouch = Callable[[str, Subscription], str]
"""A validation token of a tenant for a subscription (`streaming.vouching`)."""

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
        self, parts: DeliveryParts, filters: Mapping[str, PropertyMap], describe: Describe, reach: Reach, vouch: Vouch
    ) -> None:
        self._describe = describe
        self._reach = reach
        self._vouch = vouch
        self._lifecycle = Lifecycle(parts)
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

    def fan_out(self, job: Job) -> None:
        """Make a job for every subscription that a change concerns."""
        now = now_ticks(self._clock)
        subject = "alert" if "alert_id" in job.payload else "incident"
        key = job.payload[f"{subject}_id"]
        change_type = "created" if job.payload["activity"] == "created" else "updated"
        with self._store.begin() as connection:
            for subscription in Subscriptions(connection, job.tenant_id, self._sealer).live(now):
                scope = self._reach(connection, job.tenant_id, subscription)
                if scope is None:
                    self._lifecycle.end_now(connection, job.tenant_id, subscription)
                elif change_type in subscription.change_types and self._concerns(
                    connection, job.tenant_id, scope, subscription, Named(subject, str(key))
                ):
                    payload = {
                        "subscription_id": subscription.subscription_id,
                        "change_type": change_type,
                        "key": str(key),
                        "until": self._clock.time() + load_notifications().delivery_seconds,
                    }
                    name = f"{subscription.subscription_id}/{key}/{job.payload['change_number']}"
                    named = {**payload, "name": name}
                    self._queue.enqueue(connection, job.tenant_id, DELIVER, named, key=name)

    def deliver(self, job: Job) -> None:
        """Send one notification; one that is not taken is sent again, ever less often, until it is given up."""
        with self._store.connect() as connection:
            found = Subscriptions(connection, job.tenant_id, self._sealer).get(
                str(job.payload["subscription_id"]), now_ticks(self._clock)
            )
        if found is None:
            return  # nobody waits for it any more
        if self._clock.time() > float(job.payload["until"]):
            self._lifecycle.tell(job.tenant_id, found, "missed")
            return
        document = self._document(job, found)
        if document is None:
            return
        try:
            send(self._sender, self._clock, found.notification_url, found, document)
        except DeliveryError as error:
            self._send_later(job, str(error))

    def _send_later(self, job: Job, reason: str) -> None:
        """Another job for the same notification: the queue's own patience ends long before the documented one."""
        tries, now = int(job.payload.get("tries", 0)) + 1, self._clock.time()
        LOG.warning("notification not taken", reason=reason, tries=tries)
        given_up = float(job.payload["until"]) + 1
        name = f"{job.payload['name']}/{tries}"
        with self._store.begin() as connection:
            self._queue.enqueue(
                connection,
                job.tenant_id,
                DELIVER,
                {**job.payload, "tries": tries},
                run_at=min(now + retry_delay(tries), max(given_up, now)),
                key=name,
            )

    def _document(self, job: Job, subscription: Subscription) -> dict[str, object] | None:
        """What is posted; with resource data, the token that vouches for it."""
        notification = self._notification(job, subscription)
        if notification is None:
            return None
        if "encryptedContent" not in notification:
            return {"value": [notification]}
        return {"value": [notification], "validationTokens": [self._vouch(job.tenant_id, subscription)]}

    def _concerns(
        self, connection: Connection, tenant_id: str, scope: DataScope, subscription: Subscription, named: Named
    ) -> bool:
        resource, filtered = parse_resource(subscription.resource), None
        if resource.subject != named.subject:
            return False
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
            "id": derived_guid("notification", job.tenant_id, str(job.payload["name"])),
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
