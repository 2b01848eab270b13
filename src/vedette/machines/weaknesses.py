"""Vulnerabilities, software and configurations of a tenant's machines, from the DeviceTvm tables that were ingested.

These tables carry records, not events: the same record taken in twice is one.
"""

import math
from collections.abc import Iterable

import msgspec

from vedette.context import Tenant
from vedette.kql.quoting import quote_string
from vedette.machines.telemetry import Row, Telemetry, number_of, text_of, truth_of

_KNOWLEDGE = (
    "let known = DeviceTvmSoftwareVulnerabilitiesKB | summarize arg_max(LastModifiedTime, CvssScore,"
    " IsExploitAvailable, PublishedDate, VulnerabilityDescription) by CveId;\n"
)
_FOUND = (
    "let found = DeviceTvmSoftwareVulnerabilities | where isnotempty(CveId) and isnotempty(DeviceId){where}"
    " | extend TakenIn = ingestion_time() | summarize FirstSeen = min(TakenIn), LastSeen = max(TakenIn),"
    " take_any(DeviceName, OSPlatform, OSVersion, OSArchitecture, VulnerabilitySeverityLevel,"
    " RecommendedSecurityUpdate, RecommendedSecurityUpdateId)"
    " by DeviceId, SoftwareVendor, SoftwareName, SoftwareVersion, CveId;\n"
)
EVIDENCE = (
    "let evidence = DeviceTvmSoftwareEvidenceBeta | extend TakenIn = ingestion_time()"
    " | summarize arg_max(TakenIn, DiskPaths, RegistryPaths)"
    " by DeviceId, SoftwareVendor, SoftwareName, SoftwareVersion;\n"
)
"""Where each version of a product lies on each machine, as was last said."""

EVIDENCE_OF_VERSION = "evidence on DeviceId, SoftwareVendor, SoftwareName, SoftwareVersion"
_INSTALLED = (
    "let installed = DeviceTvmSoftwareInventory | where isnotempty(SoftwareName) and isnotempty(DeviceId){where}"
    " | extend TakenIn = ingestion_time() | summarize FirstSeen = min(TakenIn),"
    " take_any(DeviceName, OSPlatform, EndOfSupportStatus, EndOfSupportDate, ProductCodeCpe)"
    " by DeviceId, SoftwareVendor, SoftwareName, SoftwareVersion;\n"
)
_ASSESSED = (
    "let names = DeviceTvmSecureConfigurationAssessmentKB"
    " | summarize take_any(ConfigurationName) by ConfigurationId;\n"
    "let assessed = DeviceTvmSecureConfigurationAssessment | where isnotempty(DeviceId){where}"
    " | summarize arg_max(Timestamp, *) by DeviceId, ConfigurationId;\n"
)


class Vulnerability(msgspec.Struct, frozen=True):
    """A CVE that machines are exposed to. Times are ticks."""

    cve_id: str
    severity: str | None
    cvss: float | None
    description: str | None
    published: int | None
    modified: int | None
    has_exploit: bool
    machines: int


class Software(msgspec.Struct, frozen=True):
    """A product on machines."""

    vendor: str
    name: str
    machines: int
    exposed: int
    weaknesses: int
    has_exploit: bool
    worst_cvss: float
    has_code: bool
    """Whether it is known by a product code (CPE)."""

    @property
    def software_id(self) -> str:
        """As the API names it."""
        return f"{self.vendor}-_-{self.name}"

    @property
    def product(self) -> tuple[str, str]:
        """Vendor and name, as products are compared."""
        return self.vendor.lower(), self.name.lower()


class Configuration(msgspec.Struct, frozen=True):
    """A security setting that machines fall short of."""

    configuration_id: str
    name: str | None
    category: str | None
    subcategory: str | None
    impact: float
    exposed: int
    machines: int


class Finding(msgspec.Struct, frozen=True):
    """A CVE of one version of a product on one machine."""

    device_id: str
    vendor: str
    name: str
    version: str
    cve_id: str
    severity: str | None
    update_id: str | None
    """The security update that fixes it."""


class Scope(msgspec.Struct, frozen=True):
    """What is looked at: everything, or one machine, CVE or product."""

    device_id: str | None = None
    cve_id: str | None = None
    software: tuple[str, str] | None = None

    def where(self, *, has_cve: bool = True) -> str:
        """As KQL, to follow a condition."""
        text = ""
        if self.device_id is not None:
            text += f" and DeviceId =~ {quote_string(self.device_id)}"
        if self.cve_id is not None and has_cve:
            text += f" and CveId =~ {quote_string(self.cve_id)}"
        if self.software is not None:
            vendor, name = map(quote_string, self.software)
            text += f" and SoftwareVendor =~ {vendor} and SoftwareName =~ {name}"
        return text


EVERYTHING = Scope()


