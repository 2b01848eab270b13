"""Lists of a tenant's directory objects: one page of a table, and how many rows a condition holds for."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, func, select

from vedette.odata.paging import Selection, cut_page, select_page
from vedette.store.tenancy import TenantRepository

After = tuple[int | str, ...] | None
"""Sort keys of a page's last row, if there are more behind it."""


def read_page(repository: TenantRepository, table: Table, selection: Selection) -> tuple[Sequence[Row[Any]], After]:
    """The tenant's rows of one page of `table`."""
    statement = select_page(repository.select(table), selection)
    return cut_page(repository.connection.execute(statement).all(), selection)


def count_rows(repository: TenantRepository, table: Table, condition: ColumnElement[bool] | None) -> int:
    """How many of the tenant's rows of `table` there are under `condition`."""
    statement = select(func.count()).select_from(table).where(repository.own(table))
    if condition is not None:
        statement = statement.where(condition)
    return repository.connection.scalar(statement) or 0
