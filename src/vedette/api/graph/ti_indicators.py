"""Graph's tiIndicators (beta): threat indicators that take effect as those of Defender for Endpoint do.

They are the same indicators: what only Graph says of one is kept beside it. A client sees those that it made.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from vedette.api.bodies import read_members, read_object
from vedette.api.graph.feeds import FeedParts, document_rules
from vedette.api.graph.surface import graph_answer, list_answer, metadata_url
from vedette.api.http import ApiRequest, ApiResponse, AuthenticatedHandler
from vedette.api.kept_lists import Documents
from vedette.api.listing import select_members
from vedette.clock import format_ticks, now_ticks
from vedette.context import RequestContext, Tenant
from vedette.errors import ApiError, InvalidRequestError, NotFoundError, PermissionDeniedError
from vedette.indicators.indicators import INDICATOR_FIELDS, Author, Indicator, Indicators, NewIndicator
from vedette.machines.device_groups import DeviceGroups
from vedette.odata.dates import parse_ticks
from vedette.odata.documents import fields_of
from vedette.odata.options import decode_query, parse_options

MAX_BULK = 100
PRODUCTS = {"azure sentinel": "Azure Sentinel", "microsoft defender atp": "Microsoft Defender ATP"}
ACTIONS = {"allow": "Allowed", "block": "Block", "alert": "Audit", "unknown": "Audit"}
SEVERITIES = ("Informational", "Informational", "Low", "Medium", "High", "High")
"""From 0 to 5."""

HASHES = {"sha1": "FileSha1", "sha256": "FileSha256", "md5": "FileMd5"}
OBSERVABLES: Mapping[str, str] = {
    "domain_name": "DomainName",
    "url": "Url",
    "network_destination_i_pv4": "IpAddress",
    "network_destination_i_pv6": "IpAddress",
    "network_i_pv4": "IpAddress",
    "network_i_pv6": "IpAddress",
}
COLLECTION = "security/tiIndicators"
_TRUTHS = frozenset({"isactive", "passiveonly"})

_NAMES = {
    f"network_{kind}i_pv{version}": f"network{kind.rstrip('_').capitalize()}IPv{version}"
    for kind in ("", "destination_", "source_")
    for version in (4, 6)
}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class TiIndicator(msgspec.Struct, frozen=True, kw_only=True, rename=lambda name: _NAMES.get(name) or _camel(name)):
    """A tiIndicator, in and out. None of its members has to be given by the type; see `_checked`."""

    id: str | None = None
    action: str | None = None
    activity_group_names: tuple[str, ...] = ()
    additional_information: str | None = None
    azure_tenant_id: str | None = None
    confidence: int | None = None
    description: str | None = None
    diamond_model: str | None = None
    domain_name: str | None = None
    expiration_date_time: str | None = None
    external_id: str | None = None
    file_hash_type: str | None = None
    file_hash_value: str | None = None
    file_name: str | None = None
    file_path: str | None = None
    file_size: int | None = None
    file_type: str | None = None
    ingested_date_time: str | None = None
    is_active: bool = True
    kill_chain: tuple[str, ...] = ()
    known_false_positives: str | None = None
    last_reported_date_time: str | None = None
    malware_family_names: tuple[str, ...] = ()
    network_destination_i_pv4: str | None = None
    network_destination_i_pv6: str | None = None
    network_destination_port: int | None = None
    network_i_pv4: str | None = None
    network_i_pv6: str | None = None
    network_port: int | None = None
    network_protocol: int | None = None
    network_source_i_pv4: str | None = None
    network_source_i_pv6: str | None = None
    network_source_port: int | None = None
    passive_only: bool = False
    severity: int = 3
    tags: tuple[str, ...] = ()
    target_product: str | None = None
    threat_type: str | None = None
    tlp_level: str | None = None
    url: str | None = None
    user_agent: str | None = None
    vendor_information: dict[str, Any] | None = None


EDITABLE = frozenset(TiIndicator.__struct_fields__) - {
    "id",
    "azure_tenant_id",
    "ingested_date_time",
    "domain_name",
    "url",
    "file_hash_type",
    "file_hash_value",
    *OBSERVABLES,
}


class Items(msgspec.Struct, frozen=True):
    """Body of the operations on many."""

    value: tuple[Any, ...]


class GraphTiIndicators:
    """Handlers."""

    def __init__(self, parts: FeedParts) -> None:
        self._parts = parts
        self._fields = fields_of(
            TiIndicator, frozenset({"expirationDateTime", "ingestedDateTime", "lastReportedDateTime"})
        )

    def handlers(self) -> Mapping[str, AuthenticatedHandler]:
        """Every operation by its name."""
        return {
            "list_ti_indicators": self.list,
            "create_ti_indicator": self.create,
            "get_ti_indicator": self.get,
            "update_ti_indicator": self.update,
            "delete_ti_indicator": self.delete,
            "submit_ti_indicators": self.submit,
            "update_ti_indicators": self.update_many,
            "delete_ti_indicators": self.delete_many,
            "delete_ti_indicators_by_external_id": self.delete_by_external_id,
        }

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/tiIndicators."""
        asked = self._parts.lists.read(context, request, document_rules(self._fields))
        with self._parts.store.connect() as connection:
            found = _all(_indicators(connection, context))
        documents = Documents([_document(context.tenant, each) for each in found], self._fields)
        page = self._parts.lists.page(context, request, asked, documents)
        value = [select_members(each, asked[0].options.select) for each in page.rows]
        return list_answer(metadata_url(request, COLLECTION), page, value)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/tiIndicators/{id}. A client that lists and gets by one code sends `$top` here too."""
        options = parse_options(decode_query(request.query), frozenset({"$select", "$top"}))
        with self._parts.store.connect() as connection:
            found = _found(_indicators(connection, context), request.path_parameters["id"])
        members = select_members(_document(context.tenant, found), options.select)
        return graph_answer({"@odata.context": metadata_url(request, f"{COLLECTION}/$entity"), **members})

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /security/tiIndicators."""
        given = _read(request.body)
        with self._parts.store.begin() as connection:
            made = self._put(connection, context, given)
        context_url = metadata_url(request, f"{COLLECTION}/$entity")
        return graph_answer({"@odata.context": context_url, **_document(context.tenant, made)}, 201)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /security/tiIndicators/{id}: nothing is answered unless the client prefers the indicator."""
        with self._parts.store.begin() as connection:
            changed = self._change(connection, context, request.path_parameters["id"], request.body)
        if "return=representation" not in request.headers.get("prefer", "").lower():
            return ApiResponse(204)
        context_url = metadata_url(request, f"{COLLECTION}/$entity")
        return graph_answer({"@odata.context": context_url, **_document(context.tenant, changed)})

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /security/tiIndicators/{id}."""
        with self._parts.store.begin() as connection:
            indicators = _indicators(connection, context)
            indicators.remove([_found(indicators, request.path_parameters["id"]).indicator_id])
        return ApiResponse(204)

    def submit(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST …/submitTiIndicators: those that are right are made, the others are told of."""

        def make(connection: Connection, item: Any) -> dict[str, Any]:
            given = _read(msgspec.json.encode(item))
            return _document(context.tenant, self._put(connection, context, given))

        return self._bulk(request, make)

    def update_many(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST …/updateTiIndicators."""

        def change(connection: Connection, item: Any) -> dict[str, Any]:
            key = item.get("id") if isinstance(item, dict) else None
            if not isinstance(key, str):
                raise InvalidRequestError("MissingParameter", parameter="id")
            return _document(context.tenant, self._change(connection, context, key, msgspec.json.encode(item)))

        return self._bulk(request, change)

    def delete_many(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST …/deleteTiIndicators."""

        def remove(connection: Connection, item: Any) -> dict[str, Any]:
            indicators = _indicators(connection, context)
            indicators.remove([_found(indicators, str(item)).indicator_id])
            return _result(200, "OK", "")

        return self._bulk(request, remove)

    def delete_by_external_id(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST …/deleteTiIndicatorsByExternalId."""

        def remove(connection: Connection, item: Any) -> dict[str, Any]:
            indicators = _indicators(connection, context)
            matching = [each.indicator_id for each in _all(indicators) if each.external_id == str(item)]
            if not matching:
                raise NotFoundError(resource=str(item))
            indicators.remove(matching)
            return _result(200, "OK", "")

        return self._bulk(request, remove)

    def _bulk(self, request: ApiRequest, act: Callable[[Connection, Any], dict[str, Any]]) -> ApiResponse:
        items = read_object(request.body, Items).value
        if not items:
            raise InvalidRequestError("MissingParameter", parameter="value")
        if len(items) > MAX_BULK:
            raise InvalidRequestError("MaximumBatchSizeExceeded", received=len(items), limit=MAX_BULK)
        value, failed = [], False
        with self._parts.store.begin() as connection:
            for item in items:
                try:
                    with connection.begin_nested():
                        value.append(act(connection, item))
                except ApiError as error:
                    failed = True
                    fields = ", ".join(f"{name}: {text}" for name, text in error.fields.items())
                    value.append(_result(_status(error), error.code, fields))
        context_url = metadata_url(request, COLLECTION)
        return graph_answer({"@odata.context": context_url, "value": value}, 206 if failed else 200)

    def _put(self, connection: Connection, context: RequestContext, given: TiIndicator) -> Indicator:
        now, author = now_ticks(self._parts.clock), _author(connection, context)
        return Indicators(connection, context.tenant.tenant_id, author).put(_checked(given, now), author, now)

    def _change(self, connection: Connection, context: RequestContext, key: str, body: bytes) -> Indicator:
        before = _found(_indicators(connection, context), key)
        given = _read(body)
        named = {each.lower() for each in read_members(body) if "@odata." not in each}
        fields = {each.encode_name.lower(): each.name for each in msgspec.structs.fields(TiIndicator)}
        changed = {fields[name]: getattr(given, fields[name]) for name in named if fields[name] in EDITABLE}
        for name in sorted(named - {"id"} - {each.lower() for each in ("azureTenantId", "ingestedDateTime")}):
            if fields[name] not in EDITABLE and getattr(given, fields[name]) != getattr(_wire(before), fields[name]):
                raise InvalidRequestError("UnknownBodyProperty", property=name)
        return self._put(connection, context, msgspec.structs.replace(_wire(before), **changed))


def _read(body: bytes) -> TiIndicator:
    """What a client writes. Some write truths as texts and a score, a number, as additionalInformation."""
    members = {name: _spelled(name.lower(), value) for name, value in read_members(body).items()}
    return read_object(msgspec.json.encode(members), TiIndicator)


def _spelled(name: str, value: Any) -> Any:
    if name in _TRUTHS and isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if name == "additionalinformation" and is_number else value


def _status(error: ApiError) -> int:
    if isinstance(error, PermissionDeniedError):
        return 403
    return 404 if isinstance(error, NotFoundError) else 400


def _author(connection: Connection, context: RequestContext) -> Author:
    """Who writes. They see only what they made."""
    principal = context.principal
    if principal.kind == "user":
        exposed = DeviceGroups(connection, context.tenant.tenant_id).names_within(context.scope)
        name = principal.display_name or principal.app_id
        return Author(principal.object_id, name, "User", sees_all=False, exposed_to=exposed)
    return Author(principal.app_id, principal.display_name or principal.app_id, "AadApp", sees_all=False)


def _indicators(connection: Connection, context: RequestContext) -> Indicators:
    return Indicators(connection, context.tenant.tenant_id, _author(connection, context))


def _all(indicators: Indicators) -> list[Indicator]:
    return indicators.of_keys(indicators.keys(None, ((INDICATOR_FIELDS["indicator_id"], False),)))


def _found(indicators: Indicators, key: str) -> Indicator:
    number = int(key) if key.isascii() and key.isdigit() and len(key) <= 18 else -1
    found = indicators.get(number)
    if found is None:
        raise NotFoundError(resource=key)
    return found


def _checked(given: TiIndicator, now: int) -> NewIndicator:
    """The indicator that a body describes. Raises InvalidRequestError."""
    type_, value = _observable(given)
    product = PRODUCTS.get((given.target_product or "").lower())
    if product is None:
        raise InvalidRequestError("InvalidBodyValue", property="targetProduct")
    action = ACTIONS.get((given.action or "").lower())
    if action is None and not (given.action is None and product == "Azure Sentinel"):
        raise InvalidRequestError("InvalidBodyValue", property="action")
    expires = parse_ticks(given.expiration_date_time or "")
    if expires is None or expires <= now:
        raise InvalidRequestError("InvalidBodyValue", property="expirationDateTime")
    if not 0 <= given.severity < len(SEVERITIES):
        raise InvalidRequestError("InvalidBodyValue", property="severity")
    if given.confidence is not None and not 0 <= given.confidence <= 100:
        raise InvalidRequestError("InvalidBodyValue", property="confidence")
    is_silent = given.passive_only and action == "Block"
    return NewIndicator(
        value=value,
        type=type_,
        action="Audit" if is_silent or action is None else action,
        title=(given.description or value)[:100],
        description=given.description or value,
        severity=SEVERITIES[given.severity],
        application=None,
        generate_alert=action != "Allowed",
        expires=expires if given.is_active else now,
        details={**msgspec.to_builtins(given), "targetProduct": product, "isActive": given.is_active},
    )


def _observable(given: TiIndicator) -> tuple[str, str]:
    """Type and value of what is looked for. Raises InvalidRequestError if there is none that can be."""
    if given.file_hash_value is not None:
        kind = HASHES.get((given.file_hash_type or "").lower())
        if kind is None:
            raise InvalidRequestError("InvalidBodyValue", property="fileHashType")
        return kind, given.file_hash_value
    for name, kind in OBSERVABLES.items():
        value = getattr(given, name)
        if value:
            return kind, value
    raise InvalidRequestError("MissingParameter", parameter="domainName, url, networkDestinationIPv4, fileHashValue")


def _wire(indicator: Indicator) -> TiIndicator:
    """An indicator in this shape; one that Defender for Endpoint made says less."""
    details = indicator.details or {}
    given = msgspec.convert(details, TiIndicator) if "targetProduct" in details else _plain(indicator)
    expires = given.expiration_date_time
    if expires is None and indicator.expires is not None:
        expires = format_ticks(indicator.expires)
    return msgspec.structs.replace(
        given,
        id=str(indicator.indicator_id),
        expiration_date_time=expires,
        ingested_date_time=format_ticks(indicator.created),
    )


def _plain(indicator: Indicator) -> TiIndicator:
    actions = {"Allowed": "allow", "Audit": "alert", "Warn": "alert"}
    names = {"DomainName": "domain_name", "Url": "url", "IpAddress": "network_destination_i_pv4"}
    kinds = {type_: kind for kind, type_ in HASHES.items()}
    observable: dict[str, Any] = (
        {"file_hash_type": kinds[indicator.type], "file_hash_value": indicator.value}
        if indicator.type in kinds
        else {names[indicator.type]: indicator.value}
        if indicator.type in names
        else {}
    )
    return TiIndicator(
        action=actions.get(indicator.action, "block"),
        description=indicator.description,
        severity=max(place for place, name in enumerate(SEVERITIES) if name == indicator.severity),
        target_product="Microsoft Defender ATP",
        external_id=indicator.external_id,
        **observable,
    )


def _document(tenant: Tenant, indicator: Indicator) -> dict[str, Any]:
    members = msgspec.to_builtins(msgspec.structs.replace(_wire(indicator), azure_tenant_id=tenant.tenant_id))
    return {"@odata.type": "#microsoft.graph.tiIndicator", **members}


def _result(code: int, sub_code: str, message: str) -> dict[str, Any]:
    """resultInfo."""
    return {"@odata.type": "#microsoft.graph.resultInfo", "code": code, "subCode": sub_code, "message": message}
