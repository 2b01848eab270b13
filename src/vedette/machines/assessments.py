"""Records by machine that only exports show: changes of vulnerabilities, software without a product code, baselines,
gathered facts, browser extensions, certificates, hardware and firmware. All from ingested DeviceTvm and DeviceBaseline
records; each answer is by `Id`, behind a given one.
"""

from vedette.clock import format_ticks
from vedette.context import Tenant
from vedette.kql.quoting import quote_string
from vedette.machines.telemetry import Row, Telemetry
from vedette.machines.weaknesses import EVIDENCE, EVIDENCE_OF_VERSION

_PRODUCT = "DeviceId, SoftwareVendor, SoftwareName"
_FINDING = f"{_PRODUCT}, SoftwareVersion, CveId"

# A finding is new with its first record and updated with the first record that says something else of it. It is fixed
# once the machine's inventory, taken in later, has the product no longer in that version.
_CHANGES = (
    "let seen = DeviceTvmSoftwareVulnerabilities | where isnotempty(CveId) and isnotempty(DeviceId)"
    " | extend TakenIn = ingestion_time();\n"
    f"let forms = seen | summarize Since = min(TakenIn) by {_FINDING}, VulnerabilitySeverityLevel,"
    " RecommendedSecurityUpdate, RecommendedSecurityUpdateId;\n"
    f"let found = seen | summarize LastSeen = max(TakenIn), take_any(DeviceName, OSPlatform, OSVersion, OSArchitecture)"
    f" by {_FINDING};\n"
    f"let newest = forms | summarize FirstSeen = min(Since), arg_max(Since, VulnerabilitySeverityLevel,"
    f" RecommendedSecurityUpdate, RecommendedSecurityUpdateId) by {_FINDING};\n"
    "let inventory = DeviceTvmSoftwareInventory | extend TakenIn = ingestion_time();\n"
    f"let products = inventory | summarize InventoryAt = max(TakenIn) by {_PRODUCT};\n"
    f"let versions = inventory | summarize VersionAt = max(TakenIn) by {_PRODUCT}, SoftwareVersion;\n"
    "let known = DeviceTvmSoftwareVulnerabilitiesKB | summarize arg_max(LastModifiedTime, CvssScore,"
    " IsExploitAvailable) by CveId;\n"
    f"let changes = found | join kind=inner newest on {_FINDING} | join kind=leftouter products on {_PRODUCT}"
    f" | join kind=leftouter versions on {_PRODUCT}, SoftwareVersion"
    " | extend IsFixed = isnotnull(InventoryAt) and InventoryAt > LastSeen"
    " and (isnull(VersionAt) or VersionAt < InventoryAt)"
    " | extend EventTime = iff(IsFixed, InventoryAt, Since),"
    " Status = case(IsFixed, 'Fixed', Since > FirstSeen, 'Updated', 'New');\n"
)

_PERMISSIONS = (
    "let asked = DeviceTvmBrowserExtensionsKB | where isnotempty(PermissionId)"
    " | summarize Permissions = make_set(bag_pack('Id', PermissionId, 'IsRequired', IsPermissionRequired,"
    " 'Risk', PermissionRisk)) by BrowserName, ExtensionId;\n"
)


class Assessments:
    """Records of one tenant."""

    def __init__(self, telemetry: Telemetry, tenant: Tenant) -> None:
        self._telemetry = telemetry
        self._tenant = tenant

    def changes(self, since: int, after: str | None, limit: int) -> list[Row]:
        """How vulnerabilities of machines changed since a time (ticks)."""
        identity = 'Id = strcat(DeviceId, "_", SoftwareVendor, "_", SoftwareName, "_", SoftwareVersion, "_", CveId)'
        source = f"changes | extend {identity} | where EventTime >= datetime({format_ticks(since)})"
        joined = f"known on CveId | join kind=leftouter {EVIDENCE_OF_VERSION}"
        return self._page(EVIDENCE + _CHANGES, source, after, limit, joined)

    def uncoded_software(self, after: str | None, limit: int) -> list[Row]:
        """Installed software that has no product code (CPE)."""
        source = (
            "DeviceTvmSoftwareInventory | where isnotempty(SoftwareName) and isnotempty(DeviceId)"
            " and (isempty(ProductCodeCpe) or ProductCodeCpe =~ 'Not Available')"
            " | extend TakenIn = ingestion_time() | summarize LastSeen = max(TakenIn), take_any(DeviceName, OSPlatform)"
            f" by {_PRODUCT}, SoftwareVersion"
            ' | extend Id = strcat(DeviceId, "_", SoftwareVendor, "_", SoftwareName, "_", SoftwareVersion)'
        )
        return self._page("", source, after, limit)

    def baselines(self, after: str | None, limit: int) -> list[Row]:
        """How machines comply with the settings of baseline profiles, as of the newest record of each."""
        source = (
            "DeviceBaselineComplianceAssessment | where isnotempty(DeviceId) | extend TakenIn = ingestion_time()"
            " | summarize arg_max(TakenIn, *) by DeviceId, ProfileId, ConfigurationId"
            ' | extend Id = strcat(DeviceId, "_", ProfileId, "_", ConfigurationId)'
        )
        return self._page("", source, after, limit)

    def gathered(self, after: str | None, limit: int) -> list[Row]:
        """The newest facts that were gathered about each machine."""
        source = (
            "DeviceTvmInfoGathering | where isnotempty(DeviceId) | summarize arg_max(Timestamp, *) by DeviceId"
            " | extend Id = DeviceId"
        )
        return self._page("", source, after, limit)

    def extensions(self, after: str | None, limit: int) -> list[Row]:
        """Installed browser extensions with their permissions, as of the newest record of each."""
        source = (
            "DeviceTvmBrowserExtensions | where isnotempty(DeviceId) and isnotempty(ExtensionId)"
            " | extend TakenIn = ingestion_time() | summarize arg_max(TakenIn, *) by DeviceId, BrowserName, ExtensionId"
            ' | extend Id = strcat(DeviceId, "_", BrowserName, "_", ExtensionId)'
        )
        return self._page(_PERMISSIONS, source, after, limit, "asked on BrowserName, ExtensionId")

    def certificates(self, after: str | None, limit: int) -> list[Row]:
        """Certificates on machines, as of the newest record of each."""
        source = (
            "DeviceTvmCertificateInfo | where isnotempty(DeviceId) and isnotempty(Thumbprint)"
            " | extend TakenIn = ingestion_time() | summarize arg_max(TakenIn, *) by DeviceId, Thumbprint, Path"
            ' | extend Id = strcat(DeviceId, "_", Thumbprint, "_", Path)'
        )
        return self._page("", source, after, limit)

    def components(self, after: str | None, limit: int) -> list[Row]:
        """Hardware and firmware of machines, as of the newest record of each component."""
        source = (
            "DeviceTvmHardwareFirmware | where isnotempty(DeviceId) and isnotempty(ComponentType)"
            " | extend TakenIn = ingestion_time()"
            " | summarize arg_max(TakenIn, *) by DeviceId, ComponentType, ComponentName"
            ' | extend Id = strcat(DeviceId, "_", ComponentType, "_", ComponentName)'
        )
        return self._page("", source, after, limit)

    def _page(self, lets: str, source: str, after: str | None, limit: int, joined: str | None = None) -> list[Row]:
        behind = "" if after is None else f" | where strcmp(Id, {quote_string(after)}) > 0"
        more = "" if joined is None else f" | join kind=leftouter {joined} | sort by Id asc"
        return list(self._telemetry.rows(self._tenant, f"{lets}{source}{behind} | top {limit} by Id asc{more}"))
