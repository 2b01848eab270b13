"""Records of the export families in the Defender for Endpoint API's shape."""

import msgspec

from vedette.clock import format_ticks
from vedette.machines.inventory import Machine
from vedette.machines.telemetry import Row, number_of, text_of, truth_of

UNASSIGNED = "Unassigned"
"""`rbacGroupName` of a machine that is in no group."""

NO_GROUPS = "None"
"""`rbacGroupName` of a machine of a tenant that has no groups."""

_NEVER = ""


def vulnerability_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the vulnerability export."""
    vendor, name = str(row["SoftwareVendor"]), str(row["SoftwareName"])
    return {
        "id": str(row["Id"]),
        **device_members(row, machine),
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
        "diskPaths": texts_of(row, "DiskPaths"),
        "registryPaths": texts_of(row, "RegistryPaths"),
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
        **device_members(row, machine),
        "osPlatform": text_of(row, "OSPlatform"),
        "softwareVendor": text_of(row, "SoftwareVendor"),
        "softwareName": text_of(row, "SoftwareName"),
        "softwareVersion": text_of(row, "SoftwareVersion"),
        "numberOfWeaknesses": number_of(row, "Weaknesses") or 0,
        "diskPaths": texts_of(row, "DiskPaths"),
        "registryPaths": texts_of(row, "RegistryPaths"),
        "softwareFirstSeenTimestamp": _timestamp(number_of(row, "FirstSeen")),
        "endOfSupportStatus": text_of(row, "EndOfSupportStatus") or "None",
        "endOfSupportDate": _timestamp(number_of(row, "EndOfSupportDate")) or None,
    }


def configuration_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the configuration export."""
    identifier = str(row["ConfigurationId"])
    return {
        **device_members(row, machine),
        "osPlatform": text_of(row, "OSPlatform"),
        "osVersion": machine.os_version if machine else None,
        "timestamp": _timestamp(number_of(row, "Timestamp")),
        "configurationId": identifier,
        "configurationCategory": text_of(row, "ConfigurationCategory"),
        "configurationSubcategory": text_of(row, "ConfigurationSubcategory"),
        "configurationImpact": _score(text_of(row, "ConfigurationImpact")),
        "configurationName": text_of(row, "ConfigurationName"),
        "isCompliant": truth_of(row, "IsCompliant"),
        "isApplicable": truth_of(row, "IsApplicable"),
        "isExpectedUserImpact": truth_of(row, "IsExpectedUserImpact"),
        "recommendationReference": f"sca-_-{identifier}",
    }


def change_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the delta export of vulnerabilities."""
    record = vulnerability_record(row, machine)
    return {**record, "status": str(row["Status"]), "eventTimestamp": time_of(number_of(row, "EventTime"))}


def uncoded_software_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the export of software without a product code."""
    return {
        **device_members(row, machine),
        "osPlatform": text_of(row, "OSPlatform"),
        "softwareVendor": text_of(row, "SoftwareVendor"),
        "softwareName": text_of(row, "SoftwareName"),
        "softwareVersion": text_of(row, "SoftwareVersion"),
        "softwareLastSeenTimestamp": _timestamp(number_of(row, "LastSeen")),
    }


def baseline_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the export of baseline assessments. The record is as old as its intake: it has no time of its own."""
    taken_in = time_of(number_of(row, "TakenIn"))
    return {
        "id": str(row["Id"]),
        "configurationId": str(row["ConfigurationId"]),
        "profileId": str(row["ProfileId"]),
        **device_members(row, machine),
        "osPlatform": text_of(row, "OSPlatform"),
        "osVersion": text_of(row, "OSVersion"),
        "isApplicable": truth_of(row, "IsApplicable"),
        "isCompliant": truth_of(row, "IsCompliant"),
        "dataCollectionTimeOffset": taken_in,
        "complianceCalculationTimeOffset": taken_in,
        "recommendedValue": texts_of(row, "RecommendedValue"),
        "currentValue": texts_of(row, "CurrentValue"),
        "source": texts_of(row, "Source"),
        "isExempt": truth_of(row, "IsExempt") or False,
    }


def gathered_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the export of gathered facts: the machine, and as a JSON text every fact by its name.

    Alone among the exports its members begin with capitals on pages too: so clients read it (gdi-be/mde-client).
    """
    device = device_members(row, machine)
    return {
        **{name[:1].upper() + name[1:]: value for name, value in device.items()},
        "OsPlatform": text_of(row, "OSPlatform"),
        "OsVersion": machine.os_version if machine else None,
        "Timestamp": time_of(number_of(row, "Timestamp")),
        "LastSeenTime": time_of(number_of(row, "LastSeenTime")),
        "DeviceGatheredInfo": text_of(row, "AdditionalFields") or "{}",
    }


def device_members(row: Row, machine: Machine | None) -> dict[str, object]:
    """What every record says of its machine."""
    return {
        "deviceId": str(row["DeviceId"]).lower(),
        "deviceName": text_of(row, "DeviceName") or (machine.dns_name if machine else None),
        "rbacGroupName": machine.rbac_group_name if machine and machine.rbac_group_name else UNASSIGNED,
        "rbacGroupId": machine.rbac_group_id if machine else 0,
    }


def texts_of(row: Row, column: str) -> list[str]:
    """A dynamic that is a list of texts, or one text."""
    value = decoded(text_of(row, column) or "[]")
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _score(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def time_of(ticks: int | None) -> str | None:
    return None if ticks is None else format_ticks(ticks)


def _timestamp(ticks: int | None) -> str:
    """`yyyy-MM-dd HH:mm:ss`, as exports write times."""
    return _NEVER if ticks is None else format_ticks(ticks)[:19].replace("T", " ")


def objects_of(row: Row, column: str) -> list[dict[str, object]]:
    """A dynamic that is a list of objects."""
    value = decoded(text_of(row, column))
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def decoded(text: str | None) -> object:
    """A dynamic; text that is no JSON stays as it is."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text
