"""Lists of rows without a history of their own: the first page keeps the keys of all that it found for the next ones.

Rows are selected and ordered as they were then, and answered as they are; those that are gone are left out.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import ColumnElement

from vedette.api.cursors import Cursor, CursorBox, new_cursor
from vedette.api.http import ApiRequest
from vedette.api.listing import ListQuery, ListRules, read_list
from vedette.api.snapshot_lists import ListPage, question
from vedette.clock import TICKS_PER_SECOND, Clock, now_ticks
from vedette.context import RequestContext
from vedette.ids import Ids
from vedette.odata.documents import Document, DocumentFields, select_documents
from vedette.odata.errors import ODataError
from vedette.odata.options import decode_query
from vedette.odata.paging import SortKey
from vedette.store.engine import Store
from vedette.store.kept_lists import KeptLists, Key

KEPT_SECONDS = 86_400
"""How long a client may take from the first page of a list to the last."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Keyed(Protocol[T_co]):
    """What a list is made of. Each row has a key that never changes."""

    def keys(self, condition: ColumnElement[bool] | None, order: Sequence[SortKey]) -> list[Key]:
        """The keys of all rows that meet a condition, in an order."""
        ...

    def of_keys(self, keys: Sequence[Key]) -> Sequence[T_co]:
        """Rows in the order of their keys; those that are gone are left out."""
        ...


class ListParts(msgspec.Struct, frozen=True):
    """What keeping lists takes."""

    store: Store
    cursors: CursorBox
    clock: Clock
    ids: Ids


class KeptList:
    """The lists of a surface."""

    def __init__(self, parts: ListParts) -> None:
        self._parts = parts

    def read(self, context: RequestContext, request: ApiRequest, rules: ListRules) -> tuple[ListQuery, Cursor | None]:
        """Understand a list request. Raises ODataError or InvalidRequestError."""
        pairs = decode_query(request.query)
        token = pairs.get("$skiptoken")
        if not token:
            return read_list(request, rules), None
        cursor = self._parts.cursors.open(context, question(request, pairs), token)
        return read_list(request, rules, after_of=cursor.keys), cursor

    def page(
        self, context: RequestContext, request: ApiRequest, asked: tuple[ListQuery, Cursor | None], source: Keyed[T]
    ) -> ListPage[T]:
        """The page that was asked for."""
        query, cursor = asked
        if cursor is None:
            return self._first(context, request, query, source)
        list_id, number = str(cursor.keys[0]), int(cursor.keys[1])
        now = now_ticks(self._parts.clock)
        with self._parts.store.connect() as connection:
            kept = KeptLists(connection, context.tenant.tenant_id).page(list_id, number, now)
        if kept is None:
            raise ODataError("InvalidQueryOption", option="$skiptoken", value=query.pairs["$skiptoken"][:64])
        keys, is_last = kept
        link = None if is_last else self._link(context, request, query, (list_id, number + 1), cursor.total)
        return ListPage(list(source.of_keys(keys)), cursor.total, link)

    def _first(self, context: RequestContext, request: ApiRequest, query: ListQuery, source: Keyed[T]) -> ListPage[T]:
        selection = query.selection
        found = source.keys(selection.condition, selection.order)
        total = len(found) if query.options.count else None
        size, keys = selection.limit or 0, found[selection.offset :]
        if not 0 < size < len(keys):
            return ListPage(list(source.of_keys(keys[:size])), total, None)
        list_id, now = self._parts.ids.guid(), now_ticks(self._parts.clock)
        with self._parts.store.begin() as connection:
            lists = KeptLists(connection, context.tenant.tenant_id)
            lists.keep(list_id, keys, size, now, now + KEPT_SECONDS * TICKS_PER_SECOND)
        return ListPage(
            list(source.of_keys(keys[:size])), total, self._link(context, request, query, (list_id, 1), total)
        )

    def _link(
        self, context: RequestContext, request: ApiRequest, query: ListQuery, place: tuple[Key, Key], total: int | None
    ) -> str:
        token = self._parts.cursors.seal(context, question(request, query.pairs), new_cursor(0, place, total))
        return query.link(request, token)


class Documents:
    """Computed documents as what a list is made of."""

    def __init__(self, documents: Sequence[Document], fields: DocumentFields, key: str = "id") -> None:
        """`key`: the member that tells documents apart."""
        self._documents = documents
        self._fields = fields
        self._key = key

    def keys(self, condition: ColumnElement[bool] | None, order: Sequence[SortKey]) -> list[Key]:
        """The keys of those that meet a condition, in an order."""
        return [str(each[self._key]) for each in select_documents(self._documents, self._fields, condition, order)]

    def of_keys(self, keys: Sequence[Key]) -> list[Document]:
        """Documents in the order of their keys."""
        by_key = {str(each[self._key]): each for each in self._documents}
        return [by_key[str(key)] for key in keys if str(key) in by_key]
