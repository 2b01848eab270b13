"""Graph's groups: security groups of people, as far as app roles need them."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from vedette.api.graph.authors import change_log
from vedette.api.graph.directory_answers import (
    directory_rules,
    entity_answer,
    list_answer,
    no_content,
    unix_property,
    whole_list_answer,
)
from vedette.api.graph.directory_bodies import UNSET, Body, Unset, read_entity, read_reference
from vedette.api.graph.users import to_group, to_user
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError
from vedette.identity.directory.groups import GROUP_FIELDS, Group, Groups
from vedette.identity.directory.security_roles import SecurityRoles
from vedette.identity.directory.service_principals import AppRoleAssignments
from vedette.identity.directory.tenants import Tenants
from vedette.identity.directory.users import Users
from vedette.identity.errors import InvalidValueError
from vedette.identity.services import IdentityServices
from vedette.odata.sql import Property

COLLECTION = "groups"
KEPT = ("description", "mail_nickname", "visibility")

_FIELDS = GROUP_FIELDS
RULES = directory_rules(
    {
        "id": Property(_FIELDS.id, "string"),
        "displayName": Property(_FIELDS.display_name, "string"),
        "createdDateTime": unix_property(_FIELDS.created_at),
        "mailNickname": Property(_FIELDS.properties["mailNickname"].as_string(), "string"),
    },
    ((_FIELDS.created_at, False), (_FIELDS.id, False)),
)


class GroupBody(Body, frozen=True, kw_only=True):
    """group: what may be written."""

    display_name: str | Unset = UNSET
    description: str | Unset | None = UNSET
    mail_nickname: str | Unset | None = UNSET
    visibility: str | Unset | None = UNSET
    mail_enabled: bool | Unset | None = UNSET
    security_enabled: bool | Unset | None = UNSET
    group_types: tuple[str, ...] | Unset = UNSET


class GraphGroups:
    """Handlers."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /groups."""
        with self._services.store.connect() as connection:
            groups = Groups(connection, context.tenant.tenant_id)
            return list_answer(request, RULES, COLLECTION, groups, to_group)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /groups/{id}."""
        with self._services.store.connect() as connection:
            group = _group_of(connection, context, request)
        return entity_answer(request, COLLECTION, to_group(group))

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /groups."""
        body = read_entity(request.body, GroupBody)
        for name, value in (("displayName", body.display_name), ("mailNickname", body.mail_nickname)):
            if not isinstance(value, str):
                raise InvalidRequestError("DirectoryPropertyRequired", property=name)
        group = _changed(Group(self._services.ids.guid(), "", self._services.now()), body)
        with self._services.store.begin() as connection:
            Groups(connection, context.tenant.tenant_id).create(group)
            change_log(connection, self._services, context, request).tell("add_group", group)
        return entity_answer(request, COLLECTION, to_group(group), status=201)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /groups/{id}."""
        body = read_entity(request.body, GroupBody)
        with self._services.store.begin() as connection:
            group = _group_of(connection, context, request)
            Groups(connection, context.tenant.tenant_id).replace(_changed(group, body))
            change_log(connection, self._services, context, request).tell("update_group", group)
        return no_content()

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /groups/{id}: its members lose what it was given."""
        with self._services.store.begin() as connection:
            group = _group_of(connection, context, request)
            AppRoleAssignments(connection, context.tenant.tenant_id).withdraw(group.id)
            SecurityRoles(connection, context.tenant.tenant_id).withdraw(group.id)
            Groups(connection, context.tenant.tenant_id).remove(group)
            Tenants(connection).advance_generation(context.tenant.tenant_id)
            change_log(connection, self._services, context, request).tell("delete_group", group)
        return no_content()

    def list_members(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /groups/{id}/members."""
        with self._services.store.connect() as connection:
            group = _group_of(connection, context, request)
            members = Groups(connection, context.tenant.tenant_id).members(group)
        typed = [{"@odata.type": "#microsoft.graph.user", **to_user(user)} for user in members]
        return whole_list_answer(request, "directoryObjects", typed)

    def add_member(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /groups/{id}/members/$ref."""
        user_id = read_reference(request.body)
        with self._services.store.begin() as connection:
            group = _group_of(connection, context, request)
            user = Users(connection, context.tenant.tenant_id).get(user_id)
            Groups(connection, context.tenant.tenant_id).add_member(group, user)
            Tenants(connection).advance_generation(context.tenant.tenant_id)
            log = change_log(connection, self._services, context, request)
            log.tell("add_group_member", user, group=group.display_name, groupId=group.id)
        return no_content()

    def remove_member(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /groups/{id}/members/{member}/$ref."""
        with self._services.store.begin() as connection:
            group = _group_of(connection, context, request)
            member = request.path_parameters["member"].lower()
            Groups(connection, context.tenant.tenant_id).remove_member(group, member)
            log = change_log(connection, self._services, context, request)
            user = Users(connection, context.tenant.tenant_id).get(member)
            log.tell("remove_group_member", user, group=group.display_name, groupId=group.id)
            Tenants(connection).advance_generation(context.tenant.tenant_id)
        return no_content()


def _group_of(connection: Connection, context: RequestContext, request: ApiRequest) -> Group:
    return Groups(connection, context.tenant.tenant_id).get(request.path_parameters["id"].lower())


def _changed(group: Group, body: GroupBody) -> Group:
    if body.mail_enabled is True or body.security_enabled is False:
        raise InvalidValueError("securityEnabled", "only security groups")
    if body.group_types not in (UNSET, ()):
        raise InvalidValueError("groupTypes", "only security groups")
    names = {field.name: field.encode_name for field in msgspec.structs.fields(body)}
    kept = {names[name]: getattr(body, name) for name in KEPT if getattr(body, name) is not UNSET}
    set_: dict[str, Any] = {"properties": {**group.properties, **kept}}
    if isinstance(body.display_name, str):
        if not 1 <= len(body.display_name.strip()) <= 256:
            raise InvalidValueError("displayName", body.display_name[:20])
        set_["display_name"] = body.display_name
    return msgspec.structs.replace(group, **set_)
