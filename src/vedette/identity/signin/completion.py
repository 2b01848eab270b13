"""What an authorization request is answered with: a code, an id_token, or both."""

import msgspec
from sqlalchemy import Connection

from vedette.identity.clients import AuthenticatedClient
from vedette.identity.consent import own_roles
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.directory.tenants import TenantRecord
from vedette.identity.directory.users import User
from vedette.identity.errors import OAuthError
from vedette.identity.grants.authorization_codes import AuthorizationCodes, CodeRequest
from vedette.identity.services import IdentityServices
from vedette.identity.signin.authorization_request import AuthorizationRequest, AuthorizationTarget
from vedette.identity.tokens.id_token import client_info
from vedette.identity.tokens.issuer import TokenIssuer
from vedette.store.engine import Reading
from vedette.store.secrets import Secret


class SignedIn(msgspec.Struct, frozen=True):
    """Who signed in, how, and from where."""

    tenant: TenantRecord
    user: User
    methods: tuple[str, ...]
    address: str
    base_url: str


def answer(
    connection: Connection,
    services: IdentityServices,
    target: AuthorizationTarget,
    request: AuthorizationRequest,
    person: SignedIn,
) -> dict[str, str]:
    """The parameters of a good answer. Raises OAuthError."""
    parameters: dict[str, str] = {}
    code = None
    if "code" in request.response_types:
        code = _code(connection, services, target, request, person)
        parameters["code"] = code.reveal()
    client = _client(connection, target, person)
    issuer = TokenIssuer(Reading.over(connection), services, person.tenant, person.base_url)
    subject = issuer.subject_of(person.user, client, person.address, person.methods)
    roles = own_roles(connection, client.principal, person.user)
    if "id_token" in request.response_types:
        id_token = issuer.issue_id_token(client, subject, request.version, request.nonce, roles=roles, code=code)
        parameters["id_token"] = id_token.reveal()
    parameters["client_info"] = client_info(subject)
    return parameters | {"session_state": services.ids.guid()}


def _client(connection: Connection, target: AuthorizationTarget, person: SignedIn) -> AuthenticatedClient:
    app_id = target.application.app_id
    principal = ServicePrincipals(connection, person.user.tenant_id).find(app_id)
    if principal is None:
        raise OAuthError("application_not_found", app_id=app_id, tenant=person.tenant.tenant.display_name)
    return AuthenticatedClient(target.application, principal, "0")


def _code(
    connection: Connection,
    services: IdentityServices,
    target: AuthorizationTarget,
    request: AuthorizationRequest,
    person: SignedIn,
) -> Secret[str]:
    if target.redirect is None:
        raise OAuthError("parameter_missing", parameter="redirect_uri")
    return AuthorizationCodes(connection, person.user.tenant_id, services).add(
        CodeRequest(
            app_id=target.application.app_id,
            user_id=person.user.id,
            redirect_uri=target.redirect.uri,
            scope=request.scope,
            nonce=request.nonce,
            code_challenge=request.code_challenge,
            code_challenge_method=request.code_challenge_method,
            methods=" ".join(person.methods),
            is_single_page=target.redirect.platform == "spa",
        )
    )
