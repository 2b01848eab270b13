"""Security groups of people: app roles given to a group are its members'."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, select

from vedette.identity.directory.group_tables import GROUP_MEMBERS, GROUPS
from vedette.identity.directory.pages import After, count_rows, read_page
from vedette.identity.directory.users import User, Users
from vedette.identity.errors import ObjectExistsError, ObjectNotFoundError
from vedette.odata.paging import Selection
from vedette.store.tenancy import TenantRepository

GROUP_FIELDS = GROUPS.c
"""What groups may be filtered and ordered by."""


class Group(msgspec.Struct, frozen=True):
    """A group. `properties` is what only the management API shows, by its wire names."""

    id: str
    display_name: str
    created_at: int
    properties: Mapping[str, Any] = {}


class Groups(TenantRepository):
    """The groups of one tenant."""

    def create(self, group: Group) -> None:
        """Store a group without members."""
        self.insert(GROUPS, **msgspec.structs.asdict(group))

    def get(self, group_id: str) -> Group:
        """The group of this id. Raises ObjectNotFoundError."""
        row = self.connection.execute(self.select(GROUPS).where(GROUPS.c.id == group_id)).one_or_none()
        if row is None:
            raise ObjectNotFoundError("group", group_id)
        return _to_group(row)

    def replace(self, group: Group) -> None:
        """Store the present values."""
        values = {"display_name": group.display_name, "properties": dict(group.properties)}
        self.connection.execute(self.update(GROUPS).where(GROUPS.c.id == group.id).values(**values))

    def remove(self, group: Group) -> None:
        """Delete a group. The caller advances the tenant's generation and withdraws its roles."""
        self.connection.execute(self.delete(GROUPS).where(GROUPS.c.id == group.id))

    def page(self, selection: Selection) -> tuple[Sequence[Group], After]:
        """The groups of one page of a list."""
        rows, after = read_page(self, GROUPS, selection)
        return [_to_group(row) for row in rows], after

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many groups there are under `condition`."""
        return count_rows(self, GROUPS, condition)

    def members(self, group: Group) -> list[User]:
        """The people in a group, in a stable order."""
        table = GROUP_MEMBERS
        query = select(table.c.user_id).where(self.own(table), table.c.group_id == group.id).order_by(table.c.user_id)
        users = Users(self.connection, self.tenant_id)
        return [users.get(user_id) for user_id in self.connection.scalars(query).all()]

    def add_member(self, group: Group, user: User) -> None:
        """Take a person in. Raises ObjectExistsError if they are in. The caller advances the tenant's generation."""
        if group.id in self.ids_of(user):
            raise ObjectExistsError("members", user.id)
        self.insert(GROUP_MEMBERS, group_id=group.id, user_id=user.id)

    def remove_member(self, group: Group, user_id: str) -> None:
        """Take a person out. Raises ObjectNotFoundError. The caller advances the tenant's generation."""
        table = GROUP_MEMBERS
        statement = self.delete(table).where(table.c.group_id == group.id, table.c.user_id == user_id)
        if self.connection.execute(statement).rowcount == 0:
            raise ObjectNotFoundError("member", user_id)

    def ids_of(self, user: User) -> frozenset[str]:
        """The groups that a person is in."""
        table = GROUP_MEMBERS
        query = select(table.c.group_id).where(self.own(table), table.c.user_id == user.id)
        return frozenset(self.connection.scalars(query))


def _to_group(row: Row[Any]) -> Group:
    return Group(row.id, row.display_name, row.created_at, row.properties)
