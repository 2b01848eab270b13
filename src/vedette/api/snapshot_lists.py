"""Lists whose pages are cut from one state: the first page remembers what it saw, the next ones ask for the same."""

import dataclasses
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection

from vedette.api.cursors import Cursor, CursorBox, new_cursor
from vedette.api.http import ApiRequest
from vedette.api.listing import ListQuery, ListRules, read_list
from vedette.context import RequestContext
from vedette.incidents.changes import Changes
from vedette.odata.options import decode_query
from vedette.odata.paging import Selection

T = TypeVar("T")


class Numbered(Protocol[T]):
    """A repository whose rows carry the numbers of their changes."""

    def page(self, selection: Selection) -> "tuple[list[T], tuple[int | str, ...] | None]":
        """One page, and the sort keys of its last row if there are more."""
        ...

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many rows meet a condition."""
        ...


@dataclasses.dataclass(frozen=True)
class ListPage(Generic[T]):
    """One page. `total` is there if the list was asked to count, `next_link` if there is more."""

    rows: list[T]
    total: int | None
    next_link: str | None


class SnapshotList:
    """One list of a surface: its rules, and the box of its cursors."""

    def __init__(self, rules: ListRules, cursors: CursorBox) -> None:
        self._rules = rules
        self._cursors = cursors

    def read(self, context: RequestContext, request: ApiRequest) -> tuple[ListQuery, Cursor | None]:
        """Understand a list request. Raises ODataError or InvalidRequestError."""
        pairs = decode_query(request.query)
        token = pairs.get("$skiptoken")
        cursor = self._cursors.open(context, question(request, pairs), token) if token else None
        query = read_list(request, self._rules, after_of=None if cursor is None else cursor.keys)
        if cursor is not None:
            selection = dataclasses.replace(query.selection, snapshot=cursor.snapshot)
            query = dataclasses.replace(query, selection=selection)
        return query, cursor

    def page(
        self,
        context: RequestContext,
        request: ApiRequest,
        asked: tuple[ListQuery, Cursor | None],
        rows: tuple[Connection, Numbered[T]],
    ) -> ListPage[T]:
        """The page that was asked for, read in one view of the store."""
        (query, cursor), (connection, repository) = asked, rows
        snapshot = Changes(connection, context.tenant.tenant_id).last_number() if cursor is None else cursor.snapshot
        found, after = repository.page(query.selection)
        total = cursor.total if cursor else None
        if query.options.count and total is None:
            total = repository.count(query.selection.condition)
        if after is None:
            return ListPage(found, total, None)
        token = self._cursors.seal(context, question(request, query.pairs), new_cursor(snapshot, after, total))
        return ListPage(found, total, query.link(request, token))


def question(request: ApiRequest, pairs: Mapping[str, str]) -> str:
    """What a list was asked: a cursor answers nothing else."""
    return "\n".join((request.path.lower(), *(pairs.get(name, "") for name in ("$filter", "$orderby", "$search"))))
