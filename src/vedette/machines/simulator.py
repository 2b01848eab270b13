"""The executor that only acts as if: configurable delays and outcomes, results from what is known of the machine."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Literal, cast

import msgspec

from vedette.clock import Clock, format_ticks, now_ticks
from vedette.errors import SettingsError
from vedette.machines.actions import PACKAGE, CommandState, Output
from vedette.machines.execution import Finished, Order, Progress, Working

Outcome = Literal["Succeeded", "Failed", "TimeOut"]

E_FAIL = -2147467259
"""HRESULT of a failure without a more precise reason."""


class Simulation(msgspec.Struct, frozen=True):
    """How simulated machines behave. `outcomes`: by type of action, for those that do not succeed."""

    running_seconds: float = 5.0
    outcomes: Mapping[str, Outcome] = {}


def parse_outcomes(texts: tuple[str, ...]) -> Mapping[str, Outcome]:
    """`Isolate=Failed` and the like. Raises SettingsError."""
    outcomes: dict[str, Outcome] = {}
    for text in texts:
        type_, _, outcome = text.partition("=")
        if outcome not in ("Succeeded", "Failed", "TimeOut"):
            raise SettingsError(f"The outcome of a simulated action is written Isolate=Failed, not {text!r}.")
        outcomes[type_] = cast(Outcome, outcome)
    return outcomes


class Simulator:
    """An executor without machines."""

    def __init__(self, simulation: Simulation, clock: Clock) -> None:
        self._simulation = simulation
        self._clock = clock

    def start(self, _order: Order) -> Progress:
        """See `Executor`."""
        return Working(self._simulation.running_seconds)

    def check(self, order: Order) -> Progress:
        """See `Executor`."""
        outcome = self._simulation.outcomes.get(order.action.type, "Succeeded")
        if outcome != "Succeeded":
            return Finished(outcome, E_FAIL if outcome == "Failed" else 0)
        if order.action.type == "CollectInvestigationPackage":
            return Finished("Succeeded", outputs=(_package(order),))
        if order.action.type == "LiveResponse":
            return self._live_response(order)
        return Finished("Succeeded")

    def _live_response(self, order: Order) -> Progress:
        now = now_ticks(self._clock)
        states: list[CommandState] = []
        outputs: list[Output] = []
        has_failed = False
        for state in order.action.commands:
            if has_failed:  # what comes after a failure is not run
                states.append(state)
                continue
            errors = tuple(_faults(order, state))
            has_failed = bool(errors)
            status: Literal["Completed", "Failed"] = "Failed" if has_failed else "Completed"
            states.append(msgspec.structs.replace(state, status=status, start=now, end=now, errors=errors))
            outputs += () if has_failed else _results(order, state)
        return Finished(
            "Failed" if has_failed else "Succeeded",
            E_FAIL if has_failed else 0,
            commands=tuple(states),
            outputs=tuple(outputs),
        )


def _faults(order: Order, state: CommandState) -> Iterator[str]:
    command = state.command
    key = {"PutFile": "FileName", "RunScript": "ScriptName"}.get(command.type)
    if key is not None and command.parameter(key) not in order.library:
        yield f"{command.parameter(key) or key} is not in the library"


def _results(order: Order, state: CommandState) -> Iterator[Output]:
    command = state.command
    if command.type == "RunScript":
        result = {
            "script_name": command.parameter("ScriptName"),
            "exit_code": 0,
            "script_output": f"Simulated on {order.machine.dns_name or order.machine.machine_id}.",
            "script_errors": "",
        }
        yield Output(state.index, "result.json", "application/json", msgspec.json.encode(result))
    elif command.type == "GetFile":
        path = command.parameter("Path")
        note = f"Simulated: no file was read from {order.machine.machine_id}.\n{path}\n"
        yield Output(state.index, "file.zip", "application/zip", _zip({"simulated.txt": note.encode()}))


def _package(order: Order) -> Output:
    machine = order.machine
    facts = {
        "simulated": True,
        "machineId": machine.machine_id,
        "computerDnsName": machine.dns_name,
        "osPlatform": machine.os_platform,
        "lastSeen": format_ticks(machine.last_seen),
        "ipAddresses": [each.ip_address for each in machine.addresses],
        "logonUsers": [f"{user.account_domain}\\{user.account_name}" for user in order.users],
    }
    return Output(PACKAGE, "package.zip", "application/zip", _zip({"machine.json": msgspec.json.encode(facts)}))


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()
