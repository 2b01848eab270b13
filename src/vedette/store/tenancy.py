"""What makes a table a tenant's: `tenant_id` is its first key column, and its repository is built with one."""

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    MetaData,
    Select,
    String,
    Table,
    Update,
    delete,
    update,
)
from sqlalchemy import select as select_columns

GUID = String(36)


def tenant_key() -> Column[str]:
    """The first column of every tenant's table."""
    return Column("tenant_id", GUID, primary_key=True, nullable=False)


class TenantRepository:
    """Base of repositories: bound to one connection and one tenant; its statements cannot leave that tenant."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self.connection = connection
        self.tenant_id = tenant_id

    def own(self, table: Table) -> ColumnElement[bool]:
        """The condition that a row of `table` is the tenant's."""
        condition: ColumnElement[bool] = table.c.tenant_id == self.tenant_id
        return condition

    def select(self, table: Table) -> Select[Any]:
        """SELECT of the tenant's rows of `table`."""
        return select_columns(table).where(self.own(table))

    def update(self, table: Table) -> Update:
        """UPDATE of the tenant's rows of `table`."""
        return update(table).where(self.own(table))

    def delete(self, table: Table) -> Delete:
        """DELETE of the tenant's rows of `table`."""
        return delete(table).where(self.own(table))

    def insert(self, table: Table, **values: object) -> None:
        """INSERT one row of the tenant."""
        self.connection.execute(table.insert().values(tenant_id=self.tenant_id, **values))


def tables_without_tenant(metadata: MetaData) -> list[str]:
    """Tables whose first primary-key column is not `tenant_id`; the two-tenant test compares them with its list."""
    names = []
    for table in metadata.sorted_tables:
        keys = [column.name for column in table.primary_key.columns]
        if keys[:1] != ["tenant_id"]:
            names.append(table.name)
    return names
