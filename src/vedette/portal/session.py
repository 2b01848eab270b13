"""Who is signed in to the portal: one cookie, sealed for its tenant, and the account read anew at every request."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from vedette.api.http import ApiRequest
from vedette.contracts.user_rights import has_right, load_user_rights
from vedette.identity.directory.tenants import TenantRecord, Tenants
from vedette.identity.directory.users import User, Users
from vedette.identity.services import IdentityServices
from vedette.store.secrets import SealError, Secret

SESSION_COOKIE = "__Host-vedette-portal"
"""The prefix ties it to this host and to TLS. SameSite=Strict: no link from elsewhere acts in somebody's name."""

T = TypeVar("T", bound=msgspec.Struct)

LIFETIME = 8 * 3600
CSRF_FIELD = "csrf"


class SessionRecord(msgspec.Struct, frozen=True, array_like=True):
    """What the cookie holds."""

    user_id: str
    issued_at: int
    expires_at: int
    csrf: str


class PortalSession(msgspec.Struct, frozen=True):
    """A signed-in administrator, as they are now."""

    tenant: TenantRecord
    user: User
    role_ids: frozenset[str]
    csrf: str

    @property
    def tenant_id(self) -> str:
        """The administrator's tenant: the only one the portal works in."""
        return self.tenant.tenant.tenant_id

    def may(self, right: str) -> bool:
        """Whether their directory roles bring a right."""
        return has_right(self.role_ids, load_user_rights()[right])

    @property
    def is_global(self) -> bool:
        """Whether they may do everything."""
        return has_right(self.role_ids, None)


def new_session(services: IdentityServices, tenant_id: str, user_id: str) -> dict[str, str]:
    """The header that signs a browser in."""
    now = services.now()
    record = SessionRecord(user_id, now, now + LIFETIME, secrets.token_urlsafe(24))
    return _set(f"{tenant_id}.{seal(services, _context(tenant_id), record)}", LIFETIME)


def end_session() -> dict[str, str]:
    """The header that signs a browser out."""
    return _set("", 0)


def read_session(connection: Connection, services: IdentityServices, request: ApiRequest) -> PortalSession | None:
    """The session of a request, if it still holds: nothing that ended its tokens leaves a session standing."""
    tenant_id, _, sealed = read_cookie(request, SESSION_COOKIE).partition(".")
    record = unseal(services, _context(tenant_id), sealed, SessionRecord)
    tenant = Tenants(connection).find(tenant_id) if record is not None else None
    if record is None or tenant is None or services.now() >= record.expires_at:
        return None
    users = Users(connection, tenant_id)
    user = users.find(record.user_id)
    if user is None or not user.account_enabled:
        return None
    if record.issued_at < max(user.tokens_valid_from, tenant.tokens_valid_from):
        return None
    return PortalSession(tenant, user, users.role_ids(user), record.csrf)


def is_csrf_good(session: PortalSession, form: Mapping[str, str]) -> bool:
    """Whether a form came from a page that this session was shown."""
    return hmac.compare_digest(session.csrf, form.get(CSRF_FIELD, ""))


def seal(services: IdentityServices, context: str, value: msgspec.Struct) -> str:
    """A value for a cookie: nobody else reads it, changes it, or uses it elsewhere."""
    sealed = services.interaction_sealer.seal(Secret(msgspec.msgpack.encode(value)), context)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(services: IdentityServices, context: str, text: str, type_: type[T]) -> T | None:
    """The value of a cookie, None if it is not one of ours."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        opened = services.interaction_sealer.open(sealed, context)
        return msgspec.msgpack.decode(opened.reveal(), type=type_)
    except (SealError, ValueError, binascii.Error, msgspec.MsgspecError):
        return None


def read_cookie(request: ApiRequest, name: str) -> str:
    """A cookie's value, empty if there is none."""
    try:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return cookie.value if cookie is not None else ""


def _context(tenant_id: str) -> str:
    return f"portal-session/{tenant_id}"


def _set(value: str, age: int) -> dict[str, str]:
    return {"set-cookie": f"{SESSION_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={age}"}
