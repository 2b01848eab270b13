"""What a machine can be asked: by its system, and by whether Defender for Endpoint manages it.

MicrosoftDocs/defender-docs defender-endpoint/api/isolate-machine.md, offboard-machine-api.md,
restrict-code-execution.md, stop-and-quarantine-file.md. What a page leaves open is not refused.
"""

from collections.abc import Iterator
from typing import NamedTuple

from vedette.errors import InvalidRequestError
from vedette.machines.inventory import Machine

UNMANAGED = "UnManagedDevice"
"""The isolation of machines that nothing manages."""

_WINDOWS_ONLY = frozenset({"Offboard", "RestrictCodeExecution", "UnrestrictCodeExecution", "StopAndQuarantineFile"})

_AVAILABLE = (
    ("FullIsolation", "Isolate", "Full"),
    ("SelectiveIsolation", "Isolate", "Selective"),
    ("UnManagedDeviceIsolation", "Isolate", UNMANAGED),
    ("Unisolation", "Unisolate", None),
    ("RunAntiVirusScan", "RunAntiVirusScan", None),
    ("CollectInvestigationPackage", "CollectInvestigationPackage", None),
    ("StopAndQuarantineFile", "StopAndQuarantineFile", None),
    ("RestrictCodeExecution", "RestrictCodeExecution", None),
    ("UnrestrictCodeExecution", "UnrestrictCodeExecution", None),
    ("InitiateInvestigation", "InitiateInvestigation", None),
    ("OffBoard", "Offboard", None),
    ("LiveResponse", "LiveResponse", None),
)


class Availability(NamedTuple):
    """Whether an action may be asked of a machine, and if not, why."""

    action: str
    reason: str | None


def availabilities(machine: Machine) -> Iterator[Availability]:
    """Every action that there is, by the name that only this list has."""
    for action, type_, scope in _AVAILABLE:
        yield Availability(action, _reason(machine, type_, scope))


def require_suitable(machine: Machine, type_: str, scope: str | None) -> None:
    """Raise InvalidRequestError for what a machine cannot be asked."""
    if _is_foreign(machine, type_, scope):
        raise InvalidRequestError("OsPlatformNotSupported", platform=machine.os_platform)
    if (reason := _reason(machine, type_, scope)) is not None:
        raise InvalidRequestError("InvalidInput", reason=reason)


def _reason(machine: Machine, type_: str, scope: str | None) -> str | None:
    if _is_foreign(machine, type_, scope):
        return f"OS Platform {machine.os_platform} isn't supported for this action."
    if type_ == "Isolate" and (scope == UNMANAGED) == _is_managed(machine):
        return f"The isolation type {scope} is for {'un' if scope == UNMANAGED else ''}managed devices."
    return None


def _is_foreign(machine: Machine, type_: str, scope: str | None) -> bool:
    is_windows = not machine.os_platform or machine.os_platform.lower().startswith("windows")
    return not is_windows and (type_ in _WINDOWS_ONLY or (type_ == "Isolate" and scope == "Selective"))


def _is_managed(machine: Machine) -> bool:
    return machine.onboarding_status == "Onboarded"
