"""The indicators operations."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Text, and_, cast, exists

from vedette.api.bodies import read_object
from vedette.api.changes import enum_value
from vedette.api.defender.answers import caller_name, entity, found, odata_context, page_answer, required
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machines import MAX_PAGE, OFFERED
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListRules
from vedette.api.render import json_answer
from vedette.clock import format_ticks, now_ticks
from vedette.context import RequestContext
from vedette.contracts.enums import load_enums
from vedette.detections.responses import REQUESTOR
from vedette.errors import ApiError, InvalidRequestError, NotFoundError, PermissionDeniedError
from vedette.indicators import indicators as domain
from vedette.indicators.indicators import INDICATOR_FIELDS, Author, Indicators, NewIndicator
from vedette.machines.device_groups import DeviceGroups
from vedette.machines.tables import MACHINE_GROUPS
from vedette.odata.dates import parse_ticks
from vedette.odata.json_texts import json_texts, text_collection
from vedette.odata.options import decode_query, parse_options
from vedette.odata.sql import CollectionProperty, Property, PropertyMap

MAX_BATCH = 500


class IndicatorBody(msgspec.Struct, frozen=True, rename="camel"):
    """Body of create, and each indicator of an import."""

    indicator_value: str
    indicator_type: str
    action: str
    title: str
    description: str
    application: str | None = None
    expiration_time: str | None = None
    severity: str | None = None
    recommended_actions: str | None = None
    external_id: str | int | None = None
    rbac_group_names: tuple[str, ...] | str | None = None
    rbac_group_ids: tuple[str | int, ...] | None = None
    educate_url: str | None = None
    generate_alert: bool | str | None = None


class ReceivedIndicator(IndicatorBody, frozen=True, rename="camel"):
    """The body as clients send it: members that only the service writes come back with it, and are not read."""

    id: object = None
    source: object = None
    source_type: object = None
    created_by: object = None
    created_by_display_name: object = None
    created_by_source: object = None
    creation_time_date_time_utc: object = None
    last_update_time: object = None
    last_updated_by: object = None
    category: object = None
    bypass_duration_hours: object = None
    certificate_info: object = None
    notification_id: object = None
    notification_body: object = None
    version: object = None
    mitre_techniques: object = None
    historical_detection: object = None
    look_back_period: object = None
    additional_info: object = None


class ImportBody(msgspec.Struct, frozen=True, rename="pascal"):
    """Body of import."""

    indicators: tuple[dict[str, object], ...]


class DeleteBody(msgspec.Struct, frozen=True, rename="pascal"):
    """Body of BatchDelete."""

    indicator_ids: tuple[str, ...]


class Indicator(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An indicator. What follows `educate_url` is the portal's: nobody sets it here.

    `created_by_source` is a kind of request and `last_updated_by` an identity, as in the service's metadata and in
    recorded answers; the page of the resource calls the former a name.
    """

    id: str
    indicator_value: str
    indicator_type: str
    action: str
    external_id: str | None
    application: str | None
    source: str
    source_type: str
    title: str
    creation_time_date_time_utc: str
    created_by: str
    created_by_display_name: str
    created_by_source: str
    expiration_time: str | None
    last_update_time: str
    last_updated_by: str | None
    severity: str
    description: str
    recommended_actions: str | None
    rbac_group_names: tuple[str, ...]
    rbac_group_ids: tuple[str, ...]
    generate_alert: bool
    educate_url: str | None
    category: int = 1
    bypass_duration_hours: int | None = None
    certificate_info: None = None
    notification_id: int | None = None
    notification_body: str | None = None
    version: str | None = None
    mitre_techniques: tuple[str, ...] = ()
    historical_detection: bool = False
    look_back_period: int | None = None
    additional_info: str | None = None


def indicator_properties() -> PropertyMap:
    """What may be filtered by."""
    field, enums = INDICATOR_FIELDS, load_enums()
    return {
        "application": Property(field["application"], "string"),
        "createdByDisplayName": Property(field["created_by_name"], "string"),
        "createdBy": Property(field["created_by"], "string"),
        "expirationTime": Property(field["expires"], "datetime"),
        "generateAlert": Property(field["generate_alert"], "boolean"),
        "title": Property(field["title"], "string"),
        "indicatorValue": Property(field["value"], "string"),
        "indicatorType": Property(field["type"], "enum", enums["indicatorType"].spellings),
        "creationTimeDateTimeUtc": Property(field["created"], "datetime"),
        "lastUpdateTime": Property(field["last_update"], "datetime"),
        "action": Property(field["action"], "enum", enums["indicatorAction"].spellings),
        "severity": Property(field["severity"], "enum", enums["indicatorSeverity"].spellings),
        "rbacGroupNames": text_collection(field["rbac_group_names"], "rbac_group"),
        "rbacGroupIds": CollectionProperty(
            MACHINE_GROUPS,
            and_(MACHINE_GROUPS.c.tenant_id == field["tenant_id"], _names_group(field["rbac_group_names"])),
            Property(cast(MACHINE_GROUPS.c.group_id, Text), "string"),
        ),
    }


