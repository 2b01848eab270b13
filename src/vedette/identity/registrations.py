"""Changes of application registrations, as the management API and the portal make them: checked, and told to caches."""

import base64
import binascii
from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import msgspec
from cryptography import x509
from sqlalchemy import Connection

from vedette.identity.deleted_applications import DeletedApplications
from vedette.identity.directory.applications import Application, Applications, RedirectUris, ResourceAccess
from vedette.identity.directory.credentials import KeyCredentials
from vedette.identity.directory.exposed_permissions import AppRole, ExposedPermissions, PermissionScope
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.directory.tenants import Tenants
from vedette.identity.errors import InvalidValueError, ObjectExistsError
from vedette.identity.services import IdentityServices
from vedette.ids import is_guid

MAXIMUM_NAME = 256
AUDIENCES = ("AzureADMyOrg", "AzureADMultipleOrgs")
Permission = TypeVar("Permission", AppRole, PermissionScope)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NewCertificate(msgspec.Struct, frozen=True):
    """A certificate to add."""

    certificate: x509.Certificate
    display_name: str


class Registrations:
    """The registrations of one tenant, in the caller's transaction."""

    def __init__(self, connection: Connection, services: IdentityServices, tenant_id: str) -> None:
        self._connection = connection
        self._services = services
        self._tenant_id = tenant_id
        self._applications = Applications(connection, tenant_id)

    def create(self, application: Application) -> None:
        """Register, without a service principal: its creation is a step of its own. Raises InvalidValueError."""
        self._check(application)
        self._applications.create(application)

    def change(self, application: Application) -> None:
        """Store the present values; name and identifier URIs of the service principal at home follow."""
        self._check(application)
        self._applications.replace(application)
        principals = ServicePrincipals(self._connection, self._tenant_id)
        principal = principals.find(application.app_id)
        if principal is not None:
            principals.replace(msgspec.structs.replace(principal, display_name=application.display_name))
            principals.replace_names(principal.id, application.identifier_uris)
        self._tell(application)

    def remove(self, application: Application) -> None:
        """Delete it with its service principal at home; elsewhere its tokens fail from now on.

        For thirty days it can be restored.
        """
        self._tell(application)
        DeletedApplications(self._connection, self._services, self._tenant_id).add(application)

    def restore(self, application: Application) -> Application:
        """Bring a deleted one back. Raises ObjectExistsError if an identifier URI is another's by now."""
        self._check_identifier_uris(application)
        restored = DeletedApplications(self._connection, self._services, self._tenant_id).restore(application)
        self._tell(restored)
        return restored

    def configure(self, application: Application, accesses: Iterable[ResourceAccess]) -> None:
        """Ask for exactly these permissions. What is granted does not change before consent is given again."""
        wanted = list(accesses)
        for access in wanted:
            if access.type not in ("Role", "Scope"):
                raise InvalidValueError("requiredResourceAccess", access.type)
            if not (is_guid(access.resource_app_id) and is_guid(access.permission_id)):
                raise InvalidValueError("requiredResourceAccess", access.permission_id)
        self._applications.replace_required(application, wanted)

    def expose(self, application: Application, roles: Iterable[AppRole], scopes: Iterable[PermissionScope]) -> None:
        """Offer exactly these permissions to others."""
        exposed = ExposedPermissions(self._connection, application)
        exposed.clear()
        for role in _distinct("appRoles", list(roles)):
            exposed.add_role(role)
        for scope in _distinct("oauth2PermissionScopes", list(scopes)):
            exposed.add_scope(scope)
        self._tell(application)

    def replace_certificates(
        self, application: Application, kept: Iterable[str], added: Iterable[NewCertificate]
    ) -> None:
        """Keep the certificates with these key ids, and add others."""
        credentials = KeyCredentials(self._connection, application)
        staying = {key_id.lower() for key_id in kept}
        for credential in credentials.all():
            if credential.key_id not in staying:
                credentials.remove(credential.key_id)
        for new in added:
            credentials.add(new.certificate, new.display_name, self._services.ids)
        self._tell(application)

    def _check(self, application: Application) -> None:
        if not 1 <= len(application.display_name.strip()) <= MAXIMUM_NAME:
            raise InvalidValueError("displayName", application.display_name[:20])
        if application.sign_in_audience not in AUDIENCES:
            raise InvalidValueError("signInAudience", application.sign_in_audience)
        if application.requested_token_version not in (None, 1, 2):
            raise InvalidValueError("requestedAccessTokenVersion", str(application.requested_token_version))
        check_redirect_uris(application.redirect_uris)
        self._check_identifier_uris(application)

    def _check_identifier_uris(self, application: Application) -> None:
        for uri in application.identifier_uris:
            if not urlsplit(uri).scheme or len(uri) > 255 or any(character.isspace() for character in uri):
                raise InvalidValueError("identifierUris", uri)
        taken = {
            uri.casefold()
            for other in self._applications.all()
            if other.id != application.id
            for uri in other.identifier_uris
        }
        for uri in application.identifier_uris:
            if uri.casefold() in taken:
                raise ObjectExistsError("identifierUris", uri)

    def _tell(self, application: Application) -> None:
        tenants = Tenants(self._connection)
        tenants.advance_generation(self._tenant_id)
        tenants.advance_generation_of_application(application.app_id)


def check_redirect_uris(uris: RedirectUris) -> None:
    """Web and single-page addresses use TLS or the loopback; native ones may have a scheme of their own."""
    for uri in (*uris.web, *uris.spa):
        parts = _absolute(uri)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise InvalidValueError("redirectUris", uri)
    for uri in uris.public_client:
        if _absolute(uri).scheme in ("javascript", "data", "file", "vbscript"):
            raise InvalidValueError("redirectUris", uri)


def read_certificate(encoded: str) -> x509.Certificate:
    """A certificate of base64 DER or PEM, also of base64 over either. Raises InvalidValueError."""
    try:
        if "-----BEGIN" in encoded:
            return x509.load_pem_x509_certificate(encoded.encode())
        data = base64.b64decode("".join(encoded.split()), validate=True)
        if data.startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except (ValueError, binascii.Error) as error:
        raise InvalidValueError("keyCredentials", "key") from error


def _absolute(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise InvalidValueError("redirectUris", uri) from error
    if not parts.scheme or parts.fragment or "*" in uri or len(uri) > MAXIMUM_NAME:
        raise InvalidValueError("redirectUris", uri)
    return parts


def _distinct(kind: str, permissions: list[Permission]) -> list[Permission]:
    for permission in permissions:
        if not is_guid(permission.id):
            raise InvalidValueError(kind, permission.id)
    values = [permission.value for permission in permissions if permission.value]
    if len({permission.id for permission in permissions}) != len(permissions) or len(set(values)) != len(values):
        raise InvalidValueError(kind, "a permission is declared twice")
    return permissions
