"""What the handlers of the directory share: lists, single objects, keys in paths, small filters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import ColumnElement

from vedette.api.graph.surface import graph_answer, metadata_url
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.listing import ListRules, read_expand, read_list, select_members
from vedette.clock import TICKS_PER_SECOND, UNIX_EPOCH_TICKS
from vedette.errors import NotFoundError
from vedette.odata.errors import ODataError
from vedette.odata.options import decode_query, parse_options
from vedette.odata.paging import Selection, SortKey
from vedette.odata.sql import Property, PropertyMap
from vedette.odata.syntax import (
    And,
    Boolean,
    CollectionLambda,
    Comparison,
    Expression,
    Not,
    Null,
    Or,
    Path,
    QueryOptions,
    String,
)

OFFERED = frozenset({"$filter", "$top", "$count", "$select", "$orderby", "$skiptoken"})
DEFAULT_PAGE, MAX_PAGE = 100, 999

_SETS = {
    "administrativeUnit": "directory/administrativeUnits",
    "application": "applications",
    "device": "devices",
    "directoryRole": "directoryRoles",
    "group": "groups",
    "servicePrincipal": "servicePrincipals",
    "user": "users",
}
"""Types that objects of the directory can be cast to, and their sets."""

_LISTS = frozenset({"businessphones", "grouptypes", "othermails", "proxyaddresses"})
"""Members that are lists of texts. An object of another type has none."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Members = Mapping[str, object]
Related = Mapping[str, Callable[[Members], Members]]
"""How the object that a relation leads to is made of the one that has the relation."""


