"""Writes the login service's events as rows of the hunting tables; the handler of the job that follows each of them."""

import json
from collections.abc import Mapping

import msgspec
import pyarrow as pa

from vedette.clock import to_ticks
from vedette.contracts.tables import load_tables
from vedette.identity.audit import Event
from vedette.jobs.queue import Job
from vedette.lake.engine import Lake

JOB = "write_identity_rows"
PRODUCT = "Vedette"

Row = dict[str, object]

_ARROW = {
    "string": pa.string(),
    "int": pa.int32(),
    "bool": pa.bool_(),
    "datetime": pa.int64(),
    "dynamic": pa.string(),
}


class IdentityTables:
    """Appends rows to the lake. Repeating a job changes nothing: the batch has the event's id."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def write(self, job: Job) -> None:
        """Append the rows of one event."""
        events = msgspec.convert(job.payload["events"], list[Event])
        rows: dict[str, list[Row]] = {}
        for event in events:
            rows.setdefault(event.table, []).append(row_of(event))
        tables = {name: _to_table(name, of_table) for name, of_table in rows.items()}
        self._lake.append(job.tenant_id, f"identity/{job.payload['batch_id']}", tables, b"{}")


def row_of(event: Event) -> Row:
    """The row of an event; what is unknown has no key."""
    common: Row = {"Timestamp": to_ticks(event.at), "ReportId": event.id}
    own = {
        "EntraIdSignInEvents": _user_sign_in,
        "EntraIdSpnSignInEvents": _application_sign_in,
        "IdentityDirectoryEvents": _directory_change,
        "CloudAppEvents": _cloud_activity,
    }[event.table](event.fields)
    return {name: value for name, value in {**common, **own}.items() if value != ""}


def _sign_in(fields: Mapping[str, object]) -> Row:
    return {
        "Application": fields["app_name"],
        "ApplicationId": fields["app_id"],
        "ErrorCode": fields["error_code"],
        "CorrelationId": fields["correlation_id"],
        "ResourceDisplayName": fields["resource_name"],
        "ResourceId": fields["resource_id"],
        "ResourceTenantId": fields["tenant_id"] if fields["resource_id"] else "",
        "IPAddress": fields["address"],
        "RequestId": fields["request_id"],
    }


def _user_sign_in(fields: Mapping[str, object]) -> Row:
    kind = "interactiveUser" if fields["is_interactive"] else "nonInteractiveUser"
    factors = "multiFactorAuthentication" if "mfa" in _words(fields["methods"]) else "singleFactorAuthentication"
    return {
        **_sign_in(fields),
        "LogonType": json.dumps([kind]),
        "AccountDisplayName": fields["user_display_name"],
        "AccountObjectId": fields["user_id"],
        "AccountUpn": fields["user_name"],
        "IsConfidentialClient": fields["is_confidential"],
        "IsExternalUser": 0,
        "IsGuestUser": False,
        "AuthenticationRequirement": factors,
        "TokenIssuerType": 0,
        "UserAgent": fields["user_agent"],
        "ConditionalAccessStatus": 2,
        "EndpointCall": fields["endpoint"],
    }


def _application_sign_in(fields: Mapping[str, object]) -> Row:
    return {
        **_sign_in(fields),
        "IsManagedIdentity": False,
        "ServicePrincipalName": fields["app_name"],
        "ServicePrincipalId": fields["principal_id"],
    }


def _directory_change(fields: Mapping[str, object]) -> Row:
    name, _, domain = str(fields["actor_name"]).partition("@")
    return {
        "ActionType": str(fields["action"]).strip(),
        "Application": fields["application"] or PRODUCT,
        "TargetAccountUpn": fields["target_name"],
        "TargetAccountDisplayName": fields["target_display_name"],
        "AccountName": name,
        "AccountDomain": domain,
        "AccountUpn": fields["actor_name"],
        "AccountObjectId": fields["actor_id"],
        "AccountDisplayName": fields["actor_display_name"],
        "IPAddress": fields["address"],
        "AdditionalFields": json.dumps(
            {
                **_details(fields),
                "TARGET_OBJECT.TYPE": fields["target_kind"],
                "TARGET_OBJECT.ID": fields["target_id"],
                "ACTOR.APPLICATION": fields["app_name"],
            }
        ),
    }


def _cloud_activity(fields: Mapping[str, object]) -> Row:
    action = str(fields["action"])
    shown = fields["target_name"] or fields["target_display_name"]
    target = {"Type": fields["target_kind"], "Role": "Target object", "Name": shown, "Id": fields["target_id"]}
    actor = {"Type": "User", "Role": "Actor", "Name": fields["actor_display_name"], "Id": fields["actor_id"]}
    return {
        "ActionType": action if action.endswith(" ") else f"{action}.",
        "Application": PRODUCT,
        "AccountObjectId": fields["actor_id"],
        "AccountId": fields["actor_name"],
        "AccountDisplayName": fields["actor_display_name"],
        "AccountType": "Application" if fields["is_application"] else "Regular",
        "IsAdminOperation": bool(fields["app_id"]),
        "IPAddress": fields["address"],
        "UserAgent": fields["user_agent"],
        "ActivityType": action.partition(" ")[0],
        "ActivityObjects": json.dumps([target, actor]),
        "ObjectName": shown,
        "ObjectType": fields["target_kind"],
        "ObjectId": fields["target_id"],
        "OAuthAppId": fields["app_id"],
        "AuditSource": PRODUCT,
        "RawEventData": json.dumps(
            {
                "Operation": f"{action.strip()}.",
                "Workload": "AzureActiveDirectory",
                "ResultStatus": "Success",
                "ObjectId": fields["target_id"],
                "UserId": fields["actor_name"],
                "ClientIP": fields["address"],
                "ExtendedProperties": [{"Name": name, "Value": value} for name, value in _details(fields).items()],
            }
        ),
    }


def _details(fields: Mapping[str, object]) -> dict[str, str]:
    details = fields["details"]
    return {str(name): str(value) for name, value in details.items()} if isinstance(details, Mapping) else {}


def _words(value: object) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list | tuple) else []


def _to_table(name: str, rows: list[Row]) -> pa.Table:
    types = {column.name: _ARROW[column.type] for column in load_tables()[name].columns if column.type in _ARROW}
    used = {column: types[column] for row in rows for column in row}
    return pa.table({column: pa.array([row.get(column) for row in rows], type_) for column, type_ in used.items()})
