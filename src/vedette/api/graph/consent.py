"""Graph's consent: app roles given to applications, people and groups, and delegated permission grants."""

from typing import Literal, cast

from sqlalchemy import ColumnElement, Connection

from vedette.api.graph import directory_entities as wire
from vedette.api.graph.authors import change_log
from vedette.api.graph.directory_answers import (
    Members,
    directory_rules,
    entity_answer,
    list_answer,
    members_of,
    no_content,
    unix_property,
)
from vedette.api.graph.directory_bodies import AppRoleAssignmentBody, GrantBody, GrantChange, read_entity
from vedette.api.graph.service_principals import principal_of
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.identity.consents import Consents
from vedette.identity.directory.groups import Groups
from vedette.identity.directory.service_principals import (
    APP_ROLE_ASSIGNMENT_FIELDS,
    OAUTH2_PERMISSION_GRANT_FIELDS,
    AppRoleAssignment,
    AppRoleAssignments,
    ConsentType,
    OAuth2PermissionGrant,
    OAuth2PermissionGrants,
    ServicePrincipals,
)
from vedette.identity.directory.users import Users
from vedette.identity.errors import ObjectNotFoundError
from vedette.identity.services import IdentityServices
from vedette.odata.sql import Property

GRANTS = "oauth2PermissionGrants"
Holder = Literal["servicePrincipals", "users", "groups"]

_ROLES, _GRANTS = APP_ROLE_ASSIGNMENT_FIELDS, OAUTH2_PERMISSION_GRANT_FIELDS
ASSIGNMENT_RULES = directory_rules(
    {
        "id": Property(_ROLES.id, "string"),
        "appRoleId": Property(_ROLES.app_role_id, "string"),
        "principalId": Property(_ROLES.principal_id, "string"),
        "resourceId": Property(_ROLES.resource_id, "string"),
        "principalType": Property(_ROLES.principal_type, "string"),
        "createdDateTime": unix_property(_ROLES.created_at),
    },
    ((_ROLES.created_at, False), (_ROLES.id, False)),
)
GRANT_RULES = directory_rules(
    {
        "id": Property(_GRANTS.id, "string"),
        "clientId": Property(_GRANTS.client_id, "string"),
        "consentType": Property(_GRANTS.consent_type, "string"),
        "principalId": Property(_GRANTS.principal_id, "string"),
        "resourceId": Property(_GRANTS.resource_id, "string"),
    },
    ((_GRANTS.id, False),),
)


class GraphRoleAssignments:
    """Handlers of one kind of path: roles that a principal has, or roles of a resource that others have."""

    def __init__(
        self, services: IdentityServices, holder: Holder, navigation: str, *, of_resource: bool = False
    ) -> None:
        self._services = services
        self._holder = holder
        self._navigation = navigation
        self._of_resource = of_resource

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET …/appRoleAssignments."""
        with self._services.store.connect() as connection:
            holder = self._holder_id(connection, context, request)
            return list_answer(
                request,
                ASSIGNMENT_RULES,
                self._collection(holder),
                AppRoleAssignments(connection, context.tenant.tenant_id),
                lambda each: _assignment(connection, context, each),
                restriction=self._own(holder),
            )

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST …/appRoleAssignments."""
        body = read_entity(request.body, AppRoleAssignmentBody)
        with self._services.store.begin() as connection:
            holder = self._holder_id(connection, context, request)
            named = body.resource_id if self._of_resource else body.principal_id
            if named.lower() != holder:
                raise ObjectNotFoundError("app role assignment", named)
            consents = Consents(connection, self._services, context.tenant.tenant_id)
            assignment = consents.assign_role(body.principal_id.lower(), body.resource_id.lower(), body.app_role_id)
            change_log(connection, self._services, context, request).tell_of_role("assign", assignment)
            members = _assignment(connection, context, assignment)
        return entity_answer(request, self._collection(holder), members, status=201)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET …/appRoleAssignments/{assignment}."""
        with self._services.store.connect() as connection:
            assignment = self._assignment(connection, context, request)
            holder = self._holder_id(connection, context, request)
            return entity_answer(request, self._collection(holder), _assignment(connection, context, assignment))

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE …/appRoleAssignments/{assignment}."""
        with self._services.store.begin() as connection:
            assignment = self._assignment(connection, context, request)
            Consents(connection, self._services, context.tenant.tenant_id).withdraw_role(assignment)
            change_log(connection, self._services, context, request).tell_of_role("withdraw", assignment)
        return no_content()

    def _collection(self, holder: str) -> str:
        return f"{self._holder}('{holder}')/{self._navigation}"

    def _own(self, holder: str) -> ColumnElement[bool]:
        column = _ROLES.resource_id if self._of_resource else _ROLES.principal_id
        return column == holder

    def _holder_id(self, connection: Connection, context: RequestContext, request: ApiRequest) -> str:
        if self._holder == "servicePrincipals":
            return principal_of(connection, context, request).id
        key = request.path_parameters["id"]
        if self._holder == "users":
            return Users(connection, context.tenant.tenant_id).get(key).id
        return Groups(connection, context.tenant.tenant_id).get(key.lower()).id

    def _assignment(self, connection: Connection, context: RequestContext, request: ApiRequest) -> AppRoleAssignment:
        holder = self._holder_id(connection, context, request)
        key = request.path_parameters["assignment"].lower()
        assignment = AppRoleAssignments(connection, context.tenant.tenant_id).get(key)
        if holder != (assignment.resource_id if self._of_resource else assignment.principal_id):
            raise ObjectNotFoundError("app role assignment", key)
        return assignment


