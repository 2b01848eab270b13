"""Vulnerabilities, software, recommendations, missing updates and scores."""

import msgspec

from vedette.api.defender import weakness_entities as shapes
from vedette.api.defender.answers import entity, found, odata_context, without_options
from vedette.api.defender.antivirus_records import ANTIVIRUS_FIELDS, antivirus_record
from vedette.api.defender.computed import ComputedList
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.machine_entities import MachineReference, to_reference
from vedette.api.defender.machine_records import UNASSIGNED
from vedette.api.defender.machines import find_machine
from vedette.api.defender.weakness_entities import (
    Recommendation,
    change_of,
    to_distribution,
    to_machine_vulnerability,
    to_missing_update,
    to_software,
    to_vulnerability,
    update_of,
)
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.render import json_answer
from vedette.clock import format_ticks, now_ticks
from vedette.context import RequestContext
from vedette.errors import NotFoundError
from vedette.machines.active_alerts import products_with_alerts
from vedette.machines.inventory import Machine, Machines
from vedette.machines.security_updates import SecurityUpdates
from vedette.machines.telemetry import Row
from vedette.machines.weaknesses import (
    EVERYTHING,
    Configuration,
    Scope,
    Software,
    Weaknesses,
    exposure_score,
    parse_software_id,
)
from vedette.odata.documents import fields_of

_API = "microsoft.windowsDefenderATP.api"
VULNERABILITIES = ComputedList("Vulnerabilities", shapes.VULNERABILITY_FIELDS, max_page=8_000)
RELATED_VULNERABILITIES = ComputedList(
    "Collection(Analytics.Contracts.PublicAPI.PublicVulnerabilityDto)", shapes.VULNERABILITY_FIELDS
)
FINDINGS = ComputedList(f"Collection({_API}.PublicAssetVulnerabilityDto)", shapes.MACHINE_VULNERABILITY_FIELDS)
SOFTWARE = ComputedList("Software", shapes.SOFTWARE_FIELDS)
DISTRIBUTIONS = ComputedList("Distributions", shapes.DISTRIBUTION_FIELDS, key="version")
MISSING_UPDATES = ComputedList(f"Collection({_API}.PublicProductFixDto)", shapes.MISSING_UPDATE_FIELDS)
RECOMMENDATIONS = ComputedList("Recommendations", shapes.RECOMMENDATION_FIELDS)
REFERENCES = ComputedList("MachineReferences", fields_of(MachineReference))
GROUP_SCORES = ComputedList("ExposureScore", shapes.GROUP_SCORE_FIELDS, key="rbacGroupId")
ANTIVIRUS_HEALTH = ComputedList("DeviceAvHealth", ANTIVIRUS_FIELDS)
DEVICE_ANTIVIRUS = ComputedList("DeviceAvInfo", ANTIVIRUS_FIELDS, default_page=20)