def parse_software_id(text: str) -> tuple[str, str] | None:
    """Vendor and product of a software id; None if it is none."""
    vendor, separator, name = text.partition("-_-")
    return (vendor, name) if separator and name else None


class Weaknesses:
    """Answers about one tenant."""

    def __init__(self, telemetry: Telemetry, tenant: Tenant) -> None:
        self._telemetry = telemetry
        self._tenant = tenant

    def vulnerabilities(self, scope: Scope = EVERYTHING) -> list[Vulnerability]:
        """CVEs by id."""
        rows = self._rows(
            _KNOWLEDGE + _FOUND,
            scope,
            "found | summarize Machines = dcount(DeviceId), Severity = take_any(VulnerabilitySeverityLevel) by CveId"
            " | join kind=leftouter known on CveId | sort by CveId asc",
        )
        return [
            Vulnerability(
                cve_id=str(row["CveId"]),
                severity=text_of(row, "Severity"),
                cvss=_real(row.get("CvssScore")),
                description=text_of(row, "VulnerabilityDescription"),
                published=number_of(row, "PublishedDate"),
                modified=number_of(row, "LastModifiedTime"),
                has_exploit=truth_of(row, "IsExploitAvailable") or False,
                machines=number_of(row, "Machines") or 0,
            )
            for row in rows
        ]

    def software(self, scope: Scope = EVERYTHING) -> list[Software]:
        """Products by vendor and name; those that only vulnerabilities tell of are products, too."""
        rows = self._rows(
            _KNOWLEDGE + _FOUND + _INSTALLED,
            scope,
            "union (installed | project SoftwareVendor, SoftwareName, DeviceId, Coded = isnotempty(ProductCodeCpe)),"
            " (found | project SoftwareVendor, SoftwareName, DeviceId, Coded = true)"
            " | summarize Machines = dcount(DeviceId), Coded = countif(Coded) by SoftwareVendor, SoftwareName"
            " | join kind=leftouter (found | join kind=leftouter known on CveId"
            " | summarize Exposed = dcount(DeviceId), Weaknesses = dcount(CveId), Worst = max(toreal(CvssScore)),"
            " Exploits = countif(IsExploitAvailable == true) by SoftwareVendor, SoftwareName)"
            " on SoftwareVendor, SoftwareName | sort by SoftwareVendor asc, SoftwareName asc",
        )
        return [
            Software(
                vendor=str(row["SoftwareVendor"]),
                name=str(row["SoftwareName"]),
                machines=number_of(row, "Machines") or 0,
                exposed=number_of(row, "Exposed") or 0,
                weaknesses=number_of(row, "Weaknesses") or 0,
                has_exploit=bool(number_of(row, "Exploits")),
                worst_cvss=_real(row.get("Worst")) or 0.0,
                has_code=bool(number_of(row, "Coded")),
            )
            for row in rows
        ]

    def configurations(self, scope: Scope = EVERYTHING) -> list[Configuration]:
        """Settings that some machine falls short of."""
        rows = self._rows(
            _ASSESSED,
            Scope(device_id=scope.device_id),
            "assessed | where IsApplicable == true | summarize Machines = dcount(DeviceId),"
            " Exposed = dcountif(DeviceId, IsCompliant == false), Impact = max(ConfigurationImpact),"
            " take_any(ConfigurationCategory, ConfigurationSubcategory) by ConfigurationId"
            " | where Exposed > 0 | join kind=leftouter names on ConfigurationId | sort by ConfigurationId asc",
        )
        return [
            Configuration(
                configuration_id=str(row["ConfigurationId"]),
                name=text_of(row, "ConfigurationName"),
                category=text_of(row, "ConfigurationCategory"),
                subcategory=text_of(row, "ConfigurationSubcategory"),
                impact=_real(row.get("Impact")) or 0.0,
                exposed=number_of(row, "Exposed") or 0,
                machines=number_of(row, "Machines") or 0,
            )
            for row in rows
        ]

    def findings(self, scope: Scope = EVERYTHING) -> list[Finding]:
        """Every CVE of every product of every machine."""
        facts = f"{_FINDING}, VulnerabilitySeverityLevel, RecommendedSecurityUpdateId"
        rows = self._rows(_FOUND, scope, f"found | project {facts} | sort by {_ordered(_FINDING)}")
        return [
            Finding(
                str(row["DeviceId"]),
                str(row["SoftwareVendor"]),
                str(row["SoftwareName"]),
                str(row["SoftwareVersion"]),
                str(row["CveId"]),
                severity=text_of(row, "VulnerabilitySeverityLevel"),
                update_id=text_of(row, "RecommendedSecurityUpdateId"),
            )
            for row in rows
        ]

    def machines_with(self, scope: Scope, *, exposed: bool) -> list[str]:
        """Ids of machines that a CVE or product is on; with `exposed` only those with a vulnerability in it."""
        parts = "found" if exposed else "union (installed | project DeviceId), (found | project DeviceId)"
        rows = self._rows(_FOUND + _INSTALLED, scope, f"{parts} | distinct DeviceId")
        return [str(row["DeviceId"]).lower() for row in rows]

    def machines_short_of(self, configuration_id: str) -> list[str]:
        """Ids of machines that fall short of a setting."""
        rows = self._rows(
            _ASSESSED,
            EVERYTHING,
            f"assessed | where ConfigurationId =~ {quote_string(configuration_id)}"
            " and IsApplicable == true and IsCompliant == false | distinct DeviceId",
        )
        return [str(row["DeviceId"]).lower() for row in rows]

    def vulnerability_records(self, after: str | None, limit: int) -> list[Row]:
        """Findings with everything known of them, by `Id`, behind the one of that id."""
        identity = 'Id = strcat(DeviceId, "_", SoftwareVendor, "_", SoftwareName, "_", SoftwareVersion, "_", CveId)'
        joined = f"known on CveId | join kind=leftouter {EVIDENCE_OF_VERSION}"
        return self._records(_KNOWLEDGE + EVIDENCE + _FOUND, f"found | extend {identity}", joined, after, limit)

    def software_records(self, after: str | None, limit: int) -> list[Row]:
        """Installed versions with how many weaknesses they have, by `Id`, behind the one of that id."""
        identity = 'Id = strcat(DeviceId, "_", SoftwareVendor, "_", SoftwareName, "_", SoftwareVersion)'
        key = "DeviceId, SoftwareVendor, SoftwareName, SoftwareVersion"
        weak = f"(found | summarize Weaknesses = dcount(CveId) by {key})"
        joined = f"{weak} on {key} | join kind=leftouter {EVIDENCE_OF_VERSION}"
        return self._records(EVIDENCE + _FOUND + _INSTALLED, f"installed | extend {identity}", joined, after, limit)

    def configuration_records(self, after: str | None, limit: int) -> list[Row]:
        """Assessments with the names of the settings, by `Id`, behind the one of that id."""
        identity = 'Id = strcat(DeviceId, "_", ConfigurationId)'
        return self._records(_ASSESSED, f"assessed | extend {identity}", "names on ConfigurationId", after, limit)

    def worst_scores(self) -> dict[str, float]:
        """The worst CVSS score on each machine that has software records, by id."""
        rows = self._rows(
            _KNOWLEDGE + _FOUND + _INSTALLED,
            EVERYTHING,
            "union (installed | distinct DeviceId | extend Score = 0.0),"
            " (found | join kind=leftouter known on CveId | project DeviceId, Score = toreal(CvssScore))"
            " | summarize Worst = max(Score) by DeviceId",
        )
        return {str(row["DeviceId"]).lower(): _real(row.get("Worst")) or 0.0 for row in rows}

    def antivirus_records(self) -> list[Row]:
        """The newest facts gathered about each machine, `AdditionalFields` as JSON text."""
        query = "DeviceTvmInfoGathering | where isnotempty(DeviceId) | summarize arg_max(Timestamp, *) by DeviceId"
        return self._rows("", EVERYTHING, f"{query} | sort by DeviceId asc")

    def configuration_score(self) -> float:
        """0 to 100: the share, weighed by impact, of applicable settings that machines comply with."""
        rows = self._rows(
            _ASSESSED,
            EVERYTHING,
            "assessed | where IsApplicable == true | summarize Kept = sumif(ConfigurationImpact, IsCompliant == true),"
            " All = sum(ConfigurationImpact)",
        )
        everything = _real(rows[0].get("All")) if rows else None
        return round(100 * (_real(rows[0].get("Kept")) or 0.0) / everything, 2) if everything else 0.0

    def _records(self, lets: str, source: str, joined: str, after: str | None, limit: int) -> list[Row]:
        behind = "" if after is None else f" | where strcmp(Id, {quote_string(after)}) > 0"
        query = f"{source}{behind} | top {limit} by Id asc | join kind=leftouter {joined} | sort by Id asc"
        return self._rows(lets, EVERYTHING, query)

    def _rows(self, lets: str, scope: Scope, query: str) -> list[Row]:
        text = lets.replace("{where}", scope.where())
        if "let installed" in text and scope.cve_id is not None:  # the inventory knows no CVEs
            text = lets.replace(_INSTALLED, _INSTALLED.replace("{where}", scope.where(has_cve=False)))
            text = text.replace("{where}", scope.where())
        return list(self._telemetry.rows(self._tenant, text + query))


_FINDING = "DeviceId, SoftwareVendor, SoftwareName, SoftwareVersion, CveId"


def _ordered(names: str) -> str:
    return ", ".join(f"{name} asc" for name in names.split(", "))


def _real(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def exposure_score(worst: Iterable[float]) -> float:
    """0 to 100: the mean of the worst CVSS score on each machine, times ten."""
    scores = list(worst)
    return round(10 * sum(scores) / len(scores), 2) if scores else 0.0
