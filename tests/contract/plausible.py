"""Values that come close to what operations want, and values that are known to hurt: strategies beside random ones."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from vedette.contracts.answers import AnswerContract, load_answer_types
from vedette.contracts.enums import load_enums

NASTY: Sequence[str] = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\ufeff",
    "\u202e",
    "𝕳𝖊𝖗𝖔𝖓",
    "ı",
    "'",
    "''; --",
    "%",
    "_",
    "..",
    "../../etc/passwd",
    "{0}",
    "{message}",
    "%s",
    "\\",
    "9" * 30,
    "-1",
    "1e400",
    "NaN",
    "٣",
    "x" * 5_000,
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.9999999Z",
    "2025-02-30T00:00:00Z",
    "2025-11-24T12:00:00+23:59",
    "2025-11-24",
    "http://[::1",
    "https://",
    "00000000-0000-0000-0000-000000000000",
    "PT1S",
    "P99999999999D",
    "0.0.0.0/0",
    "::ffff:1.2.3.4",
    "a@b",
    "null",
)
IN_ADDRESSES = [text for text in NASTY if text.strip(". \ufeff") and not set(text) & set("/\ud800")]
"""What can be written in an address: something, and no half of a pair."""
NUMBERS: Sequence[int | float] = (0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 1.5, 1e308)
OTHERS: Sequence[Any] = (None, True, [], {}, [[]], {"a": {}}, [None], ["x"], {"@odata.type": "#x"}, {"id": None})

LITERALS: Sequence[str] = (
    "null", "true", "'high'", "'x'", "''", "1", "-1", "0", "1.5", "9223372036854775808", "99999999999999999999",
    "2025-11-23T00:00:00Z", "2025-11-23", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "'2025-11-23'",
    "duration'P1D'", "11111111-1111-1111-1111-111111111111", "'\x00'", "'%'", "microsoft.graph.x'y'", "INF", "NaN",
)  # fmt: skip
OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le", "in", "EQ", "has")
EXPANDED = ("evidence", "alerts($select=id)", "alerts($top=1;$skip=1)", "x(", "*")
COUNTS = ("0", "1", "2", "50", "1000", "10001", "999999999", "9999999999", "-1", "1.0", "", "٣", "1e3", " 1")


def members(type_name: str) -> list[str]:
    """Names of a type's properties, `id` first, and one that it does not have."""
    types = load_answer_types()
    known = [prop.name for prop in types.properties(type_name)] if type_name in types.types else []
    return ["id", *known, "nothing"]


def filter_text(chance: random.Random, names: Sequence[str], depth: int = 0) -> str:
    """A filter over properties of those names, mostly well-formed."""
    name, literal = chance.choice(names), chance.choice(LITERALS)
    match chance.randrange(9 if depth < 3 else 3):
        case 0 | 1 | 2:
            operator = chance.choice(OPERATORS)
            return (
                f"{name} in ({literal},{chance.choice(LITERALS)})"
                if operator == "in"
                else f"{name} {operator} {literal}"
            )
        case 3:
            return f"{chance.choice(('startswith', 'endswith', 'contains', 'tolower'))}({name},{literal})"
        case 4:
            return f"{name}/any(x: {filter_text(chance, ['x', 'x/id'], depth + 1)})"
        case 5:
            return f"not ({filter_text(chance, names, depth + 1)})"
        case 6:
            return f"{name}/{chance.choice(names)} eq {literal}"
        case 7:
            return f"{name}/$count gt {literal}"
    inner = filter_text(chance, names, depth + 1), filter_text(chance, names, depth + 1)
    return f"{inner[0]} {chance.choice(('and', 'or', 'xor'))} {inner[1]}"


def query(chance: random.Random, answer: AnswerContract) -> dict[str, str]:
    """Query options for an operation, of those it offers."""
    names = members(answer.element)
    texts = {
        "filter": lambda: filter_text(chance, names),
        "orderby": lambda: ",".join(f"{chance.choice(names)} {chance.choice(('asc', 'desc', ''))}" for _ in range(2)),
        "select": lambda: ",".join(chance.choice(names) for _ in range(2)),
        "expand": lambda: chance.choice(
            (*answer.expand, "evidence", "alerts($select=id)", "alerts($top=1;$skip=1)", "x(", "*")
        ),
        "top": lambda: chance.choice(COUNTS),
        "skip": lambda: chance.choice(COUNTS),
        "count": lambda: chance.choice(("true", "false", "TRUE", "1", "")),
        "skiptoken": lambda: chance.choice(("x", "", "AAAA", *NASTY[:4])),
    }
    chosen = [option for option in answer.options if chance.random() < 0.4]
    options = {f"${option}": texts[option]() for option in chosen}
    own = [name for name in answer.parameters if chance.random() < 0.7]
    return options | {name: chance.choice((*COUNTS, *IN_ADDRESSES)) for name in own}


