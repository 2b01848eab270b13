"""Client authentication: which application sends the request, and whether it can prove that."""

from typing import Literal

import msgspec
from sqlalchemy import Connection

from vedette.identity.assertions import verify_client_assertion
from vedette.identity.directory.applications import Application, find_application
from vedette.identity.directory.credentials import PasswordCredentials, matching_secrets
from vedette.identity.directory.principal_credentials import keys_of, matching_passwords
from vedette.identity.directory.service_principals import ServicePrincipal, ServicePrincipals
from vedette.identity.directory.tenants import TenantRecord
from vedette.identity.errors import OAuthError
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import ClientCredential, TokenRequest
from vedette.ids import is_guid
from vedette.store.engine import Reading
from vedette.store.secrets import Secret

ClientAuthentication = Literal["0", "1", "2"]
"""Claim `appidacr`/`azpacr`: public client, client secret, client certificate."""


class AuthenticatedClient(msgspec.Struct, frozen=True):
    """A client application with its service principal in the tenant, and how it proved itself."""

    application: Application
    principal: ServicePrincipal
    authentication: ClientAuthentication


def authenticate(
    reading: Reading,
    services: IdentityServices,
    request: TokenRequest,
    tenant: TenantRecord,
    *,
    needs_confidential_client: bool,
    is_single_page: bool = False,
) -> AuthenticatedClient:
    """The client of `request` in `tenant`. Raises OAuthError; an unknown client is told before its credential.

    `is_single_page`: what the request redeems was given to a page of a browser, which has no credential.
    """
    key = ("client", (request.client.client_id or "").lower())
    application, principal = services.cache.get(tenant, key, lambda: _find(reading.connection, request.client, tenant))
    if is_single_page and not request.client.is_presented:
        return AuthenticatedClient(application, principal, "0")
    method = _prove(reading, services, request, (application, principal), needs_confidential_client)
    return AuthenticatedClient(application, principal, method)


def _find(
    connection: Connection, credential: ClientCredential, tenant: TenantRecord
) -> tuple[Application, ServicePrincipal]:
    if not credential.client_id:
        raise OAuthError("parameter_missing", parameter="client_id")
    app_id = credential.client_id.lower()
    principal = ServicePrincipals(connection, tenant.tenant.tenant_id).find(app_id) if is_guid(app_id) else None
    application = find_application(connection, app_id) if principal is not None else None
    if principal is None or application is None:
        raise OAuthError("application_not_found", app_id=credential.client_id, tenant=tenant.tenant.display_name)
    if application.is_disabled or not principal.account_enabled:
        raise OAuthError("application_disabled", app_id=app_id, app_name=application.display_name)
    return application, principal


def _prove(
    reading: Reading,
    services: IdentityServices,
    request: TokenRequest,
    known: tuple[Application, ServicePrincipal],
    needs_confidential_client: bool,
) -> ClientAuthentication:
    credential, (application, principal) = request.client, known
    if application.is_fallback_public_client:
        if credential.is_presented:
            raise OAuthError("public_client_with_credential", app_id=application.app_id)
        if not needs_confidential_client:
            return "0"
    if credential.secret is not None:
        _check_secret(reading, services, known, credential.secret)
        return "1"
    if credential.assertion is not None:
        verify_client_assertion(reading.connection, services, request, application, keys_of(principal))
        return "2"
    if needs_confidential_client:
        raise OAuthError("client_credential_required", grant_type=request.required("grant_type"))
    raise OAuthError("client_credential_missing")


def _check_secret(
    reading: Reading, services: IdentityServices, known: tuple[Application, ServicePrincipal], secret: Secret[str]
) -> None:
    (application, principal), hasher, now = known, services.secret_hasher, services.now()
    stored = services.unchanged.get(
        reading,
        ("secrets", application.id),
        lambda: PasswordCredentials(reading.connection, application, hasher).hashes(),
    )
    found = matching_secrets(stored, hasher, secret)
    found += matching_passwords(principal, hasher, secret)
    matching = [credential for credential in found if credential.start_at <= now]
    if not matching:
        raise OAuthError("wrong_client_secret", app_id=application.app_id)
    if all(credential.end_at <= now for credential in matching):
        raise OAuthError("client_secret_expired", app_id=application.app_id)
