"""What a grant is: the part of a token request in which the grants differ. `dispatch` owns all shared phases."""

from typing import Protocol

import msgspec
from sqlalchemy import Connection

from vedette.identity.clients import AuthenticatedClient
from vedette.identity.directory.tenants import TenantRecord
from vedette.identity.directory.users import User
from vedette.identity.scopes import RequestedAccess
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import TokenRequest


class Exchange(msgspec.Struct, frozen=True):
    """A token request whose tenant is known and whose client has proved itself, on one database connection."""

    request: TokenRequest
    connection: Connection
    services: IdentityServices
    tenant: TenantRecord
    client: AuthenticatedClient


class Authorization(msgspec.Struct, frozen=True):
    """What a grant establishes: on whose behalf, and what is asked for. `user` is None for the client itself."""

    requested: RequestedAccess
    user: User | None = None


class Grant(Protocol):
    """One OAuth grant. A new one is a file with a class of this shape and an entry in `dispatch.GRANTS`."""

    grant_type: str
    needs_confidential_client: bool
    """Whether a client without a credential of its own is refused before `authorize`."""
    writes: bool
    """Whether `authorize` changes the database (a code is redeemed, a refresh token made)."""

    def authorize(self, exchange: Exchange) -> Authorization:
        """Check the grant's own parameters. Raises OAuthError."""
        ...
