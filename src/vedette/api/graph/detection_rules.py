"""Graph's detectionRules (beta): create, list, get, update, delete. Both published shapes are taken and answered."""

import re
from typing import Any

import msgspec
from sqlalchemy import Connection, case

from vedette.api.bodies import read_object
from vedette.api.changes import OptionalText, Text
from vedette.api.graph.surface import created_answer, graph_answer, list_answer, metadata_url
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListRules, read_list, select_members
from vedette.api.snapshot_lists import ListPage
from vedette.clock import Clock, format_ticks, now_ticks, to_ticks
from vedette.context import RequestContext
from vedette.detections.custom_rules import (
    KEY_PREFIX,
    RULE_CHANGED,
    RULE_FIELDS,
    CustomRule,
    CustomRules,
    QueryColumns,
)
from vedette.detections.definitions import RuleDefinition, period_of, techniques_of, to_rule
from vedette.detections.rules import Rule
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.ids import Ids
from vedette.jobs.outbox import Outbox
from vedette.machines.device_groups import DeviceGroups
from vedette.odata.options import decode_query, parse_options
from vedette.odata.sql import Property
from vedette.store.engine import Store

COLLECTION = "security/rules/detectionRules"
_STATUS = case((RULE_FIELDS["is_enabled"], "enabled"), else_="disabled")
_RULE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RuleBody(msgspec.Struct, frozen=True, rename="camel"):
    """Writable properties; what the server answers besides is read over."""

    id: Text = msgspec.UNSET
    display_name: Text = msgspec.UNSET
    description: OptionalText = msgspec.UNSET
    is_enabled: bool | msgspec.UnsetType | None = msgspec.UNSET
    status: Text = msgspec.UNSET
    query_condition: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    schedule: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    detection_action: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    detector_id: OptionalText = msgspec.UNSET
    created_by: OptionalText = msgspec.UNSET
    created_date_time: OptionalText = msgspec.UNSET
    last_modified_by: OptionalText = msgspec.UNSET
    last_modified_date_time: OptionalText = msgspec.UNSET
    last_run_details: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET


class RuleParts(msgspec.Struct, frozen=True):
    """What the handlers work with."""

    store: Store
    columns: QueryColumns
    outbox: Outbox
    clock: Clock
    ids: Ids


