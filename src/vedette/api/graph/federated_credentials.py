"""Graph's federatedIdentityCredentials of applications."""

import msgspec
from sqlalchemy import Connection

from vedette.api.graph.applications import application_of, writable_application
from vedette.api.graph.authors import change_log
from vedette.api.graph.directory_answers import entity_answer, no_content, whole_list_answer
from vedette.api.graph.directory_bodies import FederatedCredentialBody, read_entity
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError
from vedette.identity.directory.applications import Application, Applications
from vedette.identity.directory.federated_credentials import FederatedCredential, FederatedCredentials
from vedette.identity.directory.tenants import Tenants
from vedette.identity.services import IdentityServices

DESCRIPTIONS = "federatedDescriptions"
REQUIRED = ("name", "issuer", "subject", "audiences")


class GraphFederatedCredentials:
    """Handlers."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /applications/{id}/federatedIdentityCredentials."""
        with self._services.store.connect() as connection:
            application = application_of(connection, context, request)
            credentials = FederatedCredentials(connection, application).all()
        entities = [_members(application, each) for each in credentials]
        return whole_list_answer(request, _collection(application), entities)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /applications/{id}/federatedIdentityCredentials/{id | name}."""
        with self._services.store.connect() as connection:
            application = application_of(connection, context, request)
            credential = FederatedCredentials(connection, application).get(request.path_parameters["credential"])
        return entity_answer(request, _collection(application), _members(application, credential))

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /applications/{id}/federatedIdentityCredentials."""
        body = read_entity(request.body, FederatedCredentialBody)
        for name in REQUIRED:
            if isinstance(getattr(body, name), msgspec.UnsetType):
                raise InvalidRequestError("DirectoryPropertyRequired", property=name)
        credential = _changed(FederatedCredential(self._services.ids.guid(), "", "", "", ()), body)
        with self._services.store.begin() as connection:
            application = writable_application(connection, context, request)
            FederatedCredentials(connection, application).add(credential)
            application = _describe(connection, application, credential, body)
            log = change_log(connection, self._services, context, request)
            log.tell("update_application", application, added=f"federated credential {credential.name}")
        return entity_answer(request, _collection(application), _members(application, credential), status=201)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /applications/{id}/federatedIdentityCredentials/{id | name}."""
        body = read_entity(request.body, FederatedCredentialBody)
        with self._services.store.begin() as connection:
            application = writable_application(connection, context, request)
            credentials = FederatedCredentials(connection, application)
            before = credentials.get(request.path_parameters["credential"])
            if isinstance(body.name, str) and body.name != before.name:
                raise InvalidRequestError("InvalidBodyValue", property="name")
            credentials.replace(_changed(before, body))
            _describe(connection, application, before, body)
            log = change_log(connection, self._services, context, request)
            log.tell("update_application", application, changed=f"federated credential {before.name}")
        return no_content()

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /applications/{id}/federatedIdentityCredentials/{id | name}."""
        with self._services.store.begin() as connection:
            application = writable_application(connection, context, request)
            credentials = FederatedCredentials(connection, application)
            credential = credentials.get(request.path_parameters["credential"])
            credentials.remove(credential)
            Tenants(connection).advance_generation_of_application(application.app_id)
            log = change_log(connection, self._services, context, request)
            log.tell("update_application", application, removed=f"federated credential {credential.name}")
        return no_content()


def _collection(application: Application) -> str:
    return f"applications('{application.id}')/federatedIdentityCredentials"


def _changed(credential: FederatedCredential, body: FederatedCredentialBody) -> FederatedCredential:
    given = {name: getattr(body, name) for name in REQUIRED}
    return msgspec.structs.replace(
        credential, **{name: value for name, value in given.items() if not isinstance(value, msgspec.UnsetType)}
    )


def _describe(
    connection: Connection, application: Application, credential: FederatedCredential, body: FederatedCredentialBody
) -> Application:
    """Keep the description, which only this API shows, with the registration; tell caches of the change."""
    Tenants(connection).advance_generation_of_application(application.app_id)
    if isinstance(body.description, msgspec.UnsetType):
        return application
    texts = {**application.properties.get(DESCRIPTIONS, {}), credential.id: body.description}
    described = msgspec.structs.replace(application, properties={**application.properties, DESCRIPTIONS: texts})
    Applications(connection, application.tenant_id).replace(described)
    return described


def _members(application: Application, credential: FederatedCredential) -> dict[str, object]:
    return {
        "id": credential.id,
        "name": credential.name,
        "issuer": credential.issuer,
        "subject": credential.subject,
        "description": application.properties.get(DESCRIPTIONS, {}).get(credential.id),
        "audiences": list(credential.audiences),
    }
