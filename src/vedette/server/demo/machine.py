"""A machine of the demo: starts processes and lets them act, and records each act as the events Windows would log.

Field names, value formats and the quirks of the envelope are those of NXLog's `im_msvistalog` behind Logstash.
"""

import dataclasses
import datetime
import hashlib
import itertools
import json
import random
from typing import Any

from vedette.server.demo.world import NETWORK_SERVICE, SYSTEM, Account, MachineRecord, World, domain_account

SYSMON = "Microsoft-Windows-Sysmon/Operational"
SECURITY = "Security"

_PROVIDERS = {
    SYSMON: ("Microsoft-Windows-Sysmon", "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}", -9223372036854775808),
    SECURITY: ("Microsoft-Windows-Security-Auditing", "{54849625-5478-4994-A5BA-3E3B0328C30D}", -9214364837600034816),
}
_INTEGRITY_SIDS = {"Medium": "S-1-16-8192", "High": "S-1-16-12288", "System": "S-1-16-16384"}

Event = dict[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Process:
    """A running process. Its methods record what it does at a moment of its machine's time."""

    machine: "Machine"
    image: str
    command_line: str
    account: Account
    pid: int
    guid: str

    def _subject(self) -> Event:
        return {
            "ProcessGuid": self.guid,
            "ProcessId": str(self.pid),
            "Image": self.image,
            "User": self.account.qualified,
        }

    def start(
        self,
        at: datetime.datetime,
        image: str,
        command_line: str = "",
        *,
        account: Account | None = None,
        integrity: str = "",
        company: str = "Microsoft Corporation",
    ) -> "Process":
        """Start a child process (Sysmon 1 and Security 4688)."""
        return self.machine.start(
            at, self, image, command_line or f'"{image}"', account or self.account, integrity=integrity, company=company
        )

    def resolve(self, at: datetime.datetime, name: str, address: str) -> None:
        """Ask for a host name (Sysmon 22)."""
        results = f"::ffff:{address};"
        self.machine.sysmon(22, at, {**self._subject(), "QueryName": name, "QueryStatus": "0", "QueryResults": results})

    def connect(self, at: datetime.datetime, address: str, port: int = 443, host_name: str = "-") -> None:
        """Open a TCP connection (Sysmon 3)."""
        fields = {
            **self._subject(),
            "Protocol": "tcp",
            "Initiated": "true",
            "SourceIsIpv6": "false",
            "SourceIp": self.machine.record.ip,
            "SourceHostname": self.machine.host_name,
            "SourcePort": str(self.machine.random.randint(49152, 65535)),
            "SourcePortName": "-",
            "DestinationIsIpv6": "false",
            "DestinationIp": address,
            "DestinationHostname": host_name,
            "DestinationPort": str(port),
            "DestinationPortName": "https" if port == 443 else "-",
        }
        self.machine.sysmon(3, at, fields)

    def create_file(self, at: datetime.datetime, path: str) -> None:
        """Write a new file (Sysmon 11)."""
        fields = {**self._subject(), "TargetFilename": path, "CreationUtcTime": utc_time(at)}
        self.machine.sysmon(11, at, fields)

    def delete_file(self, at: datetime.datetime, path: str) -> None:
        """Delete a file (Sysmon 23)."""
        fields = {**self._subject(), "TargetFilename": path, "Hashes": hashes(path), "IsExecutable": "true"}
        self.machine.sysmon(23, at, fields)

    def set_registry(self, at: datetime.datetime, target: str, details: str) -> None:
        """Set a registry value (Sysmon 13)."""
        fields = {**self._subject(), "EventType": "SetValue", "TargetObject": target, "Details": details}
        self.machine.sysmon(13, at, fields)

    def load_image(self, at: datetime.datetime, path: str, *, signer: str = "Microsoft Windows") -> None:
        """Load a library (Sysmon 7)."""
        fields = {
            **self._subject(),
            "ImageLoaded": path,
            "Hashes": hashes(path),
            "Signed": "true" if signer else "false",
            "Signature": signer or "-",
            "SignatureStatus": "Valid" if signer else "Unavailable",
            "Company": "Microsoft Corporation" if signer else "-",
            "OriginalFileName": base_name(path),
        }
        self.machine.sysmon(7, at, fields)

    def open_process(self, at: datetime.datetime, target: "Process", access: str) -> None:
        """Get a handle to another process (Sysmon 10)."""
        trace = (
            r"C:\Windows\SYSTEM32\ntdll.dll+9d4c4|C:\Windows\System32\KERNELBASE.dll+2c0fe|UNKNOWN(00000001402A61B5)"
        )
        fields = {
            "SourceProcessGUID": self.guid,
            "SourceProcessId": str(self.pid),
            "SourceThreadId": str(self.pid + 4),
            "SourceImage": self.image,
            "SourceUser": self.account.qualified,
            "TargetProcessGUID": target.guid,
            "TargetProcessId": str(target.pid),
            "TargetImage": target.image,
            "TargetUser": target.account.qualified,
            "GrantedAccess": access,
            "CallTrace": trace,
        }
        self.machine.sysmon(10, at, fields)

    def end(self, at: datetime.datetime) -> None:
        """Exit (Sysmon 5)."""
        self.machine.sysmon(5, at, self._subject())


class Machine:
    """One computer. `events` holds what it logged, in order of logging, not of time."""

    def __init__(self, world: World, record: MachineRecord, randomness: random.Random, boot: datetime.datetime) -> None:
        self.world = world
        self.record = record
        self.random = randomness
        self.host_name = f"{record.name}.{world.dns_suffix}"
        self.user = domain_account(world, record.user)
        self.events: list[tuple[datetime.datetime, Event]] = []
        self._machine_id = int.from_bytes(hashlib.sha256(record.name.encode()).digest()[:4], "big")
        self._pids = itertools.count(700, 4)
        self._guid_numbers = itertools.count(0x1000)
        self._boot(boot)

    def _boot(self, at: datetime.datetime) -> None:
        """The processes that are there first; logged, so that every later process has a known parent."""
        kernel = Process(self, "System", "", SYSTEM, 4, self._guid(at))
        system32 = r"C:\Windows\System32"
        seconds = datetime.timedelta(seconds=1)
        wininit = self.start(at, kernel, rf"{system32}\wininit.exe", "wininit.exe", SYSTEM)
        self.services = wininit.start(at + seconds, rf"{system32}\services.exe", rf"{system32}\services.exe")
        self.lsass = wininit.start(at + seconds, rf"{system32}\lsass.exe", rf"{system32}\lsass.exe")
        self.svchost = self.services.start(
            at + 2 * seconds, rf"{system32}\svchost.exe", rf"{system32}\svchost.exe -k DcomLaunch -p"
        )
        self.explorer = wininit.start(
            at + 60 * seconds, r"C:\Windows\explorer.exe", r"C:\Windows\Explorer.EXE", account=self.user
        )

    def start(
        self,
        at: datetime.datetime,
        parent: Process,
        image: str,
        command_line: str,
        account: Account,
        *,
        integrity: str = "",
        company: str = "Microsoft Corporation",
    ) -> Process:
        """Record the start of a process by both sensors: Sysmon with its hashes, Security with its token."""
        level = integrity or ("System" if account in (SYSTEM, NETWORK_SERVICE) else "Medium")
        child = Process(self, image, command_line, account, next(self._pids), self._guid(at))
        fields = {
            **child._subject(),
            "FileVersion": "10.0.19041.1",
            "Description": base_name(image).rsplit(".", 1)[0],
            "Product": "Microsoft® Windows® Operating System" if company.startswith("Microsoft") else "-",
            "Company": company or "-",
            "OriginalFileName": base_name(image),
            "CommandLine": command_line,
            "CurrentDirectory": "C:\\Windows\\system32\\",
            "LogonGuid": "{00000000-0000-0000-0000-000000000000}",
            "LogonId": account.logon_id,
            "TerminalSessionId": "0" if level == "System" else "1",
            "IntegrityLevel": level,
            "Hashes": hashes(image),
            "ParentProcessGuid": parent.guid,
            "ParentProcessId": str(parent.pid),
            "ParentImage": parent.image,
            "ParentCommandLine": parent.command_line,
            "ParentUser": parent.account.qualified,
        }
        self.sysmon(1, at, fields)
        self._log_4688(at, child, parent, level)
        return child

    def _log_4688(self, at: datetime.datetime, child: Process, parent: Process, level: str) -> None:
        fields = {
            **subject(parent.account),
            "NewProcessId": hex(child.pid),
            "NewProcessName": child.image,
            "TokenElevationType": "%%1938" if level == "Medium" else "%%1936",
            "ProcessId": hex(parent.pid),
            "CommandLine": child.command_line,
            "TargetUserSid": "S-1-0-0" if child.account == parent.account else child.account.sid,
            "TargetUserName": "-" if child.account == parent.account else child.account.name,
            "TargetDomainName": "-" if child.account == parent.account else child.account.domain,
            "TargetLogonId": "0x0" if child.account == parent.account else child.account.logon_id,
            "ParentProcessName": parent.image,
            "MandatoryLabel": _INTEGRITY_SIDS[level],
        }
        self.security(4688, at, fields, task=13312)

    def logon(self, at: datetime.datetime, account: Account, logon_type: int, source_ip: str = "-") -> None:
        """A successful logon (Security 4624)."""
        network = logon_type == 3
        fields = {
            **subject(SYSTEM, machine=self),
            "TargetUserSid": account.sid,
            "TargetUserName": account.name,
            "TargetDomainName": account.domain,
            "TargetLogonId": account.logon_id,
            "LogonType": str(logon_type),
            "LogonProcessName": "Kerberos" if network else "User32 ",
            "AuthenticationPackageName": "Kerberos" if network else "Negotiate",
            "WorkstationName": "-" if network else self.record.name,
            "LogonGuid": "{00000000-0000-0000-0000-000000000000}",
            "LmPackageName": "-",
            "KeyLength": "0",
            "ProcessId": "0x0" if network else hex(self.svchost.pid),
            "ProcessName": "-" if network else self.svchost.image,
            "IpAddress": source_ip,
            "IpPort": str(self.random.randint(49152, 65535)) if network else "0",
            "ElevatedToken": "%%1842",
        }
        self.security(4624, at, fields, task=12544)

    def failed_logon(self, at: datetime.datetime, account: Account, source_ip: str) -> None:
        """A wrong password (Security 4625)."""
        fields = {
            **subject(SYSTEM, machine=self),
            "TargetUserSid": "S-1-0-0",
            "TargetUserName": account.name,
            "TargetDomainName": account.domain,
            "Status": "0xc000006d",
            "FailureReason": "%%2313",
            "SubStatus": "0xc000006a",
            "LogonType": "2" if source_ip == "127.0.0.1" else "3",
            "LogonProcessName": "User32 ",
            "AuthenticationPackageName": "Negotiate",
            "WorkstationName": self.record.name,
            "LmPackageName": "-",
            "ProcessId": hex(self.svchost.pid),
            "ProcessName": self.svchost.image,
            "IpAddress": source_ip,
            "IpPort": "0",
        }
        self.security(4625, at, fields, task=12544, success=False)

    def sysmon(self, event_id: int, at: datetime.datetime, fields: Event) -> None:
        """Record one Sysmon event."""
        core = self._core(SYSMON, event_id, at, event_id)
        if "EventType" in fields:  # NXLog keeps the event's own and moves its core value aside, misspelt
            core["EventTypeOrignal"] = core.pop("EventType")
        core.update(RuleName="-", UtcTime=utc_time(at), AccountName="SYSTEM", Domain="NT AUTHORITY", UserID="S-1-5-18")
        core.update(AccountType="User", **fields)
        self.events.append((at, core))

    def security(self, event_id: int, at: datetime.datetime, fields: Event, *, task: int, success: bool = True) -> None:
        """Record one event of the Security log."""
        core = self._core(SECURITY, event_id, at, task)
        core["EventType"] = "AUDIT_SUCCESS" if success else "AUDIT_FAILURE"
        self.events.append((at, {**core, **fields}))

    def _core(self, channel: str, event_id: int, at: datetime.datetime, task: int) -> Event:
        source, provider, keywords = _PROVIDERS[channel]
        return {
            "EventTime": f"{at:%Y-%m-%d %H:%M:%S}",
            "Hostname": self.host_name,
            "Keywords": keywords,
            "EventType": "INFO",
            "SeverityValue": 2,
            "Severity": "INFO",
            "EventID": event_id,
            "SourceName": source,
            "ProviderGuid": provider,
            "Version": 5,
            "Task": task,
            "OpcodeValue": 0,
            "ExecutionProcessID": 4,
            "ThreadID": 2212,
            "Channel": channel,
            "EventReceivedTime": f"{at + datetime.timedelta(seconds=1):%Y-%m-%d %H:%M:%S}",
            "SourceModuleName": "eventlog",
            "SourceModuleType": "im_msvistalog",
            "@timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
            "@version": "1",
            "host": f"collector.{self.world.dns_suffix}",
        }

    def _guid(self, at: datetime.datetime) -> str:
        seconds = int(at.timestamp())
        number = next(self._guid_numbers)
        return (
            f"{{{self._machine_id:08x}-{seconds & 0xFFFF:04x}-{seconds >> 16:04x}-{number & 0xFFFF:04x}-{number:012x}}}"
        )


def subject(account: Account, machine: Machine | None = None) -> Event:
    """The Subject fields of a Security event; the local system appears under its machine's account."""
    if account == SYSTEM and machine is not None:
        name, domain = f"{machine.record.name}$", machine.world.domain
    else:
        name, domain = account.name, account.domain
    return {
        "SubjectUserSid": account.sid,
        "SubjectUserName": name,
        "SubjectDomainName": domain,
        "SubjectLogonId": account.logon_id,
    }


def hashes(path: str) -> str:
    """Sysmon's Hashes of an invented file: the same path is the same file everywhere."""
    content = f"vedette demo file {path.lower()}".encode()
    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest().upper()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest().upper()
    imphash = hashlib.md5(content + b"imports", usedforsecurity=False).hexdigest().upper()
    return f"SHA1={sha1},MD5={md5},SHA256={hashlib.sha256(content).hexdigest().upper()},IMPHASH={imphash}"


def base_name(path: str) -> str:
    """The file name of a Windows path."""
    return path.rsplit("\\", 1)[-1]


def utc_time(at: datetime.datetime) -> str:
    """Sysmon's UtcTime."""
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def to_json_line(event: Event) -> str:
    """The event as one line."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
