"""The portal as an application of its own: it signs people in like any other, by authorization code with PKCE."""

import msgspec
from sqlalchemy import Connection

from vedette.identity.directory.applications import Application, Applications, RedirectUris, find_application
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.directory.tenants import TenantRecord, Tenants
from vedette.identity.provisioning import Provisioning
from vedette.identity.services import IdentityServices
from vedette.ids import derived_guid

APP_ID = derived_guid("portal", "application")
NAME = "Vedette portal"
CALLBACK = "/portal/signed-in"
REMEMBERED_ADDRESSES = 20
"""A server may be reached under several names and ports; the oldest address is forgotten for a new one."""


def ensure_portal_application(
    connection: Connection, services: IdentityServices, tenant: TenantRecord, base_url: str
) -> None:
    """The application, this server's address as its redirect URI, and its presence in the tenant."""
    application = find_application(connection, APP_ID)
    if application is None:
        application = _register(connection, services)
    redirect_uri = base_url + CALLBACK
    if redirect_uri not in application.redirect_uris.web:
        known = (*application.redirect_uris.web, redirect_uri)[-REMEMBERED_ADDRESSES:]
        application = msgspec.structs.replace(application, redirect_uris=RedirectUris(web=known))
        Applications(connection, application.tenant_id).replace(application)
        Tenants(connection).advance_generation_of_application(APP_ID)
    Provisioning(connection, services).ensure_client_principal(tenant.tenant.tenant_id, application)


def is_ready(connection: Connection, tenant: TenantRecord, base_url: str) -> bool:
    """Whether nothing of it has to be made."""
    application = find_application(connection, APP_ID)
    if application is None or base_url + CALLBACK not in application.redirect_uris.web:
        return False
    return ServicePrincipals(connection, tenant.tenant.tenant_id).find(APP_ID) is not None


def _register(connection: Connection, services: IdentityServices) -> Application:
    home = Tenants(connection).all()[0].tenant
    application = Application(
        id=derived_guid("portal", "registration"),
        app_id=APP_ID,
        tenant_id=home.tenant_id,
        display_name=NAME,
        sign_in_audience="AzureADMultipleOrgs",
        created_at=services.now(),
        is_fallback_public_client=True,
        properties={"description": "Signs people in to this server's own pages."},
    )
    Applications(connection, home.tenant_id).create(application)
    return application
