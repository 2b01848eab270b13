"""A token request, read once, and the answer to it. No HTTP here: `api.login.forms` makes and renders these."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from vedette.identity.errors import OAuthError
from vedette.store.secrets import Secret

EndpointVersion = Literal[1, 2]


class ClientCredential(msgspec.Struct, frozen=True):
    """How the client says who it is and proves it."""

    client_id: str | None
    secret: Secret[str] | None = None
    assertion: Secret[str] | None = None
    assertion_type: str | None = None

    @property
    def is_presented(self) -> bool:
        """Whether any proof came with the request."""
        return self.secret is not None or self.assertion is not None


class TokenRequest(msgspec.Struct, frozen=True):
    """One POST to a token endpoint. `parameters` hold no credential."""

    endpoint: EndpointVersion
    tenant: str
    """The path segment as sent: GUID, domain, `common` …"""
    parameters: Mapping[str, str]
    client: ClientCredential
    base_url: str
    """`https://host[:port]` that was asked; the issuer follows it."""
    client_address: str = ""
    user_agent: str = ""
    is_from_page: bool = False
    """Whether a page of a browser sends it (it has an `Origin`)."""
    request_id: str = ""
    correlation_id: str = ""

    def required(self, name: str) -> str:
        """A parameter's value. Raises OAuthError if it is missing or empty."""
        value = self.parameters.get(name)
        if not value:
            raise OAuthError("parameter_missing", parameter=name)
        return value


class TokenResult(msgspec.Struct, frozen=True):
    """What was issued."""

    access_token: Secret[str]
    issued_at: int
    expires_in: int
    audience: str
    """The resource as asked for; the v1 endpoint echoes it."""
    scope: str | None = None
    refresh_token: Secret[str] | None = None
    id_token: Secret[str] | None = None
    client_info: str | None = None
    refresh_in: int | None = None
