"""Rules as Graph's detectionRule has them, in the older shape and in that of 2026, into rules that can be run.

Older: `schedule.period`, `alertTemplate.category`, `mitreTechniques`, `impactedAssets`. Newer: `schedule.frequency`,
`tactics`, `entityMappings`. Either shape is taken; what a definition cannot say here is refused by name.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec

from vedette.detections.durations import parse_duration
from vedette.detections.entities import ENTITY_FIELDS, EntityMapping, EntityType
from vedette.detections.responses import responses_of
from vedette.detections.rules import Category, Rule, Schedule, Severity
from vedette.errors import InvalidRequestError

DAY = 86_400
NEAR_REAL_TIME = Schedule(frequency="PT1M", lookback="PT1H")
PERIODS: Mapping[str, Schedule] = {
    "0": NEAR_REAL_TIME,
    "1H": Schedule(frequency="PT1H", lookback="PT4H"),
    "3H": Schedule(frequency="PT3H", lookback="PT12H"),
    "12H": Schedule(frequency="PT12H", lookback="PT48H"),
    "24H": Schedule(frequency="P1D", lookback="P30D"),
}
"""Frequencies of the older shape and how far each looks back (defender-docs defender-xdr/custom-detection-rules.md)."""

SHORTEST, LONGEST = 300, 14 * DAY
MAX_CUSTOM_DETAILS = 20

_ASSETS: Mapping[str, tuple[EntityType, frozenset[str]]] = {
    "impactedDeviceAsset": (
        "device",
        frozenset({"deviceId", "deviceName", "remoteDeviceName", "targetDeviceName", "destinationDeviceName"}),
    ),
    "impactedMailboxAsset": (
        "mailbox",
        frozenset(
            {
                "accountUpn",
                "fileOwnerUpn",
                "initiatingProcessAccountUpn",
                "lastModifyingAccountUpn",
                "targetAccountUpn",
                "senderFromAddress",
                "senderDisplayName",
                "recipientEmailAddress",
                "senderMailFromAddress",
            }
        ),
    ),
    "impactedUserAsset": (
        "user",
        frozenset(
            {
                "accountObjectId",
                "accountSid",
                "accountUpn",
                "accountName",
                "accountDomain",
                "accountId",
                "requestAccountSid",
                "requestAccountName",
                "requestAccountDomain",
                "recipientObjectId",
                "processAccountObjectId",
                "initiatingAccountSid",
                "initiatingProcessAccountUpn",
                "initiatingAccountName",
                "initiatingAccountDomain",
                "servicePrincipalId",
                "servicePrincipalName",
                "targetAccountUpn",
            }
        ),
    ),
}

_MAPPINGS: Mapping[str, tuple[EntityType, Mapping[str, str]]] = {
    "hosts": ("device", {"deviceIdColumn": "device_id", "nameColumn": "device_name"}),
    "accounts": (
        "user",
        {
            "nameColumn": "account_name",
            "ntDomainColumn": "domain_name",
            "sidColumn": "user_sid",
            "aadUserIdColumn": "object_id",
            "upnColumn": "user_principal_name",
        },
    ),
    "mailboxes": ("mailbox", {"primaryAddressColumn": "primary_address"}),
    "files": ("file", {"nameColumn": "file_name", "sha1Column": "sha1", "sha256Column": "sha256"}),
    "processes": ("process", {"commandLineColumn": "command_line", "sha1Column": "sha1", "sha256Column": "sha256"}),
    "ips": ("ip", {"addressColumn": "address"}),
    "urls": ("url", {"addressColumn": "url"}),
    "registryValues": ("registryValue", {"keyColumn": "key", "valueNameColumn": "value_name"}),
    "mailMessages": (
        "mailMessage",
        {
            "networkMessageIdColumn": "network_message_id",
            "recipientColumn": "recipient",
            "senderColumn": "sender",
            "subjectColumn": "subject",
        },
    ),
}
_IMPACTED = frozenset({"hosts", "accounts", "mailboxes"})


class QueryCondition(msgspec.Struct, frozen=True, rename="camel"):
    """queryCondition."""

    query_text: str
    last_modified_date_time: str | None = None


class RuleSchedule(msgspec.Struct, frozen=True, rename="camel"):
    """ruleSchedule: one of the two; the time of the next run is not the client's to say."""

    period: str | None = None
    frequency: str | None = None
    next_run_date_time: str | None = None


