"""The handlers of the directory by the names that `operations/graph_directory.toml` gives them."""

from collections.abc import Mapping

from vedette.api.graph.application_credentials import GraphApplicationCredentials
from vedette.api.graph.applications import GraphApplications
from vedette.api.graph.consent import GraphPermissionGrants, GraphRoleAssignments
from vedette.api.graph.deleted_items import GraphDeletedItems
from vedette.api.graph.directory_roles import GraphDirectoryRoles
from vedette.api.graph.federated_credentials import GraphFederatedCredentials
from vedette.api.graph.groups import GraphGroups
from vedette.api.graph.organization import GraphOrganization
from vedette.api.graph.principal_credentials import GraphPrincipalCredentials
from vedette.api.graph.service_principals import GraphServicePrincipals
from vedette.api.graph.users import GraphUsers
from vedette.api.http import AuthenticatedHandler
from vedette.identity.services import IdentityServices


class GraphDirectory:
    """Microsoft Graph, management of the directory."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def handlers(self) -> Mapping[str, AuthenticatedHandler]:
        """Every built operation."""
        return {**self._of_applications(), **self._of_consent(), **self._of_people(), **self._of_tenant()}

    def _of_applications(self) -> Mapping[str, AuthenticatedHandler]:
        applications, principals = GraphApplications(self._services), GraphServicePrincipals(self._services)
        credentials, federated = GraphApplicationCredentials(self._services), GraphFederatedCredentials(self._services)
        own_credentials = GraphPrincipalCredentials(self._services)
        deleted = GraphDeletedItems(self._services, applications)
        return {
            "list_applications": applications.list,
            "create_application": applications.create,
            "get_application": applications.get,
            "update_application": applications.update,
            "delete_application": applications.delete,
            "add_application_password": credentials.add_password,
            "remove_application_password": credentials.remove_password,
            "add_application_key": credentials.add_key,
            "remove_application_key": credentials.remove_key,
            "list_federated_credentials": federated.list,
            "create_federated_credential": federated.create,
            "get_federated_credential": federated.get,
            "update_federated_credential": federated.update,
            "delete_federated_credential": federated.delete,
            "list_service_principals": principals.list,
            "create_service_principal": principals.create,
            "get_service_principal": principals.get,
            "update_service_principal": principals.update,
            "delete_service_principal": principals.delete,
            "add_principal_password": own_credentials.add_password,
            "remove_principal_password": own_credentials.remove_password,
            "add_principal_key": own_credentials.add_key,
            "remove_principal_key": own_credentials.remove_key,
            "list_application_owners": applications.owners,
            "list_deleted_applications": deleted.list,
            "get_deleted_item": deleted.get,
            "restore_deleted_item": deleted.restore,
            "delete_deleted_item": deleted.delete,
        }

    def _of_consent(self) -> Mapping[str, AuthenticatedHandler]:
        held = GraphRoleAssignments(self._services, "servicePrincipals", "appRoleAssignments")
        given = GraphRoleAssignments(self._services, "servicePrincipals", "appRoleAssignedTo", of_resource=True)
        of_users = GraphRoleAssignments(self._services, "users", "appRoleAssignments")
        of_groups = GraphRoleAssignments(self._services, "groups", "appRoleAssignments")
        grants = GraphPermissionGrants(self._services)
        return {
            "list_role_assignments": held.list,
            "create_role_assignment": held.create,
            "get_role_assignment": held.get,
            "delete_role_assignment": held.delete,
            "list_assigned_roles": given.list,
            "create_assigned_role": given.create,
            "get_assigned_role": given.get,
            "delete_assigned_role": given.delete,
            "list_user_roles": of_users.list,
            "create_user_role": of_users.create,
            "delete_user_role": of_users.delete,
            "list_group_roles": of_groups.list,
            "create_group_role": of_groups.create,
            "delete_group_role": of_groups.delete,
            "list_grants": grants.list,
            "create_grant": grants.create,
            "get_grant": grants.get,
            "update_grant": grants.update,
            "delete_grant": grants.delete,
            "list_grants_of_client": grants.list_of_client,
            "list_grants_of_user": grants.list_of_user,
        }

    def _of_people(self) -> Mapping[str, AuthenticatedHandler]:
        users, groups = GraphUsers(self._services), GraphGroups(self._services)
        return {
            "list_users": users.list,
            "create_user": users.create,
            "get_user": users.get,
            "update_user": users.update,
            "delete_user": users.delete,
            "get_me": users.me,
            "revoke_sign_in_sessions": users.revoke_sessions,
            "list_user_memberships": users.memberships,
            "list_my_memberships": users.my_memberships,
            "list_groups": groups.list,
            "create_group": groups.create,
            "get_group": groups.get,
            "update_group": groups.update,
            "delete_group": groups.delete,
            "list_group_members": groups.list_members,
            "add_group_member": groups.add_member,
            "remove_group_member": groups.remove_member,
        }

    def _of_tenant(self) -> Mapping[str, AuthenticatedHandler]:
        organization, roles = GraphOrganization(self._services), GraphDirectoryRoles(self._services)
        return {
            "list_organizations": organization.list,
            "get_organization": organization.get,
            "list_domains": organization.list_domains,
            "get_domain": organization.get_domain,
            "find_tenant_by_id": organization.find_by_id,
            "find_tenant_by_domain": organization.find_by_domain,
            "list_directory_roles": roles.list,
            "get_directory_role": roles.get,
            "list_directory_role_members": roles.list_members,
            "add_directory_role_member": roles.add_member,
            "remove_directory_role_member": roles.remove_member,
            "list_directory_role_templates": roles.list_templates,
            "list_role_definitions": roles.list_definitions,
            "get_role_definition": roles.get_definition,
            "list_directory_role_assignments": roles.list_assignments,
            "create_directory_role_assignment": roles.create_assignment,
            "get_directory_role_assignment": roles.get_assignment,
            "delete_directory_role_assignment": roles.delete_assignment,
        }
