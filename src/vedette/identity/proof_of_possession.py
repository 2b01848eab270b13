"""Proof that the caller holds a registered key: a JWT signed by it, as addKey and removeKey want it."""

from collections.abc import Iterable, Mapping

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from sqlalchemy import Connection

from vedette.identity.directory.applications import Application
from vedette.identity.directory.credentials import KeyCredential, KeyCredentials
from vedette.identity.directory.principal_credentials import keys_of
from vedette.identity.directory.service_principals import ServicePrincipal
from vedette.identity.errors import InvalidValueError
from vedette.identity.services import IdentityServices

AUDIENCE = "00000002-0000-0000-c000-000000000000"
ALGORITHMS = ["RS256"]
LEEWAY = 300
MAXIMUM_LIFETIME = 600


def check_proof(connection: Connection, services: IdentityServices, application: Application, proof: str) -> None:
    """Raises InvalidValueError unless a valid certificate of the application signed `proof` just now."""
    _check(services, KeyCredentials(connection, application).all(), application.id, proof)


def check_principal_proof(services: IdentityServices, principal: ServicePrincipal, proof: str) -> None:
    """The same for a service principal and its own certificates."""
    _check(services, keys_of(principal), principal.id, proof)


def _check(services: IdentityServices, credentials: Iterable[KeyCredential], object_id: str, proof: str) -> None:
    now = services.now()
    for credential in credentials:
        if not credential.start_at <= now < credential.end_at:
            continue
        key = x509.load_der_x509_certificate(credential.certificate).public_key()
        claims = _verified(proof, RSAKey.import_key(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)))
        if claims is not None and _is_for(claims, object_id, now):
            return
    raise InvalidValueError("proof", "of the certificates there none signed this")


def _verified(proof: str, key: RSAKey) -> Mapping[str, object] | None:
    try:
        return jwt.decode(proof, key, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError):
        return None


def _is_for(claims: Mapping[str, object], object_id: str, now: int) -> bool:
    begins, ends = claims.get("nbf"), claims.get("exp")
    if not (isinstance(begins, int | float) and isinstance(ends, int | float)):
        return False
    is_timely = begins - LEEWAY <= now < ends + LEEWAY and ends - begins <= MAXIMUM_LIFETIME
    return is_timely and claims.get("aud") == AUDIENCE and claims.get("iss") == object_id
