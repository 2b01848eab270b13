"""The facts of the telemetry pack's manifest as queries over advanced-hunting tables.

A fact is a set of predicates on raw events: event id, channel, and regular expressions on fields. Each becomes a
condition on the columns that the mapping rules put those fields into, or it is said why that cannot be.
"""

from collections.abc import Mapping
from typing import NamedTuple

from vedette.contracts.mappings import Rule, load_rule_sets

_BACKSLASH = "\\"
_NO_FIELD = frozenset({"what", "events", "id", "ch", "st"})


class Operand(NamedTuple):
    """Something a pattern is matched against: columns in a row, or a key of AdditionalFields."""

    columns: tuple[str, ...] = ()
    key: str = ""
    inbound: str = ""
    """With one column: the column that has it instead in rows of accepted connections."""

    def kql(self) -> str:
        if self.key:
            return f"tostring(parse_json(AdditionalFields).{self.key})"
        if self.inbound:
            return f"tostring(iff(ActionType == 'InboundConnectionAccepted', {self.inbound}, {self.columns[0]}))"
        if len(self.columns) == 1:
            return f"tostring({self.columns[0]})"
        return f"strcat({', '.join(_quoted(part) if part == _BACKSLASH else part for part in self.columns)})"


class FactQuery(NamedTuple):
    """Rows of `table` with one of the action types and matching patterns; there should be `events` of them."""

    what: str
    table: str
    actions: tuple[str, ...]
    patterns: tuple[tuple[Operand, str], ...]
    events: int

    def kql(self) -> str:
        """The query as a user would write it."""
        lines = [self.table]
        if self.actions:
            lines.append(f"where ActionType in ({', '.join(_quoted(action) for action in self.actions)})")
        lines += [f"where {operand.kql()} matches regex @'(?i){_at(pattern)}'" for operand, pattern in self.patterns]
        return " | ".join([*lines, "count"])


class Uncovered(NamedTuple):
    """A fact that no query can find, and why."""

    what: str
    reason: str


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _at(pattern: str) -> str:
    return pattern.replace("'", "''")


_REGISTRY_PATH = Operand(
    ("RegistryKey", "PreviousRegistryKey", _BACKSLASH, "RegistryValueName", "PreviousRegistryValueName")
)

OPERANDS: Mapping[tuple[str, str], Operand] = {
    ("DeviceProcessEvents", "CommandLine"): Operand(("ProcessCommandLine",)),
    ("DeviceProcessEvents", "Image"): Operand(("FolderPath",)),
    ("DeviceProcessEvents", "NewProcessName"): Operand(("FolderPath",)),
    ("DeviceProcessEvents", "ParentImage"): Operand(("InitiatingProcessFolderPath",)),
    ("DeviceEvents", "TargetImage"): Operand(("FolderPath",)),
    ("DeviceEvents", "SourceImage"): Operand(("InitiatingProcessFolderPath",)),
    ("DeviceEvents", "GrantedAccess"): Operand(key="GrantedAccess"),
    ("DeviceEvents", "PipeName"): Operand(key="PipeName"),
    ("DeviceEvents", "ServiceName"): Operand(key="ServiceName"),
    ("DeviceEvents", "ImagePath"): Operand(("ProcessCommandLine",)),
    ("DeviceEvents", "ScriptBlockText"): Operand(key="ScriptContent"),
    ("DeviceFileEvents", "TargetFilename"): Operand(("FolderPath",)),
    ("DeviceRegistryEvents", "TargetObject"): _REGISTRY_PATH,
    ("DeviceNetworkEvents", "DestinationPort"): Operand(("RemotePort",), inbound="LocalPort"),
    ("IdentityDirectoryEvents", "Properties"): Operand(key="Properties"),
    ("IdentityLogonEvents", "TicketEncryptionType"): Operand(key="TicketEncryptionType"),
    ("IdentityLogonEvents", "ServiceName"): Operand(key="Spns"),
    ("IdentityLogonEvents", "Status"): Operand(key="Status"),
}
"""Where the mapping rules put a field of raw events."""

