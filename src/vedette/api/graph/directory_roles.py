"""Graph's directory roles: the built-in ones, and who has them, in both dialects (directoryRoles, roleManagement)."""

import base64
import binascii
import uuid

from sqlalchemy import Connection

from vedette.api.graph.authors import change_log
from vedette.api.graph.directory_answers import Members, entity_answer, no_content, whole_list_answer
from vedette.api.graph.directory_bodies import Body, read_entity, read_reference
from vedette.api.graph.users import directory_role_id, to_directory_role, to_user
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.contracts.permissions import DirectoryRoleContract, directory_role, load_directory_roles
from vedette.identity.accounts import Accounts
from vedette.identity.directory.users import Users
from vedette.identity.errors import AssignmentExistsError, InvalidValueError, ObjectNotFoundError
from vedette.identity.services import IdentityServices

ROLES, TEMPLATES = "directoryRoles", "directoryRoleTemplates"
DEFINITIONS, ASSIGNMENTS = "roleManagement/directory/roleDefinitions", "roleManagement/directory/roleAssignments"


class RoleAssignmentBody(Body, frozen=True, kw_only=True):
    """unifiedRoleAssignment."""

    role_definition_id: str
    principal_id: str
    directory_scope_id: str = "/"
    app_scope_id: str | None = None


