"""What only the knowledge bases say, not the machines: permissions of browser extensions, settings and profiles of
security baselines. From ingested DeviceTvmBrowserExtensionsKB and DeviceBaseline records.
"""

from vedette.context import Tenant
from vedette.machines.telemetry import Row, Telemetry

_PROFILES = (
    "let assessed = DeviceBaselineComplianceAssessment | where isnotempty(DeviceId) | extend TakenIn = ingestion_time()"
    " | summarize arg_max(TakenIn, IsCompliant, IsApplicable) by DeviceId, ProfileId, ConfigurationId"
    " | where IsApplicable != false;\n"
    "let settings = assessed | summarize Settings = dcount(ConfigurationId) by ProfileId;\n"
    "let machines = assessed | summarize Failed = countif(IsCompliant != true) by ProfileId, DeviceId"
    " | summarize Machines = dcount(DeviceId), Passed = dcountif(DeviceId, Failed == 0) by ProfileId;\n"
    "DeviceBaselineComplianceProfiles | where isnotempty(ProfileId) | extend TakenIn = ingestion_time()"
    " | summarize arg_max(TakenIn, *) by ProfileId | join kind=leftouter settings on ProfileId"
    " | join kind=leftouter machines on ProfileId | sort by ProfileId asc"
)
_CONFIGURATIONS = (
    "DeviceBaselineComplianceAssessmentKB | where isnotempty(ConfigurationId) | extend TakenIn = ingestion_time()"
    " | summarize arg_max(TakenIn, *) by ConfigurationBenchmark, ConfigurationId"
    " | sort by ConfigurationBenchmark asc, ConfigurationId asc"
)
_PERMISSIONS = (
    "DeviceTvmBrowserExtensionsKB | where isnotempty(PermissionId) | extend TakenIn = ingestion_time()"
    " | summarize arg_max(TakenIn, PermissionName, PermissionDescription) by PermissionId | sort by PermissionId asc"
)


class KnowledgeBase:
    """Records of one tenant."""

    def __init__(self, telemetry: Telemetry, tenant: Tenant) -> None:
        self._telemetry = telemetry
        self._tenant = tenant

    def profiles(self) -> list[Row]:
        """Baseline profiles by id, with how many settings they have, and machines, and how many of these comply."""
        return list(self._telemetry.rows(self._tenant, _PROFILES))

    def configurations(self) -> list[Row]:
        """Settings of benchmarks."""
        return list(self._telemetry.rows(self._tenant, _CONFIGURATIONS))

    def permissions(self) -> list[Row]:
        """What browser extensions may ask for."""
        return list(self._telemetry.rows(self._tenant, _PERMISSIONS))