class GraphDetectionRules:
    """Handlers."""

    def __init__(self, parts: RuleParts) -> None:
        self._parts = parts
        self._rules = ListRules(
            offered=frozenset({"$filter", "$top", "$skip", "$count", "$select", "$orderby", "$skiptoken"}),
            properties={
                "id": Property(RULE_FIELDS["rule_id"], "string"),
                "displayName": Property(RULE_FIELDS["display_name"], "string"),
                "isEnabled": Property(RULE_FIELDS["is_enabled"], "boolean"),
                "status": Property(_STATUS, "enum", {"enabled": "enabled", "disabled": "disabled"}),
                "createdBy": Property(RULE_FIELDS["created_by"], "string"),
                "lastModifiedBy": Property(RULE_FIELDS["last_modified_by"], "string"),
                "createdDateTime": Property(RULE_FIELDS["created"], "datetime"),
                "lastModifiedDateTime": Property(RULE_FIELDS["last_modified"], "datetime"),
            },
            default_order=((RULE_FIELDS["created"], False), (RULE_FIELDS["rule_id"], False)),
            default_page=100,
            max_page=1000,
            over_max="clamp",
        )

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/rules/detectionRules."""
        query = read_list(request, self._rules)
        with self._parts.store.connect() as connection:
            rules = CustomRules(connection, context.tenant.tenant_id)
            page, after = rules.page(query.selection)
            total = rules.count(query.selection.condition) if query.options.count else None
        found = ListPage(page, total, None if after is None else query.next_link(request, after))
        value = [select_members(_entity(rule), query.options.select) for rule in page]
        return list_answer(metadata_url(request, COLLECTION), found, value)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/rules/detectionRules/{id}."""
        options = parse_options(decode_query(request.query), frozenset({"$select"}))
        with self._parts.store.connect() as connection:
            members = select_members(_entity(_found(connection, context, request)), options.select)
        return graph_answer({"@odata.context": metadata_url(request, f"{COLLECTION}/$entity"), **members})

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /security/rules/detectionRules."""
        body = _read(request)
        now, actor = now_ticks(self._parts.clock), context.principal.display_name
        rule_id = self._parts.ids.guid() if isinstance(body.id, msgspec.UnsetType) else body.id
        if not _RULE_ID.fullmatch(rule_id):
            raise InvalidRequestError("InvalidBodyValue", property="id")
        blank = CustomRule(
            rule_id=rule_id,
            key=f"{KEY_PREFIX}{self._parts.ids.guid()}",
            display_name="",
            is_enabled=True,
            created=now,
            created_by=actor,
            last_modified=now,
            last_modified_by=actor,
            definition=_definition(body, None),
            query_columns=None,
        )
        if isinstance(body.display_name, msgspec.UnsetType):
            raise InvalidRequestError("MissingParameter", parameter="displayName")
        rule = self._checked(context, blank, body)
        with self._parts.store.begin() as connection:
            _check_groups(connection, context, rule)
            self._save(connection, context, rule)
        return _answer(request, rule, 201)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /security/rules/detectionRules/{id}."""
        body = _read(request)
        with self._parts.store.begin() as connection:
            before = _found(connection, context, request)
            changed = msgspec.structs.replace(
                before,
                definition=_definition(body, before.definition),
                last_modified=now_ticks(self._parts.clock),
                last_modified_by=context.principal.display_name,
            )
            rule = self._checked(context, changed, body)
            _check_groups(connection, context, rule)
            self._save(connection, context, rule)
        return _answer(request, rule)

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /security/rules/detectionRules/{id}."""
        with self._parts.store.begin() as connection:
            rule = _found(connection, context, request)
            CustomRules(connection, context.tenant.tenant_id).remove(rule)
        return ApiResponse(204)

    def _checked(self, context: RequestContext, rule: CustomRule, body: RuleBody) -> CustomRule:
        """The rule with the body's name and state, and the columns of its query. Raises what is wrong with it."""
        columns = self._parts.columns(rule.definition.query_condition.query_text, context.tenant.tenant_id)
        name = rule.display_name if isinstance(body.display_name, msgspec.UnsetType) else body.display_name
        if not name.strip():
            raise InvalidRequestError("InvalidBodyValue", property="displayName")
        enabled = _enabled(body, rule.is_enabled)
        to_rule(rule.key, rule.definition, None if columns is None else frozenset(columns), enabled=enabled)
        return msgspec.structs.replace(rule, display_name=name, is_enabled=enabled, query_columns=columns)

    def _save(self, connection: Connection, context: RequestContext, rule: CustomRule) -> None:
        CustomRules(connection, context.tenant.tenant_id).save(rule)
        if rule.is_enabled:
            self._parts.outbox.publish(connection, context.tenant.tenant_id, RULE_CHANGED, {"rule_id": rule.key})


def _read(request: ApiRequest) -> RuleBody:
    return read_object(request.body, RuleBody)


def _found(connection: Connection, context: RequestContext, request: ApiRequest) -> CustomRule:
    rule_id = request.path_parameters["id"]
    rule = CustomRules(connection, context.tenant.tenant_id).get(rule_id)
    if rule is None:
        raise NotFoundError(resource=rule_id)
    return rule


def _check_groups(connection: Connection, context: RequestContext, rule: CustomRule) -> None:
    """Raise InvalidRequestError for a device group that the tenant lacks."""
    known = {each.name for each in DeviceGroups(connection, context.tenant.tenant_id).all()}
    if not known.issuperset(rule.to_rule().device_groups):
        raise InvalidRequestError("InvalidBodyValue", property="detectionAction.organizationalScope")


def _enabled(body: RuleBody, before: bool) -> bool:
    if isinstance(body.status, str):
        if body.status.lower() not in ("enabled", "disabled"):
            raise InvalidRequestError("InvalidBodyValue", property="status")
        return body.status.lower() == "enabled"
    return body.is_enabled if isinstance(body.is_enabled, bool) else before


