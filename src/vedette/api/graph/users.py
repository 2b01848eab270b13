"""Graph's users: list, get, create, update, delete, and the caller's own account."""

from typing import Any

import msgspec
from sqlalchemy import Connection, literal

from vedette.api.graph.authors import change_log
from vedette.api.graph.directory_answers import (
    Members,
    directory_rules,
    entity_answer,
    list_answer,
    members_of,
    no_content,
    unix_property,
    whole_list_answer,
)
from vedette.api.graph.directory_bodies import UNSET, Body, Unset, read_entity
from vedette.api.graph.directory_entities import wire_time
from vedette.api.graph.surface import graph_answer, metadata_url
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.contracts.permissions import DirectoryRoleContract, directory_role
from vedette.contracts.user_rights import has_right
from vedette.errors import InvalidRequestError, PermissionDeniedError
from vedette.identity.accounts import Accounts
from vedette.identity.directory.groups import Group, Groups
from vedette.identity.directory.users import USER_FIELDS, User, Users
from vedette.identity.services import IdentityServices
from vedette.ids import derived_guid
from vedette.odata.sql import Property
from vedette.store.secrets import Secret

COLLECTION = "users"
SHOWN = (
    "id",
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
)
"""The members of a user that are shown unless others are selected."""

TEXTS = (
    "city",
    "companyName",
    "country",
    "department",
    "employeeId",
    "employeeType",
    "givenName",
    "jobTitle",
    "mail",
    "mailNickname",
    "mobilePhone",
    "officeLocation",
    "passwordPolicies",
    "postalCode",
    "preferredLanguage",
    "state",
    "streetAddress",
    "surname",
    "usageLocation",
)
"""Texts that are kept as they come."""

ON_PREMISES = (
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesImmutableId",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesUserPrincipalName",
)
"""Texts of accounts that come from a directory elsewhere, which no account here does."""

UNTOLD = (
    "ageGroup",
    "consentProvidedForMinor",
    "employeeHireDate",
    "employeeLeaveDateTime",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "faxNumber",
    "isResourceAccount",
    "legalAgeGroupClassification",
    "preferredDataLocation",
    "securityIdentifier",
    "showInAddressList",
    "signInActivity",
)
"""What nothing here tells of an account: null for those who select it."""

USER_TYPE = "Member"
UNRELATED = frozenset({"manager"})
"""Relations that no account here has."""

_FIELDS = USER_FIELDS


def _kept(name: str) -> Property:
    return Property(_FIELDS.properties[name].as_string(), "string")


RULES = directory_rules(
    {
        "id": Property(_FIELDS.id, "string"),
        "userPrincipalName": Property(_FIELDS.user_principal_name, "string", folds_case=True),
        "displayName": Property(_FIELDS.display_name, "string"),
        "accountEnabled": Property(_FIELDS.account_enabled, "boolean"),
        "createdDateTime": unix_property(_FIELDS.created_at),
        "userType": Property(literal(USER_TYPE), "string"),
        **{name: _kept(name) for name in (*TEXTS, *ON_PREMISES)},
    },
    ((_FIELDS.user_principal_name, False), (_FIELDS.id, False)),
    UNRELATED,
)


class PasswordProfileBody(Body, frozen=True, kw_only=True):
    """passwordProfile."""

    password: str | None = None
    force_change_password_next_sign_in: bool | None = None
    force_change_password_next_sign_in_with_mfa: bool | None = None

    def __repr__(self) -> str:
        return "PasswordProfileBody(…)"


class UserBody(Body, frozen=True, kw_only=True):
    """user: what may be written."""

    account_enabled: bool | Unset | None = UNSET
    display_name: str | Unset = UNSET
    user_principal_name: str | Unset = UNSET
    password_profile: PasswordProfileBody | Unset | None = UNSET
    city: str | Unset | None = UNSET
    company_name: str | Unset | None = UNSET
    country: str | Unset | None = UNSET
    department: str | Unset | None = UNSET
    employee_id: str | Unset | None = UNSET
    employee_type: str | Unset | None = UNSET
    given_name: str | Unset | None = UNSET
    job_title: str | Unset | None = UNSET
    mail: str | Unset | None = UNSET
    mail_nickname: str | Unset | None = UNSET
    mobile_phone: str | Unset | None = UNSET
    office_location: str | Unset | None = UNSET
    password_policies: str | Unset | None = UNSET
    postal_code: str | Unset | None = UNSET
    preferred_language: str | Unset | None = UNSET
    state: str | Unset | None = UNSET
    street_address: str | Unset | None = UNSET
    surname: str | Unset | None = UNSET
    usage_location: str | Unset | None = UNSET
    business_phones: tuple[str, ...] | Unset = UNSET
    other_mails: tuple[str, ...] | Unset = UNSET


