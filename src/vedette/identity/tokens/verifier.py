"""Verifies bearer tokens: signature by the tenant's keys, issuer, audience, times, and that nothing was revoked.

A token that verified once is remembered by its hash; expiry and the tenant's generation are checked every time, so a
revocation holds within `GENERATION_SECONDS` in every process.
"""

import binascii
import re
import threading
from hashlib import sha256
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import Connection

from vedette.context import Principal, Tenant
from vedette.contracts.permissions import canonical_audience, resources_by_audience
from vedette.identity.directory.applications import find_application
from vedette.identity.directory.service_principals import ServicePrincipal, ServicePrincipals
from vedette.identity.directory.user_limits import with_user_limits
from vedette.identity.directory.users import Users
from vedette.identity.errors import (
    BadSignatureError,
    ExpiredTokenError,
    MalformedTokenError,
    NotYetValidError,
    RevokedTokenError,
    WrongAudienceError,
    WrongIssuerError,
)
from vedette.identity.keyring import ALGORITHM
from vedette.identity.services import IdentityServices
from vedette.identity.tokens.tenant_states import TenantState, TenantStates

MAXIMUM_LENGTH = 16_384
MAXIMUM_HEADER_LENGTH = 512
"""Ours are a third of that; a key of its own or a certificate has no room."""
NOT_BEFORE_LEEWAY = 60
"""Seconds by which another host's clock may be ahead."""
REMEMBERED_TOKENS = 10_000
COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)


class AccessTokenClaims(msgspec.Struct, frozen=True):
    """The claims that verification reads; the others are the client's affair. Types are part of the check."""

    aud: str
    iss: str
    tid: str
    oid: str
    sub: str
    ver: Literal["1.0", "2.0"]
    iat: int
    nbf: int
    exp: int
    appid: str | None = None
    azp: str | None = None
    idtyp: Literal["app", "user"] | None = None
    roles: frozenset[str] = frozenset()
    scp: str | None = None
    uti: str = ""
    upn: str = ""
    preferred_username: str = ""
    amr: tuple[str, ...] = ("pwd",)
    xms_cc: frozenset[str] = frozenset()

    @property
    def client_id(self) -> str | None:
        """The client application, by the claim of the token's version."""
        return self.appid if self.ver == "1.0" else self.azp

    @property
    def is_application(self) -> bool:
        """Whether the client acts for itself."""
        return self.idtyp == "app" or (self.idtyp is None and self.scp is None and self.oid == self.sub)

    @property
    def user_name(self) -> str:
        """The user's principal name, by the claim of the token's version; none of an application."""
        return "" if self.is_application else self.upn or self.preferred_username


class _Header(msgspec.Struct, frozen=True):
    """What of a token's header counts: the algorithm is ours, the key one of the tenant's, and nothing is `crit`."""

    alg: str
    kid: str | None = None
    crit: object = None


_HEADER = msgspec.json.Decoder(_Header)
_CLAIMS = msgspec.json.Decoder(AccessTokenClaims)
_PADDING, _HASH = PKCS1v15(), SHA256()
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


class _Remembered(msgspec.Struct, frozen=True):
    principal: Principal
    expires_at: int
    generation: int