def _definition(body: RuleBody, before: RuleDefinition | None) -> RuleDefinition:
    """The definition after a change: of objects, the members that are given replace those that were."""
    members: dict[str, Any] = {} if before is None else msgspec.to_builtins(before)
    for name, given in (
        ("queryCondition", body.query_condition),
        ("schedule", body.schedule),
        ("detectionAction", body.detection_action),
    ):
        if isinstance(given, dict):
            known = {} if name == "schedule" else members.get(name, {})
            members[name] = _merged(known, given)
        elif name not in members:
            raise InvalidRequestError("MissingParameter", parameter=name)
    if not isinstance(body.description, msgspec.UnsetType):
        members["description"] = body.description
    try:
        return msgspec.convert(members, RuleDefinition)
    except msgspec.ValidationError as error:
        place = str(error).rpartition("`$.")[2].rstrip("`") if "`$." in str(error) else "detectionAction"
        raise InvalidRequestError("InvalidBodyValue", property=place) from error


def _merged(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    result = dict(before)
    for name, value in given.items():
        if "@odata." in name and name != "@odata.type":
            continue
        both = isinstance(value, dict) and isinstance(result.get(name), dict)
        result[name] = _merged(result[name], value) if both else value
    return result


def _answer(request: ApiRequest, rule: CustomRule, status: int = 200) -> ApiResponse:
    document = {"@odata.context": metadata_url(request, f"{COLLECTION}/$entity"), **_entity(rule)}
    return created_answer(request, document) if status == 201 else graph_answer(document, status)


def _entity(rule: CustomRule) -> dict[str, object]:
    """detectionRule, in both shapes at once."""
    runnable, definition = rule.to_rule(), rule.definition
    return {
        "@odata.type": "#microsoft.graph.security.detectionRule",
        "id": rule.rule_id,
        "displayName": rule.display_name,
        "description": definition.description,
        "isEnabled": rule.is_enabled,
        "status": "enabled" if rule.is_enabled else "disabled",
        "detectorId": runnable.detector_id,
        "createdBy": rule.created_by,
        "createdDateTime": format_ticks(rule.created),
        "lastModifiedBy": rule.last_modified_by,
        "lastModifiedDateTime": format_ticks(rule.last_modified),
        "lastRunDetails": _run_details(rule),
        "queryCondition": {
            "queryText": definition.query_condition.query_text,
            "lastModifiedDateTime": format_ticks(rule.last_modified),
        },
        "schedule": _schedule(rule, runnable),
        "detectionAction": _detection_action(definition, runnable),
    }


def _schedule(rule: CustomRule, runnable: Rule) -> dict[str, object]:
    seconds = runnable.schedule.frequency_seconds
    previous = to_ticks(rule.last_run.at) if rule.last_run else rule.last_modified
    planned = to_ticks((previous - to_ticks(0)) / 10_000_000 + seconds)
    return {
        "period": period_of(runnable.schedule),
        "frequency": runnable.schedule.frequency,
        "nextRunDateTime": format_ticks(planned) if rule.is_enabled else None,
    }


def _run_details(rule: CustomRule) -> dict[str, object]:
    if rule.last_run is None:
        return dict.fromkeys(("lastRunDateTime", "status", "failureReason", "errorCode"))
    failed = rule.last_run.error is not None
    return {
        "lastRunDateTime": format_ticks(to_ticks(rule.last_run.at)),
        "status": rule.last_run.status,
        "failureReason": rule.last_run.error,
        "errorCode": "queryExecutionFailed" if failed else None,
    }


def _detection_action(definition: RuleDefinition, runnable: Rule) -> dict[str, object]:
    action: dict[str, Any] = msgspec.to_builtins(definition.detection_action)
    template = definition.detection_action.alert_template
    category, techniques = techniques_of(template)
    action["alertTemplate"] |= {
        "category": category,
        "mitreTechniques": list(techniques),
        "severity": runnable.severity,
        "impactedAssets": list(template.impacted_assets or ()),
        "tactics": list(template.tactics) if template.tactics else [_tactic(category, techniques)],
    }
    action["responseActions"] = action.get("responseActions") or []
    return action


def _tactic(category: str, techniques: tuple[str, ...]) -> dict[str, object]:
    """The newer shape of a category and its techniques."""
    parents = dict.fromkeys(technique.partition(".")[0] for technique in techniques)
    return {
        "tactic": category[:1].lower() + category[1:],
        "techniques": [
            {"technique": parent, "subTechniques": [each for each in techniques if each.startswith(f"{parent}.")]}
            for parent in parents
        ],
    }
