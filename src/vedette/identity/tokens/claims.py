"""The claims of access tokens, v1.0 and v2.0. The resource decides which; nothing here reads a database."""

import base64
import secrets
from collections.abc import Mapping
from typing import Literal

import msgspec

from vedette.identity.claims_request import NOTHING, ClaimsRequest
from vedette.identity.clients import AuthenticatedClient
from vedette.identity.consent import GrantedPermissions
from vedette.identity.directory.tenants import TenantRecord
from vedette.identity.directory.users import User
from vedette.identity.resources import Resource

Claims = dict[str, object]

OPTIONAL = frozenset({"app_displayname", "idtyp", "xms_cc", "xms_tcdt"})
"""Claims that only some resources get, as their records say."""


class UserSubject(msgspec.Struct, frozen=True):
    """The person a token is about."""

    user: User
    pairwise_subject: str
    """`sub`: another value for every client application."""
    directory_roles: frozenset[str]
    """`wids`: role template ids."""
    authentication_methods: tuple[str, ...] = ("pwd",)
    address: str = ""


class TokenFacts(msgspec.Struct, frozen=True):
    """Everything an access token says. Without `user` its subject is the client itself."""

    tenant: TenantRecord
    client: AuthenticatedClient
    resource: Resource
    permissions: GrantedPermissions
    issuers: Mapping[Literal[1, 2], str]
    """The tenant's issuers on the host that was asked."""
    issued_at: int
    lifetime: int
    user: UserSubject | None = None
    asked: ClaimsRequest = NOTHING
    """What the client wants to find in the token."""


def access_token_claims(facts: TokenFacts) -> Claims:
    """Claims of an access token in the version that its resource wants."""
    claims = _v1_claims(facts) if facts.resource.token_version == 1 else _v2_claims(facts)
    optional = frozenset(facts.resource.contract.optional_claims) if facts.resource.contract else frozenset()
    return {name: value for name, value in claims.items() if name not in OPTIONAL - optional}


def _v1_claims(facts: TokenFacts) -> Claims:
    return {
        "aud": facts.resource.audience,
        "iss": facts.issuers[1],
        **_validity(facts),
        **_v1_person(facts),
        "aio": opaque(24),
        "app_displayname": facts.client.application.display_name,
        "appid": facts.client.application.app_id,
        "appidacr": facts.client.authentication,
        "idp": facts.issuers[1],
        **_subject(facts),
        "uti": opaque(16),
        "ver": "1.0",
        "xms_tcdt": facts.tenant.created_at,
    }


def _v2_claims(facts: TokenFacts) -> Claims:
    """The audience of a v2.0 token is always the resource's application id."""
    return {
        "aud": facts.resource.principal.app_id,
        "iss": facts.issuers[2],
        **_validity(facts),
        "aio": opaque(24),
        "azp": facts.client.application.app_id,
        "azpacr": facts.client.authentication,
        **_v2_person(facts),
        **_subject(facts),
        "uti": opaque(16),
        "ver": "2.0",
    }


def _validity(facts: TokenFacts) -> Claims:
    not_before = facts.asked.not_before_of(facts.issued_at)
    return {"iat": facts.issued_at, "nbf": not_before, "exp": facts.issued_at + facts.lifetime}


def _subject(facts: TokenFacts) -> Claims:
    """Who, and with which permissions. `roles` is left out when there are none."""
    roles: Claims = {"roles": sorted(facts.permissions.roles)} if facts.permissions.roles else {}
    able: Claims = {"xms_cc": sorted(facts.asked.capabilities)} if facts.asked.capabilities else {}
    common: Claims = {"rh": f"1.{opaque(30)}.", **roles, "tid": facts.tenant.tenant.tenant_id, **able}
    if facts.user is None:
        object_id = facts.client.principal.id
        return {"idtyp": "app", "oid": object_id, "sub": object_id, **common}
    return {
        "idtyp": "user",
        "oid": facts.user.user.id,
        "scp": " ".join(sorted(facts.permissions.scopes)),
        "sub": facts.user.pairwise_subject,
        "wids": sorted(facts.user.directory_roles),
        **common,
    }


def _v1_person(facts: TokenFacts) -> Claims:
    if facts.user is None:
        return {}
    name = facts.user.user.user_principal_name
    return {
        "acr": "1",
        "amr": list(facts.user.authentication_methods),
        "ipaddr": facts.user.address,
        "name": facts.user.user.display_name,
        "unique_name": name,
        "upn": name,
    }


def _v2_person(facts: TokenFacts) -> Claims:
    if facts.user is None:
        return {}
    return {"name": facts.user.user.display_name, "preferred_username": facts.user.user.user_principal_name}


def opaque(size: int) -> str:
    """A random value that means nothing to its reader."""
    return base64.urlsafe_b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()
