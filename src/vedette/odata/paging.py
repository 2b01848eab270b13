"""Server-driven paging by key: a page starts behind the last row of the one before, however many rows came or went.

The continuation token carries that row's sort keys. It is opaque to clients; it selects no more than a filter could.
"""

import base64
import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, literal, or_, tuple_

from vedette.odata.errors import ODataError
from vedette.odata.sql import is_long

KEYS_OF_ONE_STATEMENT = 5_000
"""Keys that one statement may name: databases limit its parameters."""

SortKey = tuple[ColumnElement[Any], bool]
"""An expression that is never NULL, and whether it descends."""


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which rows to read. `order` ends with a unique key; without a limit all rows are read."""

    condition: ColumnElement[bool] | None
    order: tuple[SortKey, ...]
    limit: int | None = None
    offset: int = 0
    after: tuple[int | str, ...] | None = None
    """Sort keys of the last row of the page before."""
    snapshot: int | None = None
    """Number of the last change that the first page saw; a list that keeps changes shows its rows in that order."""

    def narrowed(self, condition: ColumnElement[bool] | None) -> "Selection":
        """The same of those rows alone that meet a further condition."""
        if condition is None:
            return self
        both = condition if self.condition is None else and_(self.condition, condition)
        return dataclasses.replace(self, condition=both)


def select_page(statement: Select[Any], selection: Selection) -> Select[Any]:
    """`statement` narrowed to one page, one row longer than the limit, with the sort keys as its last columns."""
    if selection.condition is not None:
        statement = statement.where(selection.condition)
    if selection.after is not None:
        statement = statement.where(_behind(selection.order, selection.after))
    for number, (expression, descending) in enumerate(selection.order):
        statement = statement.add_columns(expression.label(f"sort_key_{number}"))
        statement = statement.order_by(expression.desc() if descending else expression.asc())
    if selection.limit is not None:
        statement = statement.limit(selection.limit + 1)
    return statement.offset(selection.offset) if selection.offset else statement


def order_rows(statement: Select[Any], condition: ColumnElement[bool] | None, order: Sequence[SortKey]) -> Select[Any]:
    """`statement` narrowed to a condition, in an order."""
    if condition is not None:
        statement = statement.where(condition)
    for expression, descending in order:
        statement = statement.order_by(expression.desc() if descending else expression.asc())
    return statement


def cut_page(rows: Sequence[Row[Any]], selection: Selection) -> tuple[Sequence[Row[Any]], tuple[int | str, ...] | None]:
    """The rows of the page and, if there are more, the sort keys of its last row."""
    if selection.limit is None or len(rows) <= selection.limit:
        return rows, None
    if selection.limit == 0:
        return [], None
    page = rows[: selection.limit]
    return page, tuple(page[-1][-len(selection.order) :])


def merge_pages(
    first: Sequence[Row[Any]], second: Sequence[Row[Any]], order: tuple[SortKey, ...]
) -> Sequence[Row[Any]]:
    """The rows of two selections of one order, which end with their sort keys, in that order."""
    rows = [*first, *second]
    # Sorting is stable: by the last key first, the first key decides.
    for place in reversed(range(len(order))):
        rows.sort(key=lambda row: row[place - len(order)], reverse=order[place][1])
    return rows


def encode_token(keys: tuple[int | str, ...]) -> str:
    """The `$skiptoken` of sort keys."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(keys)).decode().rstrip("=")


def decode_token(token: str, order: tuple[SortKey, ...]) -> tuple[int | str, ...]:
    """The sort keys of a `$skiptoken` that was made for the same order."""
    try:
        padded = token + "=" * (-len(token) % 4)
        keys = msgspec.msgpack.decode(
            base64.b64decode(padded, altchars=b"-_", validate=True), type=tuple[int | str, ...]
        )
    except (ValueError, msgspec.MsgspecError) as error:
        raise ODataError("InvalidQueryOption", option="$skiptoken", value=token) from error
    if len(keys) != len(order) or any(isinstance(key, int) and not is_long(key) for key in keys):
        raise ODataError("InvalidQueryOption", option="$skiptoken", value=token)
    return keys


def _behind(order: tuple[SortKey, ...], keys: tuple[int | str, ...]) -> ColumnElement[bool]:
    expressions = [expression for expression, _ in order]
    if len({descending for _, descending in order}) == 1:  # one comparison of rows, which an index answers
        row, values = tuple_(*expressions), tuple_(*map(literal, keys))
        return row < values if order[0][1] else row > values
    alternatives = []
    for place, (expression, descending) in enumerate(order):
        equal = [order[before][0] == keys[before] for before in range(place)]
        step = expression < keys[place] if descending else expression > keys[place]
        alternatives.append(and_(*equal, step))
    return or_(*alternatives)
