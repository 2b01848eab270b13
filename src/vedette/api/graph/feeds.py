"""Graph's resources that come from feeds: identity sensors and their health, and threat intelligence.

What a collection holds was put there by `vedette seed`; what may be changed over the API is said per collection.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from vedette.api.bodies import read_members
from vedette.api.graph.surface import graph_answer, list_answer, metadata_url
from vedette.api.graph.values import complete, odata_type, sparse
from vedette.api.http import ApiRequest, ApiResponse, AuthenticatedHandler
from vedette.api.kept_lists import Documents, KeptList
from vedette.api.listing import ListRules, select_members
from vedette.clock import Clock, format_ticks, now_ticks
from vedette.context import RequestContext
from vedette.contracts.graph_types import GRAPH, SECURITY, load_graph_types
from vedette.errors import InvalidRequestError, NotFoundError
from vedette.feeds.resources import Resource, Resources
from vedette.odata.documents import POSITION, DocumentFields, FieldType
from vedette.odata.options import decode_query, parse_options
from vedette.store.engine import Store

MAX_PAGE = 1000
DEFAULT_PAGE = 100
OFFERED = frozenset({"$filter", "$top", "$skip", "$count", "$orderby", "$select", "$skiptoken"})


class Feed(msgspec.Struct, frozen=True):
    """A collection: its path below `/security`, the type of its members, and what of them may be changed."""

    path: str
    type_name: str
    writable: frozenset[str] = frozenset()


class Belonging(msgspec.Struct, frozen=True):
    """Members of one collection that belong to a member of another, by a navigation property of theirs."""

    feed: str
    link: str
    owner: str


def _feed(path: str, type_name: str, *writable: str) -> Feed:
    return Feed(path, f"{SECURITY}.{type_name}", frozenset(writable))


_TI = "threatIntelligence"
FEEDS: Mapping[str, Feed] = {
    feed.path: feed
    for feed in (
        _feed("identities/healthIssues", "healthIssue", "status"),
        _feed("identities/sensors", "sensor", "settings"),
        _feed("identities/sensorCandidates", "sensorCandidate"),
        _feed(f"{_TI}/articles", "article"),
        _feed(f"{_TI}/articleIndicators", "articleIndicator"),
        _feed(f"{_TI}/intelProfiles", "intelligenceProfile"),
        _feed(f"{_TI}/intelligenceProfileIndicators", "intelligenceProfileIndicator"),
        _feed(f"{_TI}/hosts", "host"),
        _feed(f"{_TI}/hostComponents", "hostComponent"),
        _feed(f"{_TI}/hostCookies", "hostCookie"),
        _feed(f"{_TI}/hostPairs", "hostPair"),
        _feed(f"{_TI}/hostReputations", "hostReputation"),
        _feed(f"{_TI}/hostTrackers", "hostTracker"),
        _feed(f"{_TI}/passiveDnsRecords", "passiveDnsRecord"),
        _feed(f"{_TI}/vulnerabilities", "vulnerability"),
        _feed(f"{_TI}/vulnerabilityComponents", "vulnerabilityComponent"),
    )
}

LISTS: Mapping[str, str] = {
    "list_health_issues": "identities/healthIssues",
    "list_sensors": "identities/sensors",
    "list_sensor_candidates": "identities/sensorCandidates",
    "list_ti_articles": f"{_TI}/articles",
    "list_ti_profiles": f"{_TI}/intelProfiles",
}
ENTITIES: Mapping[str, str] = {
    "get_health_issue": "identities/healthIssues",
    "get_sensor": "identities/sensors",
    "get_ti_article": f"{_TI}/articles",
    "get_ti_article_indicator": f"{_TI}/articleIndicators",
    "get_ti_profile": f"{_TI}/intelProfiles",
    "get_ti_profile_indicator": f"{_TI}/intelligenceProfileIndicators",
    "get_ti_host": f"{_TI}/hosts",
    "get_ti_host_component": f"{_TI}/hostComponents",
    "get_ti_host_cookie": f"{_TI}/hostCookies",
    "get_ti_host_pair": f"{_TI}/hostPairs",
    "get_ti_host_tracker": f"{_TI}/hostTrackers",
    "get_ti_passive_dns_record": f"{_TI}/passiveDnsRecords",
    "get_ti_vulnerability": f"{_TI}/vulnerabilities",
}
UPDATES: Mapping[str, str] = {
    "update_health_issue": "identities/healthIssues",
    "update_sensor": "identities/sensors",
}
BELONGINGS: Mapping[str, tuple[Belonging, ...]] = {
    "list_ti_article_indicators": (Belonging(f"{_TI}/articleIndicators", "article", f"{_TI}/articles"),),
    "list_ti_profile_indicators": (
        Belonging(f"{_TI}/intelligenceProfileIndicators", "intelligenceProfile", f"{_TI}/intelProfiles"),
    ),
    "list_ti_host_components": (Belonging(f"{_TI}/hostComponents", "host", f"{_TI}/hosts"),),
    "list_ti_host_cookies": (Belonging(f"{_TI}/hostCookies", "host", f"{_TI}/hosts"),),
    "list_ti_host_trackers": (Belonging(f"{_TI}/hostTrackers", "host", f"{_TI}/hosts"),),
    "list_ti_child_host_pairs": (Belonging(f"{_TI}/hostPairs", "parentHost", f"{_TI}/hosts"),),
    "list_ti_parent_host_pairs": (Belonging(f"{_TI}/hostPairs", "childHost", f"{_TI}/hosts"),),
    "list_ti_host_pairs": (
        Belonging(f"{_TI}/hostPairs", "parentHost", f"{_TI}/hosts"),
        Belonging(f"{_TI}/hostPairs", "childHost", f"{_TI}/hosts"),
    ),
    "list_ti_passive_dns": (Belonging(f"{_TI}/passiveDnsRecords", "parentHost", f"{_TI}/hosts"),),
    "list_ti_passive_dns_reverse": (Belonging(f"{_TI}/passiveDnsRecords", "artifact", f"{_TI}/hosts"),),
    "list_ti_vulnerability_components": (
        Belonging(f"{_TI}/vulnerabilityComponents", "vulnerability", f"{_TI}/vulnerabilities"),
    ),
}


class FeedParts(msgspec.Struct, frozen=True):
    """What the handlers work with."""

    store: Store
    lists: KeptList
    clock: Clock


class GraphFeeds:
    """Handlers."""

    def __init__(self, parts: FeedParts) -> None:
        self._parts = parts

    def handlers(self) -> Mapping[str, AuthenticatedHandler]:
        """Every operation by its name."""
        return {
            **{name: self._list(FEEDS[path]) for name, path in LISTS.items()},
            **{name: self._entity(FEEDS[path]) for name, path in ENTITIES.items()},
            **{name: self._update(FEEDS[path]) for name, path in UPDATES.items()},
            **{name: self._belonging(belongings) for name, belongings in BELONGINGS.items()},
            "get_ti_host_reputation": self.reputation,
            "get_ti_vulnerability_component": self.vulnerability_component,
        }

    def reputation(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET …/hosts/{id}/reputation."""
        host, feed = request.path_parameters["id"], FEEDS[f"{_TI}/hostReputations"]
        with self._parts.store.connect() as connection:
            found = Resources(connection, context.tenant.tenant_id).linked(feed.path, "host", host)
        if not found:
            raise NotFoundError(resource=f"Reputation of host {host}")
        return _entity_answer(request, feed, found[0])

    def vulnerability_component(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET …/vulnerabilities/{id}/components/{componentId}."""
        feed, component = FEEDS[f"{_TI}/vulnerabilityComponents"], request.path_parameters["component"]
        with self._parts.store.connect() as connection:
            found = Resources(connection, context.tenant.tenant_id).get(feed.path, component)
        if found is None or found.links.get("vulnerability") != request.path_parameters["id"]:
            raise NotFoundError(resource=component)
        return _entity_answer(request, feed, found)

    def _list(self, feed: Feed) -> AuthenticatedHandler:
        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            return self._page(context, request, feed, lambda resources: resources.all(feed.path))

        return answer

    def _belonging(self, belongings: tuple[Belonging, ...]) -> AuthenticatedHandler:
        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            owner = request.path_parameters["id"]

            def read(resources: Resources) -> list[Resource]:
                if resources.get(belongings[0].owner, owner) is None:
                    raise NotFoundError(resource=owner)
                rows = (row for each in belongings for row in resources.linked(each.feed, each.link, owner))
                return list({row.resource_id: row for row in rows}.values())

            return self._page(context, request, FEEDS[belongings[0].feed], read)

        return answer

    def _page(
        self, context: RequestContext, request: ApiRequest, feed: Feed, read: Callable[[Resources], list[Resource]]
    ) -> ApiResponse:
        fields = fields_of_type(feed.type_name)
        asked = self._parts.lists.read(context, request, document_rules(fields))
        with self._parts.store.connect() as connection:
            rows = read(Resources(connection, context.tenant.tenant_id))
        documents = Documents([to_document(feed, row) for row in rows], fields)
        page = self._parts.lists.page(context, request, asked, documents)
        value = [select_members(each, asked[0].options.select) for each in page.rows]
        return list_answer(metadata_url(request, f"security/{feed.path}"), page, value)

    def _entity(self, feed: Feed) -> AuthenticatedHandler:
        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            with self._parts.store.connect() as connection:
                return _entity_answer(request, feed, _found(connection, context, feed, request.path_parameters["id"]))

        return answer

    def _update(self, feed: Feed) -> AuthenticatedHandler:
        def answer(context: RequestContext, request: ApiRequest) -> ApiResponse:
            given = read_members(request.body)
            for name in given:
                if name not in feed.writable and "@odata." not in name:
                    raise InvalidRequestError("UnknownBodyProperty", property=name)
            with self._parts.store.begin() as connection:
                before = _found(connection, context, feed, request.path_parameters["id"])
                document = sparse(complete(feed.type_name, {**before.document, **_merged(before.document, given)}))
                named = {**document, **_type_of(before.document), "id": before.resource_id}
                resources = Resources(connection, context.tenant.tenant_id)
                actor = context.principal.display_name
                resources.put(feed.path, named, before.links, actor, now_ticks(self._parts.clock))
                return _entity_answer(request, feed, _found(connection, context, feed, before.resource_id))

        return answer


def put_resource(
    connection: Connection, tenant_id: str, path: str, given: Mapping[str, Any], by: tuple[str, int]
) -> str:
    """Store a resource that a feed brings, in Graph's shape; its id. `by`: who brings it, and when (ticks).

    A member that is an object with nothing but an `id`, and no property of the type, is a link. Raises
    InvalidRequestError naming what is wrong.
    """
    feed = FEEDS.get(path)
    if feed is None:
        raise InvalidRequestError("InvalidBodyValue", property=path)
    resource_id = given.get("id")
    if not isinstance(resource_id, str) or not resource_id:
        raise InvalidRequestError("MissingParameter", parameter="id")
    is_abstract = load_graph_types().types[feed.type_name].abstract
    type_name = odata_type(given, feed.type_name) if is_abstract else feed.type_name
    properties = load_graph_types().properties(type_name)
    own = {prop.name for prop in properties}
    now = format_ticks(by[1])
    times = {prop.name: now for prop in properties if prop.type == "Edm.DateTimeOffset" and not prop.is_nullable}
    links = {
        name: str(value["id"])
        for name, value in given.items()
        if name not in own and isinstance(value, Mapping) and set(value) == {"id"}
    }
    members = complete(type_name, times | {name: value for name, value in given.items() if name not in links})
    document = {"@odata.type": f"#{type_name}", **sparse(members), "id": resource_id}
    Resources(connection, tenant_id).put(path, document, links, *by)
    return resource_id


def to_document(feed: Feed, resource: Resource) -> dict[str, Any]:
    """A resource as it is answered: every property of its type."""
    named = _type_of(resource.document)
    type_name = named["@odata.type"].removeprefix("#") if named else feed.type_name
    return {**named, **complete(type_name, resource.document)}


def document_rules(fields: DocumentFields) -> ListRules:
    """What a list of computed documents offers in Graph."""
    return ListRules(
        offered=OFFERED,
        properties=fields.properties,
        default_order=((POSITION, False),),
        default_page=DEFAULT_PAGE,
        max_page=MAX_PAGE,
        over_max="clamp",
    )


def fields_of_type(type_name: str) -> DocumentFields:
    """What documents of one of Graph's types may be filtered by: members that are one value, or texts."""
    types, known, enums = load_graph_types(), dict[str, FieldType](), dict[str, Mapping[str, str]]()
    for prop in types.properties(type_name):
        if prop.is_collection:
            if prop.type == "Edm.String":
                known[prop.name] = "strings"
        elif prop.type in types.enums:
            enums[prop.name] = {member.lower(): member for member in types.enums[prop.type].members}
        elif prop.type in _PRIMITIVES:
            known[prop.name] = _PRIMITIVES[prop.type]
        elif prop.type == f"{GRAPH}.securityVendorInformation":
            inner = (f"{prop.name}/{each.name}" for each in types.properties(prop.type))
            known |= dict.fromkeys(inner, "string")
    return DocumentFields(known, enums)


_PRIMITIVES: Mapping[str, FieldType] = {
    "Edm.String": "string",
    "Edm.Guid": "string",
    "Edm.Boolean": "boolean",
    "Edm.Int32": "integer",
    "Edm.Int64": "integer",
    "Edm.Double": "number",
    "Edm.DateTimeOffset": "datetime",
}


def _merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Given members; of an object, those that are not given stay."""
    return {
        name: {**before[name], **value} if isinstance(value, dict) and isinstance(before.get(name), dict) else value
        for name, value in given.items()
        if "@odata." not in name
    }


def _type_of(document: Mapping[str, Any]) -> dict[str, str]:
    return {"@odata.type": document["@odata.type"]} if "@odata.type" in document else {}


def _found(connection: Connection, context: RequestContext, feed: Feed, resource_id: str) -> Resource:
    found = Resources(connection, context.tenant.tenant_id).get(feed.path, resource_id)
    if found is None:
        raise NotFoundError(resource=resource_id)
    return found


def _entity_answer(request: ApiRequest, feed: Feed, resource: Resource) -> ApiResponse:
    options = parse_options(decode_query(request.query), frozenset({"$select"}))
    members = select_members(to_document(feed, resource), options.select)
    return graph_answer({"@odata.context": metadata_url(request, f"security/{feed.path}/$entity"), **members})
