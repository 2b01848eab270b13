"""RFC 7523 client assertions: a JWT signed by the key of a certificate that the application registered."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode
from sqlalchemy import Connection

from vedette.identity.directory.applications import Application
from vedette.identity.directory.credentials import KeyCredential, KeyCredentials
from vedette.identity.directory.federated_credentials import FederatedCredentials
from vedette.identity.directory.tenants import Tenants
from vedette.identity.errors import OAuthError
from vedette.identity.federated_assertions import verify_federated_assertion
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import TokenRequest
from vedette.identity.token_times import check_times
from vedette.store.secrets import Secret

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS256", "PS256")
MAXIMUM_HEADER_LENGTH = 32_768


def verify_client_assertion(
    connection: Connection,
    services: IdentityServices,
    request: TokenRequest,
    application: Application,
    further: Sequence[KeyCredential] = (),
) -> None:
    """Check the request's assertion. `further`: certificates beside the application's own. Raises OAuthError."""
    credential = request.client
    assertion = credential.assertion
    if assertion is None or credential.assertion_type != ASSERTION_TYPE:
        raise OAuthError(
            "parameter_missing", parameter="client_assertion" if assertion is None else "client_assertion_type"
        )
    unverified = _unverified_claims(assertion)
    if unverified.get("iss") != application.app_id and FederatedCredentials(connection, application).all():
        verify_federated_assertion(connection, services, application, assertion, unverified)
        return
    credentials = [*KeyCredentials(connection, application).all(), *further]
    key = _registered_key(services.now(), credentials, application, _header(assertion))
    claims = _verified_claims(assertion, key, application)
    if claims.get("iss") != application.app_id or claims.get("sub") != application.app_id:
        raise OAuthError("assertion_of_another_client", app_id=application.app_id)
    check_times(claims, services.now())
    if not _audiences(claims) & _own_audiences(connection, services, request):
        raise OAuthError("assertion_unusable", reason="the audience is not this token endpoint")


def _registry() -> JWSRegistry:
    """The rules for assertions: a header may carry a certificate chain (`x5c`)."""
    registry = JWSRegistry(algorithms=ALGORITHMS)
    registry.max_header_length = MAXIMUM_HEADER_LENGTH
    return registry


def _header(assertion: Secret[str]) -> Mapping[str, object]:
    try:
        return jws.extract_compact(_unpadded(assertion), registry=_registry()).headers()
    except (JoseError, ValueError) as error:
        raise OAuthError("assertion_unusable", reason="it is not a signed JWT") from error


def _unverified_claims(assertion: Secret[str]) -> Mapping[str, object]:
    """Who says to have signed: only to find out whose key to expect."""
    try:
        payload = jws.extract_compact(_unpadded(assertion), registry=_registry()).payload
        return msgspec.json.decode(payload, type=dict[str, object])
    except (JoseError, ValueError, msgspec.MsgspecError) as error:
        raise OAuthError("assertion_unusable", reason="it is not a signed JWT") from error


def _registered_key(
    now: int, credentials: Iterable[KeyCredential], application: Application, header: Mapping[str, object]
) -> RSAKey:
    named = {name: str(header[name]).rstrip("=") for name in ("x5t#S256", "x5t") if name in header}
    if not named:
        raise OAuthError("assertion_unusable", reason="the header names no certificate thumbprint")
    for credential in credentials:
        if _is_named(credential, named):
            if not credential.start_at <= now < credential.end_at:
                raise OAuthError(
                    "assertion_key_or_signature_wrong",
                    app_id=application.app_id,
                    reason="the certificate is not valid now",
                )
            return _public_key(credential)
    raise OAuthError(
        "assertion_key_or_signature_wrong",
        app_id=application.app_id,
        reason="no registered certificate has this thumbprint",
    )


def _is_named(credential: KeyCredential, named: Mapping[str, str]) -> bool:
    """Whether every thumbprint of the header is this certificate's."""
    own = {"x5t": credential.sha1_thumbprint, "x5t#S256": credential.sha256_thumbprint}
    return all(own[name] == value for name, value in named.items())


def _public_key(credential: KeyCredential) -> RSAKey:
    key = x509.load_der_x509_certificate(credential.certificate).public_key()
    return RSAKey.import_key(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _verified_claims(assertion: Secret[str], key: RSAKey, application: Application) -> Mapping[str, object]:
    try:
        parts, registry = jws.extract_compact(_unpadded(assertion), registry=_registry()), _registry()
        header = parts.headers()
        registry.check_header(header)
        signed, _, signature = assertion.reveal().rpartition(".")
        algorithm = registry.get_alg(header["alg"])
        if not algorithm.verify(signed.encode(), urlsafe_b64decode(signature.rstrip("=").encode()), key):
            raise ValueError("signature")
        return msgspec.json.decode(parts.payload, type=dict[str, object])
    except (JoseError, ValueError, KeyError, msgspec.MsgspecError) as error:
        raise OAuthError(
            "assertion_key_or_signature_wrong", app_id=application.app_id, reason="the signature does not verify"
        ) from error


def _unpadded(assertion: Secret[str]) -> bytes:
    """As RFC 7515 wants it: azure-identity's own assertions have padded parts, and are signed with the padding."""
    return ".".join(part.rstrip("=") for part in assertion.reveal().split(".")).encode()


def _audiences(claims: Mapping[str, object]) -> set[str]:
    audience = claims.get("aud")
    return {str(name).rstrip("/").lower() for name in (audience if isinstance(audience, list) else [audience])}


def _own_audiences(connection: Connection, services: IdentityServices, request: TokenRequest) -> set[str]:
    """Every form in which clients name this authority: token endpoints (v1, v2) and issuers, by segment and by id."""
    segments = {request.tenant}
    found = Tenants(connection).find(request.tenant)
    names: set[str] = set()
    if found is not None:
        tenant_id = found.tenant.tenant_id
        segments |= {tenant_id, found.tenant.domain}
        names |= {services.issuers.issuer(request.base_url, tenant_id, version) for version in (1, 2)}
    for segment in segments:
        root = f"{request.base_url}/{segment}"
        names |= {f"{root}/oauth2/token", f"{root}/oauth2/v2.0/token", f"{root}/v2.0"}
    return {name.rstrip("/").lower() for name in names}
