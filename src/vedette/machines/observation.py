"""What newly committed events say about machines: KQL over the rows of one commit, and the facts read from it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import ip_address

import msgspec
from msgspec.structs import replace

from vedette.clock import format_ticks
from vedette.context import Tenant
from vedette.contracts.tables import TableContract, load_tables
from vedette.machines.telemetry import Row, Telemetry, number_of, text_of, truth_of

INVENTORY_MARK = '{"DerivedFrom":"telemetry"}'
"""`DeviceInfo.AdditionalFields` of the rows that we write ourselves; they tell nothing new."""

_PROFILE_TABLES = frozenset({"DeviceInfo", "DeviceNetworkInfo"})
_WEAKNESS_TABLES = ("DeviceTvmSoftwareInventory", "DeviceTvmSoftwareVulnerabilities")


Query = Callable[[str], Sequence[Row]]


class Commit(msgspec.Struct, frozen=True):
    """Payload of EventsCommitted: which tables got rows, and when these were taken in (ticks, both ends included)."""

    tables: tuple[str, ...]
    ingestion_from: int
    ingestion_to: int


class Sighting(msgspec.Struct, frozen=True):
    """A machine in events: between which times, and what its paths look like."""

    machine_id: str
    dns_name: str
    first_seen: int
    last_seen: int
    windows_paths: int = 0
    unix_paths: int = 0


class Profile(msgspec.Struct, frozen=True):
    """A machine as an inventory record describes it; None where the record says nothing."""

    machine_id: str
    recorded: int
    first_recorded: int
    dns_name: str | None = None
    os_platform: str | None = None
    os_architecture: str | None = None
    os_version: str | None = None
    os_build: int | None = None
    agent_version: str | None = None
    external_ip: str | None = None
    onboarding_status: str | None = None
    group: str | None = None
    exposure_level: str | None = None
    device_value: str | None = None
    aad_device_id: str | None = None
    is_aad_joined: bool | None = None
    tags: tuple[str, ...] = ()
    is_aside: bool = False
    """Whether it is told by records of weaknesses, which describe a machine only by the way."""


class AddressSighting(msgspec.Struct, frozen=True):
    """An address of a machine."""

    machine_id: str
    ip_address: str
    first_seen: int
    last_seen: int
    mac_address: str | None = None
    operational_status: str | None = None
    adapter_type: str | None = None


class Logon(msgspec.Struct, frozen=True):
    """Logons of one account to one machine."""

    machine_id: str
    account_name: str
    account_domain: str
    account_sid: str | None
    first_seen: int
    last_seen: int
    logon_types: tuple[str, ...]
    is_local_admin: bool


class Observation(msgspec.Struct, frozen=True):
    """Everything that one commit says."""

    sightings: tuple[Sighting, ...] = ()
    profiles: tuple[Profile, ...] = ()
    addresses: tuple[AddressSighting, ...] = ()
    logons: tuple[Logon, ...] = ()


def observe(telemetry: Telemetry, tenant: Tenant, commit: Commit) -> Observation:
    """Read what a commit brought. Tables without machines cost nothing."""
    names = set(commit.tables)
    first, last = format_ticks(commit.ingestion_from), format_ticks(commit.ingestion_to)
    new = f"ingestion_time() between (datetime({first}) .. datetime({last}))"

    def rows(query: str) -> Sequence[Row]:
        return telemetry.rows(tenant, query)

    events = [table for table in event_tables() if table.name in names]
    return Observation(
        sightings=tuple(map(_sighting, rows(_sighting_query(events, new)))) if events else (),
        profiles=tuple(
            _profiles(rows, names, new, commit.ingestion_to) if names & {"DeviceInfo", *_WEAKNESS_TABLES} else ()
        ),
        addresses=tuple(_addresses(rows, names, new)),
        logons=tuple(map(_logon, rows(_LOGONS.replace("$NEW", new)))) if "DeviceLogonEvents" in names else (),
    )


def event_tables() -> Iterator[TableContract]:
    """Tables of events that happened on a machine."""
    needed = {"Timestamp", "DeviceId", "DeviceName", "ActionType"}
    for name, table in load_tables().items():
        columns = {column.name for column in table.columns}
        if name.startswith("Device") and name not in _PROFILE_TABLES and needed <= columns:
            yield table


def _sighting_query(tables: Iterable[TableContract], new: str) -> str:
    parts = ", ".join(f"({_sighting_of(table, new)})" for table in tables)
    return (
        f"union {parts} | summarize DeviceName = take_anyif(DeviceName, isnotempty(DeviceName)),"
        " FirstSeen = min(FirstSeen), LastSeen = max(LastSeen), WindowsPaths = sum(WindowsPaths),"
        " UnixPaths = sum(UnixPaths) by DeviceId"
    )


def _sighting_of(table: TableContract, new: str) -> str:
    has_path = any(column.name == "InitiatingProcessFolderPath" for column in table.columns)
    path = "InitiatingProcessFolderPath" if has_path else '""'
    return (
        f"{table.name} | where {new} and isnotempty(DeviceId) and isnotnull(Timestamp) | extend Path = {path}"
        " | summarize DeviceName = take_anyif(DeviceName, isnotempty(DeviceName)),"
        " FirstSeen = min(Timestamp), LastSeen = max(Timestamp),"
        ' WindowsPaths = countif(Path contains ":\\\\"), UnixPaths = countif(Path startswith "/") by DeviceId'
    )


def _sighting(row: Row) -> Sighting:
    return Sighting(
        machine_id=str(row["DeviceId"]).lower(),
        dns_name=text_of(row, "DeviceName") or "",
        first_seen=number_of(row, "FirstSeen") or 0,
        last_seen=number_of(row, "LastSeen") or 0,
        windows_paths=number_of(row, "WindowsPaths") or 0,
        unix_paths=number_of(row, "UnixPaths") or 0,
    )


_RECORDS = (
    "DeviceInfo | where $NEW and isnotempty(DeviceId) and AdditionalFields != '"
    + INVENTORY_MARK
    + "' | summarize arg_max(Timestamp, *), FirstSeen = min(Timestamp) by DeviceId"
)
_WEAKNESSES = (
    "$TABLE | where $NEW and isnotempty(DeviceId)"
    " | summarize take_any(DeviceName, OSPlatform, OSVersion, OSArchitecture) by DeviceId"
)


def _profiles(rows: Query, names: set[str], new: str, taken_in: int) -> Iterator[Profile]:
    for table in sorted(names & set(_WEAKNESS_TABLES)):
        for row in rows(_WEAKNESSES.replace("$TABLE", table).replace("$NEW", new)):
            yield replace(_profile(row, taken_in), is_aside=True)
    if "DeviceInfo" in names:
        for row in rows(_RECORDS.replace("$NEW", new)):
            yield _profile(row, number_of(row, "Timestamp") or taken_in)


def _profile(row: Row, recorded: int) -> Profile:
    return Profile(
        machine_id=str(row["DeviceId"]).lower(),
        recorded=recorded,
        first_recorded=number_of(row, "FirstSeen") or recorded,
        dns_name=text_of(row, "DeviceName"),
        os_platform=text_of(row, "OSPlatform"),
        os_architecture=text_of(row, "OSArchitecture"),
        os_version=text_of(row, "OSVersionInfo") or text_of(row, "OSVersion"),
        os_build=number_of(row, "OSBuild"),
        agent_version=text_of(row, "ClientVersion"),
        external_ip=_usable(text_of(row, "PublicIP")),
        onboarding_status=text_of(row, "OnboardingStatus"),
        group=text_of(row, "MachineGroup"),
        exposure_level=text_of(row, "ExposureLevel"),
        device_value=text_of(row, "AssetValue"),
        aad_device_id=text_of(row, "AadDeviceId"),
        is_aad_joined=truth_of(row, "IsAzureADJoined"),
        tags=tuple(_listed(text_of(row, "DeviceManualTags"))),
    )


def _listed(text: str | None) -> list[str]:
    """The members of a JSON array kept as text."""
    try:
        return [str(each) for each in msgspec.json.decode(text or "[]", type=list[str])]
    except msgspec.MsgspecError:
        return []


_CONNECTIONS = (
    "DeviceNetworkEvents | where $NEW and isnotempty(DeviceId) and isnotempty(LocalIP)"
    " | summarize FirstSeen = min(Timestamp), LastSeen = max(Timestamp) by DeviceId, LocalIP"
)
_ADAPTERS = (
    "DeviceNetworkInfo | where $NEW and isnotempty(DeviceId) and isnotempty(NetworkAdapterName)"
    " | summarize arg_max(Timestamp, MacAddress, NetworkAdapterType, NetworkAdapterStatus, IPAddresses)"
    " by DeviceId, NetworkAdapterName"
)


class _AdapterAddress(msgspec.Struct, frozen=True):
    """A member of `DeviceNetworkInfo.IPAddresses`."""

    address: str = msgspec.field(name="IPAddress", default="")


def _addresses(rows: Query, names: set[str], new: str) -> Iterator[AddressSighting]:
    if "DeviceNetworkEvents" in names:
        for row in rows(_CONNECTIONS.replace("$NEW", new)):
            address, last = _usable(text_of(row, "LocalIP")), number_of(row, "LastSeen")
            if address is not None and last is not None:
                first = number_of(row, "FirstSeen") or last
                yield AddressSighting(str(row["DeviceId"]).lower(), address, first, last)
    if "DeviceNetworkInfo" in names:
        for row in rows(_ADAPTERS.replace("$NEW", new)):
            yield from _adapter_addresses(row)


def _adapter_addresses(row: Row) -> Iterator[AddressSighting]:
    try:
        listed = msgspec.json.decode(text_of(row, "IPAddresses") or "[]", type=list[_AdapterAddress])
    except msgspec.MsgspecError:
        return
    seen = number_of(row, "Timestamp")
    for each in listed:
        address = _usable(each.address)
        if address is not None and seen is not None:
            yield AddressSighting(
                machine_id=str(row["DeviceId"]).lower(),
                ip_address=address,
                first_seen=seen,
                last_seen=seen,
                mac_address=text_of(row, "MacAddress"),
                operational_status=text_of(row, "NetworkAdapterStatus"),
                adapter_type=text_of(row, "NetworkAdapterType"),
            )


def _usable(text: str | None) -> str | None:
    """An address by which a machine can be found; None for loopback, link-local and what is no address."""
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
        return None
    return str(address)


_LOGONS = (
    'DeviceLogonEvents | where $NEW and ActionType == "LogonSuccess" and isnotempty(DeviceId)'
    " and isnotempty(AccountName) and isnotnull(Timestamp)"
    " | summarize FirstSeen = min(Timestamp), LastSeen = max(Timestamp), AccountSid = take_any(AccountSid),"
    " LogonTypes = make_set_if(LogonType, isnotempty(LogonType), 20), Admin = countif(IsLocalAdmin == true)"
    " by DeviceId, AccountDomain, AccountName"
)


def _logon(row: Row) -> Logon:
    return Logon(
        machine_id=str(row["DeviceId"]).lower(),
        account_name=str(row["AccountName"]),
        account_domain=text_of(row, "AccountDomain") or "",
        account_sid=text_of(row, "AccountSid"),
        first_seen=number_of(row, "FirstSeen") or 0,
        last_seen=number_of(row, "LastSeen") or 0,
        logon_types=tuple(sorted(_listed(text_of(row, "LogonTypes")))),
        is_local_admin=bool(row.get("Admin")),
    )
