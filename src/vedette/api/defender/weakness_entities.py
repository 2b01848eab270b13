"""Vulnerabilities, software, recommendations and their exports in the Defender for Endpoint API's shape."""

import msgspec

from vedette.clock import format_ticks
from vedette.machines import weaknesses as domain
from vedette.machines.inventory import Machine
from vedette.machines.telemetry import Row, number_of, text_of, truth_of

UNASSIGNED = "Unassigned"
"""`rbacGroupName` of a machine that is in no group."""

_NEVER = ""


class Vulnerability(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A vulnerability."""

    id: str
    name: str
    description: str | None
    severity: str | None
    cvss_v3: float | None = msgspec.field(name="cvssV3")
    cvss_vector: str | None = None
    exposed_machines: int
    published_on: str | None
    updated_on: str | None
    public_exploit: bool
    exploit_verified: bool = False
    exploit_in_kit: bool = False
    exploit_types: tuple[str, ...] = ()
    exploit_uris: tuple[str, ...] = ()
    cve_supportability: str = "Supported"
    epss: float | None = None


class MachineVulnerability(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A vulnerability of a product on a machine."""

    id: str
    cve_id: str
    machine_id: str
    fixing_kb_id: str | None
    product_name: str
    product_vendor: str
    product_version: str


class Software(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A product."""

    id: str
    name: str
    vendor: str
    weaknesses: int
    public_exploit: bool
    active_alert: bool
    exposed_machines: int
    installed_machines: int
    impact_score: float


class Recommendation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What would make machines safer."""

    id: str
    product_name: str
    recommendation_name: str
    weaknesses: int
    vendor: str
    recommended_version: str | None = None
    recommended_program: str | None = None
    recommended_vendor: str | None = None
    recommendation_category: str
    sub_category: str
    severity_score: float
    public_exploit: bool
    active_alert: bool = False
    associated_threats: tuple[str, ...] = ()
    remediation_type: str
    status: str = "Active"
    config_score_impact: float
    exposure_impact: float
    total_machine_count: int
    exposed_machines_count: int
    non_productivity_impacted_assets: int
    related_component: str
    exposed_critical_devices: int = 0


def to_vulnerability(vulnerability: domain.Vulnerability) -> Vulnerability:
    """The wire form of a vulnerability. What only the maker's own research knows stays empty."""
    return Vulnerability(
        id=vulnerability.cve_id,
        name=vulnerability.cve_id,
        description=vulnerability.description,
        severity=vulnerability.severity,
        cvss_v3=vulnerability.cvss,
        exposed_machines=vulnerability.machines,
        published_on=_time(vulnerability.published),
        updated_on=_time(vulnerability.modified),
        public_exploit=vulnerability.has_exploit,
    )


def to_machine_vulnerability(finding: domain.Finding) -> MachineVulnerability:
    """The wire form of a finding."""
    parts = (finding.device_id, finding.cve_id, finding.vendor, finding.name, finding.version)
    return MachineVulnerability(
        id="-_-".join(parts),
        cve_id=finding.cve_id,
        machine_id=finding.device_id,
        fixing_kb_id=None,
        product_name=finding.name,
        product_vendor=finding.vendor,
        product_version=finding.version,
    )


def to_software(software: domain.Software) -> Software:
    """The wire form of a product. Its impact: the worst score, weighed by the share of machines that are exposed."""
    return Software(
        id=software.software_id,
        name=software.name,
        vendor=software.vendor,
        weaknesses=software.weaknesses,
        public_exploit=software.has_exploit,
        active_alert=False,
        exposed_machines=software.exposed,
        installed_machines=software.machines,
        impact_score=_impact(software),
    )


def update_of(software: domain.Software) -> Recommendation:
    """The recommendation to update a product that has vulnerabilities."""
    return Recommendation(
        id=f"va-_-{software.software_id}",
        product_name=software.name,
        recommendation_name=f"Update {software.vendor} {software.name}",
        weaknesses=software.weaknesses,
        vendor=software.vendor,
        recommendation_category="Application",
        sub_category="",
        severity_score=software.worst_cvss,
        public_exploit=software.has_exploit,
        remediation_type="Update",
        config_score_impact=0.0,
        exposure_impact=_impact(software),
        total_machine_count=software.machines,
        exposed_machines_count=software.exposed,
        non_productivity_impacted_assets=0,
        related_component=f"{software.vendor} {software.name}",
    )


def change_of(configuration: domain.Configuration) -> Recommendation:
    """The recommendation to change a setting."""
    return Recommendation(
        id=f"sca-_-{configuration.configuration_id}",
        product_name=configuration.subcategory or "",
        recommendation_name=configuration.name or configuration.configuration_id,
        weaknesses=1,
        vendor="",
        recommendation_category="".join(word[:1].upper() + word[1:] for word in (configuration.category or "").split()),
        sub_category=configuration.subcategory or "",
        severity_score=configuration.impact,
        public_exploit=False,
        remediation_type="ConfigurationChange",
        config_score_impact=configuration.impact,
        exposure_impact=0.0,
        total_machine_count=configuration.machines,
        exposed_machines_count=configuration.exposed,
        non_productivity_impacted_assets=0,
        related_component=configuration.subcategory or "",
    )


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
    av_is_engine_upto_date: bool | str | None = None
    av_is_platform_upto_date: bool | str | None = None


def antivirus_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """The antivirus of a machine. What no fact says is empty, or Unknown."""
    try:
        facts = msgspec.json.decode(text_of(row, "AdditionalFields") or "{}", type=_Gathered)
    except msgspec.MsgspecError:
        facts = _Gathered()
    platform = text_of(row, "OSPlatform") or ""
    machine_id = str(row["DeviceId"]).lower()
    scans = {f"{kind}Scan{what}": None if what != "Error" else "" for kind in ("quick", "full") for what in _SCAN_FACTS}
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
        "avIsEngineUpToDate": _known_truth(facts.av_is_engine_upto_date),
        "avIsPlatformUpToDate": _known_truth(facts.av_is_platform_upto_date),
        "avSignatureUpdateTime": facts.av_signature_update_time,
        "avEngineUpdateTime": facts.av_engine_update_time,
        "avPlatformUpdateTime": facts.av_platform_update_time,
        "avSignaturePublishTime": facts.av_signature_publish_time,
        **scans,
        "dataRefreshTimestamp": _time(number_of(row, "Timestamp")),
        "lastSeenTime": _time(number_of(row, "LastSeenTime")),
        "rbacGroupId": machine.rbac_group_id if machine else 0,
        "rbacGroupName": machine.rbac_group_name if machine and machine.rbac_group_name else UNASSIGNED,
    }


_SCAN_FACTS = ("Result", "Error", "Time")


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


def _impact(software: domain.Software) -> float:
    return round(software.worst_cvss * software.exposed / software.machines, 2) if software.machines else 0.0


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
