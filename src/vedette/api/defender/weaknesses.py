"""Vulnerabilities, software, recommendations and scores."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from vedette.api.defender.answers import collection, entity, found, odata_context, without_options
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machine_entities import to_reference
from vedette.api.defender.machines import find_machine
from vedette.api.defender.weakness_entities import (
    UNASSIGNED,
    Recommendation,
    antivirus_record,
    change_of,
    to_machine_vulnerability,
    to_software,
    to_vulnerability,
    update_of,
)
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.render import json_answer
from vedette.clock import format_ticks, now_ticks
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.machines.inventory import Machines
from vedette.machines.weaknesses import (
    Configuration,
    Scope,
    Software,
    Weaknesses,
    exposure_score,
    parse_software_id,
)
from vedette.odata.options import decode_query, parse_options

MAX_PAGE = 10_000
_OFFERED = frozenset({"$top", "$skip"})

T = TypeVar("T")


class DefenderWeaknesses:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts

    def vulnerabilities(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Vulnerabilities."""
        return _listed(request, "Vulnerabilities", self._weaknesses(context).vulnerabilities(), to_vulnerability)

    def vulnerability(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Vulnerabilities/{cveId}."""
        without_options(request)
        scope = Scope(cve_id=request.path_parameters["cveId"])
        vulnerability = next(iter(self._weaknesses(context).vulnerabilities(scope)), None)
        return entity(request, "Vulnerabilities", to_vulnerability(found(vulnerability, "Vulnerability", scope.cve_id)))

    def machines_by_vulnerability(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Vulnerabilities/{cveId}/machineReferences."""
        scope = Scope(cve_id=request.path_parameters["cveId"])
        return self._references(context, request, self._weaknesses(context).machines_with(scope, exposed=True))

    def findings(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/vulnerabilities/machinesVulnerabilities."""
        return _listed(
            request,
            "Collection(microsoft.windowsDefenderATP.api.PublicAssetVulnerabilityDto)",
            self._weaknesses(context).findings(),
            to_machine_vulnerability,
        )

    def software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Software."""
        return _listed(request, "Software", self._weaknesses(context).software(), to_software)

    def one_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Software/{id}."""
        without_options(request)
        return entity(request, "Software", to_software(self._product(context, request.path_parameters["id"])))

    def machines_by_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Software/{id}/machineReferences."""
        product = self._product(context, request.path_parameters["id"])
        scope = Scope(software=(product.vendor, product.name))
        return self._references(context, request, self._weaknesses(context).machines_with(scope, exposed=False))

    def vulnerabilities_by_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Software/{id}/vulnerabilities."""
        product = self._product(context, request.path_parameters["id"])
        scope = Scope(software=(product.vendor, product.name))
        vulnerabilities = self._weaknesses(context).vulnerabilities(scope)
        return _listed(request, "Vulnerabilities", vulnerabilities, to_vulnerability)

    def machine_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/software."""
        scope = self._machine_scope(context, request)
        return _listed(request, "Software", self._weaknesses(context).software(scope), to_software)

    def machine_vulnerabilities(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/vulnerabilities."""
        scope = self._machine_scope(context, request)
        vulnerabilities = self._weaknesses(context).vulnerabilities(scope)
        return _listed(request, "Vulnerabilities", vulnerabilities, to_vulnerability)

    def machine_recommendations(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/recommendations."""
        scope = self._machine_scope(context, request)
        return _listed(request, "Recommendations", self._recommendations(context, scope), lambda each: each)

    def recommendations(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/recommendations."""
        return _listed(request, "Recommendations", self._recommendations(context, Scope()), lambda each: each)

    def recommendation(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/recommendations/{id}."""
        without_options(request)
        subject = self._subject(context, request)
        answer = update_of(subject) if isinstance(subject, Software) else change_of(subject)
        return entity(request, "Recommendations", answer)

    def recommendation_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/recommendations/{id}/software: the product that is to be updated."""
        without_options(request)
        subject = self._subject(context, request)
        if not isinstance(subject, Software):
            raise NotFoundError(resource=f"Software of recommendation {request.path_parameters['id']}")
        return entity(request, "Analytics.Contracts.PublicAPI.PublicProductDto", to_software(subject))

    def recommendation_machines(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/recommendations/{id}/machineReferences."""
        subject, weaknesses = self._subject(context, request), self._weaknesses(context)
        if isinstance(subject, Software):
            machine_ids = weaknesses.machines_with(Scope(software=(subject.vendor, subject.name)), exposed=True)
        else:
            machine_ids = weaknesses.machines_short_of(subject.configuration_id)
        return self._references(context, request, machine_ids)

    def recommendation_vulnerabilities(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/recommendations/{id}/vulnerabilities."""
        subject = self._subject(context, request)
        scope = Scope(software=(subject.vendor, subject.name)) if isinstance(subject, Software) else None
        vulnerabilities = self._weaknesses(context).vulnerabilities(scope) if scope else []
        return _listed(request, "Vulnerabilities", vulnerabilities, to_vulnerability)

    def exposure_score(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/exposureScore."""
        return self._score(request, "ExposureScore", exposure_score(self._weaknesses(context).worst_scores().values()))

    def exposure_by_groups(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/exposureScore/ByMachineGroups: of every group that has machines with software records."""
        without_options(request)
        worst = self._weaknesses(context).worst_scores()
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock)).of_ids(worst)
        groups: dict[tuple[int, str], list[float]] = {}
        for machine in machines:
            key = (machine.rbac_group_id, machine.rbac_group_name or UNASSIGNED)
            groups.setdefault(key, []).append(worst[machine.machine_id])
        moment = format_ticks(now_ticks(self._parts.clock))
        values = [
            {"time": moment, "score": exposure_score(scores), "rbacGroupId": group_id, "rbacGroupName": name}
            for (group_id, name), scores in sorted(groups.items())
        ]
        return collection(request, "ExposureScore", values)

    def antivirus_health(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/public/avdeviceshealth: from the facts that were gathered about machines."""
        rows = self._weaknesses(context).antivirus_records()
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock))
            by_id = {each.machine_id: each for each in machines.of_ids(str(row["DeviceId"]) for row in rows)}
        return _listed(
            request,
            "DeviceAvHealth",
            rows,
            lambda row: antivirus_record(row, by_id.get(str(row["DeviceId"]).lower())),
        )

    def configuration_score(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/configurationScore."""
        return self._score(request, "ConfigurationScore", self._weaknesses(context).configuration_score())

    def _weaknesses(self, context: RequestContext) -> Weaknesses:
        return Weaknesses(self._parts.telemetry, context.tenant)

    def _score(self, request: ApiRequest, name: str, score: float) -> ApiResponse:
        without_options(request)
        moment = format_ticks(now_ticks(self._parts.clock))
        return json_answer(
            {"@odata.context": odata_context(request, f"{name}/$entity"), "time": moment, "score": score}
        )

    def _product(self, context: RequestContext, software_id: str) -> Software:
        key = parse_software_id(software_id)
        products = self._weaknesses(context).software(Scope(software=key)) if key else []
        return found(next(iter(products), None), "Software", software_id)

    def _recommendations(self, context: RequestContext, scope: Scope) -> list[Recommendation]:
        weaknesses = self._weaknesses(context)
        updates = [update_of(each) for each in weaknesses.software(scope) if each.weaknesses]
        return [*updates, *(change_of(each) for each in weaknesses.configurations(scope))]

    def _subject(self, context: RequestContext, request: ApiRequest) -> Software | Configuration:
        """What a recommendation is about. Raises NotFoundError."""
        key = request.path_parameters["id"]
        kind, _, subject = key.partition("-_-")
        if kind == "va":
            product = self._product(context, subject)
            return found(product if product.weaknesses else None, "Recommendation", key)
        settings = self._weaknesses(context).configurations() if kind == "sca" else []
        wanted = (each for each in settings if each.configuration_id.lower() == subject.lower())
        return found(next(wanted, None), "Recommendation", key)

    def _machine_scope(self, context: RequestContext, request: ApiRequest) -> Scope:
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock))
            return Scope(device_id=find_machine(machines, request).machine_id)

    def _references(self, context: RequestContext, request: ApiRequest, machine_ids: Sequence[str]) -> ApiResponse:
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock))
            return _listed(request, "MachineReferences", machines.of_ids(machine_ids), to_reference)


def _listed(request: ApiRequest, set_name: str, values: Sequence[T], convert: Callable[[T], object]) -> ApiResponse:
    """A part of what was computed, by `$top` and `$skip`."""
    options = parse_options(decode_query(request.query), _OFFERED)
    top, skip = MAX_PAGE if options.top is None else options.top, options.skip or 0
    if top > MAX_PAGE:
        raise InvalidRequestError("TopExceeded", limit=MAX_PAGE, value=top)
    page = [convert(value) for value in values[skip : skip + top]]
    rest = f"?$top={top}&$skip={skip + top}" if options.top is None and len(values) > skip + top else None
    link = None if rest is None else f"{request.base_url}{request.path}{rest}"
    return collection(request, set_name, page, next_link=link)