class GraphUsers:
    """Handlers."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def list(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /users."""
        with self._services.store.connect() as connection:
            users = Users(connection, context.tenant.tenant_id)
            return list_answer(request, RULES, COLLECTION, users, to_user, default=SHOWN)

    def get(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /users/{id | userPrincipalName}."""
        with self._services.store.connect() as connection:
            user = user_of(connection, context, request)
        return entity_answer(request, COLLECTION, to_user(user), default=SHOWN, unrelated=UNRELATED)

    def me(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /me."""
        with self._services.store.connect() as connection:
            user = _caller(connection, context)
        return entity_answer(request, COLLECTION, to_user(user), default=SHOWN, unrelated=UNRELATED)

    def create(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /users."""
        body = read_entity(request.body, UserBody)
        profile = body.password_profile if isinstance(body.password_profile, PasswordProfileBody) else None
        required = {
            "accountEnabled": body.account_enabled,
            "displayName": body.display_name,
            "mailNickname": body.mail_nickname,
            "userPrincipalName": body.user_principal_name,
            "passwordProfile": profile.password if profile else UNSET,
        }
        for name, value in required.items():
            if value is UNSET or value is None:
                raise InvalidRequestError("DirectoryPropertyRequired", property=name)
        blank = User(self._services.ids.guid(), context.tenant.tenant_id, "", "", self._services.now())
        user, password = _changed(blank, body), Secret(str(profile.password if profile else ""))
        must_change = bool(profile and profile.force_change_password_next_sign_in is not False)
        with self._services.store.begin() as connection:
            Accounts(connection, self._services, context.tenant.tenant_id).create(
                user, password, must_change=must_change
            )
            change_log(connection, self._services, context, request).tell("add_user", user)
        return entity_answer(request, COLLECTION, to_user(user), status=201, default=SHOWN)

    def update(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """PATCH /users/{id | userPrincipalName}."""
        body = read_entity(request.body, UserBody)
        with self._services.store.begin() as connection:
            user = _changeable_user(connection, context, request)
            accounts = Accounts(connection, self._services, context.tenant.tenant_id)
            changed = _changed(user, body)
            accounts.change(changed)
            log = change_log(connection, self._services, context, request)
            for key in _changes(user, changed):
                log.tell(key, changed)
            if isinstance(body.password_profile, PasswordProfileBody) and body.password_profile.password is not None:
                accounts.reset_password(
                    user,
                    Secret(body.password_profile.password),
                    must_change=body.password_profile.force_change_password_next_sign_in is not False,
                )
                log.tell("reset_password", changed)
        return no_content()

    def delete(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """DELETE /users/{id | userPrincipalName}."""
        with self._services.store.begin() as connection:
            user = _changeable_user(connection, context, request)
            Accounts(connection, self._services, context.tenant.tenant_id).remove(user)
            change_log(connection, self._services, context, request).tell("delete_user", user)
        return no_content()

    def revoke_sessions(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /users/{id}/revokeSignInSessions."""
        with self._services.store.begin() as connection:
            user = _changeable_user(connection, context, request)
            Accounts(connection, self._services, context.tenant.tenant_id).revoke_sessions(user)
            change_log(connection, self._services, context, request).tell("revoke_sessions", user)
        return graph_answer({"@odata.context": metadata_url(request, "Edm.Boolean"), "value": True})

    def memberships(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /users/{id}/memberOf: directory roles and groups."""
        with self._services.store.connect() as connection:
            return self._memberships(connection, context, request, user_of(connection, context, request))

    def my_memberships(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /me/memberOf."""
        with self._services.store.connect() as connection:
            return self._memberships(connection, context, request, _caller(connection, context))

    def _memberships(
        self, connection: Connection, context: RequestContext, request: ApiRequest, user: User
    ) -> ApiResponse:
        tenant_id = context.tenant.tenant_id
        roles = [directory_role(role_id) for role_id in sorted(Users(connection, tenant_id).role_ids(user))]
        groups = Groups(connection, tenant_id)
        members: list[Members] = [to_directory_role(tenant_id, role) for role in roles if role is not None]
        members += [to_group(groups.get(group_id)) for group_id in sorted(groups.ids_of(user))]
        typed = [_typed(each) for each in members]
        return whole_list_answer(request, "directoryObjects", typed)


def user_of(connection: Connection, context: RequestContext, request: ApiRequest) -> User:
    """The user of the path. Raises ObjectNotFoundError."""
    return Users(connection, context.tenant.tenant_id).get(request.path_parameters["id"])


def _changeable_user(connection: Connection, context: RequestContext, request: ApiRequest) -> User:
    """The same, if the caller may change it."""
    return changeable(connection, context, user_of(connection, context, request))


def changeable(connection: Connection, context: RequestContext, user: User) -> User:
    """A user that the caller may change: who has a role is changed only by those who may do everything.

    An application is not held to that: its permissions name what it may do, as the service documents them.
    """
    is_person = context.principal.kind == "user"
    if is_person and Users(connection, context.tenant.tenant_id).role_ids(user):
        is_own = user.id == context.principal.object_id
        if not is_own and not has_right(context.principal.directory_roles, None):
            raise PermissionDeniedError("InsufficientPrivileges")
    return user


def directory_role_id(tenant_id: str, template_id: str) -> str:
    """The object id of a directory role in a tenant."""
    return derived_guid("directory-role", tenant_id, template_id)


def to_directory_role(tenant_id: str, role: DirectoryRoleContract) -> dict[str, object]:
    """directoryRole."""
    return {
        "id": directory_role_id(tenant_id, role.id),
        "deletedDateTime": None,
        "description": role.description,
        "displayName": role.display_name,
        "roleTemplateId": role.id,
    }


def to_group(group: Group) -> dict[str, object]:
    """group."""
    kept = group.properties
    return {
        "id": group.id,
        "deletedDateTime": None,
        "classification": None,
        "createdDateTime": wire_time(group.created_at),
        "description": kept.get("description"),
        "displayName": group.display_name,
        "expirationDateTime": None,
        "groupTypes": [],
        "isAssignableToRole": None,
        "mail": None,
        "mailEnabled": False,
        "mailNickname": kept.get("mailNickname"),
        "membershipRule": None,
        "onPremisesSyncEnabled": None,
        "proxyAddresses": [],
        "renewedDateTime": wire_time(group.created_at),
        "securityEnabled": True,
        "visibility": kept.get("visibility"),
    }


def to_user(user: User) -> dict[str, object]:
    """user."""
    kept = user.properties
    members: dict[str, object] = {
        "id": user.id,
        "deletedDateTime": None,
        "accountEnabled": user.account_enabled,
        "businessPhones": kept.get("businessPhones", []),
        "createdDateTime": wire_time(user.created_at),
        "creationType": None,
        "displayName": user.display_name,
        "identities": [
            {
                "signInType": "userPrincipalName",
                "issuer": user.user_principal_name.partition("@")[2],
                "issuerAssignedId": user.user_principal_name,
            }
        ],
        "onPremisesSyncEnabled": None,
        "otherMails": kept.get("otherMails", []),
        "proxyAddresses": [],
        "signInSessionsValidFromDateTime": wire_time(user.tokens_valid_from or user.created_at),
        "userPrincipalName": user.user_principal_name,
        "userType": USER_TYPE,
        "onPremisesLastSyncDateTime": None,
    }
    return members | dict.fromkeys(ON_PREMISES + UNTOLD) | {name: kept.get(name) for name in TEXTS}


def _typed(members: Members) -> dict[str, object]:
    kind = "directoryRole" if "roleTemplateId" in members else "group"
    return {"@odata.type": f"#microsoft.graph.{kind}", **members}


def _changes(before: User, after: User) -> list[str]:
    """What of an account changed, by the keys of the audit: switching it on or off is a change of its own."""
    keys = []
    if after.account_enabled != before.account_enabled:
        keys.append("enable_user" if after.account_enabled else "disable_user")
    if msgspec.structs.replace(after, account_enabled=before.account_enabled) != before:
        keys.append("update_user")
    return keys


def _caller(connection: Connection, context: RequestContext) -> User:
    if context.principal.kind != "user":
        raise InvalidRequestError("UserContextRequired")
    return Users(connection, context.tenant.tenant_id).get(context.principal.object_id)


def _changed(user: User, body: UserBody) -> User:
    set_: dict[str, Any] = {}
    if isinstance(body.display_name, str):
        set_["display_name"] = body.display_name
    if isinstance(body.user_principal_name, str):
        set_["user_principal_name"] = body.user_principal_name.lower()
    if isinstance(body.account_enabled, bool):
        set_["account_enabled"] = body.account_enabled
    given = members_of(body)
    lists = {name: given[name] for name in ("businessPhones", "otherMails")}
    texts = {name: given[name] for name in TEXTS}
    kept = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in {**texts, **lists}.items()
        if value is not UNSET
    }
    return msgspec.structs.replace(user, **set_, properties={**user.properties, **kept})