TELLING: Mapping[str, tuple[tuple[Operand, str], ...]] = {
    "4768": ((Operand(("LogonType",)), "^Credentials validation$"), (Operand(("Protocol",)), "^Kerberos$")),
    "4769": ((Operand(("LogonType",)), "^Resource access$"),),
    "4771": ((Operand(("ActionType",)), "^LogonFailed$"),),
    "4781": ((Operand(key="EventID"), "^4781$"),),
    "4728": ((Operand(key="EventID"), "^4728$"),),
    "4756": ((Operand(key="EventID"), "^4756$"),),
    "21": ((Operand(key="Operation"), "."),),
    "5861": ((Operand(key="PossibleCause"), "."),),
}
"""What tells rows of an event id from those of others that have the same action type."""

NATIVE_TABLES: Mapping[str, str] = {
    "^LdapSearch$": "DeviceEvents",
    "^Directory Services replication$": "IdentityDirectoryEvents",
    "^MailItemsAccessed$": "CloudAppEvents",
    "permission grant": "CloudAppEvents",
}


def query_of(fact: Mapping[str, str]) -> FactQuery | Uncovered:
    """The query that finds `fact`."""
    what = str(fact["what"])
    if "ActionType" in fact:
        pattern = str(fact["ActionType"])
        return FactQuery(what, NATIVE_TABLES[pattern], (), ((Operand(("ActionType",)), pattern),), int(fact["events"]))
    if "id" not in fact:
        return Uncovered(what, "the source of the event is not read yet")
    if "linux" in str(fact.get("ch", "")):
        return Uncovered(what, "Sysmon for Linux is not read yet")
    return _query_of_event(what, fact)


def _query_of_event(what: str, fact: Mapping[str, str]) -> FactQuery | Uncovered:
    rules = _rules(str(fact["id"]), str(fact.get("ch", "")))
    tables = {rule.table for rule in rules if rule.table is not None}
    if not rules:
        return Uncovered(what, "no rule for the event")
    if not tables:
        return Uncovered(what, f"no counterpart in the product: {rules[0].reason}")
    (table,) = tables
    patterns = list(TELLING.get(str(fact["id"]), ()))
    for field, pattern in fact.items():
        if field not in _NO_FIELD:
            if (table, field) not in OPERANDS:
                return Uncovered(what, f"{table} does not hold the field {field}")
            patterns.append((OPERANDS[table, field], str(pattern)))
    actions = tuple(sorted({action for rule in rules for action in _actions(rule, str(fact["id"]))}))
    return FactQuery(what, table, actions, tuple(patterns), int(fact["events"]))


def _rules(event_ids: str, channel: str) -> list[Rule]:
    wanted = {12, 13} if event_ids == "1[23]" else {17, 18} if event_ids == "1[78]" else {int(event_ids)}
    # Without a channel the manifest means Sysmon for its own small numbers, and whichever log has the others.
    sets = [
        (rule_set, rule)
        for rule_set in load_rule_sets()
        for rule in rule_set.rules
        if wanted & set(rule.event_ids) and (not channel or "sysmon" in rule_set.channel_of(rule))
    ]
    mapped = [rule for rule_set, rule in sets if "sysmon" in rule_set.channel_of(rule)] if max(wanted) < 30 else []
    return mapped or [rule for _, rule in sets]


def _actions(rule: Rule, event_id: str) -> list[str]:
    """The action types that the rule's expression can give for the event id."""
    expression = rule.action_type or ""
    words = [part for index, part in enumerate(expression.split("'")) if index % 2]
    if expression.startswith("pick("):
        before = expression.split(f"{event_id},'", 1)
        return [before[1].split("'", 1)[0]] if len(before) == 2 else [words[-1]]
    return [word for word in words if not word.startswith(("0x", "%%")) and word.lower() not in ("true", "udp")]
