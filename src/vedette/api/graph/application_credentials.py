"""Graph's credentials of applications: client secrets, certificates, federated identities."""

from sqlalchemy import Connection

from vedette.api.graph import directory_entities as wire
from vedette.api.graph.applications import new_certificate, writable_application
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
from vedette.api.graph.surface import graph_answer, metadata_url
from vedette.api.http import ApiRequest, ApiResponse
from vedette.clock import TICKS_PER_SECOND, UNIX_EPOCH_TICKS
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError
from vedette.identity.directory.applications import Application
from vedette.identity.directory.credentials import DEFAULT_LIFETIME, KeyCredentials, PasswordCredentials
from vedette.identity.directory.tenants import Tenants
from vedette.identity.proof_of_possession import check_proof
from vedette.identity.services import IdentityServices
from vedette.odata.dates import parse_ticks

CREDENTIALS = "update_application_credentials"


class GraphApplicationCredentials:
    """Handlers of secrets and certificates."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def add_password(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /applications/{id}/addPassword: the answer is the only place where the value is ever shown."""
        body = read_entity(request.body, AddPasswordBody).password_credential if request.body.strip() else None
        wanted = body or PasswordCredentialBody()
        start, end = wanted_times(wanted, self._services.now())
        with self._services.store.begin() as connection:
            application = writable_application(connection, context, request)
            credentials = PasswordCredentials(connection, application, self._services.secret_hasher)
            new = credentials.add(wanted.display_name or "", start_at=start, end_at=end, ids=self._services.ids)
            change_log(connection, self._services, context, request).tell(
                CREDENTIALS, application, added=f"secret {new.credential.key_id}"
            )
        members = members_of(wire.to_password(new.credential, new.secret.reveal()))
        return graph_answer({"@odata.context": metadata_url(request, "microsoft.graph.passwordCredential"), **members})

    def remove_password(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /applications/{id}/removePassword."""
        body = read_entity(request.body, KeyIdBody)
        with self._services.store.begin() as connection:
            application = writable_application(connection, context, request)
            PasswordCredentials(connection, application, self._services.secret_hasher).remove(body.key_id.lower())
            self._tell(connection, application)
            change_log(connection, self._services, context, request).tell(
                CREDENTIALS, application, removed=f"secret {body.key_id}"
            )
        return no_content()

    def add_key(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /applications/{id}/addKey: a further certificate, vouched for by one that is there."""
        body = read_entity(request.body, AddKeyBody)
        new = new_certificate(body.key_credential)
        with self._services.store.begin() as connection:
            application = writable_application(connection, context, request)
            check_proof(connection, self._services, application, body.proof)
            credentials = KeyCredentials(connection, application)
            added = credentials.add(new.certificate, new.display_name, self._services.ids)
            self._tell(connection, application)
            change_log(connection, self._services, context, request).tell(
                CREDENTIALS, application, added=f"certificate {added.key_id}"
            )
        context_url = metadata_url(request, "microsoft.graph.keyCredential")
        return graph_answer({"@odata.context": context_url, **members_of(wire.to_key(added))})

    def remove_key(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /applications/{id}/removeKey."""
        body = read_entity(request.body, RemoveKeyBody)
        with self._services.store.begin() as connection:
            application = writable_application(connection, context, request)
            check_proof(connection, self._services, application, body.proof)
            KeyCredentials(connection, application).remove(body.key_id.lower())
            self._tell(connection, application)
            change_log(connection, self._services, context, request).tell(
                CREDENTIALS, application, removed=f"certificate {body.key_id}"
            )
        return no_content()

    def _tell(self, connection: Connection, application: Application) -> None:
        Tenants(connection).advance_generation_of_application(application.app_id)


def wanted_times(wanted: PasswordCredentialBody, now: int) -> tuple[int, int]:
    """Start and end of a new secret. Raises InvalidRequestError."""
    start = _seconds(wanted.start_date_time, "startDateTime") or now
    end = _seconds(wanted.end_date_time, "endDateTime") or start + DEFAULT_LIFETIME
    if end <= start:
        raise InvalidRequestError("InvalidBodyValue", property="endDateTime")
    return start, end


def _seconds(text: str | None, property_: str) -> int | None:
    if text is None:
        return None
    ticks = parse_ticks(text)
    if ticks is None:
        raise InvalidRequestError("InvalidBodyValue", property=property_)
    return (ticks - UNIX_EPOCH_TICKS) // TICKS_PER_SECOND
