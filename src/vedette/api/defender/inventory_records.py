"""Records of what machines hold besides software: browser extensions, certificates, hardware and firmware."""

from vedette.api.defender.machine_records import decoded, device_members, objects_of, time_of
from vedette.machines.inventory import Machine
from vedette.machines.telemetry import Row, number_of, text_of

_NO_TIME = "0001-01-01T00:00:00Z"
"""What the service writes for a time that it does not know (export-certificate-inventory-assessment.md)."""


def extension_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the export of browser extensions, with the permissions that the knowledge base lists for it."""
    return {
        **device_members(row, machine),
        "installationTime": time_of(number_of(row, "InstallationTime")),
        "browserName": text_of(row, "BrowserName"),
        "extensionId": text_of(row, "ExtensionId"),
        "extensionName": text_of(row, "ExtensionName"),
        "extensionDescription": text_of(row, "ExtensionDescription"),
        "extensionVersion": text_of(row, "ExtensionVersion"),
        "extensionRisk": text_of(row, "ExtensionRisk"),
        "extensionVendor": text_of(row, "ExtensionVendor"),
        "isActivated": _is_true(row, "IsActivated"),
        "permissions": [_permission(each) for each in objects_of(row, "Permissions")],
    }


def certificate_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the export of certificates."""
    return {
        **device_members(row, machine),
        "thumbprint": text_of(row, "Thumbprint"),
        "path": text_of(row, "Path"),
        "signatureAlgorithm": text_of(row, "SignatureAlgorithm"),
        "keySize": _whole(text_of(row, "KeySize")),
        "expirationDate": text_of(row, "ExpirationDate") or _NO_TIME,
        "issueDate": text_of(row, "IssueDate") or _NO_TIME,
        "subjectType": text_of(row, "SubjectType"),
        "serialNumber": text_of(row, "SerialNumber"),
        "issuedTo": decoded(text_of(row, "IssuedTo")),
        "issuedBy": decoded(text_of(row, "IssuedBy")),
        "keyUsage": text_of(row, "KeyUsage"),
        "extendedKeyUsage": text_of(row, "ExtendedKeyUsage"),
    }


def component_record(row: Row, machine: Machine | None) -> dict[str, object]:
    """A row of the export of hardware and firmware."""
    return {
        **device_members(row, machine),
        "componentType": text_of(row, "ComponentType"),
        "manufacturer": text_of(row, "Manufacturer"),
        "componentName": text_of(row, "ComponentName"),
        "componentVersion": text_of(row, "ComponentVersion"),
        "additionalFields": text_of(row, "AdditionalFields"),
    }


def _permission(permission: dict[str, object]) -> dict[str, object]:
    return {
        "id": permission.get("Id"),
        "isRequired": str(permission.get("IsRequired")).lower() in _TRUE,
        "risk": permission.get("Risk") or None,
    }


_TRUE = frozenset({"true", "1", "required"})


def _is_true(row: Row, column: str) -> bool:
    return str(row.get(column)).lower() in _TRUE


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 9 else 0
