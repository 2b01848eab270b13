"""Names of incidents, made from what their alerts have in common."""

import re
from collections.abc import Sequence

import msgspec

KILL_CHAIN = (
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
    "Ransomware",
)
"""Alert categories in the order in which an attack passes through them."""


class AlertSummary(msgspec.Struct, frozen=True):
    """What of an alert goes into a name."""

    title: str
    category: str


def incident_name(alerts: Sequence[AlertSummary], devices: int, users: int) -> str:
    """The name of an incident of `alerts` (oldest first) on so many devices and users."""
    scope = _scope(devices, users)
    categories = sorted({alert.category for alert in alerts}, key=_stage)
    if len({alert.title for alert in alerts}) == 1:
        subject = alerts[0].title
    elif len(categories) == 1:
        subject = f"{_words(categories[0])} incident"
    else:
        subject = f"Multi-stage incident involving {_words(categories[0])} & {_words(categories[-1])}"
    return f"{subject} {scope}".strip()


def _scope(devices: int, users: int) -> str:
    if devices:
        return "on one endpoint" if devices == 1 else "on multiple endpoints"
    if users:
        return "involving one user" if users == 1 else "involving multiple users"
    return ""


def _stage(category: str) -> tuple[int, str]:
    return (KILL_CHAIN.index(category) if category in KILL_CHAIN else len(KILL_CHAIN), category)


def _words(category: str) -> str:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", category)
    return " ".join(words).lower().capitalize() if words else category
