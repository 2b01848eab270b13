"""Faults on order: answers that a connector's error paths can be tested with, by operation, share and count.

They are written in a file of the running server's folder, which every process looks at; without it there are none.
"""

import base64
import fnmatch
import random
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NoReturn

import msgspec

from vedette.context import Principal
from vedette.contracts.permissions import load_resources
from vedette.errors import ApiError, QuotaExceededError, UnauthenticatedError
from vedette.identity.claims_request import CHALLENGE_CAPABILITY
from vedette.lake.filelock import locked
from vedette.store.counters import FOREVER, Counters
from vedette.store.watched_file import WatchedFile

FaultKind = Literal["429", "500", "503", "504", "slow", "cut-off", "expired-token", "claims-challenge"]
CHALLENGE: FaultKind = "claims-challenge"


class InjectedFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault. `operation` is a name or pattern (`graph.list_incidents`, `defender.*`)."""

    id: str
    kind: FaultKind
    operation: str = "*"
    share: float = 1.0
    count: int | None = None
    """How many times; None: until it is removed."""
    seconds: float = 5.0
    """`slow`: how long; `429`, `503`: Retry-After."""
    not_before: int = 0
    """`claims-challenge`: tokens from before this Unix second are not taken."""


_FAULTS = msgspec.json.Decoder(tuple[InjectedFault, ...])


class InjectedError(ApiError):
    """A fault that somebody ordered."""


class Faults:
    """The faults in force. Thread-safe; `chance` gives numbers from 0 to 1."""

    def __init__(self, path: Path, counters: Counters, chance: random.Random | None = None) -> None:
        self._file: WatchedFile[tuple[InjectedFault, ...]] = WatchedFile(path, _FAULTS.decode, ())
        self._lock_path = path.with_name(f"{path.name}.lock")
        self._counters = counters
        self._chance = chance or random.Random()  # noqa: S311 — chance, not secrecy

    def all(self) -> tuple[InjectedFault, ...]:
        """Every fault that was ordered."""
        return self._file.read()

    def add(self, fault: InjectedFault) -> None:
        """Order a fault; one of the same id is replaced."""
        with locked(self._lock_path):
            self._write((*(each for each in self.all() if each.id != fault.id), fault))

    def remove(self, fault_id: str) -> bool:
        """Take one back; False where there is none of this id."""
        with locked(self._lock_path):
            known = self.all()
            left = tuple(each for each in known if each.id != fault_id)
            if len(left) == len(known):
                return False
            self._write(left)
            return True

    def struck(self, fault: InjectedFault) -> int:
        """How often a fault has struck."""
        name = _counter(fault)
        return int(min(self._counters.read(name).get(name, 0), fault.count or FOREVER))

    def clear(self) -> None:
        """No more faults."""
        with locked(self._lock_path):
            self._file.remove()

    def pick(self, operation: str) -> InjectedFault | None:
        """The fault that strikes a call of an operation now, whoever calls, if any."""
        return self._strike(operation, lambda fault: fault.kind != CHALLENGE)

    def challenge(self, operation: str, principal: Principal) -> InjectedFault | None:
        """The claims challenge that a call under this token meets now, if any.

        As at the services, only a client that declared the capability is challenged; a newer token is taken.
        """
        if CHALLENGE_CAPABILITY not in principal.client_capabilities:
            return None
        return self._strike(
            operation, lambda fault: fault.kind == CHALLENGE and principal.not_before < fault.not_before
        )

    def _strike(self, operation: str, applies: Callable[[InjectedFault], bool]) -> InjectedFault | None:
        for fault in filter(applies, self.all()):
            if not fnmatch.fnmatchcase(operation, fault.operation) or self._chance.random() >= fault.share:
                continue
            if self._counters.add(_counter(fault), 1, FOREVER) <= (fault.count or FOREVER):
                return fault
        return None

    def _write(self, faults: tuple[InjectedFault, ...]) -> None:
        self._file.write(msgspec.json.encode(faults))


def _counter(fault: InjectedFault) -> str:
    return f"fault/{fault.id}"


def raise_fault(fault: InjectedFault) -> None:
    """Raise what the fault answers; `slow` and `cut-off` answer as usual."""
    retry_after = max(1, int(fault.seconds))
    match fault.kind:
        case "429":
            raise QuotaExceededError(limit=0, window="00:01:00", retry_after=retry_after)
        case "expired-token":
            raise UnauthenticatedError("TokenExpired")
        case "500" | "503" | "504":
            raise InjectedError(f"Injected{fault.kind}", retry_after=retry_after)
        case _:
            return


def raise_challenge(fault: InjectedFault, principal: Principal, base_url: str) -> NoReturn:
    """Ask for a newer token, in the words that clients which know claims challenges act upon."""
    resource = load_resources()[principal.audience].app_id
    wanted = {"access_token": {"nbf": {"essential": True, "value": str(fault.not_before)}}}
    claims = base64.b64encode(msgspec.json.encode(wanted)).decode()
    raise UnauthenticatedError("ClaimsChallenge", claims=claims, resource=resource, base_url=base_url)
