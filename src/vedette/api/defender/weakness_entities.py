"""Vulnerabilities, software, versions, updates and recommendations in the Defender for Endpoint API's shape."""

import msgspec

from vedette.clock import format_ticks
from vedette.machines import security_updates as update_domain
from vedette.machines import weaknesses as domain
from vedette.odata.documents import fields_of

CATALOG = "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB"
"""Where an update is described (defender-docs defender-endpoint/api/get-missing-kbs-machine.md)."""


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
    first_detected: str | None = None
    patch_first_available: str | None = None
    tags: tuple[str, ...] = ()
    status: str


class MachineVulnerability(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A vulnerability of a product on a machine."""

    id: str
    cve_id: str
    machine_id: str
    fixing_kb_id: str | None
    product_name: str
    product_vendor: str
    product_version: str
    severity: str | None


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
    is_normalized: bool
    category: str | None = None
    tags: tuple[str, ...] = ()


class MissingUpdate(msgspec.Struct, frozen=True, rename="camel"):
    """An update that machines lack."""

    id: str
    name: str
    products_names: tuple[str, ...]
    url: str
    machine_missed_on: int
    cve_addressed: int
    os_build: int | None = None


class Distribution(msgspec.Struct, frozen=True, rename="camel"):
    """A version of a product and how it is spread."""

    version: str
    installations: int
    vulnerabilities: int


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
    tags: tuple[str, ...] = ()
    exposed_critical_devices: int = 0


class GroupScore(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How exposed the machines of a group are."""

    time: str
    score: float
    rbac_group_id: int
    rbac_group_name: str


SEVERITIES = ("Low", "Medium", "High", "Critical")
VULNERABILITY_FIELDS = fields_of(Vulnerability, frozenset({"publishedOn", "updatedOn"}), {"severity": SEVERITIES})
MACHINE_VULNERABILITY_FIELDS = fields_of(MachineVulnerability, enums={"severity": SEVERITIES})
SOFTWARE_FIELDS = fields_of(Software)
MISSING_UPDATE_FIELDS = fields_of(MissingUpdate)
DISTRIBUTION_FIELDS = fields_of(Distribution)
GROUP_SCORE_FIELDS = fields_of(GroupScore, frozenset({"time"}))
RECOMMENDATION_FIELDS = fields_of(
    Recommendation,
    enums={
        "recommendationCategory": ("Accounts", "Application", "Network", "OS", "SecurityControls"),
        "remediationType": ("ConfigurationChange", "Update", "Upgrade", "Uninstall"),
        "status": ("Active", "Exception"),
    },
)


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
        status="RemediationRequired" if vulnerability.machines else "NoActionRequired",
    )


def to_machine_vulnerability(finding: domain.Finding) -> MachineVulnerability:
    """The wire form of a finding."""
    parts = (finding.device_id, finding.cve_id, finding.vendor, finding.name, finding.version)
    return MachineVulnerability(
        id="-_-".join((*parts, finding.update_id or "")),
        cve_id=finding.cve_id,
        machine_id=finding.device_id,
        fixing_kb_id=finding.update_id,
        product_name=finding.name,
        product_vendor=finding.vendor,
        product_version=finding.version,
        severity=finding.severity,
    )


def to_software(software: domain.Software, *, active_alert: bool = False) -> Software:
    """The wire form of a product. Its impact: the worst score, weighed by the share of machines that are exposed."""
    return Software(
        id=software.software_id,
        name=software.name,
        vendor=software.vendor,
        weaknesses=software.weaknesses,
        public_exploit=software.has_exploit,
        active_alert=active_alert,
        exposed_machines=software.exposed,
        installed_machines=software.machines,
        impact_score=_impact(software),
        is_normalized=software.has_code,
    )


def to_missing_update(update: update_domain.MissingUpdate, os_build: int | None = None) -> MissingUpdate:
    """The wire form of an update that machines lack. `os_build`: of the one machine that was asked about."""
    number = update.update_id.upper().removeprefix("KB")
    return MissingUpdate(
        id=number,
        name=update.name,
        products_names=update.products,
        url=f"{CATALOG}{number}",
        machine_missed_on=update.machines,
        cve_addressed=update.cves,
        os_build=os_build,
    )


def to_distribution(version: update_domain.Version) -> Distribution:
    """The wire form of a version."""
    return Distribution(version.version, version.machines, version.vulnerabilities)


def update_of(software: domain.Software, *, active_alert: bool = False) -> Recommendation:
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
        active_alert=active_alert,
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


def _impact(software: domain.Software) -> float:
    return round(software.worst_cvss * software.exposed / software.machines, 2) if software.machines else 0.0


def _time(ticks: int | None) -> str | None:
    return None if ticks is None else format_ticks(ticks)
