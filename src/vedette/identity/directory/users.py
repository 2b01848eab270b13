"""People: accounts with an argon2id password and directory roles."""

import functools
from typing import Any

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import Row, select

from vedette.identity.directory.tables import DIRECTORY_ROLE_ASSIGNMENTS, USERS
from vedette.identity.errors import ObjectExistsError, ObjectNotFoundError
from vedette.store.secrets import Secret
from vedette.store.tenancy import TenantRepository


class User(msgspec.Struct, frozen=True):
    """A person's account. Its tokens issued before `tokens_valid_from` no longer verify."""

    id: str
    tenant_id: str
    user_principal_name: str
    display_name: str
    created_at: int
    account_enabled: bool = True
    tokens_valid_from: int = 0


class Users(TenantRepository):
    """The accounts of one tenant."""

    def create(self, user: User, password: Secret[str] | None) -> None:
        """Store an account. Raises ObjectExistsError if the name is taken in any tenant."""
        taken = select(USERS.c.id).where(USERS.c.user_principal_name == user.user_principal_name.lower())
        if self.connection.scalar(taken) is not None:
            raise ObjectExistsError("user", user.user_principal_name)
        self.insert(
            USERS,
            id=user.id,
            user_principal_name=user.user_principal_name.lower(),
            display_name=user.display_name,
            account_enabled=user.account_enabled,
            password_hash=None if password is None else hash_password(password),
            tokens_valid_from=user.tokens_valid_from,
            properties={},
            created_at=user.created_at,
        )

    def find(self, key: str) -> User | None:
        """The account of an object id or user principal name."""
        lowered = key.lower()
        query = self.select(USERS).where((USERS.c.id == lowered) | (USERS.c.user_principal_name == lowered))
        row = self.connection.execute(query).one_or_none()
        return None if row is None else _to_user(row)

    def verify_password(self, user: User, password: Secret[str]) -> bool | None:
        """Whether this is the account's password; None if it has none."""
        query = select(USERS.c.password_hash).where(self.own(USERS), USERS.c.id == user.id)
        stored = self.connection.scalar(query)
        return None if stored is None else is_password(password, stored)

    def set_enabled(self, user: User, enabled: bool) -> None:
        """Allow or forbid sign-in and tokens. The caller advances the tenant's generation."""
        self.connection.execute(self.update(USERS).where(USERS.c.id == user.id).values(account_enabled=enabled))

    def set_password(self, user: User, password: Secret[str], now: int) -> None:
        """Replace the password and end every session and token. The caller advances the tenant's generation."""
        values = {"password_hash": hash_password(password), "tokens_valid_from": now + 1}
        self.connection.execute(self.update(USERS).where(USERS.c.id == user.id).values(values))

    def assign_role(self, user: User, role_template_id: str) -> None:
        """Give a directory role; giving it again changes nothing."""
        if role_template_id not in self.role_ids(user):
            self.insert(DIRECTORY_ROLE_ASSIGNMENTS, user_id=user.id, role_template_id=role_template_id)

    def role_ids(self, user: User) -> frozenset[str]:
        """Template ids of the directory roles the user has (claim `wids`)."""
        table = DIRECTORY_ROLE_ASSIGNMENTS
        query = select(table.c.role_template_id).where(self.own(table), table.c.user_id == user.id)
        return frozenset(self.connection.scalars(query))

    def get(self, key: str) -> User:
        """As `find`. Raises ObjectNotFoundError."""
        user = self.find(key)
        if user is None:
            raise ObjectNotFoundError("user", key)
        return user


@functools.cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


def hash_password(password: Secret[str]) -> str:
    """The argon2id hash of a person's password."""
    return _hasher().hash(password.reveal())


def is_password(password: Secret[str], stored: str) -> bool:
    """Whether `password` has this argon2id hash. Raises argon2's error if the stored hash is none."""
    try:
        return _hasher().verify(stored, password.reveal())
    except VerifyMismatchError:
        return False


def _to_user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        tenant_id=row.tenant_id,
        user_principal_name=row.user_principal_name,
        display_name=row.display_name,
        created_at=row.created_at,
        account_enabled=row.account_enabled,
        tokens_valid_from=row.tokens_valid_from,
    )
