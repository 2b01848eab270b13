"""Graph's secureScores and secureScoreControlProfiles, from the assessments of machines."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from vedette.api.bodies import read_object
from vedette.api.graph.feeds import FeedParts, document_rules, fields_of_type
from vedette.api.graph.surface import graph_answer, list_answer, metadata_url
from vedette.api.graph.values import complete
from vedette.api.http import ApiRequest, ApiResponse, AuthenticatedHandler
from vedette.api.kept_lists import Documents
from vedette.api.listing import select_members
from vedette.clock import format_ticks, now_ticks
from vedette.context import RequestContext, Tenant
from vedette.contracts.graph_types import GRAPH
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.machines.secure_scores import (
    Control,
    ControlScore,
    ControlUpdate,
    ControlUpdates,
    SecureScore,
    SecureScores,
)
from vedette.machines.telemetry import Telemetry
from vedette.odata.options import decode_query, parse_options

SCORE, PROFILE = f"{GRAPH}.secureScore", f"{GRAPH}.secureScoreControlProfile"
STATES = ("Default", "Ignored", "ThirdParty", "Reviewed")
VENDOR = {"vendor": "Microsoft", "provider": "SecureScore", "subProvider": "Defender for Endpoint"}


class StateBody(msgspec.Struct, frozen=True, rename="camel"):
    """A decision about a control. Who decided and when is not the client's to say."""

    state: str
    assigned_to: str | None = None
    comment: str | None = None
    updated_by: str | None = None
    updated_date_time: str | None = None


class ProfilePatch(msgspec.Struct, frozen=True, rename="camel"):
    """Writable properties. The decisions of the body are added."""

    control_state_updates: tuple[StateBody, ...] = ()
    assigned_to: str | None = None
    comment: str | None = None
    state: str | None = None
    vendor_information: dict[str, Any] | None = None
    tenant_set_state: str | None = None


