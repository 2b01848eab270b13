"""Seeds: incidents and alerts as Graph shows them, machines as Defender for Endpoint does, rows of hunting tables.

One JSON or YAML document may hold all kinds. All of it is made or nothing.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml
from sqlalchemy import Connection

from vedette.api.faults import error_sentence
from vedette.api.graph.feeds import put_resource
from vedette.clock import now_ticks
from vedette.errors import ApiError, InvalidRequestError, NotFoundError, UsageError
from vedette.machines.remediations import RemediationDetails, Remediations, exposed_machines
from vedette.server.data_folder import existing_data_folder
from vedette.server.seed_errors import at, invalid
from vedette.server.seed_events import event_tables
from vedette.server.seed_incidents import ACTOR, seed_alert, seed_incident
from vedette.server.seed_machines import seed_machines
from vedette.server.seed_values import list_of, object_of
from vedette.server.wiring import Services
from vedette.settings import load_settings

KINDS = ("incidents", "alerts", "machines", "events", "remediationTasks", "resources")


class Seeded(msgspec.Struct, frozen=True):
    """Ids of what was made, and how many rows by table."""

    incidents: tuple[int, ...] = ()
    alerts: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    rows: Mapping[str, int] = {}


class _Loader(yaml.SafeLoader):
    """YAML whose times stay text: ours have seven digits."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def seed_file(data: Path, path: Path, tenant_name: str | None) -> Seeded:
    """Seed a tenant of a server that does not run."""
    services = Services(load_settings({"data": data}, os.environ), existing_data_folder(data))
    try:
        return seed_bytes(services, tenant_name, path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except ApiError as error:
        raise UsageError(f"{path}: {error_sentence(error)}") from error
    finally:
        services.close()


def seed_bytes(services: Services, tenant_name: str | None, content: bytes) -> Seeded:
    """Seed a tenant, the home tenant if none is named. Raises ApiError that says where and what."""
    tenant = services.tenant(tenant_name)
    if tenant is None:
        raise NotFoundError("TenantNotFound", name=tenant_name or "")
    document = parse(content)
    rows = event_tables(object_of(document.get("events", {}), "events"), now_ticks(services.clock))
    with services.store.begin() as connection:
        made = seed(connection, tenant.tenant_id, document, services)
    if rows:  # checked above: nothing can be wrong with them any more
        services.writer.append(tenant.tenant_id, f"seed/{services.ids.guid()}", rows, b"{}")
        services.writer.flush(tenant.tenant_id)
    return msgspec.structs.replace(made, rows={name: table.num_rows for name, table in rows.items()})


def parse(content: bytes) -> Mapping[str, Any]:
    """The document, JSON or YAML."""
    try:
        document = yaml.load(content.decode("utf-8-sig"), _Loader)  # noqa: S506 - a SafeLoader
    except UnicodeDecodeError as error:
        raise invalid(f"byte {error.start}", "expected UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise invalid(f"line {line}", error.problem or "expected JSON or YAML") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # ValueError: a number of thousands of digits
        raise invalid("line 1", "expected JSON or YAML") from error
    found = object_of(document, "document")
    for name in found:
        if name not in KINDS:
            raise invalid(name, f"expected one of {', '.join(KINDS)}")
    return found


def seed(connection: Connection, tenant_id: str, document: Mapping[str, Any], services: Services) -> Seeded:
    """Make what a document describes, but for its events. Raises InvalidRequestError."""
    incidents, alerts = [], []
    for number, given in enumerate(list_of(document.get("incidents", []), "incidents")):
        path = f"incidents[{number}]"
        incident_id, alert_ids = seed_incident(connection, tenant_id, object_of(given, path), services, path)
        incidents.append(incident_id)
        alerts += alert_ids
    for number, given in enumerate(list_of(document.get("alerts", []), "alerts")):
        with at(f"alerts[{number}]"):
            alerts.append(seed_alert(connection, tenant_id, object_of(given, f"alerts[{number}]"), services))
    machines = seed_machines(connection, tenant_id, document.get("machines", []), services)
    tasks = []
    for number, given in enumerate(list_of(document.get("remediationTasks", []), "remediationTasks")):
        with at(f"remediationTasks[{number}]"):
            tasks.append(_task(connection, tenant_id, given, services))
    resources = _resources(connection, tenant_id, document.get("resources", {}), services)
    return Seeded(tuple(incidents), tuple(alerts), tuple(tasks), resources, machines)


def _resources(connection: Connection, tenant_id: str, given: object, services: Services) -> tuple[str, ...]:
    brought = (ACTOR, now_ticks(services.clock))
    made = []
    for feed, entities in object_of(given, "resources").items():
        for number, entity in enumerate(list_of(entities, f"resources.{feed}")):
            with at(f"resources.{feed}[{number}]"):
                made.append(put_resource(connection, tenant_id, feed, entity, brought))
    return tuple(made)


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
