"""What a grant is: the part of a token request in which the grants differ. `dispatch` owns all shared phases."""

from typing import Protocol

import msgspec
from sqlalchemy import Connection

from vedette.identity.claims_request import NOTHING, ClaimsRequest
from vedette.identity.clients import AuthenticatedClient
from vedette.identity.directory.tenants import TenantRecord
from vedette.identity.directory.users import User
from vedette.identity.grants.attempt import Attempt
from vedette.identity.scopes import RequestedAccess
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import TokenRequest
from vedette.store.engine import Reading


class Exchange(msgspec.Struct, frozen=True):
    """A token request whose tenant is known and whose client has proved itself, on one read-only view."""

    request: TokenRequest
    reading: Reading
    services: IdentityServices
    tenant: TenantRecord
    client: AuthenticatedClient
    attempt: Attempt
    """What the audit log will be told."""
    asked: ClaimsRequest = NOTHING
    """What the client wants to find in the token."""

    @property
    def connection(self) -> Connection:
        """The view's connection."""
        return self.reading.connection


class Authorization(msgspec.Struct, frozen=True):
    """What a grant establishes: on whose behalf, and what is asked for. `user` is None for the client itself."""

    requested: RequestedAccess
    user: User | None = None
    nonce: str | None = None
    """What the sign-in request wants to find in the id_token."""
    family: str | None = None
    """The refresh tokens that the same sign-in led to before; None begins a new family."""
    methods: tuple[str, ...] = ("pwd",)
    """How the user proved who they are (claim `amr`)."""
    refresh_until: int | None = None
    """When refresh tokens end although they are used; None: use prolongs them."""


class Grant(Protocol):
    """One OAuth grant. A new one is a file with a class of this shape and an entry in `dispatch.GRANTS`."""

    grant_type: str
    needs_confidential_client: bool
    """Whether a client without a credential of its own is refused before `authorize`."""

    def implied_tenant(self, exchange: "TenantlessExchange") -> str | None:
        """The tenant of a request to `common` or `organizations`; None if the request does not tell."""
        ...

    def authorize(self, exchange: Exchange) -> Authorization:
        """Check the grant's own parameters. Raises OAuthError. Changes nothing."""
        ...

    def complete(self, connection: Connection, exchange: Exchange) -> None:
        """Use up what the request redeems, in the transaction that stores what was issued. Raises OAuthError."""
        ...


class TenantlessExchange(msgspec.Struct, frozen=True):
    """A token request that names no tenant."""

    request: TokenRequest
    connection: Connection
    services: IdentityServices
