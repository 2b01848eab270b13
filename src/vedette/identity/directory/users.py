"""People: accounts with an argon2id password and directory roles."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import ColumnElement, Row, select

from vedette.identity.directory.pages import After, count_rows, read_page
from vedette.identity.directory.tables import DIRECTORY_ROLE_ASSIGNMENTS, USERS
from vedette.identity.errors import ObjectExistsError, ObjectNotFoundError
from vedette.odata.paging import Selection
from vedette.store.secrets import Secret
from vedette.store.tenancy import TenantRepository

USER_FIELDS = USERS.c
"""What users may be filtered and ordered by."""


class User(msgspec.Struct, frozen=True):
    """A person's account. Its tokens issued before `tokens_valid_from` no longer verify."""

    id: str
    tenant_id: str
    user_principal_name: str
    display_name: str
    created_at: int
    account_enabled: bool = True
    tokens_valid_from: int = 0
    properties: Mapping[str, Any] = {}
    """What only the management API shows, by its wire names."""


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
            properties=dict(user.properties),
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

    def revoke_tokens(self, user: User, now: int) -> None:
        """End every session and token up to and including this second. The caller advances the tenant's generation."""
        own = self.update(USERS).where(USERS.c.id == user.id)
        self.connection.execute(own.values(tokens_valid_from=now + 1))

    def assign_role(self, user: User, role_template_id: str) -> None:
        """Give a directory role; giving it again changes nothing."""
        if role_template_id not in self.role_ids(user):
            self.insert(DIRECTORY_ROLE_ASSIGNMENTS, user_id=user.id, role_template_id=role_template_id)

    def withdraw_role(self, user: User, role_template_id: str) -> None:
        """Take a directory role away. Raises ObjectNotFoundError if the user does not have it."""
        table = DIRECTORY_ROLE_ASSIGNMENTS
        own = self.delete(table).where(table.c.user_id == user.id, table.c.role_template_id == role_template_id)
        if self.connection.execute(own).rowcount == 0:
            raise ObjectNotFoundError("directory role assignment", role_template_id)

    def with_role(self, role_template_id: str) -> list[User]:
        """The people who have a directory role."""
        table = DIRECTORY_ROLE_ASSIGNMENTS
        having = select(table.c.user_id).where(self.own(table), table.c.role_template_id == role_template_id)
        rows = self.connection.execute(self.select(USERS).where(USERS.c.id.in_(having)).order_by(USERS.c.id))
        return [_to_user(row) for row in rows]

    def role_assignments(self) -> list[tuple[str, str]]:
        """User id and role template id of every directory role that was given, in order."""
        table = DIRECTORY_ROLE_ASSIGNMENTS
        query = select(table.c.user_id, table.c.role_template_id).where(self.own(table))
        return [(row[0], row[1]) for row in self.connection.execute(query.order_by(*table.primary_key.columns))]

    def replace(self, user: User) -> None:
        """Store the present values of what may be changed. The caller advances the tenant's generation."""
        values = {
            "user_principal_name": user.user_principal_name.lower(),
            "display_name": user.display_name,
            "account_enabled": user.account_enabled,
            "properties": dict(user.properties),
        }
        taken = select(USERS.c.id).where(USERS.c.user_principal_name == user.user_principal_name.lower())
        if self.connection.scalar(taken) not in (None, user.id):
            raise ObjectExistsError("user", user.user_principal_name)
        self.connection.execute(self.update(USERS).where(USERS.c.id == user.id).values(values))

    def remove(self, user: User) -> None:
        """Delete an account with its roles, sessions and tokens. The caller advances the tenant's generation."""
        self.connection.execute(self.delete(USERS).where(USERS.c.id == user.id))

    def revoke_sessions(self, user: User, now: int) -> None:
        """End every session and token of a user. The caller advances the tenant's generation."""
        self.connection.execute(self.update(USERS).where(USERS.c.id == user.id).values(tokens_valid_from=now + 1))

    def page(self, selection: Selection) -> tuple[Sequence[User], After]:
        """The accounts of one page of a list."""
        rows, after = read_page(self, USERS, selection)
        return [_to_user(row) for row in rows], after

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many accounts there are under `condition`."""
        return count_rows(self, USERS, condition)

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
        properties=row.properties,
    )
