"""The list of incidents as FastAPI and pydantic serve it, over the same store: the same statements and bytes.

Run by uvicorn with BENCH_STORE and BENCH_TENANT set. It checks no token, permission or rate, and keeps no record.
"""

import json
import os
import re
from collections import defaultdict
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import Row, create_engine, select

from vedette.clock import format_ticks
from vedette.incidents.tables import ALERT_COMMENTS, ALERT_EVIDENCE, ALERTS, INCIDENT_COMMENTS, INCIDENTS
from vedette.odata.dates import parse_ticks

TENANT = os.environ["BENCH_TENANT"]
STORE = create_engine(f"sqlite:///{os.environ['BENCH_STORE']}")
BASE = "https://localhost"
TYPE = "#microsoft.graph.security."
SINCE = re.compile(r"createdDateTime ge (\S+)")
PRODUCTS = {"microsoftDefenderForEndpoint": "Microsoft Defender for Endpoint"}


class Entity(BaseModel):
    """Names as Graph writes them."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Comment(Entity):
    comment: str
    created_by_display_name: str
    created_date_time: str


class FileDetails(Entity):
    sha1: str | None = None
    sha256: str | None = None
    sha256_ac: str | None = None
    md5: str | None = None
    file_name: str | None = None
    file_path: str | None = None
    file_size: int | None = None
    file_publisher: str | None = None
    signer: str | None = None
    issuer: str | None = None


class UserAccount(Entity):
    account_name: str | None = None
    domain_name: str | None = None
    user_sid: str | None = None
    azure_ad_user_id: str | None = None
    user_principal_name: str | None = None
    display_name: str | None = None
    active_directory_object_guid: str | None = None
    tenant_id: str | None = None
    resource_access_events: list[Any] = []


class Evidence(Entity):
    odata_type: str = Field(alias="@odata.type")
    created_date_time: str
    verdict: str = "unknown"
    remediation_status: str = "none"
    remediation_status_details: str | None = None
    roles: list[str] = []
    detailed_roles: list[str] = []
    tags: list[str] = []


class DeviceEvidence(Evidence):
    odata_type: Literal["#microsoft.graph.security.deviceEvidence"] = Field(alias="@odata.type")
    first_seen_date_time: str | None = None
    mde_device_id: str
    azure_ad_device_id: str | None = None
    device_dns_name: str | None = None
    host_name: str | None = None
    nt_domain: str | None = None
    dns_domain: str | None = None
    os_platform: str | None = None
    os_build: int | None = None
    version: str | None = None
    health_status: str = "unknown"
    risk_score: str = "none"
    onboarding_status: str = "onboarded"
    defender_av_status: str = "unknown"
    rbac_group_id: int | None = None
    rbac_group_name: str | None = None
    last_ip_address: str | None = None
    last_external_ip_address: str | None = None
    ip_interfaces: list[str] = []
    logged_on_users: list[Any] = []
    resource_access_events: list[Any] = []
    vm_metadata: None = None


class UserEvidence(Evidence):
    odata_type: Literal["#microsoft.graph.security.userEvidence"] = Field(alias="@odata.type")
    user_account: UserAccount
    stream: None = None


class FileEvidence(Evidence):
    odata_type: Literal["#microsoft.graph.security.fileEvidence"] = Field(alias="@odata.type")
    file_details: FileDetails
    mde_device_id: str | None = None
    detection_status: str = "detected"


class ProcessEvidence(Evidence):
    odata_type: Literal["#microsoft.graph.security.processEvidence"] = Field(alias="@odata.type")
    process_id: int | None = None
    parent_process_id: int | None = None
    process_command_line: str | None = None
    process_creation_date_time: str | None = None
    parent_process_creation_date_time: str | None = None
    detection_status: str = "detected"
    mde_device_id: str | None = None
    image_file: FileDetails | None = None
    parent_process_image_file: FileDetails | None = None
    user_account: UserAccount | None = None


class IpEvidence(Evidence):
    odata_type: Literal["#microsoft.graph.security.ipEvidence"] = Field(alias="@odata.type")
    ip_address: str
    country_letter_code: str | None = None
    location: None = None
    stream: None = None


AnyEvidence = Annotated[
    DeviceEvidence | UserEvidence | FileEvidence | ProcessEvidence | IpEvidence, Field(discriminator="odata_type")
]


class Alert(Entity):
    odata_type: str = Field(f"{TYPE}alert", alias="@odata.type")
    id: str
    provider_alert_id: str
    incident_id: str
    status: str
    severity: str
    classification: str
    determination: str
    service_source: str
    detection_source: str
    product_name: str
    detector_id: str | None = None
    tenant_id: str
    title: str
    description: str
    recommended_actions: str | None = None
    category: str
    categories: list[str]
    assigned_to: str | None
    alert_web_url: str
    incident_web_url: str
    actor_display_name: str | None = None
    threat_display_name: str | None = None
    threat_family_name: str | None = None
    mitre_techniques: list[str] = []
    investigation_state: str = "unknown"
    created_date_time: str
    last_update_date_time: str
    resolved_date_time: str | None
    first_activity_date_time: str
    last_activity_date_time: str
    system_tags: list[str] = []
    alert_policy_id: str | None = None
    additional_data: None = None
    custom_details: dict[str, str] | None = None
    comments: list[Comment]
    evidence: list[AnyEvidence]


class Incident(Entity):
    id: str
    tenant_id: str
    status: str
    incident_web_url: str
    redirect_incident_id: str | None
    display_name: str
    created_date_time: str
    last_update_date_time: str
    assigned_to: str | None
    classification: str
    determination: str
    severity: str
    custom_tags: list[str]
    system_tags: list[str]
    description: str | None = None
    last_modified_by: str | None
    resolving_comment: str | None = None
    summary: str | None = None
    priority_score: int | None = None
    comments: list[Comment]
    alerts: list[Alert]


class Page(Entity):
    odata_context: str = Field(alias="@odata.context")
    value: list[Incident]


app = FastAPI()


@app.get("/v1.0/security/incidents")
def incidents(
    expand: Annotated[Literal["alerts"], Query(alias="$expand")],
    condition: Annotated[str, Query(alias="$filter")],
    top: Annotated[int, Query(alias="$top", le=50)] = 50,
) -> Page:
    """A page of incidents with their alerts."""
    found = SINCE.fullmatch(condition)
    assert found is not None
    by_update = (INCIDENTS.c.last_update.desc(), INCIDENTS.c.incident_id.desc())
    since = INCIDENTS.c.created >= parse_ticks(found[1])
    with STORE.connect() as connection:
        mine = select(INCIDENTS).where(INCIDENTS.c.tenant_id == TENANT, since).order_by(*by_update).limit(top + 1)
        rows = connection.execute(mine).all()[:top]
        comments = _grouped(connection, INCIDENT_COMMENTS, "incident_id", [row.incident_id for row in rows])
        alerts = _grouped(connection, ALERTS, "incident_id", [row.incident_id for row in rows])
        ids = [alert.alert_id for each in alerts.values() for alert in each]
        evidence = _grouped(connection, ALERT_EVIDENCE, "alert_id", ids)
        alert_comments = _grouped(connection, ALERT_COMMENTS, "alert_id", ids)
    value = [
        _incident(row, comments, [_alert(each, evidence, alert_comments) for each in alerts[row.incident_id]])
        for row in rows
    ]
    return Page(odata_context=f"{BASE}/v1.0/$metadata#security/incidents({expand}())", value=value)


def _grouped(connection: Any, table: Any, key: str, wanted: list[Any]) -> dict[Any, list[Row[Any]]]:
    order = [table.c[key], table.c.position if "position" in table.c else table.c.created]
    order += [table.c.alert_id] if table is ALERTS else []
    statement = select(table).where(table.c.tenant_id == TENANT, table.c[key].in_(wanted)).order_by(*order)
    grouped = defaultdict(list)
    for row in connection.execute(statement):
        grouped[getattr(row, key)].append(row)
    return grouped


def _incident(row: Any, comments: Any, alerts: list[Alert]) -> Incident:
    return Incident(
        id=str(row.incident_id),
        tenant_id=TENANT,
        status=row.status,
        incident_web_url=f"{BASE}/portal/incidents/{row.incident_id}?tid={TENANT}",
        redirect_incident_id=None if row.redirect_incident_id is None else str(row.redirect_incident_id),
        display_name=row.display_name,
        created_date_time=format_ticks(row.created),
        last_update_date_time=format_ticks(row.last_update),
        assigned_to=row.assigned_to,
        classification=row.classification,
        determination=row.determination,
        severity=row.severity,
        custom_tags=row.custom_tags,
        system_tags=row.system_tags,
        last_modified_by=row.last_modified_by,
        comments=_comments(comments[row.incident_id]),
        alerts=alerts,
        **row.details,
    )


def _alert(row: Any, evidence: Any, comments: Any) -> Alert:
    return Alert(
        id=row.alert_id,
        provider_alert_id=row.alert_id,
        incident_id=str(row.incident_id),
        status=row.status,
        severity=row.severity,
        classification=row.classification,
        determination=row.determination,
        service_source=row.service_source,
        detection_source=row.detection_source,
        product_name=PRODUCTS[row.service_source],
        tenant_id=TENANT,
        title=row.title,
        category=row.category,
        categories=[row.category],
        assigned_to=row.assigned_to,
        alert_web_url=f"{BASE}/portal/alerts/{row.alert_id}?tid={TENANT}",
        incident_web_url=f"{BASE}/portal/incidents/{row.incident_id}?tid={TENANT}",
        created_date_time=format_ticks(row.created),
        last_update_date_time=format_ticks(row.last_update),
        resolved_date_time=_time(row.resolved),
        first_activity_date_time=format_ticks(row.first_activity),
        last_activity_date_time=format_ticks(row.last_activity),
        comments=_comments(comments[row.alert_id]),
        evidence=[_evidence(each) for each in evidence[row.alert_id]],
        **row.details,
    )


def _comments(rows: Any) -> list[Comment]:
    return [
        Comment(
            comment=row.comment, created_by_display_name=row.created_by, created_date_time=format_ticks(row.created)
        )
        for row in rows
    ]


def _evidence(row: Any) -> Evidence:
    stored = json.loads(row.entity)
    kind, seen = stored.pop("kind"), {"created_date_time": format_ticks(row.created)}
    seen["@odata.type"] = f"{TYPE}{kind}Evidence"
    match kind:
        case "device":
            names = {"mde_device_id": stored.pop("device_id"), "device_dns_name": stored.pop("device_name", None)}
            return DeviceEvidence(**seen, **names, first_seen_date_time=_time(stored.pop("first_seen", None)), **stored)
        case "user":
            return UserEvidence(**seen, user_account=UserAccount(**stored["account"]))
        case "file":
            return FileEvidence(**seen, file_details=FileDetails(**stored["file"]), mde_device_id=stored["device_id"])
        case "process":
            return ProcessEvidence(
                **seen,
                process_id=stored["process_id"],
                parent_process_id=stored["parent_process_id"],
                process_command_line=stored["command_line"],
                process_creation_date_time=_time(stored["created"]),
                parent_process_creation_date_time=_time(stored["parent_created"]),
                mde_device_id=stored["device_id"],
                image_file=FileDetails(**stored["image"]),
                parent_process_image_file=FileDetails(**stored["parent_image"]),
                user_account=UserAccount(**stored["account"]),
            )
        case _:
            return IpEvidence(**seen, ip_address=stored["address"])


def _time(ticks: int | None) -> str | None:
    return None if ticks is None else format_ticks(ticks)
