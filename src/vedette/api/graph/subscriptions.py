"""Graph's subscriptions: create with validation, list, get, renew, delete.

An application sees only its own, and of those that it made for people only those of the one who asks.
"""

from collections.abc import Callable, Mapping

import msgspec
from sqlalchemy import Connection

from vedette.api.bodies import read_object
from vedette.api.graph.alert_filters import alert_properties
from vedette.api.graph.feeds import document_rules, fields_of_type
from vedette.api.graph.incidents import incident_properties
from vedette.api.graph.surface import created_answer, graph_answer, list_answer, metadata_url
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.kept_lists import Documents, KeptList
from vedette.api.listing import select_members
from vedette.clock import Clock, format_ticks, now_ticks
from vedette.context import Principal, RequestContext
from vedette.contracts.graph_types import GRAPH
from vedette.contracts.notifications import load_notifications
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.ids import Ids, is_guid
from vedette.odata.dates import parse_ticks
from vedette.odata.options import decode_query, parse_options
from vedette.odata.sql import PropertyMap, to_condition
from vedette.store.engine import Store
from vedette.store.secrets import Sealer, Secret
from vedette.streaming.encryption import load_certificate
from vedette.streaming.subscriptions import (
    CHANGE_TYPES,
    Subscription,
    Subscriptions,
    check_expiry,
    parse_resource,
)

COLLECTION = "subscriptions"
DEFAULT_TLS_VERSION = "v1_2"


class SubscriptionBody(msgspec.Struct, frozen=True, rename="camel"):
    """Writable properties."""

    change_type: str
    notification_url: str
    resource: str
    expiration_date_time: str
    client_state: str | None = None
    lifecycle_notification_url: str | None = None
    latest_supported_tls_version: str | None = None
    notification_url_app_id: str | None = None
    include_resource_data: bool | None = None
    encryption_certificate: str | None = None
    encryption_certificate_id: str | None = None


class SubscriptionPatch(msgspec.Struct, frozen=True, rename="camel"):
    """What may change."""

    expiration_date_time: str | msgspec.UnsetType = msgspec.UNSET
    notification_url: str | msgspec.UnsetType = msgspec.UNSET


class SubscriptionParts(msgspec.Struct, frozen=True):
    """What the handlers work with. `validate` asks an address whether it wants notifications."""

    store: Store
    sealer: Sealer
    validate: Callable[[str, str], None]
    clock: Clock
    ids: Ids
    watch: Callable[[Connection, str, Subscription], None] = lambda *_: None
    """Sees to it that a subscriber is warned before the end."""


def subscription_filters() -> dict[str, PropertyMap]:
    """What each resource of subscriptions may be filtered by."""
    alerts = alert_properties()
    return {"security/alerts": alerts, "security/alerts_v2": alerts, "security/incidents": incident_properties()}


