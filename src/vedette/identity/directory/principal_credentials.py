"""Credentials of a service principal: they prove its application in this one tenant, beside the application's own.

They are few and rare, and live with the service principal's other properties: keyed hashes and certificates.
"""

import base64
import secrets
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from vedette.identity.directory.credentials import (
    HINT_LENGTH,
    SECRET_BYTES,
    KeyCredential,
    NewPassword,
    PasswordCredential,
    thumbprint,
)
from vedette.identity.directory.service_principals import ServicePrincipal
from vedette.identity.errors import ObjectNotFoundError
from vedette.ids import Ids
from vedette.store.secrets import KeyedHasher, Secret

PASSWORDS, KEYS = "ownPasswords", "ownKeys"


def passwords_of(principal: ServicePrincipal) -> list[PasswordCredential]:
    """Its secrets, newest first, without their hashes."""
    stored = [_password(entry) for entry in principal.properties.get(PASSWORDS, ())]
    return sorted(stored, key=lambda each: (-each.start_at, each.key_id))


def keys_of(principal: ServicePrincipal) -> list[KeyCredential]:
    """Its certificates, oldest first."""
    stored = [_key(entry) for entry in principal.properties.get(KEYS, ())]
    return sorted(stored, key=lambda each: (each.start_at, each.key_id))


def matching_passwords(
    principal: ServicePrincipal, hasher: KeyedHasher, secret: Secret[str]
) -> list[PasswordCredential]:
    """Those whose secret this is, expired ones included. Every stored hash is compared."""
    presented = secret.reveal()
    entries = principal.properties.get(PASSWORDS, ())
    return [_password(entry) for entry in entries if hasher.matches(presented, base64.b64decode(entry["hash"]))]


def with_password(
    principal: ServicePrincipal, hasher: KeyedHasher, ids: Ids, display_name: str, times: tuple[int, int]
) -> tuple[ServicePrincipal, NewPassword]:
    """The service principal with a new secret, and that. `times`: start and end."""
    value = secrets.token_urlsafe(SECRET_BYTES)
    credential = PasswordCredential(ids.guid(), display_name, value[:HINT_LENGTH], *times)
    entry = {**msgspec.to_builtins(credential), "hash": base64.b64encode(hasher.digest(value)).decode()}
    return _with(principal, PASSWORDS, entry), NewPassword(credential, Secret(value))


def with_key(
    principal: ServicePrincipal, ids: Ids, certificate: x509.Certificate, display_name: str
) -> tuple[ServicePrincipal, KeyCredential]:
    """The service principal with a new certificate, and that."""
    der = certificate.public_bytes(Encoding.DER)
    credential = KeyCredential(
        key_id=ids.guid(),
        display_name=display_name,
        certificate=der,
        sha1_thumbprint=thumbprint(der, "sha1"),
        sha256_thumbprint=thumbprint(der, "sha256"),
        start_at=int(certificate.not_valid_before_utc.timestamp()),
        end_at=int(certificate.not_valid_after_utc.timestamp()),
    )
    return _with(principal, KEYS, msgspec.to_builtins(credential)), credential


def without(principal: ServicePrincipal, kind: str, key_id: str) -> ServicePrincipal:
    """The service principal without a credential of a kind. Raises ObjectNotFoundError."""
    entries = list(principal.properties.get(kind, ()))
    kept = [entry for entry in entries if entry["key_id"] != key_id]
    if len(kept) == len(entries):
        raise ObjectNotFoundError("credential", key_id)
    return msgspec.structs.replace(principal, properties={**principal.properties, kind: kept})


def _with(principal: ServicePrincipal, kind: str, entry: object) -> ServicePrincipal:
    entries = [*principal.properties.get(kind, ()), entry]
    return msgspec.structs.replace(principal, properties={**principal.properties, kind: entries})


def _password(entry: dict[str, Any]) -> PasswordCredential:
    return msgspec.convert(entry, PasswordCredential)


def _key(entry: dict[str, Any]) -> KeyCredential:
    return msgspec.convert(entry, KeyCredential)
