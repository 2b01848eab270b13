"""Who is signed in, in which browser. A browser is known by a random cookie, kept here only as a keyed hash."""

import secrets

import msgspec
from sqlalchemy import Connection, Row, delete, select, update

from vedette.identity.directory.users import User, Users
from vedette.identity.services import IdentityServices
from vedette.identity.signin.tables import BROWSER_SESSIONS
from vedette.store.secrets import Secret
from vedette.store.tenancy import TenantRepository

COOKIE_BYTES = 32


class BrowserSession(msgspec.Struct, frozen=True):
    """One account signed in in one browser."""

    user: User
    methods: tuple[str, ...]
    signed_in_at: int
    expires_at: int


class BrowserSessions(TenantRepository):
    """The sessions of one tenant."""

    def put(self, browser: bytes, session: BrowserSession) -> None:
        """Sign the account in, in place of what the browser had of it."""
        self.remove(browser, session.user)
        self.insert(
            BROWSER_SESSIONS,
            browser_hash=browser,
            user_id=session.user.id,
            methods=" ".join(session.methods),
            signed_in_at=session.signed_in_at,
            expires_at=session.expires_at,
        )

    def remove(self, browser: bytes, user: User) -> None:
        """Sign one account out."""
        table = BROWSER_SESSIONS
        own = self.delete(table).where(table.c.browser_hash == browser, table.c.user_id == user.id)
        self.connection.execute(own)


def new_browser() -> Secret[str]:
    """A cookie value for a browser that has none, or must have a new one."""
    return Secret(secrets.token_urlsafe(COOKIE_BYTES))


def browser_hash(services: IdentityServices, cookie: Secret[str]) -> bytes:
    """By what a browser's cookie is known here."""
    return services.browser_hasher.digest(cookie.reveal())


def sessions_of(connection: Connection, services: IdentityServices, browser: bytes) -> list[BrowserSession]:
    """The sessions of a browser that still hold, in every tenant, newest first."""
    now, table = services.now(), BROWSER_SESSIONS
    query = select(table).where(table.c.browser_hash == browser, table.c.expires_at > now)
    rows = connection.execute(query.order_by(table.c.signed_in_at.desc(), table.c.user_id))
    found = [_to_session(connection, row) for row in rows]
    return [session for session in found if session is not None]


def move_sessions(connection: Connection, old: bytes, new: bytes) -> None:
    """Give a browser a new name: a cookie known to somebody else before sign-in is worth nothing after it."""
    table = BROWSER_SESSIONS
    connection.execute(update(table).where(table.c.browser_hash == old).values(browser_hash=new))


def end_sessions(connection: Connection, browser: bytes) -> None:
    """Sign every account out of a browser."""
    connection.execute(delete(BROWSER_SESSIONS).where(BROWSER_SESSIONS.c.browser_hash == browser))


def _to_session(connection: Connection, row: Row[tuple[object, ...]]) -> BrowserSession | None:
    """A disabled account, and one whose tokens were revoked since, is signed in no more."""
    user = Users(connection, row.tenant_id).find(row.user_id)
    if user is None or not user.account_enabled or row.signed_in_at < user.tokens_valid_from:
        return None
    return BrowserSession(user, tuple(row.methods.split()), row.signed_in_at, row.expires_at)