class AlertTemplate(msgspec.Struct, frozen=True, rename="camel"):
    """alertTemplate of both shapes."""

    title: str
    severity: str
    description: str | None = None
    recommended_actions: str | None = None
    category: str | None = None
    mitre_techniques: tuple[str, ...] | None = None
    impacted_assets: tuple[dict[str, Any], ...] | None = None
    tactics: tuple[dict[str, Any], ...] | None = None
    entity_mappings: dict[str, Any] | None = None
    custom_details: dict[str, Any] | None = None


class DetectionAction(msgspec.Struct, frozen=True, rename="camel"):
    """detectionAction of both shapes."""

    alert_template: AlertTemplate
    organizational_scope: dict[str, Any] | None = None
    response_actions: tuple[dict[str, Any], ...] | None = None
    automated_actions: dict[str, Any] | None = None
    incident_configuration: dict[str, Any] | None = None


class RuleDefinition(msgspec.Struct, frozen=True, rename="camel"):
    """What a client writes of a detectionRule, besides its name and whether it is enabled."""

    query_condition: QueryCondition
    schedule: RuleSchedule
    detection_action: DetectionAction
    description: str | None = None


def schedule_of(given: RuleSchedule) -> Schedule:
    """The schedule that is meant. Raises InvalidRequestError."""
    if given.frequency is None:
        schedule = PERIODS.get((given.period or "").upper())
        if schedule is None:
            raise InvalidRequestError("InvalidBodyValue", property="schedule.period")
        return schedule
    try:
        seconds = 0 if given.frequency in ("PT0S", "P0D") else parse_duration(given.frequency)
    except ValueError as error:
        raise InvalidRequestError("InvalidBodyValue", property="schedule.frequency") from error
    if seconds == 0:
        return NEAR_REAL_TIME
    if not SHORTEST <= seconds <= LONGEST:
        raise InvalidRequestError("InvalidBodyValue", property="schedule.frequency")
    return Schedule(frequency=given.frequency, lookback=f"PT{4 * seconds}S" if seconds < DAY else "P30D")


def period_of(schedule: Schedule) -> str | None:
    """The older shape's word for a schedule, if it has one."""
    seconds = schedule.frequency_seconds
    return next((period for period, known in PERIODS.items() if known.frequency_seconds == seconds), None)


def techniques_of(template: AlertTemplate) -> tuple[str, tuple[str, ...]]:
    """Category and techniques, whichever shape says them."""
    techniques = list(template.mitre_techniques or ())
    category = template.category or ""
    for tactic in template.tactics or ():
        category = category or str(tactic.get("tactic") or "")
        for technique in tactic.get("techniques") or ():
            if name := str(technique.get("technique") or ""):
                techniques.append(name)
            techniques += [str(each) for each in technique.get("subTechniques") or ()]
    category = category[:1].upper() + category[1:]
    return category or "SuspiciousActivity", tuple(dict.fromkeys(techniques))


def to_rule(key: str, definition: RuleDefinition, columns: frozenset[str] | None, *, enabled: bool) -> Rule:
    """The rule that the engine runs. `columns` are those that the query returns; None: known only when it runs."""
    template = definition.detection_action.alert_template
    severity = template.severity.lower()
    if severity not in ("informational", "low", "medium", "high"):
        raise InvalidRequestError("InvalidBodyValue", property="detectionAction.alertTemplate.severity")
    category, techniques = techniques_of(template)
    rule = Rule(
        id=key,
        title=template.title,
        description=template.description or definition.description or "",
        severity=cast(Severity, severity),
        category=cast(Category, category),
        query=definition.query_condition.query_text,
        schedule=schedule_of(definition.schedule),
        entities=tuple(_entities(template, columns)),
        techniques=techniques,
        recommended_actions=template.recommended_actions or "",
        enabled=enabled,
        custom_details=_custom_details(template),
        correlated=_is_correlated(definition.detection_action),
        device_groups=_device_groups(definition.detection_action),
        responses=tuple(
            responses_of(definition.detection_action.automated_actions, definition.detection_action.response_actions)
        ),
    )
    if not rule.entities:
        raise InvalidRequestError("InvalidBodyValue", property="detectionAction.alertTemplate.impactedAssets")
    for column in sorted(rule.columns):
        if columns is not None and column not in columns:
            raise InvalidRequestError("RuleColumnMissing", column=column)
    return rule