def _names_group(names: ColumnElement[Any]) -> ColumnElement[bool]:
    name = json_texts(names).table_valued("value", name="named_group")
    return exists().select_from(name).where(name.c.value == MACHINE_GROUPS.c.name)


class DefenderIndicators:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts
        self._rules = ListRules(
            offered=OFFERED,
            properties=indicator_properties(),
            default_order=((INDICATOR_FIELDS["indicator_id"], False),),
            default_page=MAX_PAGE,
            max_page=MAX_PAGE,
            over_max="refuse",
        )

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/indicators."""
        query, cursor = self._parts.lists.read(context, request, self._rules)
        with self._parts.store.connect() as connection:
            page = self._parts.lists.page(context, request, (query, cursor), self._of(connection, context))
            groups = group_ids(connection, context)
        return page_answer(request, "Indicators", query, page, lambda each: to_indicator(each, groups))

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/indicators/{id}. Whatever else a client appends, `$top` too, says nothing of a single one."""
        parse_options(decode_query(request.query), OFFERED)
        text = request.path_parameters["id"]
        indicator_id = _number(text)
        with self._parts.store.connect() as connection:
            indicator = None if indicator_id is None else self._of(connection, context).get(indicator_id)
            groups = group_ids(connection, context)
        return entity(request, "Indicators", to_indicator(found(indicator, "Indicator", text), groups))

    def put(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/indicators: creates, or changes the one of the same value and type."""
        now = now_ticks(self._parts.clock)
        new = to_new(read_object(request.body, ReceivedIndicator), now)
        with self._parts.store.begin() as connection:
            author = author_of(connection, context)
            indicator = self._of(connection, context).put(new, author, now)
            groups = group_ids(connection, context)
        return entity(request, "Indicators", to_indicator(indicator, groups))

    def import_many(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/indicators/import: each for itself; what failed says why."""
        bodies = read_object(request.body, ImportBody).indicators
        if len(bodies) > MAX_BATCH:
            raise InvalidRequestError("MaximumBatchSizeExceeded", received=len(bodies), limit=MAX_BATCH)
        now = now_ticks(self._parts.clock)
        with self._parts.store.begin() as connection:
            author = author_of(connection, context)
            indicators = self._of(connection, context)
            results = [_imported(indicators, msgspec.json.encode(body), author, now) for body in bodies]
        name = odata_context(request, "Collection(microsoft.windowsDefenderATP.api.ImportIndicatorResult)")
        return json_answer({"@odata.context": name, "value": results})

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /api/indicators/{id}."""
        text = request.path_parameters["id"]
        indicator_id = _number(text)
        if indicator_id is None:
            raise NotFoundError(resource=f"Indicator {text}")
        with self._parts.store.begin() as connection:
            self._of(connection, context).remove([indicator_id])
        return ApiResponse(204)

    def delete_many(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/indicators/BatchDelete: all of them or none."""
        texts = read_object(request.body, DeleteBody).indicator_ids
        if not texts:
            raise InvalidRequestError("MissingParameter", parameter="IndicatorIds")
        if len(texts) > MAX_BATCH:
            raise InvalidRequestError("MaximumBatchSizeExceeded", received=len(texts), limit=MAX_BATCH)
        numbers = [_number(text) for text in texts]
        indicator_ids = [number for number in numbers if number is not None]
        if len(indicator_ids) < len(texts):
            raise InvalidRequestError("InvalidBodyValue", property="IndicatorIds")
        with self._parts.store.begin() as connection:
            self._of(connection, context).remove(indicator_ids)
        return ApiResponse(204)

    def _of(self, connection: Connection, context: RequestContext) -> Indicators:
        """Those that have not expired: the service deletes one when its time is over."""
        now, author = now_ticks(self._parts.clock), author_of(connection, context)
        return Indicators(connection, context.tenant.tenant_id, author, active_at=now)


def group_ids(connection: Connection, context: RequestContext) -> Mapping[str, str]:
    """Ids of the tenant's device groups by name."""
    return {each.name: str(each.group_id) for each in DeviceGroups(connection, context.tenant.tenant_id).all()}


def _group_names(given: tuple[str, ...] | str | None) -> tuple[str, ...]:
    """A list, or as the page has it a text with commas."""
    names = given.split(",") if isinstance(given, str) else given or ()
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def author_of(connection: Connection, context: RequestContext) -> Author:
    """Who writes: an application without `Ti.ReadWrite.All` sees what it made, a person what is for their machines."""
    principal = context.principal
    if principal.kind == "user":
        exposed = DeviceGroups(connection, context.tenant.tenant_id).names_within(context.scope)
        name = caller_name(principal)
        return Author(name, name, "User", sees_all=True, exposed_to=exposed)
    sees_all = "Ti.ReadWrite.All" in principal.roles
    return Author(principal.app_id, caller_name(principal), "AadApp", sees_all=sees_all)


def to_new(body: IndicatorBody, now: int) -> NewIndicator:
    """The indicator that a body describes. Raises InvalidRequestError."""
    action = str(enum_value("indicatorAction", "action", body.action))
    # Alert and AlertAndBlock, retired in 2022, meant an alert by themselves.
    implied = body.action.lower() in ("alert", "alertandblock")
    generate_alert = implied or str(body.generate_alert).lower() == "true"
    if action == "Audit" and not generate_alert:
        raise InvalidRequestError("InvalidInput", reason="An indicator with the action Audit has to generate alerts.")
    type_ = str(enum_value("indicatorType", "indicatorType", body.indicator_type))
    if body.educate_url is not None and (type_ not in ("Url", "DomainName") or action not in ("Block", "Warn")):
        raise InvalidRequestError("InvalidInput", reason="An educateUrl goes with URLs that are blocked or warned of.")
    expires = None
    if body.expiration_time is not None:
        expires = parse_ticks(body.expiration_time)
        if expires is None or expires <= now:
            raise InvalidRequestError("InvalidBodyValue", property="expirationTime")
    return NewIndicator(
        value=required(body.indicator_value, "indicatorValue").strip(),
        type=type_,
        action=action,
        title=required(body.title, "title"),
        description=required(body.description, "description"),
        severity=str(enum_value("indicatorSeverity", "severity", body.severity or "Informational")),
        application=body.application,
        recommended_actions=body.recommended_actions,
        educate_url=body.educate_url,
        generate_alert=generate_alert,
        rbac_group_names=_group_names(body.rbac_group_names),
        external_id=None if body.external_id is None else str(body.external_id),
        expires=expires,
    )


def to_indicator(indicator: domain.Indicator, groups: Mapping[str, str]) -> Indicator:
    """The wire form."""
    return Indicator(
        id=str(indicator.indicator_id),
        indicator_value=indicator.value,
        indicator_type=indicator.type,
        action=indicator.action,
        external_id=indicator.external_id,
        application=indicator.application,
        source=indicator.source,
        source_type=indicator.source_type,
        title=indicator.title,
        creation_time_date_time_utc=format_ticks(indicator.created),
        created_by=indicator.created_by,
        created_by_display_name=indicator.created_by_name,
        created_by_source="CustomDetection" if indicator.created_by == REQUESTOR else "PublicApi",
        expiration_time=None if indicator.expires is None else format_ticks(indicator.expires),
        last_update_time=format_ticks(indicator.last_update),
        last_updated_by=indicator.last_updated_by,
        severity=indicator.severity,
        description=indicator.description,
        recommended_actions=indicator.recommended_actions,
        rbac_group_names=indicator.rbac_group_names,
        rbac_group_ids=tuple(groups[name] for name in indicator.rbac_group_names if name in groups),
        generate_alert=indicator.generate_alert,
        educate_url=indicator.educate_url,
    )


def _imported(indicators: Indicators, body: bytes, author: Author, now: int) -> dict[str, Any]:
    try:
        read = read_object(body, ReceivedIndicator)
    except InvalidRequestError as error:
        return {"id": None, "indicator": None, "isFailed": True, "failureReason": _reason(error)}
    try:
        stored = indicators.put(to_new(read, now), author, now)
    except (InvalidRequestError, PermissionDeniedError) as error:
        return {"id": None, "indicator": read.indicator_value, "isFailed": True, "failureReason": _reason(error)}
    return {"id": str(stored.indicator_id), "indicator": stored.value, "isFailed": False, "failureReason": None}


def _reason(error: ApiError) -> str:
    fields = ", ".join(f"{name}: {value}" for name, value in error.fields.items())
    return f"{error.code} ({fields})" if fields else error.code


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
