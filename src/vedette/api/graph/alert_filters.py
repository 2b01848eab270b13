"""What Graph's alerts may be filtered and ordered by."""

from vedette.contracts.enums import load_enums
from vedette.incidents.alerts import ALERT_FIELDS
from vedette.odata.json_texts import text_collection
from vedette.odata.sql import Property, PropertyMap


def alert_properties() -> PropertyMap:
    """What may be filtered and ordered by."""
    field, enums = ALERT_FIELDS, load_enums()
    return {
        "id": Property(field["alert_id"], "string"),
        "incidentId": Property(field["incident_id"], "integer"),
        "assignedTo": Property(field["assigned_to"], "string"),
        "category": Property(field["category"], "string"),
        "classification": Property(field["classification"], "enum", enums["alertClassification"].spellings),
        "createdDateTime": Property(field["created"], "datetime"),
        "determination": Property(field["determination"], "enum", enums["alertDetermination"].spellings),
        "firstActivityDateTime": Property(field["first_activity"], "datetime"),
        "lastActivityDateTime": Property(field["last_activity"], "datetime"),
        "lastUpdateDateTime": Property(field["last_update"], "datetime"),
        "serviceSource": Property(field["service_source"], "enum", enums["serviceSource"].spellings),
        "severity": Property(field["severity"], "enum", enums["alertSeverity"].spellings),
        "status": Property(field["status"], "enum", enums["alertStatus"].spellings),
        "title": Property(field["title"], "string"),
        "mitreTechniques": text_collection(field["mitre_techniques"], "technique"),
        "systemTags": text_collection(field["system_tags"], "system_tag"),
    }
