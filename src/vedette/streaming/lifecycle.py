"""What a subscriber is told of the subscription itself: that it ends soon, that it ended, that something was missed.

A subscription ends when it expires, and when its maker may not be told anything any more.
"""

import msgspec
from sqlalchemy import Connection

from vedette.clock import TICKS_PER_SECOND, Clock, format_ticks, now_ticks, to_ticks
from vedette.contracts.notifications import load_notifications
from vedette.jobs.queue import MAX_ATTEMPTS, Job, JobQueue
from vedette.observability.logs import get_logger
from vedette.store.engine import Store
from vedette.store.secrets import Sealer
from vedette.streaming.sending import DeliveryError, Sender, send
from vedette.streaming.subscriptions import Subscription, Subscriptions

LOG = get_logger(__name__)

WARN = "warn_subscriber"
END = "end_subscription"


class DeliveryParts(msgspec.Struct, frozen=True):
    """What deliveries work with."""

    store: Store
    queue: JobQueue
    sender: Sender
    sealer: Sealer
    clock: Clock


class Lifecycle:
    """Handlers of the jobs, and what makes them."""

    def __init__(self, parts: DeliveryParts) -> None:
        self._parts = parts

    def watch(self, connection: Connection, tenant_id: str, subscription: Subscription) -> None:
        """See to it that a new or renewed subscription is warned of, if there is an address for that, and ends."""
        ends = (subscription.expires - to_ticks(0)) / TICKS_PER_SECOND
        if subscription.lifecycle_url is not None:
            self._enqueue(connection, tenant_id, WARN, subscription, ends - load_notifications().warning_seconds)
        self._enqueue(connection, tenant_id, END, subscription, ends)

    def warn(self, job: Job) -> None:
        """Tell that a subscription ends soon, unless it was renewed or removed. Raises DeliveryError."""
        found = self._found(job)
        if found is not None and found.expires > now_ticks(self._parts.clock):
            self.tell(job.tenant_id, found, "reauthorizationRequired")

    def end(self, job: Job) -> None:
        """Tell that a subscription has ended, unless it was renewed or removed, and remove it. Raises DeliveryError."""
        found = self._found(job)
        if found is None:
            return
        try:
            self.tell(job.tenant_id, found, "subscriptionRemoved")
        except DeliveryError as error:
            if job.attempt < MAX_ATTEMPTS:
                raise
            LOG.warning("the end of a subscription was not taken", reason=str(error))
        with self._parts.store.begin() as connection:
            Subscriptions(connection, job.tenant_id, self._parts.sealer).remove(found.subscription_id)

    def end_now(self, connection: Connection, tenant_id: str, subscription: Subscription) -> None:
        """End a subscription whose maker may not be told anything any more."""
        now = now_ticks(self._parts.clock)
        subscriptions = Subscriptions(connection, tenant_id, self._parts.sealer)
        subscriptions.renew(subscription.subscription_id, now, subscription.notification_url)
        ended = msgspec.structs.replace(subscription, expires=now)
        self._enqueue(connection, tenant_id, END, ended, self._parts.clock.time())

    def tell(self, tenant_id: str, subscription: Subscription, event: str) -> None:
        """Send a lifecycle notification, if there is an address for it. Raises DeliveryError."""
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
        parts = self._parts
        send(parts.sender, parts.clock, subscription.lifecycle_url, subscription, {"value": [notification]})

    def _enqueue(
        self, connection: Connection, tenant_id: str, kind: str, subscription: Subscription, at: float
    ) -> None:
        payload = {"subscription_id": subscription.subscription_id, "expires": subscription.expires}
        key = f"{subscription.subscription_id}/{subscription.expires}"
        run_at = max(self._parts.clock.time(), at)
        self._parts.queue.enqueue(connection, tenant_id, kind, payload, run_at=run_at, key=key)

    def _found(self, job: Job) -> Subscription | None:
        """The subscription of a job, expired or not; None if it was renewed or removed since."""
        with self._parts.store.connect() as connection:
            subscriptions = Subscriptions(connection, job.tenant_id, self._parts.sealer)
            found = subscriptions.stored(str(job.payload["subscription_id"]))
        return found if found is not None and found.expires == int(job.payload["expires"]) else None
