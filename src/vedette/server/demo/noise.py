"""Ordinary days: logons, office work, maintenance, a forgotten password now and then, on every machine."""

import datetime
from collections.abc import Iterator

from vedette.server.demo.machine import Machine, Process
from vedette.server.demo.world import (
    NETWORK_SERVICE,
    PORTAL_POOL,
    SYSTEM,
    Account,
    Program,
    World,
    domain_account,
    rid,
)

HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)
SECOND = datetime.timedelta(seconds=1)
DAY = datetime.timedelta(days=1)


def ordinary_day(machine: Machine, world: World, start: datetime.datetime) -> None:
    """Twenty-four hours of a machine from `start` on."""
    _log_on(machine, start + 1 * HOUR + machine.random.randint(0, 40) * MINUTE)
    for program in world.program:
        if program.on and machine.record.role not in program.on:
            continue
        for at in _times(machine, program, start):
            run(machine, program, at)


def last_hour(machine: Machine, world: World, end: datetime.datetime) -> None:
    """Signs of life just before `end`, so that every machine is active when the demo starts."""
    running = [program for program in world.program if not program.on or machine.record.role in program.on]
    for number, program in enumerate(running):
        run(machine, program, end - 55 * MINUTE + (number * 48 / len(running)) * MINUTE)


def run(machine: Machine, program: Program, at: datetime.datetime) -> None:
    """One run of a program and everything it leaves behind, within a few minutes."""
    random = machine.random
    names = {"user": machine.record.user, "n": str(random.randint(1, 9)), "rid": str(rid(machine.record.user))}
    parents: dict[str, Process] = {
        "explorer": machine.explorer,
        "services": machine.services,
        "svchost": machine.svchost,
    }
    arguments = _fill(program.arguments, names)
    process = parents[program.parent].start(
        at,
        program.image,
        f'"{program.image}" {arguments}'.rstrip(),
        account=_account(machine, program),
        company=program.company,
    )
    moments = _moments(machine, at)
    process.load_image(next(moments), r"C:\Windows\System32\wininet.dll")
    for name in program.domains:
        address = random.choice(program.remote_ips) if program.remote_ips else "10.20.0.5"
        process.resolve(next(moments), name, address)
    for address in program.remote_ips:
        process.connect(next(moments), address)
    for path in program.files:
        process.create_file(next(moments), _fill(path, names))
    for target, details in program.registry:
        process.set_registry(next(moments), _fill(target, names), _fill(details, names))
    if program.image.endswith("MpCmdRun.exe"):  # a security product may look at lsass, but asks for little
        process.open_process(next(moments), machine.lsass, "0x1000")
    process.end(next(moments) + MINUTE)


def _log_on(machine: Machine, at: datetime.datetime) -> None:
    if machine.record.role == "workstation":
        if machine.random.random() < 0.3:
            machine.failed_logon(at - 20 * SECOND, machine.user, "127.0.0.1")
        machine.logon(at, machine.user, 2)
    else:
        machine.logon(at, machine.user, 3, "10.20.1.99")
    machine.logon(at + HOUR, SYSTEM, 5)
    backup = domain_account(machine.world, "svc.backup")
    machine.logon(at + 9 * HOUR, backup, 3, "10.20.0.60")


def _account(machine: Machine, program: Program) -> Account:
    return {
        "user": machine.user,
        "system": SYSTEM,
        "network service": NETWORK_SERVICE,
        "portal": PORTAL_POOL,
    }[program.account]


def _times(machine: Machine, program: Program, start: datetime.datetime) -> Iterator[datetime.datetime]:
    """People's programs start in eight working hours, machines' own around the clock."""
    hours = 8 if program.account == "user" else 23
    offset = 1.5 if program.account == "user" else 0.5
    for _ in range(machine.random.randint(max(1, program.starts - 1), program.starts + 1)):
        yield start + (offset + machine.random.random() * hours) * HOUR


def _moments(machine: Machine, at: datetime.datetime) -> Iterator[datetime.datetime]:
    while True:
        at += machine.random.randint(150, 9000) * datetime.timedelta(milliseconds=1)
        yield at


def _fill(template: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        template = template.replace(f"{{{name}}}", value)
    return template
