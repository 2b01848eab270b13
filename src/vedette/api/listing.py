"""Lists: from a query string to a selection of rows, and from there to the link to the next page."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote

from vedette.api.http import ApiRequest
from vedette.errors import InvalidRequestError
from vedette.odata.options import decode_query, parse_options
from vedette.odata.paging import Selection, SortKey, decode_token, encode_token
from vedette.odata.sql import PropertyMap, to_condition, to_order
from vedette.odata.syntax import QueryOptions

_MAX_PAGE_SIZE = re.compile(r"(?:^|[\s,;])(?:odata\.)?maxpagesize\s*=\s*\"?([0-9]{1,9})\b", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class ListRules:
    """What a list offers: its options, its page sizes, what may be filtered and how it is ordered by itself."""

    offered: frozenset[str]
    properties: PropertyMap
    default_order: tuple[SortKey, ...]
    """Ends with the unique key, which is added to every order that is asked for."""
    default_page: int
    max_page: int
    over_max: Literal["refuse", "clamp"]
    expandable: frozenset[str] = frozenset()
    expands_with_options: bool = False


@dataclasses.dataclass(frozen=True)
class ListQuery:
    """A list request, understood."""

    options: QueryOptions
    selection: Selection
    pairs: Mapping[str, str]
    expand: frozenset[str]

    def next_link(self, request: ApiRequest, after: tuple[int | str, ...]) -> str:
        """The absolute address of the page behind these sort keys, on the host that the client used."""
        return self.link(request, encode_token(after))

    def link(self, request: ApiRequest, token: str) -> str:
        """The absolute address of the page that a continuation token leads to."""
        pairs = {name: value for name, value in self.pairs.items() if name not in ("$skip", "$skiptoken")}
        pairs["$skiptoken"] = token
        query = "&".join(f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in pairs.items())
        return f"{request.base_url}{quote(request.path)}?{query}"


def read_list(request: ApiRequest, rules: ListRules, *, after_of: tuple[int | str, ...] | None = None) -> ListQuery:
    """Understand a list request. Raises ODataError or InvalidRequestError.

    `after_of` are the sort keys of a token that the caller has opened; else a token is the keys themselves.
    """
    pairs = decode_query(request.query)
    options = parse_options(pairs, rules.offered)
    order = rules.default_order
    if options.order_by:
        keys = to_order(options.order_by, rules.properties)
        # The unique key runs the way of the last one: keys of one direction are one comparison, which an index serves.
        order = (*keys, (rules.default_order[-1][0], keys[-1][1]))
    token = options.skip_token if after_of is None else None
    limit = _page_size(options.top, rules)
    if (preferred := _preferred_page(request)) is not None and preferred < limit:
        limit = preferred
        pairs["$top"] = str(preferred)  # so that the link to the next page asks for as much
    selection = Selection(
        condition=to_condition(options.filter, rules.properties) if options.filter else None,
        order=order,
        limit=limit,
        offset=options.skip or 0,
        after=decode_token(token, order) if token else after_of,
    )
    return ListQuery(
        options, selection, pairs, read_expand(options, rules.expandable, with_options=rules.expands_with_options)
    )


def read_expand(options: QueryOptions, expandable: frozenset[str], *, with_options: bool = False) -> frozenset[str]:
    """The navigation properties to expand. Raises InvalidRequestError for one that cannot be."""
    if options.expand_options and not with_options:
        raise InvalidRequestError("NotExpandable", property=f"{options.expand_options[0][0]}(…)")
    by_name = {name.lower(): name for name in expandable}
    for name in options.expand:
        if name.lower() not in by_name:
            raise InvalidRequestError("NotExpandable", property=name)
    return frozenset(by_name[name.lower()] for name in options.expand)


def _page_size(top: int | None, rules: ListRules) -> int:
    if top is None:
        return rules.default_page
    if top > rules.max_page and rules.over_max == "refuse":
        raise InvalidRequestError("TopExceeded", limit=rules.max_page, value=top)
    return min(top, rules.max_page)


def _preferred_page(request: ApiRequest) -> int | None:
    """The page size that a client prefers, `Prefer: odata.maxpagesize=5`; one that is no number is not heeded."""
    match = _MAX_PAGE_SIZE.search(request.headers.get("prefer", ""))
    return int(match[1]) or None if match else None


def select_members(document: Mapping[str, object], selected: tuple[str, ...]) -> dict[str, object]:
    """The members of an entity that `$select` names, and annotations. Raises InvalidRequestError for an unknown one.

    A path, `vendorInformation/provider`, narrows the member that it begins with.
    """
    if not selected or "*" in selected:
        return dict(document)
    by_name = {name.lower(): name for name in document}
    wanted: dict[str, list[str]] = {}
    for path in selected:
        name, _, inner = path.partition("/")
        if name.lower() not in by_name:
            raise InvalidRequestError("UnknownProperty", property=path)
        wanted.setdefault(by_name[name.lower()], []).append(inner)
    return {
        name: _narrowed(value, wanted[name]) if name in wanted else value
        for name, value in document.items()
        if name in wanted or name.startswith("@odata.")
    }


def _narrowed(value: object, paths: list[str]) -> object:
    """What of a member is wanted: all of it, or what paths below it name, of each element of a collection."""
    if "" in paths or value is None:
        return value
    if isinstance(value, list):
        return [_narrowed(item, paths) for item in value]
    if not isinstance(value, Mapping):
        raise InvalidRequestError("UnknownProperty", property=paths[0])
    return select_members(value, tuple(paths))