class GraphDirectoryRoles:
    """Handlers."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /directoryRoles: every built-in role counts as activated."""
        roles = load_directory_roles().values()
        return whole_list_answer(request, ROLES, [to_directory_role(context.tenant.tenant_id, each) for each in roles])

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /directoryRoles/{id}."""
        return entity_answer(request, ROLES, to_directory_role(context.tenant.tenant_id, _role_of(context, request)))

    def list_members(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /directoryRoles/{id}/members."""
        role = _role_of(context, request)
        with self._services.store.connect() as connection:
            users = Users(connection, context.tenant.tenant_id).with_role(role.id)
        typed = [{"@odata.type": "#microsoft.graph.user", **to_user(user)} for user in users]
        return whole_list_answer(request, "directoryObjects", typed)

    def add_member(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /directoryRoles/{id}/members/$ref."""
        role, user_id = _role_of(context, request), read_reference(request.body)
        with self._services.store.begin() as connection:
            self._give(connection, context, request, user_id, role.id)
        return no_content()

    def remove_member(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /directoryRoles/{id}/members/{member}/$ref."""
        role = _role_of(context, request)
        with self._services.store.begin() as connection:
            self._take(connection, context, request, request.path_parameters["member"], role.id)
        return no_content()

    def list_templates(self, _context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /directoryRoleTemplates."""
        entities = [
            {"id": role.id, "deletedDateTime": None, "description": role.description, "displayName": role.display_name}
            for role in load_directory_roles().values()
        ]
        return whole_list_answer(request, TEMPLATES, entities)

    def list_definitions(self, _context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /roleManagement/directory/roleDefinitions."""
        return whole_list_answer(request, DEFINITIONS, map(_definition, load_directory_roles().values()))

    def get_definition(self, _context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /roleManagement/directory/roleDefinitions/{id}."""
        key = request.path_parameters["id"].lower()
        role = directory_role(key)
        if role is None:
            raise ObjectNotFoundError("role definition", key)
        return entity_answer(request, DEFINITIONS, _definition(role))

    def list_assignments(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /roleManagement/directory/roleAssignments."""
        with self._services.store.connect() as connection:
            pairs = Users(connection, context.tenant.tenant_id).role_assignments()
        assignments = [_assignment(user_id, role_id) for user_id, role_id in pairs]
        return whole_list_answer(request, ASSIGNMENTS, assignments, RELATED)

    def create_assignment(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /roleManagement/directory/roleAssignments."""
        body = read_entity(request.body, RoleAssignmentBody)
        if body.directory_scope_id != "/" or body.app_scope_id is not None:
            raise InvalidValueError("directoryScopeId", body.directory_scope_id)
        user_id, role_id = body.principal_id.lower(), body.role_definition_id.lower()
        with self._services.store.begin() as connection:
            self._give(connection, context, request, user_id, role_id)
        return entity_answer(request, ASSIGNMENTS, _assignment(user_id, role_id), status=201)

    def get_assignment(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /roleManagement/directory/roleAssignments/{id}."""
        user_id, role_id = _read_assignment_id(request.path_parameters["id"])
        with self._services.store.connect() as connection:
            if (user_id, role_id) not in Users(connection, context.tenant.tenant_id).role_assignments():
                raise ObjectNotFoundError("role assignment", request.path_parameters["id"])
        return entity_answer(request, ASSIGNMENTS, _assignment(user_id, role_id), related=RELATED)

    def delete_assignment(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /roleManagement/directory/roleAssignments/{id}."""
        user_id, role_id = _read_assignment_id(request.path_parameters["id"])
        with self._services.store.begin() as connection:
            self._take(connection, context, request, user_id, role_id)
        return no_content()

    def _give(
        self, connection: Connection, context: RequestContext, request: ApiRequest, user_id: str, role_id: str
    ) -> None:
        users = Users(connection, context.tenant.tenant_id)
        user = users.get(user_id)
        if role_id in users.role_ids(user):
            raise AssignmentExistsError("role assignment", role_id)
        Accounts(connection, self._services, context.tenant.tenant_id).give_role(user, role_id)
        log = change_log(connection, self._services, context, request)
        log.tell("add_role_member", user, role=_name_of(role_id))

    def _take(
        self, connection: Connection, context: RequestContext, request: ApiRequest, user_id: str, role_id: str
    ) -> None:
        user = Users(connection, context.tenant.tenant_id).get(user_id)
        Accounts(connection, self._services, context.tenant.tenant_id).take_role(user, role_id)
        log = change_log(connection, self._services, context, request)
        log.tell("remove_role_member", user, role=_name_of(role_id))


def _name_of(role_id: str) -> str:
    role = directory_role(role_id)
    return role_id if role is None else role.display_name


def _role_of(context: RequestContext, request: ApiRequest) -> DirectoryRoleContract:
    template = request.path_parameters.get("template")
    key = (template or request.path_parameters["id"]).lower()
    for role in load_directory_roles().values():
        if key == role.id or (template is None and key == directory_role_id(context.tenant.tenant_id, role.id)):
            return role
    raise ObjectNotFoundError("directory role", key)


def _definition(role: DirectoryRoleContract) -> dict[str, object]:
    return {
        "id": role.id,
        "description": role.description,
        "displayName": role.display_name,
        "isBuiltIn": True,
        "isEnabled": True,
        "resourceScopes": ["/"],
        "rolePermissions": [],
        "templateId": role.id,
        "version": "1",
    }


def _definition_of(assignment: Members) -> Members:
    role = directory_role(str(assignment["roleDefinitionId"]))
    return {} if role is None else _definition(role)


RELATED = {"roleDefinition": _definition_of}


def _assignment(user_id: str, role_id: str) -> dict[str, object]:
    return {
        "id": _assignment_id(user_id, role_id),
        "principalId": user_id,
        "directoryScopeId": "/",
        "roleDefinitionId": role_id,
    }


def _assignment_id(user_id: str, role_id: str) -> str:
    return base64.urlsafe_b64encode(uuid.UUID(role_id).bytes + uuid.UUID(user_id).bytes).rstrip(b"=").decode() + "-1"


def _read_assignment_id(text: str) -> tuple[str, str]:
    """User id and role template id. Raises ObjectNotFoundError for what is no such id."""
    try:
        data = base64.b64decode(text.removesuffix("-1") + "=", altchars=b"-_", validate=True)
        role_id, user_id = str(uuid.UUID(bytes=data[:16])), str(uuid.UUID(bytes=data[16:]))
    except (binascii.Error, ValueError) as error:
        raise ObjectNotFoundError("role assignment", text) from error
    return user_id, role_id