class DefenderWeaknesses:
    """Handlers."""

    def __init__(self, parts: EndpointParts) -> None:
        self._parts = parts

    def vulnerabilities(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Vulnerabilities."""
        return self._vulnerabilities(context, request, EVERYTHING)

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
        rows = self._weaknesses(context).findings
        return FINDINGS.answer(self._parts.lists, context, request, rows, to_machine_vulnerability)

    def software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Software."""
        return self._software(context, request, EVERYTHING)

    def one_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Software/{id}."""
        without_options(request)
        product = self._product(context, request.path_parameters["id"])
        return entity(request, "Software", to_software(product, active_alert=self._has_alert(context, product)))

    def distributions(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Software/{id}/distributions."""
        product = self._product(context, request.path_parameters["id"])
        updates = SecurityUpdates(self._parts.telemetry.within(context.scope), context.tenant)
        return DISTRIBUTIONS.answer(
            self._parts.lists, context, request, lambda: updates.versions(product.vendor, product.name), to_distribution
        )

    def machines_by_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Software/{id}/machineReferences."""
        scope = self._product_scope(context, request)
        return self._references(context, request, self._weaknesses(context).machines_with(scope, exposed=False))

    def vulnerabilities_by_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Software/{id}/vulnerabilities."""
        return self._vulnerabilities(context, request, self._product_scope(context, request))

    def missing_updates_of_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/Software/{id}/getmissingkbs."""
        return self._missing(context, request, self._product_scope(context, request))

    def machine_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/software."""
        return self._software(context, request, self._machine_scope(context, request))

    def machine_vulnerabilities(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/vulnerabilities."""
        return self._vulnerabilities(context, request, self._machine_scope(context, request))

    def machine_recommendations(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/recommendations."""
        return self._recommendations(context, request, self._machine_scope(context, request))

    def missing_updates_of_machine(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/machines/{id}/getmissingkbs."""
        machine = self._machine(context, request)
        return self._missing(context, request, Scope(device_id=machine.machine_id), machine.os_build)

    def recommendations(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/recommendations."""
        return self._recommendations(context, request, EVERYTHING)

    def recommendation(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/recommendations/{id}."""
        without_options(request)
        subject = self._subject(context, request)
        if isinstance(subject, Software):
            answer = update_of(subject, active_alert=self._has_alert(context, subject))
        else:
            answer = change_of(subject)
        return entity(request, "Recommendations", answer)

    def recommendation_software(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/recommendations/{id}/software: the product that is to be updated."""
        without_options(request)
        subject = self._subject(context, request)
        if not isinstance(subject, Software):
            raise NotFoundError(resource=f"Software of recommendation {request.path_parameters['id']}")
        answer = to_software(subject, active_alert=self._has_alert(context, subject))
        # The page's sample names the type alone, without `$entity`.
        context_url = odata_context(request, "Analytics.Contracts.PublicAPI.PublicProductDto")
        return json_answer({"@odata.context": context_url, **msgspec.to_builtins(answer)})

    def recommendation_machines(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/recommendations/{id}/machineReferences."""
        subject, weaknesses = self._subject(context, request), self._weaknesses(context)
        if isinstance(subject, Software):
            machine_ids = weaknesses.machines_with(Scope(software=(subject.vendor, subject.name)), exposed=True)
        else:
            machine_ids = weaknesses.machines_short_of(subject.configuration_id)
        return self._references(context, request, machine_ids)

    def recommendation_vulnerabilities(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/recommendations/{id}/vulnerabilities: a setting has none."""
        subject = self._subject(context, request)
        scope = Scope(software=(subject.vendor, subject.name)) if isinstance(subject, Software) else None
        return self._vulnerabilities(context, request, scope)

    def exposure_score(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/exposureScore."""
        return self._score(request, "ExposureScore", exposure_score(self._weaknesses(context).worst_scores().values()))

    def exposure_by_groups(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/exposureScore/ByMachineGroups: of every group that has machines with software records."""
        return GROUP_SCORES.answer(
            self._parts.lists, context, request, lambda: self._group_scores(context), lambda score: score
        )

    def configuration_score(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/configurationScore."""
        return self._score(request, "ConfigurationScore", self._weaknesses(context).configuration_score())

    def antivirus_health(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/public/avdeviceshealth: from the facts that were gathered about machines."""
        return self._antivirus(context, request, ANTIVIRUS_HEALTH)

    def device_antivirus(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /api/deviceavinfo: the same, by its newer name and in shorter pages."""
        return self._antivirus(context, request, DEVICE_ANTIVIRUS)

    def _antivirus(self, context: RequestContext, request: ApiRequest, answers: ComputedList) -> ApiResponse:
        def rows() -> list[tuple[Row, Machine | None]]:
            records = self._weaknesses(context).antivirus_records()
            machines = self._machines(context, [str(row["DeviceId"]) for row in records])
            by_id = {each.machine_id: each for each in machines}
            return [(row, by_id.get(str(row["DeviceId"]).lower())) for row in records]

        return answers.answer(self._parts.lists, context, request, rows, lambda row: antivirus_record(row[0], row[1]))

    def _group_scores(self, context: RequestContext) -> list[shapes.GroupScore]:
        worst = self._weaknesses(context).worst_scores()
        groups: dict[tuple[int, str], list[float]] = {}
        for machine in self._machines(context, list(worst)):
            key = (machine.rbac_group_id, machine.rbac_group_name or UNASSIGNED)
            groups.setdefault(key, []).append(worst[machine.machine_id])
        moment = format_ticks(now_ticks(self._parts.clock))
        return [
            shapes.GroupScore(time=moment, score=exposure_score(scores), rbac_group_id=group_id, rbac_group_name=name)
            for (group_id, name), scores in sorted(groups.items())
        ]

    def _weaknesses(self, context: RequestContext) -> Weaknesses:
        return Weaknesses(self._parts.telemetry.within(context.scope), context.tenant)

    def _machines(self, context: RequestContext, machine_ids: list[str]) -> list[Machine]:
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            return machines.of_ids(machine_ids)

    def _score(self, request: ApiRequest, name: str, score: float) -> ApiResponse:
        without_options(request)
        moment = format_ticks(now_ticks(self._parts.clock))
        return json_answer(
            {"@odata.context": odata_context(request, f"{name}/$entity"), "time": moment, "score": score}
        )

    def _vulnerabilities(self, context: RequestContext, request: ApiRequest, scope: Scope | None) -> ApiResponse:
        weaknesses = self._weaknesses(context)
        answers = VULNERABILITIES if scope is EVERYTHING else RELATED_VULNERABILITIES
        return answers.answer(
            self._parts.lists,
            context,
            request,
            lambda: [] if scope is None else weaknesses.vulnerabilities(scope),
            to_vulnerability,
        )

    def _software(self, context: RequestContext, request: ApiRequest, scope: Scope) -> ApiResponse:
        weaknesses, alerted = self._weaknesses(context), self._alerted(context)
        return SOFTWARE.answer(
            self._parts.lists,
            context,
            request,
            lambda: weaknesses.software(scope),
            lambda each: to_software(each, active_alert=each.product in alerted),
        )

    def _missing(
        self, context: RequestContext, request: ApiRequest, scope: Scope, os_build: int | None = None
    ) -> ApiResponse:
        updates = SecurityUpdates(self._parts.telemetry.within(context.scope), context.tenant)
        return MISSING_UPDATES.answer(
            self._parts.lists,
            context,
            request,
            lambda: updates.missing(scope),
            lambda update: to_missing_update(update, os_build),
        )

    def _recommendations(self, context: RequestContext, request: ApiRequest, scope: Scope) -> ApiResponse:
        def rows() -> list[Recommendation]:
            weaknesses, alerted = self._weaknesses(context), self._alerted(context)
            products = (each for each in weaknesses.software(scope) if each.weaknesses)
            updates = [update_of(each, active_alert=each.product in alerted) for each in products]
            return [*updates, *map(change_of, weaknesses.configurations(scope))]

        return RECOMMENDATIONS.answer(self._parts.lists, context, request, rows, lambda each: each)

    def _alerted(self, context: RequestContext) -> frozenset[tuple[str, str]]:
        with self._parts.store.connect() as connection:
            return products_with_alerts(self._parts.telemetry.within(context.scope), context.tenant, connection)

    def _has_alert(self, context: RequestContext, product: Software) -> bool:
        return product.product in self._alerted(context)

    def _product(self, context: RequestContext, software_id: str) -> Software:
        key = parse_software_id(software_id)
        products = self._weaknesses(context).software(Scope(software=key)) if key else []
        return found(next(iter(products), None), "Software", software_id)

    def _product_scope(self, context: RequestContext, request: ApiRequest) -> Scope:
        product = self._product(context, request.path_parameters["id"])
        return Scope(software=(product.vendor, product.name))

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
        return Scope(device_id=self._machine(context, request).machine_id)

    def _machine(self, context: RequestContext, request: ApiRequest) -> Machine:
        with self._parts.store.connect() as connection:
            machines = Machines(connection, context.tenant.tenant_id, now_ticks(self._parts.clock), context.scope)
            return find_machine(machines, request)

    def _references(self, context: RequestContext, request: ApiRequest, machine_ids: list[str]) -> ApiResponse:
        return REFERENCES.answer(
            self._parts.lists, context, request, lambda: self._machines(context, machine_ids), to_reference
        )
