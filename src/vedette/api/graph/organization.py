"""Graph's view of the tenant itself and of others: organization, domains, tenantRelationships."""

from collections.abc import Mapping, Sequence

from vedette.api.graph.directory_answers import entity_answer, whole_list_answer
from vedette.api.graph.directory_entities import wire_time
from vedette.api.graph.surface import graph_answer, metadata_url
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.identity.directory.tenants import TenantRecord, Tenants
from vedette.identity.errors import ObjectNotFoundError
from vedette.identity.services import IdentityServices
from vedette.ids import is_guid

ORGANIZATION, DOMAINS = "organization", "domains"


class GraphOrganization:
    """Handlers."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /organization."""
        return whole_list_answer(request, ORGANIZATION, [self._organization(context)])

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /organization/{id}."""
        if request.path_parameters["id"].lower() != context.tenant.tenant_id:
            raise ObjectNotFoundError("organization", request.path_parameters["id"])
        return entity_answer(request, ORGANIZATION, self._organization(context))

    def list_domains(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /domains."""
        return whole_list_answer(request, DOMAINS, [_domain(name, first) for name, first in self._domains(context)])

    def get_domain(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /domains/{id}."""
        key = request.path_parameters["id"].lower()
        for name, is_initial in self._domains(context):
            if name == key:
                return entity_answer(request, DOMAINS, _domain(name, is_initial))
        raise ObjectNotFoundError("domain", key)

    def find_by_id(self, _context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /tenantRelationships/findTenantInformationByTenantId(tenantId='…')."""
        key = request.path_parameters["tenant"]
        return self._found(request, key if is_guid(key) else None, key)

    def find_by_domain(self, _context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /tenantRelationships/findTenantInformationByDomainName(domainName='…')."""
        key = request.path_parameters["domain"]
        return self._found(request, None if is_guid(key) else key, key)

    def _found(self, request: ApiRequest, segment: str | None, key: str) -> ApiResponse:
        with self._services.store.connect() as connection:
            record = Tenants(connection).find(segment) if segment is not None else None
        if record is None:
            raise ObjectNotFoundError("tenant", key)
        context_url = metadata_url(request, "microsoft.graph.tenantInformation")
        return graph_answer({"@odata.context": context_url, **_tenant_information(record)})

    def _organization(self, context: RequestContext) -> Mapping[str, object]:
        with self._services.store.connect() as connection:
            record = Tenants(connection).get(context.tenant.tenant_id)
        return _organization(record, self._domains(context))

    def _domains(self, context: RequestContext) -> Sequence[tuple[str, bool]]:
        with self._services.store.connect() as connection:
            return Tenants(connection).domains(context.tenant.tenant_id)


def _organization(record: TenantRecord, domains: Sequence[tuple[str, bool]]) -> dict[str, object]:
    return {
        "id": record.tenant.tenant_id,
        "deletedDateTime": None,
        "businessPhones": [],
        "city": None,
        "country": None,
        "countryLetterCode": None,
        "createdDateTime": wire_time(record.created_at),
        "defaultUsageLocation": None,
        "displayName": record.tenant.display_name,
        "marketingNotificationEmails": [],
        "onPremisesLastSyncDateTime": None,
        "onPremisesSyncEnabled": None,
        "postalCode": None,
        "preferredLanguage": None,
        "securityComplianceNotificationMails": [],
        "securityComplianceNotificationPhones": [],
        "state": None,
        "street": None,
        "technicalNotificationMails": [],
        "tenantType": "AAD",
        "assignedPlans": [],
        "privacyProfile": None,
        "provisionedPlans": [],
        "verifiedDomains": [
            {"capabilities": "", "isDefault": is_initial, "isInitial": is_initial, "name": name, "type": "Managed"}
            for name, is_initial in domains
        ],
    }


def _domain(name: str, is_initial: bool) -> dict[str, object]:
    return {
        "id": name,
        "authenticationType": "Managed",
        "availabilityStatus": None,
        "isAdminManaged": True,
        "isDefault": is_initial,
        "isInitial": is_initial,
        "isRoot": True,
        "isVerified": True,
        "passwordNotificationWindowInDays": None,
        "passwordValidityPeriodInDays": None,
        "state": None,
        "supportedServices": [],
    }


def _tenant_information(record: TenantRecord) -> dict[str, object]:
    return {
        "tenantId": record.tenant.tenant_id,
        "federationBrandName": None,
        "displayName": record.tenant.display_name,
        "defaultDomainName": record.tenant.domain,
    }
