"""Where files, domains and addresses were seen: queries over device events, whatever table they are in."""

from collections.abc import Iterable, Iterator

import msgspec

from vedette.clock import format_ticks
from vedette.context import Tenant
from vedette.contracts.tables import TableContract, load_tables
from vedette.kql.quoting import quote_string
from vedette.machines.telemetry import Row, Telemetry, number_of, text_of, truth_of

HASH_COLUMNS = {32: "MD5", 40: "SHA1", 64: "SHA256"}
"""Columns of hashes by the number of their digits."""

_FILE_COLUMNS = ("FileName", "SHA1", "SHA256", "MD5", "FileSize")


class Sighting(msgspec.Struct, frozen=True):
    """On which devices something was seen, and between which times; `first` is None if never."""

    device_ids: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None


class FileProfile(msgspec.Struct, frozen=True):
    """A file as events and certificates tell of it."""

    seen: Sighting
    sha1: str | None
    sha256: str | None
    md5: str | None
    size: int | None
    names: tuple[str, ...]
    signer: str | None = None
    issuer: str | None = None
    signer_hash: str | None = None
    is_trusted: bool | None = None
    is_image: bool = False


class Sightings:
    """Looks things up in one tenant's telemetry."""

    def __init__(self, telemetry: Telemetry, tenant: Tenant) -> None:
        self._telemetry = telemetry
        self._tenant = tenant

    def file(self, digest: str, since: int | None = None) -> FileProfile | None:
        """A file by MD5, SHA-1 or SHA-256; None if it was never seen, or not since then (ticks)."""
        column, text = HASH_COLUMNS[len(digest)], quote_string(digest.lower())
        parts = ", ".join(_file_parts(column, text, since))
        query = (
            f"union {parts} | summarize Devices = make_set(DeviceId, 10000), First = min(Timestamp),"
            " Last = max(Timestamp), Names = make_set(FileName, 20), SHA1 = take_anyif(SHA1, isnotempty(SHA1)),"
            " SHA256 = take_anyif(SHA256, isnotempty(SHA256)), MD5 = take_anyif(MD5, isnotempty(MD5)),"
            " FileSize = max(FileSize), Images = countif(IsImage)"
        )
        row = next(iter(self._telemetry.rows(self._tenant, query)), None)
        if row is None or number_of(row, "First") is None:
            return None
        return self._profile(row)

    def domain(self, name: str, since: int | None = None) -> Sighting:
        """Connections to a host name or one below it."""
        host = quote_string(name.lower())
        below = quote_string(f".{name.lower()}")
        columns = (
            'Host = tolower(extract(@"^(?:[A-Za-z]+://)?([^/:?#]+)", 1, RemoteUrl))',
            f"Host == {host} or Host endswith {below}",
        )
        return self._seen(
            f"{{table}} | where isnotempty(RemoteUrl) | extend {columns[0]} | where {columns[1]}", "RemoteUrl", since
        )

    def address(self, ip_address: str, since: int | None = None) -> Sighting:
        """Connections to an address."""
        return self._seen(f"{{table}} | where RemoteIP == {quote_string(ip_address)}", "RemoteIP", since)

    def _seen(self, template: str, column: str, since: int | None) -> Sighting:
        tables = [table.name for table in _device_tables() if column in _names(table)]
        parts = ", ".join(
            f"({template.format(table=table)}{_since(since)} | project Timestamp, DeviceId)" for table in tables
        )
        query = (
            f"union {parts} | summarize Devices = make_set(DeviceId, 10000), First = min(Timestamp),"
            " Last = max(Timestamp)"
        )
        row = next(iter(self._telemetry.rows(self._tenant, query)), {})
        return _sighting(row)

    def _profile(self, row: Row) -> FileProfile:
        sha1 = text_of(row, "SHA1")
        query = (
            f"DeviceFileCertificateInfo | where SHA1 == {quote_string(sha1 or '')}"
            " | top 1 by Timestamp | project Signer, Issuer, SignerHash, IsTrusted"
        )
        certificate: Row = next(iter(self._telemetry.rows(self._tenant, query)), {}) if sha1 else {}
        return FileProfile(
            seen=_sighting(row),
            sha1=sha1,
            sha256=text_of(row, "SHA256"),
            md5=text_of(row, "MD5"),
            size=number_of(row, "FileSize"),
            names=tuple(_listed(row, "Names")),
            signer=text_of(certificate, "Signer"),
            issuer=text_of(certificate, "Issuer"),
            signer_hash=text_of(certificate, "SignerHash"),
            is_trusted=truth_of(certificate, "IsTrusted"),
            is_image=bool(number_of(row, "Images")),
        )


def _file_parts(column: str, digest: str, since: int | None) -> Iterator[str]:
    """Files that something happened to, and images of the processes that did it."""
    for table in _device_tables():
        names = _names(table)
        for prefix in ("", "InitiatingProcess"):
            if f"{prefix}{column}" not in names:
                continue
            is_image = prefix or table.name in ("DeviceProcessEvents", "DeviceImageLoadEvents")
            shown = ", ".join(_shown(each, f"{prefix}{each}", names) for each in _FILE_COLUMNS)
            yield (
                f"({table.name} | where {prefix}{column} =~ {digest}{_since(since)}"
                f" | project Timestamp, DeviceId, {shown}, IsImage = {'true' if is_image else 'false'})"
            )


def _shown(name: str, source: str, names: Iterable[str]) -> str:
    if source in names:
        return f"{name} = tolong({source})" if name == "FileSize" else f"{name} = {source}"
    return f"{name} = long(null)" if name == "FileSize" else f'{name} = ""'


def _device_tables() -> Iterator[TableContract]:
    for name, table in load_tables().items():
        if name.startswith("Device") and {"Timestamp", "DeviceId", "ActionType"} <= set(_names(table)):
            yield table


def _names(table: TableContract) -> frozenset[str]:
    return frozenset(column.name for column in table.columns)


def _since(since: int | None) -> str:
    return "" if since is None else f" and Timestamp >= datetime({format_ticks(since)})"


def _sighting(row: Row) -> Sighting:
    devices = sorted(device.lower() for device in _listed(row, "Devices") if device)
    return Sighting(tuple(devices), number_of(row, "First"), number_of(row, "Last"))


def _listed(row: Row, column: str) -> list[str]:
    return msgspec.json.decode(text_of(row, column) or "[]", type=list[str])
