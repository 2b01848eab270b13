"""What `vedette seed` does: puts incidents and alerts, written as Graph shows them, into a tenant."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

from vedette.api.graph.evidence_input import from_graph
from vedette.api.graph.feeds import put_resource
from vedette.api.graph.values import complete
from vedette.clock import now_ticks
from vedette.contracts.graph_types import SECURITY
from vedette.errors import InvalidRequestError, UsageError
from vedette.incidents.alerts import ALERT_CREATED, AlertChange, AlertDetails, NewAlert, create
from vedette.incidents.incidents import IncidentChange
from vedette.incidents.triage import By, change_alert, change_incident, move_alerts
from vedette.machines.remediations import RemediationDetails, Remediations, exposed_machines
from vedette.odata.dates import parse_ticks
from vedette.server.data_folder import existing_data_folder
from vedette.server.wiring import Services
from vedette.settings import load_settings

ACTOR = "vedette seed"


class Seeded(msgspec.Struct, frozen=True):
    """Ids of what was made."""

    incidents: tuple[int, ...]
    alerts: tuple[str, ...]
    tasks: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


def seed_file(data: Path, path: Path, tenant_name: str | None) -> Seeded:
    """Seed a tenant from a JSON file, all of it or nothing.

    `{"incidents": [… with "alerts"], "alerts": […], "remediationTasks": […], "resources": {"identities/sensors": […]}}`
    """
    services = Services(load_settings({"data": data}, os.environ), existing_data_folder(data))
    try:
        tenant = services.tenant(tenant_name)
        if tenant is None:
            raise UsageError(f"There is no tenant {tenant_name}." if tenant_name else "There is no tenant yet.")
        document = json.loads(path.read_text(encoding="utf-8"))
        with services.store.begin() as connection:
            return seed(connection, tenant.tenant_id, document, services)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON.") from error
    except InvalidRequestError as error:
        raise UsageError(f"{path}: {error.code}: {error.fields}") from error
    finally:
        services.close()


def seed(connection: Connection, tenant_id: str, document: Mapping[str, Any], services: Services) -> Seeded:
    """Make what a document describes. Raises InvalidRequestError naming the property that is not of its type."""
    made: list[str] = []
    incidents: list[int] = []
    for given in document.get("incidents", ()):
        members = complete(f"{SECURITY}.incident", {name: given[name] for name in given if name != "alerts"})
        ids = [_alert(connection, tenant_id, alert, services) for alert in given.get("alerts", ())]
        if not ids:
            raise InvalidRequestError("MissingParameter", parameter="alerts")
        by = By(ACTOR, now_ticks(services.clock))
        incident_id = move_alerts(connection, tenant_id, ids, None, by)
        change = {name: value for name, value in _incident_change(members, given).items() if value is not None}
        change_incident(connection, tenant_id, incident_id, IncidentChange(**change), by)
        made += ids
        incidents.append(incident_id)
    made += [_alert(connection, tenant_id, alert, services) for alert in document.get("alerts", ())]
    tasks = tuple(_task(connection, tenant_id, task, services) for task in document.get("remediationTasks", ()))
    brought = (ACTOR, now_ticks(services.clock))
    resources = tuple(
        put_resource(connection, tenant_id, path, given, brought)
        for path, all_given in document.get("resources", {}).items()
        for given in all_given
    )
    return Seeded(tuple(incidents), tuple(made), tasks, resources)


def _task(connection: Connection, tenant_id: str, given: Mapping[str, Any], services: Services) -> str:
    """A remediation task for the machines that are exposed now, unless it names them."""
    members = {name: value for name, value in given.items() if name != "machineIds"}
    try:
        details = msgspec.convert(members, RemediationDetails)
    except msgspec.ValidationError as error:
        raise InvalidRequestError("InvalidBodyValue", property="remediationTasks") from error
    machine_ids = given.get("machineIds")
    if machine_ids is None:
        tenant = services.tenant(tenant_id)
        machine_ids = [] if tenant is None else exposed_machines(services.telemetry, tenant, details)
    task_id = services.ids.guid()
    Remediations(connection, tenant_id).add(task_id, details, list(machine_ids), now_ticks(services.clock))
    return task_id


def _incident_change(members: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "display_name": members["displayName"],
        "status": members["status"] if "status" in given else None,
        "severity": members["severity"] if "severity" in given else None,
        "classification": members["classification"],
        "determination": members["determination"],
        "assigned_to": members["assignedTo"],
        "custom_tags": tuple(members["customTags"]) or None,
        "description": members["description"],
        "summary": members["summary"],
    }


def _alert(connection: Connection, tenant_id: str, given: Mapping[str, Any], services: Services) -> str:
    evidence = tuple(from_graph(each) for each in given.get("evidence", ()))
    members = complete(f"{SECURITY}.alert", {name: given[name] for name in given if name != "evidence"})
    now = now_ticks(services.clock)
    source = members["serviceSource"] if "serviceSource" in given else "microsoft365Defender"
    new = NewAlert(
        title=members["title"] or "Alert",
        severity=members["severity"] if "severity" in given else "medium",
        category=members["category"] or "SuspiciousActivity",
        service_source=source,
        detection_source=members["detectionSource"] or "manual",
        first_activity=parse_ticks(members["firstActivityDateTime"] or "") or now,
        last_activity=parse_ticks(members["lastActivityDateTime"] or "") or now,
        details=AlertDetails(
            description=members["description"] or "",
            recommended_actions=members["recommendedActions"],
            mitre_techniques=tuple(members["mitreTechniques"]),
            custom_details=members["customDetails"] or {},
            system_tags=tuple(members["systemTags"]),
        ),
        evidence=evidence,
    )
    creation = create(connection, tenant_id, new, services.clock, services.ids)
    alert_id = creation.alert.alert_id
    services.outbox.publish(connection, tenant_id, ALERT_CREATED, {"alert_id": alert_id})
    if members["assignedTo"] or "status" in given:
        change = AlertChange(
            assigned_to=members["assignedTo"], status=members["status"] if "status" in given else "new"
        )
        change_alert(connection, tenant_id, alert_id, change, By(ACTOR, now))
    return alert_id
