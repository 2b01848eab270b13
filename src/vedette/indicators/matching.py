"""Where indicators meet events: the rows of one commit, reduced to distinct values by a query, looked up by value.

What a tenant has no indicators of costs nothing; a commit costs one query, and one more for every value that is hit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from vedette.clock import format_ticks
from vedette.context import Tenant
from vedette.contracts.tables import load_tables
from vedette.indicators.indicators import Indicator, comparable_url
from vedette.kql.quoting import quote_string

Row = Mapping[str, object]

MATCH_ACTION_TYPE = "CustomIndicatorMatch"
"""`DeviceEvents.ActionType` of the audit rows that we write ourselves; they are not matched again."""

MAX_HITS = 500
"""Hits of one commit that are followed up; of more, those of the oldest indicators."""

MAX_DEPTH = 32
"""Parts of an address that an indicator may be about."""

_NETWORK_TYPES = frozenset({"IpAddress", "DomainName", "Url"})

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "FileSha1": ("SHA1", "InitiatingProcessSHA1"),
    "FileSha256": ("SHA256", "InitiatingProcessSHA256"),
    "FileMd5": ("MD5", "InitiatingProcessMD5"),
    "CertificateThumbprint": ("SignerHash",),
    "IpAddress": ("RemoteIP", "FileOriginIP"),
    "DomainName": ("RemoteUrl", "FileOriginUrl"),
    "Url": ("RemoteUrl", "FileOriginUrl"),
}
"""Columns of device events that may hold a value of each type."""


class Telemetry(Protocol):
    """Runs KQL of the server's own inside one tenant (`hunting.rows`)."""

    def rows(self, tenant: Tenant, query: str, timespan: str | None = None) -> Sequence[Row]:
        """The rows of the answer by column name; datetimes are ticks."""
        ...


class NewRows(msgspec.Struct, frozen=True):
    """The rows of one commit: tables, and when they were taken in (ticks, both ends included)."""

    tables: tuple[str, ...]
    ingestion_from: int
    ingestion_to: int

    @property
    def condition(self) -> str:
        """As KQL."""
        first, last = format_ticks(self.ingestion_from), format_ticks(self.ingestion_to)
        return f"ingestion_time() between (datetime({first}) .. datetime({last}))"


class Hit(msgspec.Struct, frozen=True):
    """An indicator met in a column of a table, on one device."""

    indicator: Indicator
    table: str
    column: str
    value: str
    device_id: str
    first: int
    last: int
    events: int

    @property
    def is_of_network(self) -> bool:
        """Whether it is about an address rather than a file."""
        return self.indicator.type in _NETWORK_TYPES


def has_effect(indicator: Indicator) -> bool:
    """Whether a match can mean anything: what is allowed does only where it takes precedence over what is not."""
    return indicator.action != "Allowed" or indicator.type in _NETWORK_TYPES


def settle(hits: Iterable[Hit]) -> list[Hit]:
    """What takes effect of hits that are for their devices.

    Of addresses and domains the longest, then Allowed over Warn over Block (defender-endpoint/indicator-ip-domain.md);
    a file that is blocked stays blocked whatever else allows it (defender-endpoint/indicator-file.md).
    """
    chosen: dict[tuple[str, ...], Hit] = {}
    for hit in hits:
        place = hit.table, hit.column, hit.value, hit.device_id
        key = place if hit.is_of_network else (*place, hit.indicator.type)
        if key not in chosen or _precedence(hit.indicator) > _precedence(chosen[key].indicator):
            chosen[key] = hit
    return [hit for hit in chosen.values() if hit.indicator.action != "Allowed"][:MAX_HITS]


def without_weaker(found: Iterable[tuple[Hit, Row]]) -> list[tuple[Hit, Row]]:
    """Without what a longer hash of the same file says with the same action (defender-endpoint/indicator-file.md)."""
    known = list(found)
    strong = {(hit.device_id, hit.column, hit.indicator.action, hit.value.lower()) for hit, _ in known}

    def is_outdone(hit: Hit, row: Row) -> bool:
        prefix = "InitiatingProcess" if hit.column.startswith("InitiatingProcess") else ""
        order = [f"{prefix}{name}" for name in ("MD5", "SHA1", "SHA256")]
        longer = order[order.index(hit.column) + 1 :] if hit.column in order else []
        return any(
            (hit.device_id, name, hit.indicator.action, str(row.get(name) or "").lower()) in strong for name in longer
        )

    return [(hit, row) for hit, row in known if not is_outdone(hit, row)]


