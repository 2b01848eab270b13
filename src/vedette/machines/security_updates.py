"""Security updates that machines lack, and how versions of a product are spread, from ingested DeviceTvm records."""

import msgspec

from vedette.context import Tenant
from vedette.kql.quoting import quote_string
from vedette.machines.telemetry import Telemetry, number_of, text_of
from vedette.machines.weaknesses import EVERYTHING, Scope


class MissingUpdate(msgspec.Struct, frozen=True):
    """An update that would mend vulnerabilities on machines."""

    update_id: str
    name: str
    products: tuple[str, ...]
    machines: int
    cves: int


class Version(msgspec.Struct, frozen=True):
    """A version of a product: how many machines have it, how many vulnerabilities are in it."""

    version: str
    machines: int
    vulnerabilities: int


class SecurityUpdates:
    """Answers about one tenant."""

    def __init__(self, telemetry: Telemetry, tenant: Tenant) -> None:
        self._telemetry = telemetry
        self._tenant = tenant

    def missing(self, scope: Scope = EVERYTHING) -> list[MissingUpdate]:
        """Updates by id."""
        rows = self._telemetry.rows(
            self._tenant,
            "DeviceTvmSoftwareVulnerabilities | where isnotempty(RecommendedSecurityUpdateId) and isnotempty(DeviceId)"
            f"{scope.where()} | summarize Name = take_any(RecommendedSecurityUpdate),"
            " Products = strcat_array(array_sort_asc(make_set(SoftwareName)), '\\n'), Machines = dcount(DeviceId),"
            " Cves = dcount(CveId) by RecommendedSecurityUpdateId | sort by RecommendedSecurityUpdateId asc",
        )
        return [
            MissingUpdate(
                update_id=str(row["RecommendedSecurityUpdateId"]),
                name=text_of(row, "Name") or str(row["RecommendedSecurityUpdateId"]),
                products=tuple((text_of(row, "Products") or "").splitlines()),
                machines=number_of(row, "Machines") or 0,
                cves=number_of(row, "Cves") or 0,
            )
            for row in rows
        ]

    def versions(self, vendor: str, name: str) -> list[Version]:
        """The versions of a product that machines have."""
        product = f"SoftwareVendor =~ {quote_string(vendor)} and SoftwareName =~ {quote_string(name)}"
        rows = self._telemetry.rows(
            self._tenant,
            f"let found = DeviceTvmSoftwareVulnerabilities | where {product};\n"
            f"let installed = DeviceTvmSoftwareInventory | where {product};\n"
            "union (installed | project SoftwareVersion, DeviceId), (found | project SoftwareVersion, DeviceId)"
            " | summarize Machines = dcount(DeviceId) by SoftwareVersion"
            " | join kind=leftouter (found | summarize Cves = dcount(CveId) by SoftwareVersion) on SoftwareVersion"
            " | sort by SoftwareVersion asc",
        )
        return [
            Version(str(row["SoftwareVersion"]), number_of(row, "Machines") or 0, number_of(row, "Cves") or 0)
            for row in rows
        ]
