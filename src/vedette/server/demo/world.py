"""The invented company: its machines, accounts and ordinary programs, read from `world.toml`."""

import functools
import hashlib
import tomllib
from importlib import resources
from typing import Literal

import msgspec

Role = Literal["workstation", "domain controller", "file server", "web server", "database server"]


class MachineRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One computer and the person who usually works at it."""

    name: str
    role: Role
    ip: str
    user: str


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program of ordinary days and what one run of it leaves behind."""

    image: str
    parent: Literal["explorer", "services", "svchost"]
    account: Literal["user", "system", "network service", "portal"]
    starts: int
    arguments: str = ""
    company: str = ""
    on: tuple[Role, ...] = ()
    """Where it runs; empty: everywhere."""
    domains: tuple[str, ...] = ()
    remote_ips: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    registry: tuple[tuple[str, str], ...] = ()


class World(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The company."""

    company: str
    domain: str
    dns_suffix: str
    domain_sid: str
    machine: tuple[MachineRecord, ...]
    program: tuple[Program, ...]


class Account(msgspec.Struct, frozen=True):
    """A security principal as Windows events write it."""

    domain: str
    name: str
    sid: str
    logon_id: str

    @property
    def qualified(self) -> str:
        """`DOMAIN\\name`."""
        return f"{self.domain}\\{self.name}"


SYSTEM = Account("NT AUTHORITY", "SYSTEM", "S-1-5-18", "0x3e7")
NETWORK_SERVICE = Account("NT AUTHORITY", "NETWORK SERVICE", "S-1-5-20", "0x3e4")
PORTAL_POOL = Account(
    "IIS APPPOOL", "portal", "S-1-5-82-1036420768-1044797643-1061213386-2937092688-4282445334", "0x5f2c1"
)


@functools.cache
def load_world() -> World:
    """The company of the demo."""
    text = (resources.files("vedette.server.demo") / "world.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), World)


def domain_account(world: World, name: str) -> Account:
    """A person's or service's account in the company's domain; same name, same ids."""
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return Account(world.domain, name, f"{world.domain_sid}-{rid(name)}", hex(0x100000 + digest % 0x2000000))


def rid(name: str) -> int:
    """The relative id of a domain account."""
    return 1100 + int.from_bytes(hashlib.sha256(name.encode()).digest()[4:6], "big") % 8000
