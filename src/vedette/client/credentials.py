"""Where a command's server and credentials come from, and tokens for them.

Order: a data folder's `demo.json` when the command names one, else the environment as azure-identity reads it
(`AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`, `AZURE_AUTHORITY_HOST`, `SSL_CERT_FILE`).
"""

import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from vedette.client.errors import AuthenticationError
from vedette.client.transport import Transport

RENEW_BEFORE_SECONDS = 60


class ClientSecret(msgspec.Struct, frozen=True):
    """An application's credentials at one server."""

    base_url: str
    tenant_id: str
    client_id: str
    client_secret: str
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"ClientSecret({self.base_url!r}, tenant_id={self.tenant_id!r}, client_id={self.client_id!r})"


class _DemoTenant(msgspec.Struct):
    tenant_id: str
    home: bool = False


class _DemoApp(msgspec.Struct):
    tenant_id: str
    client_id: str
    kind: str
    client_secret: str | None = None


class _DemoFile(msgspec.Struct):
    base_url: str
    tenants: list[_DemoTenant]
    apps: list[_DemoApp]
    ca_file: str | None = None


def from_environment(environment: Mapping[str, str]) -> ClientSecret | None:
    """Credentials named as azure-identity names them; None unless all are there."""
    values = [
        environment.get(f"AZURE_{name}") for name in ("AUTHORITY_HOST", "TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")
    ]
    if not all(values):
        return None
    host, tenant_id, client_id, client_secret = (str(value) for value in values)
    base_url = host if "://" in host else f"https://{host}"
    ca_file = environment.get("SSL_CERT_FILE")
    return ClientSecret(base_url, tenant_id, client_id, client_secret, Path(ca_file) if ca_file else None)


def from_demo_file(path: Path) -> ClientSecret | None:
    """The first confidential application of a demo; None when there is no such file or application."""
    try:
        demo = msgspec.json.decode(path.read_bytes(), type=_DemoFile)
    except FileNotFoundError:
        return None
    for app in demo.apps:
        if app.client_secret:
            ca_file = Path(demo.ca_file) if demo.ca_file else None
            return ClientSecret(demo.base_url, app.tenant_id, app.client_id, app.client_secret, ca_file)
    return None


class TokenSource:
    """Gets tokens by client credentials and keeps each until shortly before it expires. Not shared between threads."""

    def __init__(self, transport: Transport, credentials: ClientSecret) -> None:
        self._transport = transport
        self._credentials = credentials
        self._tokens: dict[str, tuple[str, float]] = {}

    def token(self, resource: str) -> str:
        """An access token for `resource` (`https://graph.microsoft.com`). Raises AuthenticationError."""
        token, expires = self._tokens.get(resource, ("", 0.0))
        if time.monotonic() < expires:
            return token
        token, lifetime = self._request(resource)
        self._tokens[resource] = (token, time.monotonic() + lifetime - RENEW_BEFORE_SECONDS)
        return token

    def headers(self, resource: str) -> dict[str, str]:
        """The Authorization header."""
        return {"Authorization": f"Bearer {self.token(resource)}"}

    def _request(self, resource: str) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "scope": f"{resource}/.default",
        }
        reply = self._transport.send("POST", f"/{self._credentials.tenant_id}/oauth2/v2.0/token", form=form)
        body = reply.json()
        if not reply.is_success or not isinstance(body, dict) or "access_token" not in body:
            raise _refusal(body)
        return str(body["access_token"]), float(body["expires_in"])


def _refusal(body: object) -> AuthenticationError:
    if not isinstance(body, dict):
        return AuthenticationError("The login service gave no token.")
    codes = body.get("error_codes") or [None]
    description = str(body.get("error_description", "The login service gave no token.")).splitlines()[0]
    return AuthenticationError(description, codes[0])
