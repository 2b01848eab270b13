"""Device codes (RFC 8628): a client without a browser waits while its user signs in elsewhere."""

import secrets

import msgspec
from sqlalchemy import ColumnElement, Connection, select, update

from vedette.identity.directory.applications import Application
from vedette.identity.directory.users import User, Users
from vedette.identity.errors import OAuthError, ObjectNotFoundError
from vedette.identity.grants.grant import Authorization, Exchange, TenantlessExchange
from vedette.identity.grants.requested import requested_for_user
from vedette.identity.grants.tables import DEVICE_CODES
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import TokenRequest
from vedette.identity.tokens.claims import opaque
from vedette.store.secrets import Secret

CODE_BYTES = 48
POLL_INTERVAL = 5
USER_CODE_LENGTH = 9
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels, so that no words appear (RFC 8628 §6.1): 20^9 codes."""


class StartedDeviceCode(msgspec.Struct, frozen=True):
    """What the client is told: its own secret code, and the one to show to the user."""

    device_code: Secret[str]
    user_code: str
    expires_in: int
    interval: int = POLL_INTERVAL


class DeviceCode(msgspec.Struct, frozen=True):
    """A device code as stored. `tenant_id` is the client's home."""

    tenant_id: str
    code_hash: bytes
    user_code: str
    app_id: str
    scope: str
    issued_at: int
    user_tenant_id: str | None = None
    user_id: str | None = None
    methods: str = "pwd"
    declined_at: int | None = None
    redeemed_at: int | None = None

    def has_expired(self, services: IdentityServices) -> bool:
        """Whether it is too late to sign in or to redeem."""
        return services.now() >= self.issued_at + services.settings.device_code_lifetime


class DeviceCodes:
    """Pending device sign-ins. Found by secret or by user code, before anybody's tenant is known."""

    def __init__(self, connection: Connection, services: IdentityServices) -> None:
        self._connection = connection
        self._services = services

    def start(self, application: Application, scope: str) -> StartedDeviceCode:
        """Begin a device sign-in for a client."""
        value = opaque(CODE_BYTES)
        user_code = "".join(secrets.choice(USER_CODE_LETTERS) for _ in range(USER_CODE_LENGTH))
        self._connection.execute(
            DEVICE_CODES.insert().values(
                tenant_id=application.tenant_id,
                code_hash=self._services.grant_hasher.digest(value),
                user_code=user_code,
                app_id=application.app_id,
                scope=scope,
                issued_at=self._services.now(),
            )
        )
        return StartedDeviceCode(Secret(value), user_code, self._services.settings.device_code_lifetime)

    def find(self, device_code: str) -> DeviceCode | None:
        """The sign-in that a client polls for."""
        return self._one(DEVICE_CODES.c.code_hash == self._services.grant_hasher.digest(device_code))

    def find_pending(self, user_code: str) -> DeviceCode:
        """The sign-in that a user types the code of. Raises ObjectNotFoundError if none waits under it."""
        letters = "".join(letter for letter in user_code.upper() if letter in USER_CODE_LETTERS)
        code = self._one(DEVICE_CODES.c.user_code == letters)
        if code is None or code.has_expired(self._services) or code.user_id or code.declined_at:
            raise ObjectNotFoundError("device sign-in", "under this code")
        return code

    def approve(self, code: DeviceCode, user: User, methods: tuple[str, ...] = ("pwd",)) -> None:
        """The user signed in and agreed."""
        self._settle(code, user_tenant_id=user.tenant_id, user_id=user.id, methods=" ".join(methods))

    def decline(self, code: DeviceCode) -> None:
        """The user refused."""
        self._settle(code, declined_at=self._services.now())

    def redeem(self, code: DeviceCode) -> bool:
        """Use an approved code up; False if it was used before."""
        return self._update(code, DEVICE_CODES.c.redeemed_at.is_(None), redeemed_at=self._services.now())

    def _settle(self, code: DeviceCode, **values: object) -> None:
        undecided = DEVICE_CODES.c.user_id.is_(None) & DEVICE_CODES.c.declined_at.is_(None)
        if not self._update(code, undecided, **values):
            raise ObjectNotFoundError("device sign-in", "under this code")

    def _update(self, code: DeviceCode, condition: ColumnElement[bool], **values: object) -> bool:
        own = (DEVICE_CODES.c.tenant_id == code.tenant_id) & (DEVICE_CODES.c.code_hash == code.code_hash)
        return self._connection.execute(update(DEVICE_CODES).where(own, condition).values(values)).rowcount == 1

    def _one(self, condition: ColumnElement[bool]) -> DeviceCode | None:
        row = self._connection.execute(select(DEVICE_CODES).where(condition)).one_or_none()
        return None if row is None else DeviceCode(**row._mapping)


class DeviceCodeGrant:
    """The poll: `device_code`, or `code` as older clients name it."""

    needs_confidential_client = False

    def __init__(self, grant_type: str) -> None:
        self.grant_type = grant_type

    def implied_tenant(self, exchange: TenantlessExchange) -> str | None:
        """The tenant of whoever signed in; before that, the answer is to wait."""
        code = _presented(exchange.connection, exchange.services, exchange.request)
        _check_settled(code, exchange.services)
        return code.user_tenant_id

    def authorize(self, exchange: Exchange) -> Authorization:
        """The user who signed in elsewhere."""
        code = _presented(exchange.connection, exchange.services, exchange.request)
        if code.app_id != exchange.client.application.app_id:
            raise OAuthError("device_code_unknown")
        _check_settled(code, exchange.services)
        tenant = exchange.tenant.tenant
        user = Users(exchange.connection, tenant.tenant_id).find(code.user_id or "")
        if user is None:
            raise OAuthError(
                "user_of_another_tenant",
                user=code.user_code,
                issuer=code.user_tenant_id or "",
                tenant=tenant.display_name,
            )
        if not user.account_enabled:
            raise OAuthError("account_disabled")
        return Authorization(
            requested_for_user(exchange.request, code.scope), user, methods=tuple(code.methods.split())
        )

    def complete(self, connection: Connection, exchange: Exchange) -> None:
        """Use the code up."""
        code = _presented(connection, exchange.services, exchange.request)
        if not DeviceCodes(connection, exchange.services).redeem(code):
            raise OAuthError("device_code_unknown")


def _presented(connection: Connection, services: IdentityServices, request: TokenRequest) -> DeviceCode:
    value = request.parameters.get("device_code") or request.parameters.get("code")
    code = DeviceCodes(connection, services).find(value or request.required("device_code"))
    if code is None or code.redeemed_at is not None:
        raise OAuthError("device_code_unknown")
    return code


def _check_settled(code: DeviceCode, services: IdentityServices) -> None:
    """Raises OAuthError while nobody has signed in, after they refused, and when the time is over."""
    if code.declined_at is not None:
        raise OAuthError("consent_declined", oauth_error="authorization_declined")
    if code.has_expired(services):
        raise OAuthError("device_code_expired")
    if code.user_id is None:
        raise OAuthError("authorization_pending")
