"""Records of the export families, and the antivirus of machines, in the Defender for Endpoint API's shape."""

import msgspec

from vedette.clock import format_ticks
from vedette.machines.inventory import Machine
from vedette.machines.telemetry import Row, number_of, text_of, truth_of
from vedette.odata.documents import DocumentFields

UNASSIGNED = "Unassigned"
"""`rbacGroupName` of a machine that is in no group."""

_NEVER = ""

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


def vulnerability_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the vulnerability export."""
    vendor, name = str(row["SoftwareVendor"]), str(row["SoftwareName"])
    return {
        "id": str(row["Id"]),
        **_device(row, machine),
        "osPlatform": text_of(row, "OSPlatform"),
        "osVersion": text_of(row, "OSVersion"),
        "osArchitecture": text_of(row, "OSArchitecture"),
        "softwareVendor": vendor,
        "softwareName": name,
        "softwareVersion": text_of(row, "SoftwareVersion"),
        "cveId": text_of(row, "CveId"),
        "vulnerabilitySeverityLevel": text_of(row, "VulnerabilitySeverityLevel"),
        "recommendedSecurityUpdate": text_of(row, "RecommendedSecurityUpdate"),
        "recommendedSecurityUpdateId": text_of(row, "RecommendedSecurityUpdateId"),
        "recommendedSecurityUpdateUrl": None,
        "diskPaths": [],
        "registryPaths": [],
        "lastSeenTimestamp": _timestamp(number_of(row, "LastSeen")),
        "firstSeenTimestamp": _timestamp(number_of(row, "FirstSeen")),
        "exploitabilityLevel": "ExploitIsPublic" if truth_of(row, "IsExploitAvailable") else "NoExploit",
        "recommendationReference": f"va-_-{vendor}-_-{name}",
        "securityUpdateAvailable": text_of(row, "RecommendedSecurityUpdateId") is not None,
        "cvssScore": _score(text_of(row, "CvssScore")),
    }


def software_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the inventory export."""
    return {
        **_device(row, machine),
        "osPlatform": text_of(row, "OSPlatform"),
        "softwareVendor": text_of(row, "SoftwareVendor"),
        "softwareName": text_of(row, "SoftwareName"),
        "softwareVersion": text_of(row, "SoftwareVersion"),
        "numberOfWeaknesses": number_of(row, "Weaknesses") or 0,
        "diskPaths": [],
        "registryPaths": [],
        "softwareFirstSeenTimestamp": _timestamp(number_of(row, "FirstSeen")),
        "endOfSupportStatus": text_of(row, "EndOfSupportStatus") or "None",
        "endOfSupportDate": _timestamp(number_of(row, "EndOfSupportDate")) or None,
    }


def configuration_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the configuration export."""
    identifier = str(row["ConfigurationId"])
    return {
        **_device(row, machine),
        "osPlatform": text_of(row, "OSPlatform"),
        "osVersion": machine.os_version if machine else None,
        "timestamp": _timestamp(number_of(row, "Timestamp")),
        "configurationId": identifier,
        "configurationCategory": text_of(row, "ConfigurationCategory"),
        "configurationSubcategory": text_of(row, "ConfigurationSubcategory"),
        "configurationImpact": text_of(row, "ConfigurationImpact"),
        "configurationName": text_of(row, "ConfigurationName"),
        "isCompliant": truth_of(row, "IsCompliant"),
        "isApplicable": truth_of(row, "IsApplicable"),
        "isExpectedUserImpact": truth_of(row, "IsExpectedUserImpact"),
        "recommendationReference": f"sca-_-{identifier}",
    }


def change_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the delta export of vulnerabilities."""
    record = vulnerability_record(row, machine)
    return {**record, "status": str(row["Status"]), "eventTimestamp": _time(number_of(row, "EventTime"))}


def uncoded_software_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the export of software without a product code."""
    return {
        **_device(row, machine),
        "osPlatform": text_of(row, "OSPlatform"),
        "softwareVendor": text_of(row, "SoftwareVendor"),
        "softwareName": text_of(row, "SoftwareName"),
        "softwareVersion": text_of(row, "SoftwareVersion"),
        "softwareLastSeenTimestamp": _timestamp(number_of(row, "LastSeen")),
    }


def baseline_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the export of baseline assessments. The record is as old as its intake: it has no time of its own."""
    taken_in = _time(number_of(row, "TakenIn"))
    return {
        "id": str(row["Id"]),
        "configurationId": str(row["ConfigurationId"]),
        "profileId": str(row["ProfileId"]),
        **_device(row, machine),
        "osPlatform": text_of(row, "OSPlatform"),
        "osVersion": text_of(row, "OSVersion"),
        "isApplicable": truth_of(row, "IsApplicable"),
        "isCompliant": truth_of(row, "IsCompliant"),
        "dataCollectionTimeOffset": taken_in,
        "complianceCalculationTimeOffset": taken_in,
        "recommendedValue": _texts(text_of(row, "RecommendedValue")),
        "currentValue": _texts(text_of(row, "CurrentValue")),
        "source": _texts(text_of(row, "Source")),
    }


def gathered_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the export of gathered facts: the machine, and every fact by its name."""
    return {
        **_device(row, machine),
        "osPlatform": text_of(row, "OSPlatform"),
        "timestamp": _time(number_of(row, "Timestamp")),
        "lastSeenTime": _time(number_of(row, "LastSeenTime")),
        "additionalFields": _decoded(text_of(row, "AdditionalFields") or "{}"),
    }


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
        "dataRefreshTimestamp": _time(number_of(row, "Timestamp")),
        "lastSeenTime": _time(number_of(row, "LastSeenTime")),
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


def _device(row: Row, machine: Machine | None) -> dict[str, object]:
    return {
        "deviceId": str(row["DeviceId"]).lower(),
        "deviceName": text_of(row, "DeviceName"),
        "rbacGroupName": machine.rbac_group_name if machine and machine.rbac_group_name else UNASSIGNED,
        "rbacGroupId": str(machine.rbac_group_id) if machine else "0",
    }


def _score(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _time(ticks: int | None) -> str | None:
    return None if ticks is None else format_ticks(ticks)


def _timestamp(ticks: int | None) -> str:
    """`yyyy-MM-dd HH:mm:ss`, as exports write times."""
    return _NEVER if ticks is None else format_ticks(ticks)[:19].replace("T", " ")


def _texts(text: str | None) -> list[str]:
    """A dynamic that is a list of texts, or one text."""
    value = _decoded(text or "[]")
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text