def near(chance: random.Random, value: Any, share: float) -> Any:
    """A body that is taken, but for a few places: something that hurts, something less or something more."""
    if chance.random() < share:
        return chance.choice(OTHERS if isinstance(value, dict | list) else (*OTHERS, *NUMBERS, *NASTY))
    if isinstance(value, dict):
        kept = {key: near(chance, item, share) for key, item in value.items() if chance.random() > share / 3}
        return kept | ({"nothing": 1} if chance.random() < share / 3 else {})
    if isinstance(value, list):
        return [near(chance, item, share) for item in value] * chance.choice((1, 1, 1, 2, 0))
    return value


def body(chance: random.Random, value: Any, objects: Mapping[str, Sequence[str]], name: str = "") -> Any:
    """A body like `value` in which texts are often such as operations want, and now and then something that hurts."""
    if isinstance(value, dict):
        return {key: body(chance, item, objects, key) for key, item in value.items()}
    if isinstance(value, list):
        return [body(chance, item, objects, name) for item in value]
    if chance.random() < 0.04:
        return chance.choice((*OTHERS, *NUMBERS, *NASTY))
    if isinstance(value, str):
        return text(chance, name, value, objects)
    if isinstance(value, int | float) and not isinstance(value, bool) and chance.random() < 0.5:
        return chance.choice(NUMBERS)
    return value


def text(chance: random.Random, name: str, value: str, objects: Mapping[str, Sequence[str]]) -> str:
    """A text for a member of that name."""
    share = chance.random()
    if share < 0.7:
        return chance.choice(wanted(name, objects) or (value,))
    return chance.choice(NASTY) if share < 0.9 else value


WANTED: Mapping[str, Sequence[str]] = {
    "comment": ("Seen.",),
    "displayname": ("Heron",),
    "externalid": ("e-1",),
    "action": ("Audit", "Block", "Add", "Remove", "alert", "block", "disable"),
    "indicatortype": ("IpAddress", "FileSha1", "DomainName", "Url", "CertificateThumbprint"),
    "indicatorvalue": ("203.0.113.8", "a" * 40, "evil.test", "https://evil.test/"),
    "isolationtype": ("Full", "Selective"),
    "scantype": ("Quick", "Full"),
    "value": ("vip", "check.ps1"),
    "key": ("ScriptName", "FileName", "Path"),
    "type": ("RunScript", "PutFile", "GetFile", "Scope", "Role", "AsymmetricX509Cert"),
    "query": ("DeviceInfo | take 1", "print 1", "DeviceInfo | where", "DeviceInfo | where DeviceName has 'x'"),
    "timespan": ("P1D", "PT1H", "2025-11-01T00:00:00Z/2025-11-24T00:00:00Z"),
    "changetype": ("created", "updated", "created,updated"),
    "resource": ("security/alerts_v2", "security/incidents", "security/alerts_v2?$filter=severity eq 'high'"),
    "notificationurl": ("https://hooks.contoso.test/",),
    "targetproduct": ("Azure Sentinel", "Microsoft Defender ATP"),
    "threattype": ("Malware",),
    "tlplevel": ("green",),
    "domainname": ("evil.test",),
    "name": ("ci-build",),
    "issuer": ("https://ci.test",),
    "subject": ("repo:heron",),
    "consenttype": ("AllPrincipals", "Principal"),
    "scope": ("Incident.Read",),
    "userprincipalname": ("eve@contoso.test",),
    "password": ("quiet-Harbour-72-lantern",),
    "mailnickname": ("eve",),
    "devicevalue": ("High", "Low"),
    "category": ("Execution",),
    "signinaudience": ("AzureADMyOrg", "AzureADMultipleOrgs"),
    "@odata.id": ("https://localhost/v1.0/directoryObjects/{id}",),
}


