"""Detection rules: one YAML file each. Loads and checks them; packaged rules are in `rules/`.

Field names follow Graph's detectionRule where it has them; the schedule's durations are ISO 8601, as there.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from vedette.detections.durations import parse_duration
from vedette.detections.entities import EntityMapping
from vedette.detections.errors import RuleError
from vedette.detections.responses import Response
from vedette.ids import derived_guid

Severity = Literal["informational", "low", "medium", "high"]
Category = Literal[
    "InitialAccess",
    "Execution",
    "Persistence",
    "PrivilegeEscalation",
    "DefenseEvasion",
    "CredentialAccess",
    "Discovery",
    "LateralMovement",
    "Collection",
    "CommandAndControl",
    "Exfiltration",
    "Impact",
    "Malware",
    "SuspiciousActivity",
]

MAX_RULE_BYTES = 262_144
_ID = re.compile(r"[a-z0-9][a-z0-9-]{2,79}")
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the rule runs and how far back it looks, as ISO 8601 durations."""

    frequency: str
    lookback: str

    @property
    def frequency_seconds(self) -> int:
        """`frequency` in seconds."""
        return parse_duration(self.frequency)

    @property
    def lookback_seconds(self) -> int:
        """`lookback` in seconds."""
        return parse_duration(self.lookback)


class RuleTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Raw events, and how many alerts the rule makes of them. Events without a time get the time of the test."""

    name: str
    events: tuple[Mapping[str, Any], ...]
    expect: int


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One detection rule. `query` returns a row per hit, with the columns that `entities` name."""

    id: str
    title: str
    description: str
    severity: Severity
    category: Category
    query: str
    schedule: Schedule
    entities: tuple[EntityMapping, ...]
    techniques: tuple[str, ...] = ()
    recommended_actions: str = ""
    enabled: bool = True
    tests: tuple[RuleTest, ...] = ()
    custom_details: Mapping[str, str] = {}
    """What to say with an alert: name → column of the first hit."""
    responses: tuple[Response, ...] = ()
    """What is done besides, to what the hits name."""
    correlated: bool = True
    """Whether its alerts join the incidents of others."""
    device_groups: tuple[str, ...] = ()
    """Names of the device groups whose machines it looks at; none: all machines."""

    @property
    def detector_id(self) -> str:
        """The rule's GUID on the wire: the same in every installation."""
        return derived_guid("detection-rule", self.id)

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the query has to return."""
        mapped = (column for entity in self.entities for column in entity.columns.values())
        named = (column for response in self.responses for column in response.columns.values())
        return frozenset((*mapped, *self.custom_details.values(), *named))


def parse_rule(text: str, source: str) -> Rule:
    """One rule from YAML. Raises RuleError that says where and what."""
    if len(text) > MAX_RULE_BYTES:
        raise RuleError(source, "", f"longer than {MAX_RULE_BYTES} characters")
    try:
        document = yaml.safe_load(text)
        rule = msgspec.convert(document, Rule)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RuleError(source, f"line {line}", error.problem or "not valid YAML") from error
    except yaml.YAMLError as error:
        raise RuleError(source, "", "not valid YAML") from error
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at ")
        raise RuleError(source, place.strip("`$.") or "", reason) from error
    except (RecursionError, ValueError) as error:  # dates that are none, numbers of thousands of digits
        raise RuleError(source, "", "not valid YAML") from error
    if faults := list(lint(rule)):
        raise RuleError(source, *faults[0])
    return rule


def lint(rule: Rule) -> Iterable[tuple[str, str]]:
    """What is wrong with a rule that has the right shape: (place, reason) pairs. The query is checked when bound."""
    if not _ID.fullmatch(rule.id):
        yield "id", "use lower-case letters, digits and hyphens"
    for technique in rule.techniques:
        if not _TECHNIQUE.fullmatch(technique):
            yield "techniques", f"{technique!r} is not an ATT&CK technique"
    for name in ("frequency", "lookback"):
        try:
            parse_duration(getattr(rule.schedule, name))
        except ValueError as error:
            yield f"schedule.{name}", str(error)
            return
    if rule.schedule.lookback_seconds < rule.schedule.frequency_seconds:
        yield "schedule.lookback", "must not be shorter than the frequency, or events are missed"
    for number, entity in enumerate(rule.entities):
        for fault in entity.faults():
            yield f"entities[{number}]", fault
    if not any(entity.impacted for entity in rule.entities):
        yield "entities", "one of them has to be impacted"


def load_rule(path: Path) -> Rule:
    """A rule of a user's file."""
    try:
        return parse_rule(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(str(path), "", "cannot be read as UTF-8 text") from error


@functools.cache
def packaged_rules() -> Mapping[str, Rule]:
    """The rules that come with Vedette, by id."""
    folder = resources.files("vedette.detections") / "rules"
    rules: dict[str, Rule] = {}
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if path.name.endswith(".yaml"):
            rule = parse_rule(path.read_text(encoding="utf-8"), path.name)
            if path.name != f"{rule.id}.yaml":
                raise RuleError(path.name, "id", f"the file has to be called {rule.id}.yaml")
            rules[rule.id] = rule
    return rules
