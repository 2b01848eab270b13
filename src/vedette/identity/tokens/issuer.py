"""Issues access tokens: claims in the version the resource wants, signed by the tenant's key."""

import base64
from typing import Literal

import msgspec

from vedette.identity.claims_request import CAPABILITIES_CLAIM, CHALLENGE_CAPABILITY, NOTHING, ClaimsRequest
from vedette.identity.clients import AuthenticatedClient
from vedette.identity.consent import GrantedPermissions
from vedette.identity.directory.tenants import TenantRecord
from vedette.identity.directory.users import User, Users
from vedette.identity.resources import Resource
from vedette.identity.services import IdentityServices
from vedette.identity.tokens.claims import TokenFacts, UserSubject, access_token_claims
from vedette.identity.tokens.id_token import SignInFacts, id_token_claims
from vedette.store.engine import Reading
from vedette.store.secrets import Secret


class IssuedToken(msgspec.Struct, frozen=True):
    """A signed access token and its times."""

    value: Secret[str]
    issued_at: int
    expires_in: int
    refresh_in: int | None = None
    """After how many seconds its client should ask for the next one; only of a token that lives long."""


class TokenIssuer:
    """Issues the tokens of one tenant, as asked for at `base_url`."""

    def __init__(self, reading: Reading, services: IdentityServices, tenant: TenantRecord, base_url: str) -> None:
        self._reading = reading
        self._services = services
        self._tenant = tenant
        self._base_url = base_url

    def issue(
        self,
        client: AuthenticatedClient,
        resource: Resource,
        permissions: GrantedPermissions,
        *,
        user: UserSubject | None = None,
        lifetime: int | None = None,
        asked: ClaimsRequest = NOTHING,
    ) -> IssuedToken:
        """Sign an access token. `lifetime` is bounded by the settings' maximum.

        A token lives long if its client can answer claims challenges and its resource evaluates access continuously.
        """
        settings, is_challengeable = self._services.settings, _is_challengeable(asked, resource)
        if lifetime is None:
            lifetime = settings.challengeable_token_lifetime if is_challengeable else settings.access_token_lifetime
        tenant_id = self._tenant.tenant.tenant_id
        facts = TokenFacts(
            tenant=self._tenant,
            client=client,
            resource=resource,
            permissions=permissions,
            issuers={version: self._services.issuers.issuer(self._base_url, tenant_id, version) for version in (1, 2)},
            issued_at=self._services.now(),
            lifetime=min(lifetime, settings.maximum_token_lifetime),
            user=user,
            asked=asked,
        )
        key = self._services.keyring.signing_key(self._reading, self._tenant)
        token = key.sign(access_token_claims(facts), with_x5t=resource.token_version == 1)
        refresh_in = facts.lifetime // 2 if is_challengeable else None
        return IssuedToken(Secret(token), facts.issued_at, facts.lifetime, refresh_in)

    def issue_id_token(
        self,
        client: AuthenticatedClient,
        subject: UserSubject,
        version: Literal[1, 2],
        nonce: str | None,
        *,
        roles: frozenset[str] = frozenset(),
        code: Secret[str] | None = None,
    ) -> Secret[str]:
        """Sign an id_token, in the version of the endpoint that was asked. `code` is what it comes together with."""
        facts = SignInFacts(
            subject=subject,
            client_id=client.application.app_id,
            issuer=self._services.issuers.issuer(self._base_url, self._tenant.tenant.tenant_id, version),
            issued_at=self._services.now(),
            version=version,
            nonce=nonce,
            roles=roles,
            code=code,
        )
        key = self._services.keyring.signing_key(self._reading, self._tenant)
        return Secret(key.sign(id_token_claims(facts), with_x5t=version == 1))

    def subject_of(
        self, user: User, client: AuthenticatedClient, address: str = "", methods: tuple[str, ...] = ("pwd",)
    ) -> UserSubject:
        """What a token for `client` says of a person."""
        return UserSubject(
            user=user,
            pairwise_subject=pairwise_subject(self._services, user, client.application.app_id),
            directory_roles=Users(self._reading.connection, user.tenant_id).role_ids(user),
            authentication_methods=methods,
            address=address,
        )


def _is_challengeable(asked: ClaimsRequest, resource: Resource) -> bool:
    """Whether the client can be told in the middle of a token's life to come with a newer one."""
    offered = () if resource.contract is None else resource.contract.optional_claims
    return CHALLENGE_CAPABILITY in asked.capabilities and CAPABILITIES_CLAIM in offered


def pairwise_subject(services: IdentityServices, user: User, app_id: str) -> str:
    """`sub` of a person: another value for every client application."""
    digest = services.subject_hasher.digest(f"{user.tenant_id}/{user.id}/{app_id}")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
