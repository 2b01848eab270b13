"""Graph's directory/deletedItems: applications that were deleted and may be restored for thirty days."""

from sqlalchemy import Connection

from vedette.api.graph.applications import GraphApplications, check_ownership
from vedette.api.graph.authors import change_log
from vedette.api.graph.directory_answers import entity_answer, no_content, whole_list_answer
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.identity.directory.applications import Application, Applications
from vedette.identity.registrations import Registrations
from vedette.identity.services import IdentityServices

COLLECTION = "applications"
TYPE = {"@odata.type": "#microsoft.graph.application"}


class GraphDeletedItems:
    """Handlers."""

    def __init__(self, services: IdentityServices, applications: GraphApplications) -> None:
        self._services = services
        self._shown = applications

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /directory/deletedItems/microsoft.graph.application."""
        with self._services.store.connect() as connection:
            found = Applications(connection, context.tenant.tenant_id).deleted()
            return whole_list_answer(
                request, COLLECTION, [self._shown.members(connection, context, each) for each in found]
            )

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /directory/deletedItems/{id}."""
        with self._services.store.connect() as connection:
            application = self._deleted(connection, context, request)
            members = self._shown.members(connection, context, application)
        return entity_answer(request, "directoryObjects", {**TYPE, **members})

    def restore(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /directory/deletedItems/{id}/restore."""
        with self._services.store.begin() as connection:
            application = self._deleted(connection, context, request)
            check_ownership(context, application)
            registrations = Registrations(connection, self._services, context.tenant.tenant_id)
            restored = registrations.restore(application)
            log = change_log(connection, self._services, context, request)
            log.tell("restore_application", restored, appId=restored.app_id)
            members = self._shown.members(connection, context, restored)
        return entity_answer(request, "directoryObjects", {**TYPE, **members})

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /directory/deletedItems/{id}: for good."""
        with self._services.store.begin() as connection:
            application = self._deleted(connection, context, request)
            check_ownership(context, application)
            Applications(connection, context.tenant.tenant_id).remove(application)
            log = change_log(connection, self._services, context, request)
            log.tell("erase_application", application, appId=application.app_id)
        return no_content()

    def _deleted(self, connection: Connection, context: RequestContext, request: ApiRequest) -> Application:
        key = request.path_parameters["id"].lower()
        return Applications(connection, context.tenant.tenant_id).deleted_by_object_id(key)
