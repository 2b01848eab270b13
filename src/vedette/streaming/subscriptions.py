"""Subscriptions of applications to changes of alerts and incidents: what they may ask for, and where they are kept."""

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from sqlalchemy import Connection, Row, select

from vedette.clock import TICKS_PER_SECOND
from vedette.contracts.notifications import load_notifications
from vedette.errors import InvalidRequestError
from vedette.odata.parser import parse_filter
from vedette.odata.syntax import Expression
from vedette.store.secrets import Sealer, Secret
from vedette.store.tenancy import TenantRepository
from vedette.streaming.tables import SUBSCRIPTIONS

RESOURCES = {"security/alerts": "alert", "security/alerts_v2": "alert", "security/incidents": "incident"}
"""Resources and what they are about. The real service takes only the first; the others are Vedette's addition."""

CHANGE_TYPES = frozenset({"created", "updated"})
_RESOURCE = re.compile(r"/?(?P<path>[A-Za-z0-9_/]+?)/?(?:\?(?P<query>.*))?", re.DOTALL)


class Resource(msgspec.Struct, frozen=True):
    """A resource that is subscribed to. `path` as in RESOURCES."""

    path: str
    condition: Expression | None

    @property
    def subject(self) -> str:
        """`alert` or `incident`."""
        return RESOURCES[self.path]


class Subscription(msgspec.Struct, frozen=True):
    """One subscription. `client_state` is the client's secret, told with every notification."""

    subscription_id: str
    application_id: str
    creator_id: str
    resource: str
    change_types: tuple[str, ...]
    notification_url: str
    lifecycle_url: str | None
    client_state: Secret[bytes] | None
    expires: int
    created: int
    base_url: str
    encryption_certificate: str | None = None
    encryption_certificate_id: str | None = None
    """With a certificate, notifications carry the resource, encrypted for it."""
    tls_version: str = "v1_2"
    notification_url_app_id: str | None = None
    """The application that validation tokens are for, if it is not the subscriber's."""


def parse_resource(text: str) -> Resource:
    """The resource that a text names. Raises InvalidRequestError, ODataError for its filter."""
    match = _RESOURCE.fullmatch(text.strip())
    path = match["path"].lower() if match else ""
    if match is None or path not in RESOURCES:
        raise InvalidRequestError("SubscriptionResourceNotBuilt", resource=text, known=", ".join(RESOURCES))
    options = dict(parse_qsl(match["query"] or "", keep_blank_values=True))
    if set(options) - {"$filter"}:
        raise InvalidRequestError("UnsupportedQueryOption", option=min(set(options) - {"$filter"}))
    condition = parse_filter(options["$filter"]) if options.get("$filter", "").strip() else None
    return Resource(path, condition)


def check_expiry(expires: int, now: int) -> int:
    """The expiry asked for. Raises InvalidRequestError if it is past or beyond the longest life."""
    longest = load_notifications().longest_minutes
    if not now < expires <= now + longest * 60 * TICKS_PER_SECOND:
        raise InvalidRequestError("SubscriptionExpiryInvalid", minutes=longest)
    return expires


class Subscriptions(TenantRepository):
    """The subscriptions of one tenant. An expired one is no longer there."""

    def __init__(self, connection: Connection, tenant_id: str, sealer: Sealer) -> None:
        super().__init__(connection, tenant_id)
        self._sealer = sealer

    def live(self, now: int, application_id: str | None = None) -> list[Subscription]:
        """Subscriptions that have not expired, of one application or of all."""
        statement = self.select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.expires > now)
        if application_id is not None:
            statement = statement.where(SUBSCRIPTIONS.c.application_id == application_id)
        rows = self.connection.execute(statement.order_by(SUBSCRIPTIONS.c.created, SUBSCRIPTIONS.c.subscription_id))
        return [self._load(row) for row in rows]

    def get(self, subscription_id: str, now: int) -> Subscription | None:
        """One subscription that has not expired, or None."""
        statement = self.select(SUBSCRIPTIONS).where(
            SUBSCRIPTIONS.c.subscription_id == subscription_id, SUBSCRIPTIONS.c.expires > now
        )
        row = self.connection.execute(statement).first()
        return None if row is None else self._load(row)

    def stored(self, subscription_id: str) -> Subscription | None:
        """One subscription, expired or not, or None."""
        statement = self.select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.subscription_id == subscription_id)
        row = self.connection.execute(statement).first()
        return None if row is None else self._load(row)

    def add(self, subscription: Subscription) -> None:
        """Store a new subscription."""
        state = subscription.client_state
        self.insert(
            SUBSCRIPTIONS,
            subscription_id=subscription.subscription_id,
            application_id=subscription.application_id,
            creator_id=subscription.creator_id,
            resource=subscription.resource,
            change_types=",".join(subscription.change_types),
            notification_url=subscription.notification_url,
            lifecycle_url=subscription.lifecycle_url,
            client_state=None if state is None else self._sealer.seal(state, self._context(subscription)),
            expires=subscription.expires,
            created=subscription.created,
            base_url=subscription.base_url,
            encryption_certificate=subscription.encryption_certificate,
            encryption_certificate_id=subscription.encryption_certificate_id,
            tls_version=subscription.tls_version,
            notification_url_app_id=subscription.notification_url_app_id,
        )

    def renew(self, subscription_id: str, expires: int, notification_url: str) -> None:
        """Give a subscription a new expiry and address."""
        statement = self.update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.subscription_id == subscription_id)
        self.connection.execute(statement.values(expires=expires, notification_url=notification_url))

    def remove(self, subscription_id: str) -> None:
        """Delete a subscription."""
        self.connection.execute(self.delete(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.subscription_id == subscription_id))

    def _load(self, row: Row[Any]) -> Subscription:
        values = {name: getattr(row, name) for name in Subscription.__struct_fields__ if name not in _SPECIAL}
        blank = Subscription(client_state=None, change_types=tuple(row.change_types.split(",")), **values)
        if row.client_state is None:
            return blank
        return msgspec.structs.replace(blank, client_state=self._sealer.open(row.client_state, self._context(blank)))

    def _context(self, subscription: Subscription) -> str:
        return f"{self.tenant_id}/{subscription.subscription_id}"


_SPECIAL = frozenset({"client_state", "change_types"})


def has_subscriptions(connection: Connection, tenant_id: str) -> bool:
    """Whether a tenant has any subscription."""
    query = select(SUBSCRIPTIONS.c.subscription_id).where(SUBSCRIPTIONS.c.tenant_id == tenant_id).limit(1)
    return connection.execute(query).first() is not None
