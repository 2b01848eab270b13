"""Lists of Defender for Endpoint that are computed from telemetry: filtered, ordered and paged like stored ones."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from vedette.api.defender.answers import page_answer
from vedette.api.defender.machines import MAX_PAGE, OFFERED
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.kept_lists import Documents, KeptList
from vedette.api.listing import ListRules
from vedette.context import RequestContext
from vedette.odata.documents import POSITION, Document, DocumentFields

T = TypeVar("T")


class ComputedList:
    """One kind of list: the name of its set, and what it may be filtered and ordered by."""

    def __init__(
        self,
        set_name: str,
        fields: DocumentFields,
        key: str = "id",
        *,
        max_page: int = MAX_PAGE,
        default_page: int | None = None,
    ) -> None:
        """`key`: the member that tells entries apart. Without a `default_page` a page holds all that one may."""
        self._set_name = set_name
        self._fields = fields
        self._key = key
        self._rules = ListRules(
            offered=OFFERED,
            properties=fields.properties,
            default_order=((POSITION, False),),
            default_page=default_page or max_page,
            max_page=max_page,
            over_max="refuse",
        )

    def answer(
        self,
        lists: KeptList,
        context: RequestContext,
        request: ApiRequest,
        rows: Callable[[], Sequence[T]],
        convert: Callable[[T], object],
    ) -> ApiResponse:
        """The page that a request asks for. The request is understood before anything is computed."""
        asked = lists.read(context, request, self._rules)
        documents: list[Document] = [msgspec.to_builtins(convert(row)) for row in rows()]
        page = lists.page(context, request, asked, Documents(documents, self._fields, self._key))
        return page_answer(request, self._set_name, asked[0], page, lambda document: document)
