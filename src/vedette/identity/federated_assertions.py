"""Federated credentials: a token of an outside issuer that the application trusts, in place of a key of its own."""

from collections.abc import Mapping

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from sqlalchemy import Connection

from vedette.identity.directory.applications import Application
from vedette.identity.directory.federated_credentials import FederatedCredential, FederatedCredentials
from vedette.identity.errors import OAuthError
from vedette.identity.foreign_keys import ForeignKeysError
from vedette.identity.services import IdentityServices
from vedette.identity.token_times import check_times
from vedette.store.secrets import Secret

ALGORITHMS = ("RS256", "PS256", "ES256")
MAXIMUM_HEADER_LENGTH = 32_768


def verify_federated_assertion(
    connection: Connection,
    services: IdentityServices,
    application: Application,
    assertion: Secret[str],
    unverified: Mapping[str, object],
) -> None:
    """Check an assertion that another issuer signed; `unverified` are its claims. Raises OAuthError."""
    credential = _trusted(FederatedCredentials(connection, application).all(), unverified)
    claims = _verified(services, application, credential, assertion)
    _trusted([credential], claims)
    check_times(claims, services.now())


def _trusted(credentials: list[FederatedCredential], claims: Mapping[str, object]) -> FederatedCredential:
    """The credential with the claims' issuer, subject and audience. Raises OAuthError for the first that fails."""
    issuer, subject, audience = str(claims.get("iss")), str(claims.get("sub")), claims.get("aud")
    of_issuer = [credential for credential in credentials if credential.issuer == issuer]
    if not of_issuer:
        raise OAuthError("federated_issuer_unknown", issuer=issuer)
    of_subject = [credential for credential in of_issuer if credential.subject == subject]
    if not of_subject:
        raise OAuthError("federated_subject_unknown", subject=subject)
    names = audience if isinstance(audience, list) else [audience]
    if len(names) != 1 or not isinstance(names[0], str):
        raise OAuthError("federated_audience_not_accepted", audience=" ".join(map(str, names)))
    found = [credential for credential in of_subject if names[0] in credential.audiences]
    if not found:
        raise OAuthError("federated_audience_unknown", audience=names[0])
    return found[0]


def _verified(
    services: IdentityServices, application: Application, credential: FederatedCredential, assertion: Secret[str]
) -> Mapping[str, object]:
    registry = JWSRegistry(algorithms=ALGORITHMS)
    registry.max_header_length = MAXIMUM_HEADER_LENGTH
    try:
        kid = jws.extract_compact(assertion.reveal().encode(), registry=registry).headers().get("kid")
        keys = services.foreign_keys.of(credential.issuer, kid if isinstance(kid, str) else None)
        return jwt.decode(assertion.reveal(), keys, algorithms=list(ALGORITHMS), registry=registry).claims
    except ForeignKeysError as error:
        raise OAuthError(
            "assertion_key_or_signature_wrong",
            app_id=application.app_id,
            reason=f"the issuer's keys cannot be had: {error.reason}",
        ) from error
    except (JoseError, ValueError) as error:
        raise OAuthError(
            "assertion_key_or_signature_wrong", app_id=application.app_id, reason="the signature does not verify"
        ) from error
