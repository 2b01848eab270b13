"""The request bodies of operations: the very structs that the handlers read them into, as JSON schemas."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from vedette.api.defender import actions, indicators, machines
from vedette.api.defender import alerts as defender_alerts
from vedette.api.defender import incidents as defender_incidents
from vedette.api.graph import (
    alerts,
    batch,
    comments,
    detection_rules,
    directory_bodies,
    directory_roles,
    groups,
    identity_accounts,
    incidents,
    legacy_alerts,
    manual_alerts,
    secure_scores,
    subscriptions,
    ti_indicators,
    users,
)
from vedette.api.hunting import HuntingRequest
from vedette.api.openapi.schemas import COMPONENTS, Schema

MULTIPART = "multipart/form-data"

_Body = type[msgspec.Struct]

_DEFENDER: Mapping[str, _Body] = {
    "update_incident": defender_incidents.IncidentUpdate,
    "run_advanced_hunting": HuntingRequest,
    "run_advanced_query": HuntingRequest,
    "update_alert": defender_alerts.AlertUpdate,
    "batch_update_alerts": defender_alerts.BatchUpdate,
    "create_alert_by_reference": defender_alerts.ReferenceBody,
    "update_machine_method": machines.MachineUpdate,
    "add_or_remove_machine_tags": machines.TagRequest,
    "add_or_remove_multiple_machine_tags": machines.TagRequest,
    "set_device_value": machines.DeviceValueRequest,
    "isolate_machine": actions.IsolateBody,
    "unisolate_machine": actions.ActionBody,
    "restrict_code_execution": actions.ActionBody,
    "unrestrict_code_execution": actions.ActionBody,
    "run_av_scan": actions.ScanBody,
    "offboard_machine_api": actions.ActionBody,
    "stop_and_quarantine_file": actions.FileBody,
    "collect_investigation_package": actions.ActionBody,
    "run_live_response": actions.LiveResponseBody,
    "cancel_machine_action": actions.ActionBody,
    "initiate_autoir_investigation": actions.ActionBody,
    "post_ti_indicator": indicators.IndicatorBody,
    "import_ti_indicators": indicators.ImportBody,
    "batch_delete_ti_indicators": indicators.DeleteBody,
}
_GRAPH: Mapping[str, _Body] = {
    "update_incident": incidents.IncidentPatch,
    "add_incident_comment": comments.CommentBody,
    "merge_incidents": incidents.MergeBody,
    "update_alert": alerts.AlertPatch,
    "add_alert_comment": comments.CommentBody,
    "move_alerts": alerts.MoveBody,
    "create_alert": manual_alerts.AlertBody,
    "update_legacy_alert": legacy_alerts.LegacyPatch,
    "run_hunting_query": HuntingRequest,
    "run_batch": batch.BatchBody,
    "create_subscription": subscriptions.SubscriptionBody,
    "update_subscription": subscriptions.SubscriptionPatch,
    "create_detection_rule": detection_rules.RuleBody,
    "update_detection_rule": detection_rules.RuleBody,
    "update_secure_score_control_profile": secure_scores.ProfilePatch,
    "invoke_identity_action": identity_accounts.ActionBody,
    "create_ti_indicator": ti_indicators.TiIndicator,
    "update_ti_indicator": ti_indicators.TiIndicator,
    **dict.fromkeys(
        ("submit_ti_indicators", "update_ti_indicators", "delete_ti_indicators", "delete_ti_indicators_by_external_id"),
        ti_indicators.Items,
    ),
    "create_application": directory_bodies.ApplicationBody,
    "update_application": directory_bodies.ApplicationBody,
    "add_application_password": directory_bodies.AddPasswordBody,
    "remove_application_password": directory_bodies.KeyIdBody,
    "add_application_key": directory_bodies.AddKeyBody,
    "remove_application_key": directory_bodies.RemoveKeyBody,
    "create_federated_credential": directory_bodies.FederatedCredentialBody,
    "update_federated_credential": directory_bodies.FederatedCredentialBody,
    "create_service_principal": directory_bodies.ServicePrincipalBody,
    "update_service_principal": directory_bodies.ServicePrincipalBody,
    "add_principal_password": directory_bodies.AddPasswordBody,
    "remove_principal_password": directory_bodies.KeyIdBody,
    "add_principal_key": directory_bodies.AddKeyBody,
    "remove_principal_key": directory_bodies.RemoveKeyBody,
    **dict.fromkeys(
        ("create_role_assignment", "create_assigned_role", "create_user_role", "create_group_role"),
        directory_bodies.AppRoleAssignmentBody,
    ),
    "create_grant": directory_bodies.GrantBody,
    "update_grant": directory_bodies.GrantChange,
    "create_user": users.UserBody,
    "update_user": users.UserBody,
    "create_group": groups.GroupBody,
    "update_group": groups.GroupBody,
    "add_group_member": directory_bodies.ReferenceBody,
    "add_directory_role_member": directory_bodies.ReferenceBody,
    "create_directory_role_assignment": directory_roles.RoleAssignmentBody,
}
BODIES: Mapping[str, Mapping[str, _Body]] = {"defender": _DEFENDER, "graph": _GRAPH}
"""By surface and handler."""

_ACTIVATION: Schema = {
    "type": "object",
    "properties": {"activationMode": {"type": "string"}},
    "required": ["activationMode"],
}
_AUDITING: Schema = {"type": "object", "properties": {"isAutomatic": {"type": "boolean"}}, "required": ["isAutomatic"]}

MEMBERS: Mapping[str, Schema] = {
    "update_health_issue": {"type": "object"},
    "update_sensor": {"type": "object"},
    "activate_sensor_candidates": {
        "type": "object",
        "properties": {"serverIds": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
        "required": ["serverIds"],
    },
    "set_sensor_activation": _ACTIVATION,
    "update_sensor_activation": _ACTIVATION,
    "set_auto_auditing": _AUDITING,
    "update_auto_auditing": _AUDITING,
}
"""Bodies that handlers read without a struct, by handler."""

FORMS: Mapping[str, Schema] = {
    "upload_library": {
        "type": "object",
        "properties": {
            "File": {"type": "string", "contentMediaType": "application/octet-stream"},
            "Description": {"type": "string"},
            "ParametersDescription": {"type": "string"},
            "HasParameters": {"type": "boolean"},
            "OverrideIfExists": {"type": "boolean"},
        },
        "required": ["File"],
    }
}
"""Bodies that are forms, by handler."""

OPTIONAL = frozenset({"add_application_password", "add_principal_password"})
"""Handlers whose body may be missing."""


class BodySchemas:
    """The schemas of a document's bodies; `components` are those of the structs and of what they contain."""

    def __init__(self, surface: str, handlers: Iterable[str]) -> None:
        self._structs = {name: BODIES[surface][name] for name in handlers if name in BODIES[surface]}
        kinds = list(dict.fromkeys(self._structs.values()))
        found, components = msgspec.json.schema_components(
            kinds, schema_hook=_anything, ref_template=f"{COMPONENTS}{{name}}"
        )
        self._references = dict(zip(kinds, found, strict=True))
        plain = msgspec.json.decode(msgspec.json.encode(components))  # defaults may be tuples, which no schema knows
        self.components: Mapping[str, Schema] = {name: _closed(schema) for name, schema in plain.items()}

    def of(self, handler: str) -> Schema | None:
        """The OpenAPI request body of an operation, if it takes one."""
        if handler in FORMS:
            return _body(FORMS[handler], MULTIPART)
        if handler in MEMBERS:
            return _body(MEMBERS[handler])
        if handler not in self._structs:
            return None
        return _body(self._references[self._structs[handler]], required=handler not in OPTIONAL)


def _body(schema: Schema, media: str = "application/json", *, required: bool = True) -> Schema:
    return {"required": required, "content": {media: {"schema": schema}}}


def _anything(type_: type) -> Schema:
    """`object`: a value that its handler looks into by itself."""
    if type_ is not object:
        raise NotImplementedError(type_)
    return {"description": "What its name implies; the handler looks into it."}


def _closed(schema: Any) -> Schema:
    """A struct's schema: a property that it lacks is refused."""
    return {**schema, "additionalProperties": False} if schema.get("type") == "object" else dict(schema)
