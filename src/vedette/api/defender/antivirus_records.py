"""The antivirus of machines in the Defender for Endpoint API's shape, from the facts that were gathered about them."""

import msgspec

from vedette.api.defender.machine_records import UNASSIGNED, time_of
from vedette.machines.inventory import Machine
from vedette.machines.telemetry import Row, number_of, text_of
from vedette.odata.documents import DocumentFields

ANTIVIRUS_FIELDS = DocumentFields(
    {
        **dict.fromkeys(
            (
                "machineId",
                "computerDnsName",
                "osKind",
                "osPlatform",
                "osVersion",
                "avMode",
                "avSignatureVersion",
                "avEngineVersion",
                "avPlatformVersion",
                "avIsSignatureUpToDate",
                "avIsEngineUpToDate",
                "avIsPlatformUpToDate",
                "quickScanResult",
                "quickScanError",
                "fullScanResult",
                "fullScanError",
            ),
            "string",
        ),
        **dict.fromkeys(
            (
                "avEngineUpdateTime",
                "avSignatureUpdateTime",
                "avPlatformUpdateTime",
                "avSignaturePublishTime",
                "quickScanTime",
                "fullScanTime",
                "dataRefreshTimestamp",
                "lastSeenTime",
            ),
            "datetime",
        ),
        "rbacGroupId": "integer",
    }
)
"""All but `id` and `rbacGroupName` may be filtered by (defender-docs get-device-health-methods-properties)."""


class _Gathered(msgspec.Struct, frozen=True, rename="pascal"):
    """What `DeviceTvmInfoGathering.AdditionalFields` says of the antivirus."""

    av_mode: str | int | None = None
    av_signature_version: str | None = None
    av_engine_version: str | None = None
    av_platform_version: str | None = None
    av_signature_update_time: str | None = None
    av_engine_update_time: str | None = None
    av_platform_update_time: str | None = None
    av_signature_publish_time: str | None = None
    av_is_signature_upto_date: bool | str | None = None
    av_is_engine_uptodate: bool | str | None = None
    av_is_platform_uptodate: bool | str | None = None
    av_scan_results: str | None = None
    """JSON in a text: what the last quick and full scans came to."""


class _Scan(msgspec.Struct, frozen=True, rename="pascal"):
    """How a scan ended."""

    scan_status: str | None = None
    error_code: str | int | None = None
    timestamp: str | None = None


class _Scans(msgspec.Struct, frozen=True, rename="pascal"):
    """The last scan of each kind."""

    quick: _Scan | None = None
    full: _Scan | None = None


def antivirus_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """The antivirus of a machine. What no fact says is empty, or Unknown."""
    try:
        facts = msgspec.json.decode(text_of(row, "AdditionalFields") or "{}", type=_Gathered)
    except msgspec.MsgspecError:
        facts = _Gathered()
    platform = text_of(row, "OSPlatform") or ""
    machine_id = str(row["DeviceId"]).lower()
    return {
        "id": machine_id,
        "machineId": machine_id,
        "computerDnsName": text_of(row, "DeviceName"),
        "osKind": _os_kind(platform),
        "osPlatform": platform,
        "osVersion": machine.os_version if machine else None,
        "avMode": "" if facts.av_mode is None else str(facts.av_mode),
        "avSignatureVersion": facts.av_signature_version,
        "avEngineVersion": facts.av_engine_version,
        "avPlatformVersion": facts.av_platform_version,
        "avIsSignatureUpToDate": _known_truth(facts.av_is_signature_upto_date),
        "avIsEngineUpToDate": _known_truth(facts.av_is_engine_uptodate),
        "avIsPlatformUpToDate": _known_truth(facts.av_is_platform_uptodate),
        "avSignatureUpdateTime": facts.av_signature_update_time,
        "avEngineUpdateTime": facts.av_engine_update_time,
        "avPlatformUpdateTime": facts.av_platform_update_time,
        "avSignaturePublishTime": facts.av_signature_publish_time,
        **_scans(facts.av_scan_results),
        "dataRefreshTimestamp": time_of(number_of(row, "Timestamp")),
        "lastSeenTime": time_of(number_of(row, "LastSeenTime")),
        "rbacGroupId": machine.rbac_group_id if machine else 0,
        "rbacGroupName": machine.rbac_group_name if machine and machine.rbac_group_name else UNASSIGNED,
    }


def _scans(text: str | None) -> dict[str, object]:
    try:
        scans = msgspec.json.decode(text or "{}", type=_Scans)
    except msgspec.MsgspecError:
        scans = _Scans()
    facts: dict[str, object] = {}
    for name, scan in (("quick", scans.quick or _Scan()), ("full", scans.full or _Scan())):
        error = "" if scan.error_code is None else str(scan.error_code)
        facts |= {f"{name}ScanResult": scan.scan_status, f"{name}ScanError": error, f"{name}ScanTime": scan.timestamp}
    return facts


def _os_kind(platform: str) -> str | None:
    kinds = {"windows": "windows", "mac": "mac", "linux": "linux"}
    return next((kind for start, kind in kinds.items() if platform.lower().startswith(start)), None)


def _known_truth(value: bool | str | None) -> str:
    text = str(value).capitalize()
    return text if text in ("True", "False") else "Unknown"
