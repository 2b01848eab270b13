"""The investigations operations."""

from vedette.api.defender.answers import entity, found, page_answer, without_options
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machine_entities import to_investigation
from vedette.api.defender.machines import MAX_PAGE, OFFERED
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListRules
from vedette.context import RequestContext
from vedette.contracts.enums import load_enums
from vedette.machines.investigations import INVESTIGATION_FIELDS, Investigations
from vedette.odata.sql import Property, PropertyMap


def investigation_properties() -> PropertyMap:
    """What may be filtered by."""
    field, enums = INVESTIGATION_FIELDS, load_enums()
    return {
        "id": Property(field["investigation_id"], "integer"),
        "startTime": Property(field["started"], "datetime"),
        "state": Property(field["state"], "enum", enums["investigationState"].spellings),
        "machineId": Property(field["machine_id"], "string"),
        "triggeringAlertId": Property(field["triggering_alert_id"], "string"),
    }


class DefenderInvestigations:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts
        self._rules = ListRules(
            offered=OFFERED,
            properties=investigation_properties(),
            default_order=((INVESTIGATION_FIELDS["started"], True), (INVESTIGATION_FIELDS["investigation_id"], True)),
            default_page=MAX_PAGE,
            max_page=MAX_PAGE,
            over_max="refuse",
        )

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/investigations."""
        query, cursor = self._parts.lists.read(context, request, self._rules)
        with self._parts.store.connect() as connection:
            investigations = Investigations(connection, context.tenant.tenant_id, context.scope)
            page = self._parts.lists.page(context, request, (query, cursor), investigations)
        return page_answer(request, "Investigations", query, page, to_investigation)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/investigations/{id}."""
        without_options(request)
        text = request.path_parameters["id"]
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else -1
        with self._parts.store.connect() as connection:
            investigation = Investigations(connection, context.tenant.tenant_id, context.scope).get(number)
        return entity(request, "Investigations", to_investigation(found(investigation, "Investigation", text)))
