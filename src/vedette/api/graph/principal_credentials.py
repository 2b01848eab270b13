"""Graph's credentials of service principals: secrets and certificates that are good in this tenant alone."""

from sqlalchemy import Connection

from vedette.api.graph import directory_entities as wire
from vedette.api.graph.application_credentials import wanted_times
from vedette.api.graph.applications import new_certificate
from vedette.api.graph.authors import change_log
from vedette.api.graph.directory_answers import members_of, no_content
from vedette.api.graph.directory_bodies import (
    AddKeyBody,
    AddPasswordBody,
    KeyIdBody,
    PasswordCredentialBody,
    RemoveKeyBody,
    read_entity,
)
from vedette.api.graph.service_principals import writable_principal
from vedette.api.graph.surface import graph_answer, metadata_url
from vedette.api.http import ApiRequest, ApiResponse
from vedette.context import RequestContext
from vedette.identity.directory import principal_credentials as credentials
from vedette.identity.directory.service_principals import ServicePrincipal, ServicePrincipals
from vedette.identity.directory.tenants import Tenants
from vedette.identity.proof_of_possession import check_principal_proof
from vedette.identity.services import IdentityServices

ADDED, REMOVED = "add_service_principal_credentials", "remove_service_principal_credentials"


class GraphPrincipalCredentials:
    """Handlers."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def add_password(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /servicePrincipals/{id}/addPassword: the answer is the only place where the value is ever shown."""
        body = read_entity(request.body, AddPasswordBody).password_credential if request.body.strip() else None
        wanted = body or PasswordCredentialBody()
        times = wanted_times(wanted, self._services.now())
        with self._services.store.begin() as connection:
            principal = writable_principal(connection, context, request)
            hasher, ids = self._services.secret_hasher, self._services.ids
            changed, new = credentials.with_password(principal, hasher, ids, wanted.display_name or "", times)
            self._store(connection, changed)
            log = change_log(connection, self._services, context, request)
            log.tell(ADDED, principal, added=f"secret {new.credential.key_id}")
        members = members_of(wire.to_password(new.credential, new.secret.reveal()))
        return graph_answer({"@odata.context": metadata_url(request, "microsoft.graph.passwordCredential"), **members})

    def remove_password(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /servicePrincipals/{id}/removePassword."""
        key_id = read_entity(request.body, KeyIdBody).key_id.lower()
        with self._services.store.begin() as connection:
            principal = writable_principal(connection, context, request)
            self._store(connection, credentials.without(principal, credentials.PASSWORDS, key_id))
            log = change_log(connection, self._services, context, request)
            log.tell(REMOVED, principal, removed=f"secret {key_id}")
        return no_content()

    def add_key(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /servicePrincipals/{id}/addKey: a further certificate, vouched for by one that is there."""
        body = read_entity(request.body, AddKeyBody)
        new = new_certificate(body.key_credential)
        with self._services.store.begin() as connection:
            principal = writable_principal(connection, context, request)
            check_principal_proof(self._services, principal, body.proof)
            changed, added = credentials.with_key(principal, self._services.ids, new.certificate, new.display_name)
            self._store(connection, changed)
            log = change_log(connection, self._services, context, request)
            log.tell(ADDED, principal, added=f"certificate {added.key_id}")
        context_url = metadata_url(request, "microsoft.graph.keyCredential")
        return graph_answer({"@odata.context": context_url, **members_of(wire.to_key(added))})

    def remove_key(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /servicePrincipals/{id}/removeKey."""
        body = read_entity(request.body, RemoveKeyBody)
        key_id = body.key_id.lower()
        with self._services.store.begin() as connection:
            principal = writable_principal(connection, context, request)
            check_principal_proof(self._services, principal, body.proof)
            self._store(connection, credentials.without(principal, credentials.KEYS, key_id))
            log = change_log(connection, self._services, context, request)
            log.tell(REMOVED, principal, removed=f"certificate {key_id}")
        return no_content()

    def _store(self, connection: Connection, principal: ServicePrincipal) -> None:
        ServicePrincipals(connection, principal.tenant_id).replace(principal)
        Tenants(connection).advance_generation(principal.tenant_id)