class GraphPermissionGrants:
    """Handlers of delegated permission grants."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /oauth2PermissionGrants."""
        return self._list(context, request, GRANTS, None)

    def list_of_client(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /servicePrincipals/{id}/oauth2PermissionGrants."""
        with self._services.store.connect() as connection:
            client = principal_of(connection, context, request)
        return self._list(context, request, GRANTS, _GRANTS.client_id == client.id)

    def list_of_user(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /users/{id}/oauth2PermissionGrants."""
        with self._services.store.connect() as connection:
            user = Users(connection, context.tenant.tenant_id).get(request.path_parameters["id"])
        return self._list(context, request, GRANTS, _GRANTS.principal_id == user.id)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /oauth2PermissionGrants/{id}."""
        with self._services.store.connect() as connection:
            grant = OAuth2PermissionGrants(connection, context.tenant.tenant_id).get(_id(request))
        return entity_answer(request, GRANTS, _grant(grant))

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /oauth2PermissionGrants."""
        body = read_entity(request.body, GrantBody)
        grant = OAuth2PermissionGrant(
            id=self._services.ids.guid(),
            client_id=body.client_id.lower(),
            consent_type=cast(ConsentType, body.consent_type),
            resource_id=body.resource_id.lower(),
            scopes=frozenset(body.scope.split()),
            principal_id=body.principal_id.lower() if body.principal_id else None,
        )
        with self._services.store.begin() as connection:
            Consents(connection, self._services, context.tenant.tenant_id).grant(grant)
            change_log(connection, self._services, context, request).tell_of_grant("add_grant", grant)
        return entity_answer(request, GRANTS, _grant(grant), status=201)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /oauth2PermissionGrants/{id}: exactly these scopes from now on."""
        body = read_entity(request.body, GrantChange)
        with self._services.store.begin() as connection:
            Consents(connection, self._services, context.tenant.tenant_id).regrant(
                _id(request), frozenset(body.scope.split())
            )
            grant = OAuth2PermissionGrants(connection, context.tenant.tenant_id).get(_id(request))
            change_log(connection, self._services, context, request).tell_of_grant("update_grant", grant)
        return no_content()

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /oauth2PermissionGrants/{id}."""
        with self._services.store.begin() as connection:
            grant = OAuth2PermissionGrants(connection, context.tenant.tenant_id).get(_id(request))
            Consents(connection, self._services, context.tenant.tenant_id).withdraw_grant(grant.id)
            change_log(connection, self._services, context, request).tell_of_grant("remove_grant", grant)
        return no_content()

    def _list(
        self, context: RequestContext, request: ApiRequest, collection: str, restriction: ColumnElement[bool] | None
    ) -> ApiResponse:
        with self._services.store.connect() as connection:
            grants = OAuth2PermissionGrants(connection, context.tenant.tenant_id)
            return list_answer(request, GRANT_RULES, collection, grants, _grant, restriction=restriction)


def _id(request: ApiRequest) -> str:
    return request.path_parameters["id"].lower()


def _grant(grant: OAuth2PermissionGrant) -> Members:
    return members_of(wire.to_grant(grant))


def _assignment(connection: Connection, context: RequestContext, assignment: AppRoleAssignment) -> Members:
    return members_of(
        wire.AppRoleAssignment(
            id=assignment.id,
            app_role_id=assignment.app_role_id,
            created_date_time=wire.wire_time(assignment.created_at),
            principal_display_name=_holder_name(connection, context, assignment),
            principal_id=assignment.principal_id,
            principal_type=assignment.principal_type,
            resource_display_name=ServicePrincipals(connection, context.tenant.tenant_id)
            .get(assignment.resource_id)
            .display_name,
            resource_id=assignment.resource_id,
        )
    )


def _holder_name(connection: Connection, context: RequestContext, assignment: AppRoleAssignment) -> str | None:
    tenant_id = context.tenant.tenant_id
    if assignment.principal_type == "User":
        user = Users(connection, tenant_id).find(assignment.principal_id)
        return None if user is None else user.display_name
    if assignment.principal_type == "Group":
        return Groups(connection, tenant_id).get(assignment.principal_id).display_name
    return ServicePrincipals(connection, tenant_id).get(assignment.principal_id).display_name