def wanted(name: str, objects: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """What a member of that name takes, as far as its name tells."""
    name = name.lower()
    if name.endswith(("datetime", "time", "datetimeutc")):
        return ("2025-11-24T12:00:00Z", "2025-12-01T00:00:00Z", "2020-01-01T00:00:00Z")
    words = [enum for key, enum in load_enums().items() if key.lower().endswith(name)] if len(name) > 4 else []
    found = [spelling for enum in words for spelling in enum.spellings]
    return (*WANTED.get(name, ()), *found, *objects.get(name.removesuffix("s"), ()))


_LATER = "2025-11-25T12:00:00Z"
_COMMENT = {"Comment": "Seen."}
_ENDPOINT_INDICATOR = {
    "indicatorValue": "203.0.113.8", "indicatorType": "IpAddress", "action": "Audit", "title": "Heron",
    "description": "Seen", "generateAlert": True, "expirationTime": _LATER, "rbacGroupNames": [], "severity": "High",
}  # fmt: skip
_TI_INDICATOR = {
    "action": "alert", "description": "Heron", "domainName": "evil.test", "expirationDateTime": _LATER,
    "targetProduct": "Azure Sentinel", "threatType": "Malware", "tlpLevel": "green", "tags": ["a"], "severity": 3,
}  # fmt: skip
_RULE = {
    "displayName": "Hidden commands",
    "isEnabled": True,
    "queryCondition": {"queryText": "DeviceProcessEvents | project Timestamp, DeviceId, ReportId, AccountUpn, SHA1"},
    "schedule": {"period": "12H"},
    "detectionAction": {
        "alertTemplate": {
            "title": "Hidden command", "severity": "medium", "category": "Execution", "mitreTechniques": ["T1059"],
            "impactedAssets": [
                {"@odata.type": "#microsoft.graph.security.impactedDeviceAsset", "identifier": "deviceId"}
            ],
        },
        "responseActions": [
            {"@odata.type": "#microsoft.graph.security.isolateDeviceResponseAction", "identifier": "deviceId",
             "isolationType": "full"}
        ],
    },
}  # fmt: skip
_SUBSCRIPTION = {
    "changeType": "created,updated", "notificationUrl": "https://hooks.contoso.test/", "resource": "security/alerts_v2",
    "expirationDateTime": _LATER, "clientState": "x", "lifecycleNotificationUrl": "https://hooks.contoso.test/l",
}  # fmt: skip
_APPLICATION = {
    "displayName": "Heron", "signInAudience": "AzureADMyOrg", "identifierUris": ["api://heron"], "tags": ["a"],
    "api": {"oauth2PermissionScopes": [{"id": "3a5b2c1d-0000-4000-8000-00000000000a", "value": "Read", "type": "User",
                                        "adminConsentDisplayName": "Read", "adminConsentDescription": "Read"}]},
    "appRoles": [{"id": "3a5b2c1d-0000-4000-8000-00000000000b", "displayName": "R", "description": "R", "value": "R",
                  "allowedMemberTypes": ["User"], "isEnabled": True}],
    "web": {"redirectUris": ["https://heron.test/cb"], "implicitGrantSettings": {"enableIdTokenIssuance": True}},
    "spa": {"redirectUris": ["https://heron.test/spa"]}, "publicClient": {"redirectUris": ["http://localhost"]},
    "requiredResourceAccess": [{"resourceAppId": "00000003-0000-0000-c000-000000000000", "resourceAccess": []}],
    "info": {"supportUrl": "https://heron.test"}, "optionalClaims": {"idToken": [{"name": "email"}]},
    "passwordCredentials": [], "keyCredentials": [],
}  # fmt: skip
_USER = {
    "accountEnabled": True, "displayName": "Eve", "userPrincipalName": "eve@contoso.test", "mailNickname": "eve",
    "passwordProfile": {"password": "quiet-Harbour-72-lantern", "forceChangePasswordNextSignIn": False},
    "businessPhones": ["1"], "otherMails": ["eve@other.test"], "usageLocation": "DE",
}  # fmt: skip
_ALERT = {
    "title": "Heron", "severity": "high", "category": "Execution", "mitreTechniques": ["T1059"],
    "entityDefinitions": [{"entityType": "ip", "entityIdentifier": "address", "identifierValue": "203.0.113.9",
                           "role": "related"}],
}  # fmt: skip
_INCIDENT = {
    "status": "active", "classification": "truePositive", "determination": "malware", "assignedTo": "a@contoso.test",
    "customTags": ["a"],
}  # fmt: skip
_BATCH = {
    "requests": [
        {"id": "1", "method": "GET", "url": "/security/incidents?$top=1", "headers": {"accept": "*/*"}},
        {"id": "2", "method": "PATCH", "url": "/security/incidents/1", "body": {"status": "active"},
         "headers": {"content-type": "application/json"}, "dependsOn": ["1"]},
    ]
}  # fmt: skip
_QUERY = {"Query": "DeviceProcessEvents | take 1", "Timespan": "P1D"}

TAKEN: Mapping[str, Any] = {
    "defender.update_incident": {
        "status": "Resolved", "classification": "TruePositive", "determination": "Malware", "tags": ["a"],
        "comment": "Seen.", "assignedTo": "a@contoso.test",
    },
    "defender.update_alert": {"status": "InProgress", "comment": "Seen.", "assignedTo": "a", "classification": None},
    "defender.add_or_remove_machine_tags": {"Value": "vip", "Action": "Add"},
    "defender.update_machine_method": {"deviceValue": "High", "machineTags": ["a"]},
    "defender.set_device_value": {"DeviceValue": "Low"},
    "defender.isolate_machine": {**_COMMENT, "IsolationType": "Full"},
    "defender.run_av_scan": {**_COMMENT, "ScanType": "Quick"},
    "defender.stop_and_quarantine_file": {**_COMMENT, "Sha1": "c" * 40},
    "defender.run_live_response": {
        **_COMMENT, "Commands": [{"type": "RunScript", "params": [{"key": "ScriptName", "value": "check.ps1"}]}],
    },
    "defender.post_ti_indicator": _ENDPOINT_INDICATOR,
    "defender.import_ti_indicators": {"Indicators": [_ENDPOINT_INDICATOR, _ENDPOINT_INDICATOR]},
    "defender.batch_delete_ti_indicators": {"IndicatorIds": ["77"]},
    "defender.run_advanced_hunting": _QUERY,
    "defender.run_advanced_query": _QUERY,
    **dict.fromkeys(
        ("defender.unisolate_machine", "defender.restrict_code_execution", "defender.unrestrict_code_execution",
         "defender.offboard_machine_api", "defender.collect_investigation_package", "defender.cancel_machine_action",
         "defender.initiate_autoir_investigation"),
        _COMMENT,
    ),
    "graph.update_incident": {**_INCIDENT, "summary": "S", "severity": "high", "displayName": "D"},
    "graph.update_alert": {**_INCIDENT, "status": "inProgress", "customDetails": {"a": "b"}} | {"customTags": None},
    "graph.add_incident_comment": {"comment": "Seen."},
    "graph.add_alert_comment": {"@odata.type": "microsoft.graph.security.alertComment", "comment": "Seen."},
    "graph.merge_incidents": {"incidentIds": ["2", "3"], "incidentComment": "One."},
    "graph.run_hunting_query": _QUERY,
    "graph.run_batch": _BATCH,
    "graph.create_alert": _ALERT,
    "graph.create_subscription": _SUBSCRIPTION,
    "graph.update_subscription": {"expirationDateTime": _LATER},
    "graph.create_detection_rule": _RULE,
    "graph.update_detection_rule": _RULE,
    "graph.create_ti_indicator": _TI_INDICATOR,
    "graph.update_ti_indicator": {"severity": 1, "tags": ["b"], "expirationDateTime": _LATER},
    "graph.submit_ti_indicators": {"value": [_TI_INDICATOR, {**_TI_INDICATOR, "domainName": "a.test"}]},
    "graph.update_ti_indicators": {"value": [{"id": "1", "severity": 1}]},
    "graph.delete_ti_indicators": {"value": ["77"]},
    "graph.delete_ti_indicators_by_external_id": {"value": ["77"]},
    "graph.update_secure_score_control_profile": {
        "controlStateUpdates": [{"state": "Ignored", "comment": "Known"}], "vendorInformation": {"vendor": "Microsoft"},
    },
    "graph.update_legacy_alert": {
        "vendorInformation": {"provider": "Microsoft Defender ATP", "vendor": "Microsoft"}, "status": "resolved",
        "feedback": "truePositive", "comments": ["Seen."], "tags": ["a"], "assignedTo": "a",
    },
    "graph.update_sensor": {"settings": {"description": "two", "isDelayedDeploymentEnabled": True}},
    "graph.update_health_issue": {"status": "closed"},
    "graph.set_sensor_activation": {"activationMode": "automated"},
    "graph.set_auto_auditing": {"isAutomatic": True},
    "graph.create_application": _APPLICATION,
    "graph.update_application": _APPLICATION,
    "graph.add_application_password": {"passwordCredential": {"displayName": "x", "endDateTime": _LATER}},
    "graph.create_federated_credential": {
        "name": "ci-build-2", "issuer": "https://ci.test", "subject": "repo:2", "audiences": ["api://x"],
    },
    "graph.update_federated_credential": {"subject": "repo:3", "description": "d"},
    "graph.update_service_principal": {"tags": ["a"], "notes": "n", "appRoleAssignmentRequired": False},
    "graph.create_user": _USER,
    "graph.update_user": {"city": "X", "businessPhones": ["1"], "displayName": "Ada", "accountEnabled": True},
    "graph.create_group": {
        "displayName": "G", "mailNickname": "g", "mailEnabled": False, "securityEnabled": True, "groupTypes": [],
    },
    "graph.update_group": {"description": "d"},
}  # fmt: skip
"""Bodies that operations take, by operation id."""
