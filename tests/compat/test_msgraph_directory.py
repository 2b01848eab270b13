"""msgraph-sdk, unmodified, makes an application with a key and permissions, and that application gets a token."""

import ssl

import httpx2
import pytest
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.applications.applications_request_builder import ApplicationsRequestBuilder
from msgraph.generated.applications.item.add_password.add_password_post_request_body import AddPasswordPostRequestBody
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.application import Application
from msgraph.generated.models.o_auth2_permission_grant import OAuth2PermissionGrant
from msgraph.generated.models.password_credential import PasswordCredential
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.required_resource_access import RequiredResourceAccess
from msgraph.generated.models.resource_access import ResourceAccess
from msgraph.generated.models.service_principal import ServicePrincipal
from msgraph.generated.models.user import User

from .conftest import DemoServer
from .test_msgraph_sdk import anyio_backend, graph

__all__ = ["anyio_backend", "graph"]

pytestmark = pytest.mark.anyio

MTP = "8ee8fdad-f234-4243-8f3b-15c294843740"
XDR = "https://api.security.microsoft.com"


async def token_of(trusted: DemoServer, client_id: str, secret: str) -> str:
    async with ClientSecretCredential(
        trusted.home["tenant_id"],
        client_id,
        secret,
        authority=trusted.base_url,
        disable_instance_discovery=True,
    ) as credential:
        return (await credential.get_token(f"{XDR}/.default")).token


async def test_the_whole_way_to_a_token(graph: GraphServiceClient, trusted: DemoServer) -> None:
    api = await graph.service_principals_with_app_id(MTP).get()
    role = next(role for role in api.app_roles if role.value == "Incident.Read.All")
    access = RequiredResourceAccess(resource_app_id=MTP, resource_access=[ResourceAccess(id=role.id, type="Role")])
    application = await graph.applications.post(
        Application(display_name="Made by the SDK", sign_in_audience="AzureADMyOrg", required_resource_access=[access])
    )
    item = graph.applications.by_application_id(application.id)
    secret = await item.add_password.post(
        AddPasswordPostRequestBody(password_credential=PasswordCredential(display_name="first"))
    )
    client = await graph.service_principals.post(ServicePrincipal(app_id=application.app_id))

    token = await token_of(trusted, application.app_id, secret.secret_text)
    assert ask_incidents(trusted, token) == 403  # configured is not granted

    await graph.service_principals.by_service_principal_id(api.id).app_role_assigned_to.post(
        AppRoleAssignment(principal_id=client.id, resource_id=api.id, app_role_id=role.id)
    )
    token = await token_of(trusted, application.app_id, secret.secret_text)
    assert ask_incidents(trusted, token) == 200

    shown = await item.get()
    assert [credential.display_name for credential in shown.password_credentials] == ["first"]
    assert shown.password_credentials[0].secret_text is None
    await item.delete()
    with pytest.raises(APIError) as gone:
        await item.get()
    assert gone.value.response_status_code == 404


def ask_incidents(trusted: DemoServer, token: str) -> int:
    context = ssl.create_default_context(cafile=trusted.ca_file)
    with httpx2.Client(base_url=trusted.base_url, verify=context, trust_env=False) as client:
        return client.get("/api/incidents?$top=1", headers={"Authorization": f"Bearer {token}"}).status_code


async def test_delegated_consent_and_people(graph: GraphServiceClient, trusted: DemoServer) -> None:
    api = await graph.service_principals_with_app_id(MTP).get()
    application = await graph.applications.post(Application(display_name="Delegated", is_fallback_public_client=True))
    client = await graph.service_principals.post(ServicePrincipal(app_id=application.app_id))
    grant = await graph.oauth2_permission_grants.post(
        OAuth2PermissionGrant(
            client_id=client.id, consent_type="AllPrincipals", resource_id=api.id, scope="Incident.Read"
        )
    )
    assert grant.scope == "Incident.Read"
    user = await graph.users.post(
        User(
            account_enabled=True,
            display_name="Grace",
            mail_nickname="grace",
            user_principal_name=f"grace@{trusted.home['domain']}",
            password_profile=PasswordProfile(password="quiet-Harbour-71", force_change_password_next_sign_in=False),
        )
    )
    assert (await graph.users.by_user_id(user.user_principal_name).get()).id == user.id
    await graph.users.by_user_id(user.id).delete()
    await graph.applications.by_application_id(application.id).delete()


async def test_lists_filter_select_and_page(graph: GraphServiceClient) -> None:
    query = ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters(
        filter="startswith(displayName,'Vedette demo')", select=["id", "displayName"], top=1, orderby=["displayName"]
    )
    page = await graph.applications.get(RequestConfiguration(query_parameters=query))
    names = []
    while True:
        names += [each.display_name for each in page.value]
        if page.odata_next_link is None:
            break
        page = await graph.applications.with_url(page.odata_next_link).get()
    assert names == ["Vedette demo client", "Vedette demo partner", "Vedette demo sign-in"]
    [organization] = (await graph.organization.get()).value
    assert organization.verified_domains[0].is_default
