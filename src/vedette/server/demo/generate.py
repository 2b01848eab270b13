"""Writes the demo: a week of every machine with both attacks in it, seeded, ending at a given moment."""

import datetime
import heapq
import random
from collections.abc import Iterator

from vedette.server.demo import attacks, noise
from vedette.server.demo.machine import Event, Machine, to_json_line
from vedette.server.demo.world import load_world

SEED = 20_261_123
DAYS = 7
PHISHING_STARTS = datetime.timedelta(days=2, hours=6, minutes=13)
WEB_SHELL_STARTS = datetime.timedelta(hours=20, minutes=42)


def demo_lines(end: datetime.datetime, seed: int = SEED) -> Iterator[str]:
    """JSON lines of the whole demo in order of time, the last just before `end` (aware, UTC)."""
    for _at, _number, event in heapq.merge(*_numbered(demo_machines(end, seed)), key=lambda item: item[:2]):
        yield to_json_line(event)


def recent_lines(end: datetime.datetime, seed: int = SEED) -> Iterator[str]:
    """JSON lines of the hour before `end`: ordinary life only, for a demo that was started again later."""
    world = load_world()
    machines = []
    for record in world.machine:
        randomness = random.Random(f"{seed}/{record.name}/{end.isoformat()}")  # noqa: S311 - nothing secret
        machine = Machine(world, record, randomness, end - datetime.timedelta(minutes=58))
        noise.last_hour(machine, world, end)
        machine.events[:] = [(at, event) for at, event in machine.events if at < end]
        machines.append(machine)
    for _at, _number, event in heapq.merge(*_numbered(machines), key=lambda item: item[:2]):
        yield to_json_line(event)


def demo_machines(end: datetime.datetime, seed: int = SEED) -> list[Machine]:
    """All machines after their week."""
    world = load_world()
    start = end - datetime.timedelta(days=DAYS)
    machines = {}
    for record in world.machine:
        # Each machine has a source of its own: what is added to one leaves the others as they are.
        randomness = random.Random(f"{seed}/{record.name}")  # noqa: S311 - a reproducible world, nothing secret
        machines[record.name] = Machine(world, record, randomness, start - datetime.timedelta(minutes=5))
    attacks.phishing(machines["NQ-WS-07"], machines["NQ-FS-01"], end - PHISHING_STARTS)
    attacks.web_shell(machines["NQ-WEB-01"], machines["NQ-DB-01"], end - WEB_SHELL_STARTS)
    for machine in machines.values():
        for day in range(DAYS):
            noise.ordinary_day(machine, world, start + day * noise.DAY)
        noise.last_hour(machine, world, end)
    for machine in machines.values():
        machine.events[:] = [(at, event) for at, event in machine.events if at < end]
    return list(machines.values())


def _numbered(machines: list[Machine]) -> list[list[tuple[datetime.datetime, int, Event]]]:
    """Each machine's events in order of time, with the record numbers that its two logs would give them."""
    streams = []
    for index, machine in enumerate(machines):
        ordered = sorted(machine.events, key=lambda item: item[0])
        counters: dict[str, int] = {}
        for _at, event in ordered:
            number = counters[event["Channel"]] = counters.get(event["Channel"], 100_000 * (index + 1)) + 1
            event["RecordNumber"] = number
        streams.append([(at, index, event) for at, event in ordered])
    return streams