class GraphSecureScores:
    """Handlers."""

    def __init__(self, parts: FeedParts, telemetry: Telemetry) -> None:
        self._parts = parts
        self._telemetry = telemetry

    def handlers(self) -> Mapping[str, AuthenticatedHandler]:
        """Every operation by its name."""
        return {
            "list_secure_scores": self._list("secureScores", SCORE, self._scores),
            "get_secure_score": self._get("secureScores", self._scores),
            "list_secure_score_control_profiles": self._list("secureScoreControlProfiles", PROFILE, self._profiles),
            "get_secure_score_control_profile": self._get("secureScoreControlProfiles", self._profiles),
            "update_secure_score_control_profile": self.update,
        }

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /security/secureScoreControlProfiles/{id}: one more decision about a control."""
        patch = read_object(request.body, ProfilePatch)
        given = patch.control_state_updates
        if patch.state is not None:
            given = (*given, StateBody(patch.state, patch.assigned_to, patch.comment))
        states = {state.lower(): state for state in STATES}
        for each in given:
            if each.state.lower() not in states:
                raise InvalidRequestError("InvalidBodyValue", property="state")
        control = _found(self._profiles(context.tenant), request)["id"]
        now = now_ticks(self._parts.clock)
        with self._parts.store.begin() as connection:
            updates = ControlUpdates(connection, context.tenant.tenant_id)
            for each in given:
                actor = context.principal.display_name
                state = states[each.state.lower()]
                updates.add(control, ControlUpdate(state, each.assigned_to, each.comment, actor, now))
        document = _found(self._profiles(context.tenant), request)
        context_url = metadata_url(request, "security/secureScoreControlProfiles/$entity")
        return graph_answer({"@odata.context": context_url, **document})

    def _list(self, name: str, type_name: str, read: Callable[[Tenant], list[dict[str, Any]]]) -> AuthenticatedHandler:
        fields = fields_of_type(type_name)
        rules = document_rules(fields)

        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            asked = self._parts.lists.read(context, request, rules)
            page = self._parts.lists.page(context, request, asked, Documents(read(context.tenant), fields))
            value = [select_members(each, asked[0].options.select) for each in page.rows]
            return list_answer(metadata_url(request, f"security/{name}"), page, value)

        return answer

    def _get(self, name: str, read: Callable[[Tenant], list[dict[str, Any]]]) -> AuthenticatedHandler:
        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            options = parse_options(decode_query(request.query), frozenset({"$select"}))
            members = select_members(_found(read(context.tenant), request), options.select)
            return graph_answer({"@odata.context": metadata_url(request, f"security/{name}/$entity"), **members})

        return answer

    def _scores(self, tenant: Tenant) -> list[dict[str, Any]]:
        days = SecureScores(self._telemetry, tenant).days(now_ticks(self._parts.clock))
        return [to_secure_score(tenant, each) for each in days]

    def _profiles(self, tenant: Tenant) -> list[dict[str, Any]]:
        controls = SecureScores(self._telemetry, tenant).controls()
        with self._parts.store.connect() as connection:
            updates = ControlUpdates(connection, tenant.tenant_id).of_controls()
        by_impact = sorted(controls, key=lambda control: (-control.impact, control.control_id))
        return [
            to_profile(tenant, control, rank, updates.get(control.control_id, []))
            for rank, control in enumerate(by_impact, start=1)
        ]


def to_secure_score(tenant: Tenant, score: SecureScore) -> dict[str, Any]:
    """secureScore of a day. What other tenants reach is not known."""
    day = format_ticks(score.day)
    members = {
        "id": f"{tenant.tenant_id}_{datetime.date.fromisoformat(day[:10])}",
        "azureTenantId": tenant.tenant_id,
        "createdDateTime": day,
        "currentScore": score.current,
        "maxScore": score.best,
        "licensedUserCount": None,
        "activeUserCount": None,
        "enabledServices": ["HasMDE"],
        "averageComparativeScores": [],
        "controlScores": [_control_score(each) for each in score.controls],
        "vendorInformation": VENDOR,
    }
    return complete(SCORE, members)


def to_profile(tenant: Tenant, control: Control, rank: int, updates: list[ControlUpdate]) -> dict[str, Any]:
    """secureScoreControlProfile of a setting."""
    members = {
        "id": control.control_id,
        "azureTenantId": tenant.tenant_id,
        "title": control.name or control.control_id,
        "controlCategory": "Device",
        "actionType": "Config",
        "service": "MDE",
        "maxScore": control.impact,
        "rank": rank,
        "tier": control.category,
        "deprecated": False,
        "remediation": control.remediation,
        "remediationImpact": control.description,
        "threats": [control.risk] if control.risk else [],
        "userImpact": "Moderate" if control.has_user_impact else "Low",
        "lastModifiedDateTime": format_ticks(control.last_modified),
        "controlStateUpdates": [
            {
                "assignedTo": each.assigned_to,
                "comment": each.comment,
                "state": each.state,
                "updatedBy": each.updated_by,
                "updatedDateTime": format_ticks(each.updated),
            }
            for each in updates
        ],
        "vendorInformation": VENDOR,
    }
    return complete(PROFILE, members)


def _control_score(score: ControlScore) -> dict[str, Any]:
    """controlScore; it is open, and connectors read its share and counts."""
    return {
        "controlCategory": "Device",
        "controlName": score.control.control_id,
        "description": score.control.description or score.control.name,
        "score": score.score,
        "scoreInPercentage": round(100 * score.complying / score.machines, 2),
        "count": str(score.complying),
        "total": str(score.machines),
    }


def _found(documents: list[dict[str, Any]], request: ApiRequest) -> dict[str, Any]:
    wanted = request.path_parameters["id"].lower()
    found = next((each for each in documents if each["id"].lower() == wanted), None)
    if found is None:
        raise NotFoundError(resource=request.path_parameters["id"])
    return found