def _precedence(indicator: Indicator) -> tuple[int, int]:
    order = ("Audit", "BlockAndRemediate", "Block", "Warn", "Allowed")
    return len(indicator.match_value), order.index(indicator.action)


def find_hits(telemetry: Telemetry, tenant: Tenant, indicators: Iterable[Indicator], new: NewRows) -> list[Hit]:
    """Everything in new rows that an indicator is about."""
    known: dict[tuple[str, str], Indicator] = {(each.type, each.match_value): each for each in indicators}
    types = {type_ for type_, _ in known}
    parts = list(_parts(types, new))
    if not parts:
        return []
    rows = telemetry.rows(tenant, f"union {', '.join(parts)}")
    hits = (hit for row in rows for hit in _hits(known, types, row))
    return sorted(hits, key=lambda hit: (hit.indicator.indicator_id, hit.device_id, hit.table, hit.column, hit.value))


def details(telemetry: Telemetry, tenant: Tenant, hit: Hit, new: NewRows) -> Row:
    """The newest event of a hit, whole."""
    query = (
        f"{hit.table} | where {new.condition} and DeviceId == {quote_string(hit.device_id)}"
        f" and {hit.column} =~ {quote_string(hit.value)}{_not_ours(hit.table)} | top 1 by Timestamp"
    )
    return next(iter(telemetry.rows(tenant, query)), {})


def _parts(types: Iterable[str], new: NewRows) -> Iterator[str]:
    """A query for every column of every new table that an indicator may be met in."""
    wanted = dict.fromkeys(column for type_ in sorted(types) for column in _COLUMNS[type_])
    for name in sorted(new.tables):
        table = load_tables().get(name)
        columns = {column.name for column in table.columns} if table else set()
        if not name.startswith("Device") or not {"Timestamp", "DeviceId"} <= columns:
            continue  # above all not the evidence of alerts, which would raise them again
        for column in wanted:
            if column in columns:
                yield (
                    f"({name} | where {new.condition}"
                    f" and isnotempty({column}) and isnotempty(DeviceId){_not_ours(name)}"
                    " | summarize First = min(Timestamp), Last = max(Timestamp), Events = count()"
                    f" by DeviceId, Value = {column}"
                    f' | extend Table = "{name}", Column = "{column}")'
                )


def _not_ours(table: str) -> str:
    """Leaves out the audit rows that we wrote, in the one table that has them."""
    return f" and ActionType != {quote_string(MATCH_ACTION_TYPE)}" if table == "DeviceEvents" else ""


def _hits(known: Mapping[tuple[str, str], Indicator], types: Iterable[str], row: Row) -> Iterator[Hit]:
    column, value = str(row["Column"]), str(row["Value"])
    for type_ in types:
        if column not in _COLUMNS[type_]:
            continue
        for candidate in _candidates(type_, value):
            indicator = known.get((type_, candidate))
            if indicator is not None:
                first, last = row["First"], row["Last"]
                yield Hit(
                    indicator=indicator,
                    table=str(row["Table"]),
                    column=column,
                    value=value,
                    device_id=str(row["DeviceId"]),
                    first=first if isinstance(first, int) else 0,
                    last=last if isinstance(last, int) else 0,
                    events=int(str(row["Events"])),
                )


def _candidates(type_: str, value: str) -> Iterator[str]:
    """What an indicator's value may be for it to mean this one: a domain means its subdomains, an address its pages."""
    text = value.lower()
    if type_ == "DomainName":
        labels = host_of(text).rstrip(".").split(".")
        yield from (".".join(labels[start:]) for start in range(len(labels) - 1))
    elif type_ == "Url":
        url = comparable_url(text)
        page = url.partition("#")[0].partition("?")[0].rstrip("/")
        parts = page.split("/")[:MAX_DEPTH]
        yield from dict.fromkeys([url, page, *("/".join(parts[:count]) for count in range(len(parts), 0, -1))])
    else:
        yield text


def host_of(url: str) -> str:
    """The host of an address with or without scheme, path and port."""
    rest = url.partition("://")[2] or url
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    return host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
