"""Products that an open alert concerns: a file of its evidence lies where the product is installed on that machine.

Where products lie is told by DeviceTvmSoftwareEvidenceBeta; without its records no product has an active alert.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection

from vedette.context import Tenant
from vedette.incidents.related import FilePlace, open_file_places
from vedette.machines.telemetry import Row, Telemetry, text_of

Product = tuple[str, str]
"""Vendor and name, in lower case."""


def products_with_alerts(telemetry: Telemetry, tenant: Tenant, connection: Connection) -> frozenset[Product]:
    """The products with an active alert."""
    rows = telemetry.rows(
        tenant,
        "DeviceTvmSoftwareEvidenceBeta | where isnotempty(DeviceId) and isnotempty(DiskPaths)"
        " | distinct DeviceId, SoftwareVendor, SoftwareName, DiskPaths = tostring(DiskPaths)",
    )
    if not rows:
        return frozenset()
    places = open_file_places(connection, tenant.tenant_id)
    return frozenset(
        (str(row["SoftwareVendor"]).lower(), str(row["SoftwareName"]).lower()) for row in rows if _concerns(row, places)
    )


def _concerns(row: Row, places: Iterable[FilePlace]) -> bool:
    device_id, folders = str(row["DeviceId"]).lower(), _folders(text_of(row, "DiskPaths"))
    return any(
        place.device_id == device_id and (place.path == folder or place.path.startswith(f"{folder}\\"))
        for place in places
        for folder in folders
    )


def _folders(text: str | None) -> list[str]:
    """Paths as they are compared: lower case, backslashes, none at the end."""
    try:
        paths = msgspec.json.decode(text or "[]", type=list[str])
    except msgspec.MsgspecError:
        return []
    return [path.lower().replace("/", "\\").rstrip("\\") for path in paths if path]
