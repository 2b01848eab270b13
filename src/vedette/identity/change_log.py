"""Tells the audit log of changes that somebody makes in the directory, in the transaction that makes them."""

from typing import Literal, Protocol

import msgspec
from sqlalchemy import Connection

from vedette.contracts.directory_changes import load_directory_changes
from vedette.identity.audit import DirectoryChange
from vedette.identity.directory.groups import Groups
from vedette.identity.directory.security_roles import SecurityRoleAssignment, SecurityRoles, principal_name
from vedette.identity.directory.service_principals import AppRoleAssignment, ServicePrincipals
from vedette.identity.directory.service_principals import OAuth2PermissionGrant as Grant
from vedette.identity.directory.users import Users
from vedette.identity.resources import offered_roles, resource_of_application
from vedette.identity.services import IdentityServices


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes changes, with which application, from where."""

    tenant_id: str
    kind: Literal["application", "user"]
    object_id: str
    app_id: str = ""
    app_name: str = ""
    address: str = ""
    user_agent: str = ""


class Named(Protocol):
    """Any object of the directory."""

    @property
    def id(self) -> str:
        """Object id."""
        ...

    @property
    def display_name(self) -> str:
        """What people call it."""
        ...


class Target(msgspec.Struct, frozen=True):
    """What a change is about, of what does not call its id and name so."""

    id: str
    display_name: str


class ChangeLog:
    """The changes of one author in one transaction."""

    def __init__(self, connection: Connection, services: IdentityServices, author: Author) -> None:
        self._connection = connection
        self._services = services
        self._author = author

    def tell(self, key: str, target: Named, **details: str) -> None:
        """Tell of a change by its key in the contract. `details` hold no secret."""
        author = self._author
        contract = load_directory_changes()[key]
        person = Users(self._connection, author.tenant_id).find(author.object_id) if author.kind == "user" else None
        change = DirectoryChange(
            tenant_id=author.tenant_id,
            action=contract.action,
            actor_id=author.object_id,
            actor_name=person.user_principal_name if person else author.app_name,
            actor_display_name=person.display_name if person else author.app_name,
            is_application=author.kind == "application",
            app_id=author.app_id,
            app_name=author.app_name,
            target_kind=contract.target,
            target_id=target.id,
            target_name=getattr(target, "user_principal_name", ""),
            target_display_name=target.display_name,
            address=author.address,
            user_agent=author.user_agent,
            details=details,
        )
        self._services.audit.publish(self._connection, change)

    def tell_of_role(self, change: Literal["assign", "withdraw"], assignment: AppRoleAssignment) -> None:
        """Tell of an app role that was given or taken."""
        preposition = "to" if change == "assign" else "from"
        kind = _KINDS[assignment.principal_type]
        principals = ServicePrincipals(self._connection, self._author.tenant_id)
        resource = principals.get(assignment.resource_id)
        known = resource_of_application(self._connection, self._author.tenant_id, resource.app_id)
        role = offered_roles(self._connection, known).get(assignment.app_role_id) if known is not None else None
        self.tell(
            f"{change}_role_{preposition}_{kind}",
            self._holder(assignment),
            resource=resource.display_name,
            appRole=role.value if role is not None else assignment.app_role_id,
        )

    def tell_of_grant(self, key: Literal["add_grant", "update_grant", "remove_grant"], grant: Grant) -> None:
        """Tell of a delegated grant that was made, changed or withdrawn."""
        principals = ServicePrincipals(self._connection, self._author.tenant_id)
        self.tell(
            key,
            principals.get(grant.client_id),
            resource=principals.get(grant.resource_id).display_name,
            scope=" ".join(sorted(grant.scopes)),
            consentType=grant.consent_type,
            principalId=grant.principal_id or "",
        )

    def tell_of_security_role(
        self, key: Literal["assign_security_role", "withdraw_security_role"], assignment: SecurityRoleAssignment
    ) -> None:
        """Tell of a custom role that was given or taken, and over what."""
        roles = SecurityRoles(self._connection, self._author.tenant_id)
        groups = assignment.device_groups
        self.tell(
            key,
            roles.get(assignment.role_id),
            principal=principal_name(roles, assignment.principal_id),
            dataSources="all" if assignment.data_sources is None else ", ".join(assignment.data_sources),
            deviceGroups="all" if groups is None else ", ".join(map(str, groups)),
        )

    def _holder(self, assignment: AppRoleAssignment) -> Named:
        tenant_id = self._author.tenant_id
        match assignment.principal_type:
            case "User":
                return Users(self._connection, tenant_id).get(assignment.principal_id)
            case "Group":
                return Groups(self._connection, tenant_id).get(assignment.principal_id)
            case "ServicePrincipal":
                return ServicePrincipals(self._connection, tenant_id).get(assignment.principal_id)


_KINDS = {"ServicePrincipal": "application", "User": "user", "Group": "group"}