class Verifier:
    """Turns a bearer token into the Principal it proves. Thread-safe; one a process."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services
        self._states = TenantStates(services)
        self._remembered: dict[bytes, _Remembered] = {}
        self._lives = services.lives
        self._lock = threading.Lock()

    def verify(self, token: str) -> Principal:
        """The principal of a good token. Raises a TokenError."""
        digest = sha256(token.encode()).digest()
        now = self._services.clock.time()
        if self._lives != self._services.lives:
            self._remembered, self._lives = {}, self._services.lives
        known = self._remembered.get(digest)
        if known is not None:
            state = self._states.current(known.principal.tenant_id, now)
            if state is not None and state.generation == known.generation:
                if now >= known.expires_at:
                    raise ExpiredTokenError(known.principal)
                return known.principal
        verified = self._verify(token, now)
        self._remember(digest, verified)
        return verified.principal

    def verify_for_client(self, token: str) -> AccessTokenClaims:
        """The claims of a good token for whichever audience: the caller checks that. Raises a TokenError."""
        claims, state = self._proven(token, self._services.clock.time())
        self._client(claims, state)
        return claims

    def tenant(self, tenant_id: str) -> Tenant | None:
        """The tenant of a verified token, from the same cache; None if it is gone."""
        state = self._states.current(tenant_id, self._services.clock.time())
        return None if state is None else state.tenant

    def _verify(self, token: str, now: float) -> _Remembered:
        claims, state = self._proven(token, now)
        resource = resources_by_audience().get(canonical_audience(claims.aud))
        if resource is None:
            raise WrongAudienceError(_holder(claims))
        client = self._client(claims, state)
        principal = self._with_user_limits(_to_principal(claims, resource.key, client))
        return _Remembered(principal, claims.exp, state.generation)

    def _proven(self, token: str, now: float) -> tuple[AccessTokenClaims, TenantState]:
        if len(token) > MAXIMUM_LENGTH or COMPACT_JWS.fullmatch(token) is None:
            raise MalformedTokenError
        kid, claims = _read_unverified(token)
        state = self._state_of_issuer(claims, now)
        _check_signature(token, kid, state, now)
        _check_times(claims, state, now)
        return claims, state

    def _state_of_issuer(self, claims: AccessTokenClaims, now: float) -> TenantState:
        issuer = self._services.issuers.read(claims.iss)
        if issuer is None or issuer.tenant_id != claims.tid or claims.ver != f"{issuer.version}.0":
            raise WrongIssuerError
        state = self._states.current(claims.tid, now)
        if state is None:
            raise WrongIssuerError
        return state

    def _client(self, claims: AccessTokenClaims, state: TenantState) -> ServicePrincipal:
        if claims.is_application and claims.scp is not None:
            raise RevokedTokenError(_holder(claims))
        subject = (claims.client_id or "", claims.oid)
        client = state.subjects.get(subject) if claims.is_application else None
        if client is None:
            with self._services.store.connect() as connection:
                client = _check_directory(connection, claims)
            if claims.is_application:
                state.remember(subject, client)
        return client

    def _with_user_limits(self, principal: Principal) -> Principal:
        """What the user's roles and device groups are now; the token's `wids` say what they were."""
        if principal.kind == "application":
            return principal
        with self._services.store.connect() as connection:
            user = Users(connection, principal.tenant_id).get(principal.object_id)
            return with_user_limits(connection, principal, user)

    def _remember(self, digest: bytes, verified: _Remembered) -> None:
        with self._lock:
            self._remembered[digest] = verified
            while len(self._remembered) > REMEMBERED_TOKENS:
                del self._remembered[next(iter(self._remembered))]


def _read_unverified(token: str) -> tuple[str, AccessTokenClaims]:
    """kid and claims, to find out whose signature to expect. Nothing else may rely on them yet."""
    header, _, rest = token.partition(".")
    if len(header) > MAXIMUM_HEADER_LENGTH:
        raise MalformedTokenError
    try:
        read = _HEADER.decode(_base64url(header))
        claims = _CLAIMS.decode(_base64url(rest.partition(".")[0]))
    except (ValueError, msgspec.MsgspecError) as error:
        raise MalformedTokenError from error
    if read.alg != ALGORITHM or read.kid is None or read.crit is not None:
        raise BadSignatureError
    return read.kid, claims


def _check_signature(token: str, kid: str, state: TenantState, now: float) -> None:
    key = state.key(kid, now)
    if key is None:
        raise BadSignatureError
    signed, _, signature = token.rpartition(".")
    try:
        key.verify(_base64url(signature), signed.encode(), _PADDING, _HASH)
    except (InvalidSignature, ValueError) as error:
        raise BadSignatureError from error


def _base64url(text: str) -> bytes:
    return binascii.a2b_base64(text.encode().translate(_STANDARD_ALPHABET) + b"=" * (-len(text) % 4))


def _check_times(claims: AccessTokenClaims, state: TenantState, now: float) -> None:
    if now >= claims.exp:
        raise ExpiredTokenError(_holder(claims))
    if now + NOT_BEFORE_LEEWAY < claims.nbf:
        raise NotYetValidError(_holder(claims))
    if claims.iat < state.tokens_valid_from:
        raise RevokedTokenError(_holder(claims))


def _check_directory(connection: Connection, claims: AccessTokenClaims) -> ServicePrincipal:
    """The client's service principal, still there and enabled; and so the user."""
    client = ServicePrincipals(connection, claims.tid).find(claims.client_id) if claims.client_id else None
    application = find_application(connection, client.app_id) if client is not None else None
    if client is None or application is None or application.is_disabled or not client.account_enabled:
        raise RevokedTokenError(_holder(claims))
    if claims.is_application:
        if client.id != claims.oid:
            raise RevokedTokenError(_holder(claims))
        return client
    user = Users(connection, claims.tid).find(claims.oid)
    if user is None or not user.account_enabled or claims.iat < user.tokens_valid_from:
        raise RevokedTokenError(_holder(claims))
    return client


def _holder(claims: AccessTokenClaims) -> Principal:
    """Whose a genuine token is that is not good. For the record of the refusal only: it may do nothing."""
    return _named(claims, "", claims.client_id or "", "")


def _to_principal(claims: AccessTokenClaims, audience: str, client: ServicePrincipal) -> Principal:
    return _named(claims, audience, client.app_id, claims.user_name or client.display_name)


def _named(claims: AccessTokenClaims, audience: str, app_id: str, display_name: str) -> Principal:
    return Principal(
        kind="application" if claims.is_application else "user",
        tenant_id=claims.tid,
        object_id=claims.oid,
        app_id=app_id,
        audience=audience,
        roles=claims.roles,
        scopes=frozenset((claims.scp or "").split()),
        display_name=display_name,
        token_id=claims.uti,
        not_before=claims.nbf,
        client_capabilities=claims.xms_cc,
    )