class GraphSubscriptions:
    """Handlers."""

    def __init__(self, parts: SubscriptionParts, lists: KeptList) -> None:
        self._parts = parts
        self._lists = lists
        self._fields = fields_of_type(f"{GRAPH}.subscription")

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /subscriptions."""
        asked = self._lists.read(context, request, document_rules(self._fields))
        with self._parts.store.connect() as connection:
            found = self._of(connection, context).live(now_ticks(self._parts.clock), context.principal.app_id)
        entities = [_entity(subscription) for subscription in found if _is_own(context.principal, subscription)]
        page = self._lists.page(context, request, asked, Documents(entities, self._fields))
        value = [select_members(each, asked[0].options.select) for each in page.rows]
        return list_answer(metadata_url(request, COLLECTION), page, value)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /subscriptions/{id}."""
        options = parse_options(decode_query(request.query), frozenset({"$select"}))
        with self._parts.store.connect() as connection:
            found = self._found(connection, context, request)
        return _answer(request, select_members(_entity(found), options.select))

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /subscriptions: the address has to answer the validation token first."""
        body = read_object(request.body, SubscriptionBody)
        subscription = self._checked(context, body)
        self._parts.validate(subscription.notification_url, self._parts.ids.guid())
        if subscription.lifecycle_url is not None:
            self._parts.validate(subscription.lifecycle_url, self._parts.ids.guid())
        with self._parts.store.begin() as connection:
            self._of(connection, context).add(subscription)
            self._parts.watch(connection, context.tenant.tenant_id, subscription)
        # Only the answer to who has just told the client state tells it again.
        return _answer(request, {**_entity(subscription), "clientState": body.client_state}, 201)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /subscriptions/{id}: renew, or move to another address."""
        patch = read_object(request.body, SubscriptionPatch)
        with self._parts.store.connect() as connection:
            before = self._found(connection, context, request)
        expires, url = before.expires, before.notification_url
        if isinstance(patch.expiration_date_time, str):
            expires = check_expiry(_moment(patch.expiration_date_time), now_ticks(self._parts.clock))
        if isinstance(patch.notification_url, str) and patch.notification_url != url:
            url = _address("notificationUrl", patch.notification_url)
            self._parts.validate(url, self._parts.ids.guid())
        with self._parts.store.begin() as connection:
            self._of(connection, context).renew(before.subscription_id, expires, url)
            renewed = msgspec.structs.replace(before, expires=expires, notification_url=url)
            self._parts.watch(connection, context.tenant.tenant_id, renewed)
        return _answer(request, _entity(renewed))

    def reauthorize(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /subscriptions/{id}/reauthorize: its maker is still allowed to, or would have been refused before."""
        with self._parts.store.connect() as connection:
            self._found(connection, context, request)
        return ApiResponse(204)

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /subscriptions/{id}."""
        with self._parts.store.begin() as connection:
            found = self._found(connection, context, request)
            self._of(connection, context).remove(found.subscription_id)
        return ApiResponse(204)

    def _of(self, connection: Connection, context: RequestContext) -> Subscriptions:
        return Subscriptions(connection, context.tenant.tenant_id, self._parts.sealer)

    def _found(self, connection: Connection, context: RequestContext, request: ApiRequest) -> Subscription:
        subscription_id = request.path_parameters["id"]
        found = self._of(connection, context).get(subscription_id.lower(), now_ticks(self._parts.clock))
        if found is None or not _is_own(context.principal, found):
            raise NotFoundError(resource=subscription_id)
        return found

    def _checked(self, context: RequestContext, body: SubscriptionBody) -> Subscription:
        certificate, certificate_id = _certificate(body)
        facts = load_notifications()
        if body.client_state is not None and len(body.client_state) > facts.longest_client_state:
            raise InvalidRequestError("InvalidBodyValue", property="clientState")
        resource = parse_resource(body.resource)
        if resource.condition is not None:
            to_condition(resource.condition, subscription_filters()[resource.path])
        changes = tuple(dict.fromkeys(part.strip().lower() for part in body.change_type.split(",")))
        if not changes or not CHANGE_TYPES.issuperset(changes):
            raise InvalidRequestError("InvalidBodyValue", property="changeType")
        if body.latest_supported_tls_version not in (None, *facts.tls_versions):
            raise InvalidRequestError("InvalidBodyValue", property="latestSupportedTlsVersion")
        if body.notification_url_app_id is not None and not is_guid(body.notification_url_app_id):
            raise InvalidRequestError("InvalidBodyValue", property="notificationUrlAppId")
        now, principal = now_ticks(self._parts.clock), context.principal
        lifecycle = body.lifecycle_notification_url
        return Subscription(
            subscription_id=self._parts.ids.guid(),
            application_id=principal.app_id,
            creator_id=principal.object_id,
            resource=body.resource,
            change_types=changes,
            notification_url=_address("notificationUrl", body.notification_url),
            lifecycle_url=None if lifecycle is None else _address("lifecycleNotificationUrl", lifecycle),
            client_state=None if body.client_state is None else Secret(body.client_state.encode()),
            expires=check_expiry(_moment(body.expiration_date_time), now),
            created=now,
            base_url=context.base_url,
            encryption_certificate=certificate,
            encryption_certificate_id=certificate_id,
            tls_version=body.latest_supported_tls_version or DEFAULT_TLS_VERSION,
            notification_url_app_id=body.notification_url_app_id,
        )


def _is_own(principal: Principal, subscription: Subscription) -> bool:
    """Whether a caller may see and change a subscription: it may tell more than other people of the application see."""
    if principal.kind == "user" and subscription.creator_id != principal.object_id:
        return False
    return subscription.application_id == principal.app_id


def _certificate(body: SubscriptionBody) -> tuple[str | None, str | None]:
    """The certificate that resource data is encrypted for, and the client's name for it; both are needed with it."""
    if not body.include_resource_data:
        return None, None
    if not body.encryption_certificate or not body.encryption_certificate_id:
        missing = "encryptionCertificateId" if body.encryption_certificate else "encryptionCertificate"
        raise InvalidRequestError("MissingParameter", parameter=missing)
    if len(body.encryption_certificate_id) > load_notifications().longest_certificate_id:
        raise InvalidRequestError("InvalidBodyValue", property="encryptionCertificateId")
    load_certificate(body.encryption_certificate)
    return body.encryption_certificate, body.encryption_certificate_id


def _moment(text: str) -> int:
    ticks = parse_ticks(text)
    if ticks is None:
        raise InvalidRequestError("InvalidBodyValue", property="expirationDateTime")
    return ticks


def _address(property_: str, text: str) -> str:
    # Whether the server may connect there is the affair of the policy of outgoing connections.
    if not text.lower().startswith(("https://", "http://")):
        raise InvalidRequestError("InvalidBodyValue", property=property_)
    return text


def _answer(request: ApiRequest, members: Mapping[str, object], status: int = 200) -> ApiResponse:
    document = {"@odata.context": metadata_url(request, f"{COLLECTION}/$entity"), **members}
    return created_answer(request, document) if status == 201 else graph_answer(document, status)


def _entity(subscription: Subscription) -> dict[str, object]:
    """subscription. The client state is the client's secret and is not told again."""
    return {
        "id": subscription.subscription_id,
        "resource": subscription.resource,
        "applicationId": subscription.application_id,
        "changeType": ",".join(subscription.change_types),
        "clientState": None,
        "notificationUrl": subscription.notification_url,
        "notificationQueryOptions": None,
        "lifecycleNotificationUrl": subscription.lifecycle_url,
        "expirationDateTime": format_ticks(subscription.expires),
        "creatorId": subscription.creator_id,
        "includeResourceData": True if subscription.encryption_certificate else None,
        "latestSupportedTlsVersion": subscription.tls_version,
        "encryptionCertificate": None,
        "encryptionCertificateId": subscription.encryption_certificate_id,
        "notificationUrlAppId": subscription.notification_url_app_id,
    }
