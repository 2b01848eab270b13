"""Which device group a machine belongs to: conditions on its name, domain, tags and platform, in order of rank."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

ConditionProperty = Literal["name", "domain", "tag", "osPlatform", "reportedGroup"]
"""`reportedGroup` is the group that an ingested inventory record names; groups known from such records match by it."""

Operator = Literal["equals", "startsWith", "endsWith", "contains"]

MAX_VALUES = 10
"""Values of one condition (MicrosoftDocs/defender-docs defender-endpoint/machine-groups.md)."""

_TESTS: Mapping[Operator, Callable[[str, str], bool]] = {
    "equals": str.__eq__,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a matching rule: any of the values will do. Case does not matter."""

    property: ConditionProperty
    operator: Operator
    values: tuple[str, ...]


class MachineFacts(msgspec.Struct, frozen=True):
    """What matching rules look at."""

    dns_name: str
    tags: tuple[str, ...] = ()
    os_platform: str | None = None
    reported_group: str | None = None


class DeviceGroup(msgspec.Struct, frozen=True):
    """A device group. Rank 1 is matched first; without conditions it matches no machine."""

    group_id: int
    name: str
    rank: int
    conditions: tuple[Condition, ...] = ()
    description: str = ""
    remediation_level: str = ""

    @property
    def is_reported(self) -> bool:
        """Whether it is known from inventory records alone."""
        return any(condition.property == "reportedGroup" for condition in self.conditions)


def group_of(machine: MachineFacts, groups: Sequence[DeviceGroup]) -> DeviceGroup | None:
    """The first group, in order of rank, all of whose conditions a machine meets; None is the default group."""
    return next((group for group in sorted(groups, key=lambda each: each.rank) if is_match(machine, group)), None)


def is_match(machine: MachineFacts, group: DeviceGroup) -> bool:
    """Whether a machine meets every condition of a group."""
    return bool(group.conditions) and all(_meets(machine, condition) for condition in group.conditions)


def _meets(machine: MachineFacts, condition: Condition) -> bool:
    test = _TESTS[condition.operator]
    return any(
        test(text.lower(), value.lower()) for text in _texts(machine, condition.property) for value in condition.values
    )


def _texts(machine: MachineFacts, of: ConditionProperty) -> Iterable[str]:
    """What a condition is compared with; a name counts with and without its domain."""
    host, _, domain = machine.dns_name.partition(".")
    match of:
        case "name":
            return dict.fromkeys((machine.dns_name, host))
        case "domain":
            return (domain,) if domain else ()
        case "tag":
            return machine.tags
        case "osPlatform":
            return (machine.os_platform,) if machine.os_platform else ()
        case "reportedGroup":
            return (machine.reported_group,) if machine.reported_group else ()
