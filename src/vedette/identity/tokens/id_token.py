"""The claims of id_tokens, v1.0 and v2.0 by the endpoint that was asked, and `client_info`."""

import base64
import hashlib
import json

import msgspec

from vedette.identity.tokens.claims import Claims, UserSubject, opaque
from vedette.store.secrets import Secret

ID_TOKEN_LIFETIME = 3600


class SignInFacts(msgspec.Struct, frozen=True):
    """Everything an id_token says."""

    subject: UserSubject
    client_id: str
    issuer: str
    issued_at: int
    version: int
    nonce: str | None = None
    roles: frozenset[str] = frozenset()
    code: Secret[str] | None = None
    """The authorization code in the same answer: its hash binds the two (`c_hash`)."""


def id_token_claims(facts: SignInFacts) -> Claims:
    """Who signed in, told to the client: its audience is the client, so no API takes it for an access token."""
    user = facts.subject.user
    optional: Claims = {"nonce": facts.nonce} if facts.nonce is not None else {}
    roles: Claims = {"roles": sorted(facts.roles)} if facts.roles else {}
    binding: Claims = {} if facts.code is None else {"c_hash": half_hash(facts.code)}
    return {
        "aud": facts.client_id,
        "iss": facts.issuer,
        "iat": facts.issued_at,
        "nbf": facts.issued_at,
        "exp": facts.issued_at + ID_TOKEN_LIFETIME,
        "aio": opaque(24),
        **binding,
        **_names(facts),
        "name": user.display_name,
        **optional,
        "oid": user.id,
        "rh": f"1.{opaque(30)}.",
        **roles,
        "sub": facts.subject.pairwise_subject,
        "tid": user.tenant_id,
        "uti": opaque(16),
        "ver": f"{facts.version}.0",
    }


def half_hash(value: Secret[str]) -> str:
    """OpenID Connect Core §3.3.2.11: the left half of the SHA-256 hash."""
    digest = hashlib.sha256(value.reveal().encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def client_info(subject: UserSubject) -> str:
    """By what MSAL names the account: base64url JSON of object and tenant id, without padding."""
    document = json.dumps({"uid": subject.user.id, "utid": subject.user.tenant_id}, separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).rstrip(b"=").decode()


def _names(facts: SignInFacts) -> Claims:
    name = facts.subject.user.user_principal_name
    if facts.version == 2:
        return {"preferred_username": name}
    methods = list(facts.subject.authentication_methods)
    return {"amr": methods, "ipaddr": facts.subject.address, "unique_name": name, "upn": name}
