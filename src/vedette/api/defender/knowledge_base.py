"""Security baselines and the permissions of browser extensions: what the knowledge bases say, not the machines."""

import msgspec

from vedette.api.defender.computed import ComputedList
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machine_records import texts_of, time_of
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.machines.knowledge_base import KnowledgeBase
from vedette.machines.telemetry import Row, number_of, text_of, truth_of
from vedette.odata.documents import fields_of

_NEVER = "0001-01-01T00:00:00Z"
"""What the service writes for a time that it does not know (get-security-baselines-assessment-profiles.md)."""


class BaselineProfile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A baseline that a tenant holds machines against."""

    id: str
    name: str | None
    description: str | None
    benchmark: str | None
    version: str | None
    operating_system: str | None
    operating_system_version: str | None
    status: bool
    compliance_level: str | None
    settings_number: int
    created_by: str | None
    last_updated_by: str | None
    created_on_time_offset: str
    last_update_time_offset: str
    passed_devices: int
    total_devices: int


class BaselineConfiguration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A setting of a benchmark."""

    id: str
    unique_id: str
    benchmark_name: str | None
    benchmark_version: str | None
    name: str | None
    description: str | None
    category: str | None
    compliance_levels: list[str]
    cce: str | None
    rationale: str | None
    remediation: str | None
    recommended_value: list[str]
    source: list[str]
    is_custom: bool


class ExtensionPermission(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that a browser extension may ask for."""

    key: str
    permission_name: str | None
    description: str | None


PROFILES = ComputedList(
    "Collection(microsoft.windowsDefenderATP.api.PublicBaselineProfileDto)",
    fields_of(BaselineProfile, frozenset({"createdOnTimeOffset", "lastUpdateTimeOffset"})),
)
CONFIGURATIONS = ComputedList("BaselineConfigurations", fields_of(BaselineConfiguration), key="uniqueId")
PERMISSIONS = ComputedList("BrowserExtension", fields_of(ExtensionPermission), key="key")


class DefenderKnowledgeBase:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts

    def profiles(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/baselineProfiles."""
        return PROFILES.answer(self._parts.lists, context, request, self._records(context).profiles, to_profile)

    def configurations(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/baselineConfigurations."""
        rows = self._records(context).configurations
        return CONFIGURATIONS.answer(self._parts.lists, context, request, rows, to_configuration)

    def permissions(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/browserextensions/permissionsinfo."""
        rows = self._records(context).permissions
        return PERMISSIONS.answer(self._parts.lists, context, request, rows, to_permission)

    def _records(self, context: RequestContext) -> KnowledgeBase:
        return KnowledgeBase(self._parts.telemetry.within(context.scope), context.tenant)


def to_profile(row: Row) -> BaselineProfile:
    """The wire form of a profile."""
    return BaselineProfile(
        id=str(row["ProfileId"]),
        name=text_of(row, "ProfileName"),
        description=text_of(row, "ProfileDescription"),
        benchmark=text_of(row, "BaseBenchmark"),
        version=text_of(row, "BenchmarkVersion"),
        operating_system=", ".join(texts_of(row, "OSPlatform")) or None,
        operating_system_version=text_of(row, "OSVersion"),
        status=truth_of(row, "Status") or False,
        compliance_level=text_of(row, "BenchmarkProfileLevel"),
        settings_number=number_of(row, "Settings") or 0,
        created_by=text_of(row, "CreatedBy"),
        last_updated_by=text_of(row, "LastUpdatedBy"),
        created_on_time_offset=time_of(number_of(row, "CreatedOn")) or _NEVER,
        last_update_time_offset=time_of(number_of(row, "LastUpdatedOn")) or _NEVER,
        passed_devices=number_of(row, "Passed") or 0,
        total_devices=number_of(row, "Machines") or 0,
    )


def to_configuration(row: Row) -> BaselineConfiguration:
    """The wire form of a setting. Its benchmark is one text in telemetry: `CIS_1.4.0-windows_server_2016`."""
    identifier, benchmark = str(row["ConfigurationId"]), text_of(row, "ConfigurationBenchmark") or ""
    name, _, version = benchmark.partition("_")
    return BaselineConfiguration(
        id=identifier,
        unique_id=f"{benchmark}_{identifier}",
        benchmark_name=name or None,
        benchmark_version=version or None,
        name=text_of(row, "ConfigurationName"),
        description=text_of(row, "ConfigurationDescription"),
        category=text_of(row, "ConfigurationCategory"),
        compliance_levels=texts_of(row, "BenchmarkProfileLevels"),
        cce=text_of(row, "CCEReference"),
        rationale=text_of(row, "ConfigurationRationale"),
        remediation=text_of(row, "RemediationOptions"),
        recommended_value=texts_of(row, "RecommendedValue"),
        source=texts_of(row, "Source"),
        is_custom=False,
    )


def to_permission(row: Row) -> ExtensionPermission:
    """The wire form of a permission."""
    return ExtensionPermission(
        key=str(row["PermissionId"]),
        permission_name=text_of(row, "PermissionName"),
        description=text_of(row, "PermissionDescription"),
    )