class Pages(Protocol[T_co]):
    """A repository that can be listed."""

    def page(self, selection: Selection) -> tuple[Sequence[T_co], tuple[int | str, ...] | None]:
        """One page, and where the next one begins."""
        ...

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many there are."""
        ...


def directory_rules(
    properties: PropertyMap, order: tuple[SortKey, ...], unrelated: frozenset[str] = frozenset()
) -> ListRules:
    """The rules of a list of directory objects. `unrelated`: as of a single one."""
    return ListRules(
        offered=OFFERED | {"$expand"} if unrelated else OFFERED,
        expandable=unrelated,
        expands_with_options=True,
        properties=properties,
        default_order=order,
        default_page=DEFAULT_PAGE,
        max_page=MAX_PAGE,
        over_max="refuse",
    )


def unix_property(column: ColumnElement[int]) -> Property:
    """A point in time that is kept in Unix seconds."""
    return Property(column * TICKS_PER_SECOND + UNIX_EPOCH_TICKS, "datetime")


def list_answer(
    request: ApiRequest,
    rules: ListRules,
    collection: str,
    pages: Pages[T],
    to_members: Callable[[T], Members],
    *,
    default: tuple[str, ...] = (),
    restriction: ColumnElement[bool] | None = None,
) -> ApiResponse:
    """A page of a list. `default`: the members that are shown unless others are selected."""
    query = read_list(request, rules)
    selection = query.selection
    if restriction is not None:
        condition = restriction if selection.condition is None else restriction & selection.condition
        selection = Selection(condition, selection.order, selection.limit, selection.offset, selection.after)
    page, after = pages.page(selection)
    document: dict[str, object] = {"@odata.context": metadata_url(request, _fragment(collection, query.options.select))}
    if query.options.count:
        document["@odata.count"] = pages.count(selection.condition)
    if after is not None:
        document["@odata.nextLink"] = query.next_link(request, after)
    document["value"] = [_narrowed(to_members(item), query.options.select, default) for item in page]
    return graph_answer(document)


def whole_list_answer(
    request: ApiRequest, collection: str, entities: Iterable[Members], related: Related | None = None
) -> ApiResponse:
    """A list that is always short: filtered here, never paged. A cast in the path leaves one type of its objects."""
    offered = frozenset({"$filter", "$select", "$top", "$count", *(("$expand",) if related else ())})
    options = parse_options(decode_query(request.query), offered)
    collection, entities = _cast(request, collection, entities)
    chosen = [each for each in entities if options.filter is None or _holds(options.filter, each)]
    document: dict[str, object] = {"@odata.context": metadata_url(request, _fragment(collection, options.select))}
    if options.count:
        document["@odata.count"] = len(chosen)
    document["value"] = [
        _narrowed(each, options.select, ()) | _expanded(each, options, related) for each in chosen[: options.top]
    ]
    return graph_answer(document)


def entity_answer(
    request: ApiRequest,
    collection: str,
    members: Members,
    *,
    status: int = 200,
    default: tuple[str, ...] = (),
    unrelated: frozenset[str] = frozenset(),
    related: Related | None = None,
) -> ApiResponse:
    """One object. `unrelated`: relations that may be expanded and that no object has: nothing is added."""
    offered = frozenset({"$select", "$expand"} if unrelated or related else {"$select"})
    options = parse_options(decode_query(request.query), offered)
    if related is None:
        read_expand(options, unrelated, with_options=True)
    context_url = metadata_url(request, f"{_fragment(collection, options.select)}/$entity")
    narrowed = _narrowed(members, options.select, default) | _expanded(members, options, related)
    return graph_answer({"@odata.context": context_url, **narrowed}, status)


def no_content() -> ApiResponse:
    """A change that was made."""
    return ApiResponse(204)


def members_of(entity: msgspec.Struct) -> dict[str, object]:
    """The wire members of an entity, in order."""
    fields = msgspec.structs.fields(type(entity))
    return {field.encode_name: getattr(entity, field.name) for field in fields}


def _cast(request: ApiRequest, collection: str, entities: Iterable[Members]) -> tuple[str, Iterable[Members]]:
    """`…/memberOf/microsoft.graph.group`: the groups alone, which then need not say what they are."""
    name = request.path_parameters.get("cast")
    if name is None:
        return collection, entities
    kind = name.removeprefix("microsoft.").removeprefix("graph.")
    if kind not in _SETS or kind == name:
        raise NotFoundError("RouteNotFound", path=request.path, segment=name)
    wanted = f"#microsoft.graph.{kind}"
    typeless = (
        {key: value for key, value in each.items() if key != "@odata.type"}
        for each in entities
        if each["@odata.type"] == wanted
    )
    return _SETS[kind], typeless


def _fragment(collection: str, select: tuple[str, ...]) -> str:
    return f"{collection}({','.join(select)})" if select else collection


def _narrowed(members: Members, select: tuple[str, ...], default: tuple[str, ...]) -> dict[str, object]:
    if select:
        return select_members(members, select)
    return {name: value for name, value in members.items() if not default or name in default or name[0] == "@"}


def _expanded(members: Members, options: QueryOptions, related: Related | None) -> dict[str, object]:
    if related is None:
        return {}
    within = {name.lower(): nested.select for name, nested in options.expand_options}
    return {
        name: select_members(related[name](members), within.get(name.lower(), ()))
        for name in read_expand(options, frozenset(related), with_options=True)
    }


def _holds(expression: Expression, members: Members) -> bool:
    """A filter over one object's own members: equality, `and`, `or`, `not`, and `any` or `all` of its texts."""
    match expression:
        case And(operands):
            return all(_holds(operand, members) for operand in operands)
        case Or(operands):
            return any(_holds(operand, members) for operand in operands)
        case Not(operand):
            return not _holds(operand, members)
        case CollectionLambda(Path() as path, quantifier, variable, predicate) if path.text.lower() in _LISTS:
            texts = next((value for name, value in members.items() if name.lower() == path.text.lower()), ())
            holds = (predicate is None or _holds(predicate, {variable or "": text}) for text in _texts(texts))
            return any(holds) if quantifier == "any" else all(holds)
        case Comparison("eq" | "ne", Path() as path, String() | Boolean() | Null() as literal):
            by_name = {name.lower(): value for name, value in members.items()}
            if path.text.lower() not in by_name:
                raise ODataError("UnknownProperty", property=path.text)
            is_equal = _folded(by_name[path.text.lower()]) == _folded(getattr(literal, "value", None))
            return is_equal == (expression.operator == "eq")
    raise ODataError("NotABooleanExpression")


def _texts(value: object) -> Iterable[str]:
    return map(str, value) if isinstance(value, list | tuple) else ()


def _folded(value: object) -> object:
    return value.casefold() if isinstance(value, str) else value