def _entities(template: AlertTemplate, columns: frozenset[str] | None) -> Iterator[EntityMapping]:
    for asset in template.impacted_assets or ():
        yield _asset(asset, columns or frozenset())
    for name, mappings in (template.entity_mappings or {}).items():
        if name.startswith("@") or not mappings:
            continue
        if name not in _MAPPINGS:
            raise InvalidRequestError("EntityMappingNotBuilt", mapping=name, known=", ".join(_MAPPINGS))
        for mapping in mappings:
            yield _mapping(name, mapping)


def _asset(asset: Mapping[str, Any], columns: frozenset[str]) -> EntityMapping:
    kind = str(asset.get("@odata.type", "")).rpartition(".")[2]
    identifier = str(asset.get("identifier", ""))
    if kind not in _ASSETS or identifier not in _ASSETS[kind][1]:
        raise InvalidRequestError("InvalidBodyValue", property="detectionAction.alertTemplate.impactedAssets")
    column = identifier[:1].upper() + identifier[1:]
    entity = _ASSETS[kind][0]
    if entity == "mailbox":
        return EntityMapping(entity, {"primary_address": column}, impacted=True)
    if entity == "device":
        names = {"device_name": "DeviceName"} if "DeviceName" in columns else {}
        return EntityMapping(entity, {"device_id": column, **names}, impacted=True)
    fields = {"account_name": "AccountName" if "AccountName" in columns else column}
    for ending, field in (("Sid", "user_sid"), ("ObjectId", "object_id"), ("Upn", "user_principal_name")):
        if column.endswith(ending):
            fields[field] = column
    return EntityMapping(entity, fields, impacted=True)


def _mapping(name: str, given: Mapping[str, Any]) -> EntityMapping:
    entity, known = _MAPPINGS[name]
    columns = {known[key]: str(value) for key, value in given.items() if key in known and value}
    identified = set(columns)
    for field, required in ENTITY_FIELDS[entity].items():
        if required and field not in columns and identified:
            columns[field] = columns[min(identified)]  # the only thing known of it stands for its name
    if not columns:
        raise InvalidRequestError("InvalidBodyValue", property=f"detectionAction.alertTemplate.entityMappings.{name}")
    return EntityMapping(entity, columns, impacted=name in _IMPACTED)


def _is_correlated(action: DetectionAction) -> bool:
    excluded = (action.incident_configuration or {}).get("isExcludedFromIncidentCorrelation")
    if not isinstance(excluded, bool | None):
        raise InvalidRequestError("InvalidBodyValue", property="detectionAction.incidentConfiguration")
    return not excluded


def _device_groups(action: DetectionAction) -> tuple[str, ...]:
    """The device groups of either shape: `scopeNames` of a `scopeType`, or `deviceGroups`."""
    scope = action.organizational_scope or {}
    named = scope.get("deviceGroups") or scope.get("scopeNames") or ()
    known = str(scope.get("scopeType") or "deviceGroup").lower() == "devicegroup"
    if not known or not isinstance(named, list | tuple) or not all(isinstance(each, str) and each for each in named):
        raise InvalidRequestError("InvalidBodyValue", property="detectionAction.organizationalScope")
    return tuple(named)


def _custom_details(template: AlertTemplate) -> dict[str, str]:
    given = {name: value for name, value in (template.custom_details or {}).items() if not name.startswith("@")}
    if len(given) > MAX_CUSTOM_DETAILS or not all(isinstance(value, str) for value in given.values()):
        raise InvalidRequestError("InvalidBodyValue", property="detectionAction.alertTemplate.customDetails")
    return given
