"""From host, method and path to an operation and its handler. Everything it knows comes from the operation records.

Surfaces cannot name their handlers wrongly: records and handlers are compared when the router is made.
"""

import re
from collections.abc import Collection, Mapping
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec.structs import replace

from vedette.api.hosts import HostTable, host_name
from vedette.api.http import AuthenticatedHandler, PublicHandler
from vedette.api.templates import PathTree
from vedette.contracts.operations import ANY_SEGMENT, OperationContract, OperationsDocument
from vedette.errors import ApiError, ContractError, InvalidRequestError, NotFoundError
from vedette.ids import is_guid

MY_ORGANIZATION = "myorganization"
"""What a path may name in place of the caller's tenant."""

_KEY = re.compile(r"([A-Za-z_][\w.]*)\('((?:[^']|'')+)'\)")

Handler = PublicHandler | AuthenticatedHandler


class Route(msgspec.Struct, frozen=True):
    """One operation of a surface. Without a handler it is documented and not built."""

    document: OperationsDocument
    operation: OperationContract
    handler: Handler | None

    @property
    def name(self) -> str:
        """The operation's name in logs and metrics: `graph.list_incidents`."""
        return f"{self.document.surface}.{self.operation.handler}"


class Match(msgspec.Struct, frozen=True):
    """A route with what the path says. `allowed` is set in place of a route for OPTIONS."""

    surface: str
    path: str
    parameters: Mapping[str, str]
    route: Route | None = None
    allowed: tuple[str, ...] = ()
    organization: str | None = None
    """What the path names as the caller's organization, if it names one."""


class MethodNotAllowedError(ApiError):
    """The path exists, the method does not. Fields: `method`, `allowed`."""

    code = "MethodNotAllowed"


class MisdirectedRequestError(ApiError):
    """A host name that is not ours. Field: `host`."""

    code = "MisdirectedRequest"


class Router:
    """Immutable after it is made; one a process."""

    def __init__(
        self,
        documents: Collection[OperationsDocument],
        handlers: Mapping[str, Mapping[str, Handler]],
        accepted_hosts: Collection[str] = (),
    ) -> None:
        self._hosts = HostTable(documents, accepted_hosts)
        self._surfaces = {segment.lower(): document.surface for document in documents for segment in document.segments}
        self._everywhere = {
            segment.lower(): document.surface
            for document in documents
            if document.everywhere
            for segment in document.segments
        }
        self._elsewhere = {
            (host, segment): document.surface
            for document in documents
            for host, segments in document.elsewhere.items()
            for segment in segments
        }
        self._cross_origin = frozenset(document.surface for document in documents if document.cross_origin)
        self._organized = frozenset(document.surface for document in documents if document.names_organization)
        self._trees = {document.surface: _bind(document, handlers.get(document.surface, {})) for document in documents}

    def surface(self, host: str, segments: tuple[str, ...]) -> str | None:
        """The surface of a request, None if there is none. Raises MisdirectedRequestError for a foreign host."""
        if not self._hosts.accepts(host):
            raise MisdirectedRequestError(host=host)
        first = segments[0].lower() if segments else ""
        if elsewhere := self._elsewhere.get((host_name(host), first)):
            return elsewhere
        if everywhere := self._everywhere.get(first):
            return everywhere
        return self._hosts.surface(host) or self._surfaces.get(first) or self._surfaces.get(ANY_SEGMENT)

    def is_cross_origin(self, surface: str) -> bool:
        """Whether pages of any origin may call a surface."""
        return surface in self._cross_origin

    def match(self, surface: str | None, method: str, segments: tuple[str, ...]) -> Match:
        """The operation that answers. Raises NotFoundError or MethodNotAllowedError."""
        path = "/" + "/".join(segments)
        tree = self._trees[surface] if surface else PathTree()
        allowed: set[str] = set()
        for routes, parameters in tree.find(segments):
            route = routes.get("GET" if method == "HEAD" else method)
            if route is not None:
                return Match(str(surface), path, parameters, route)
            allowed |= set(routes)
        if not allowed:
            if (keyed := _with_keys_apart(segments)) != segments:
                return self.match(surface, method, keyed)
            if surface in self._organized and (named := _organization(segments)) is not None:
                found = self.match(surface, method, (segments[0], *segments[2:]))
                if found.organization is None:
                    return replace(found, organization=named)
            raise NotFoundError("RouteNotFound", path=path, segment=(*segments, "")[tree.depth(segments)])
        methods = tuple(sorted(allowed | {"OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())))
        if method != "OPTIONS":
            raise MethodNotAllowedError(method=method, allowed=", ".join(methods))
        return Match(str(surface), path, {}, allowed=methods)


def split_path(raw_path: bytes) -> tuple[str, ...]:
    """The segments of a raw path, decoded one by one; empty ones (double or trailing slashes) count for nothing."""
    try:
        return tuple(unquote_to_bytes(part).decode("utf-8") for part in raw_path.split(b"/") if part)
    except UnicodeDecodeError as error:
        raise InvalidRequestError("PathNotUtf8") from error


def first_segment(raw_path: bytes) -> tuple[str, ...]:
    """The segment that says which surface a path belongs to, if there is one; readable or not."""
    return tuple(unquote_to_bytes(part).decode("utf-8", "replace") for part in raw_path.split(b"/") if part)[:1]


def _with_keys_apart(segments: tuple[str, ...]) -> tuple[str, ...]:
    """A key in brackets, `incidents('1')`, as the segment that it is elsewhere (OData URL conventions 4.3)."""
    apart: list[str] = []
    for segment in segments:
        match = _KEY.fullmatch(segment)
        apart += [segment] if match is None else [match[1], match[2].replace("''", "'")]
    return tuple(apart)


def _organization(segments: tuple[str, ...]) -> str | None:
    """The segment behind the version, if it can be the name of an organization: a GUID, a domain, an alias."""
    name = segments[1].lower() if len(segments) > 2 else ""
    return name if is_guid(name) or name == MY_ORGANIZATION or "." in name.strip(".") else None


def _bind(document: OperationsDocument, handlers: Mapping[str, Handler]) -> PathTree[Route]:
    built = {operation.handler for operation in document.operations if operation.status != "planned"}
    if built != set(handlers):
        missing, surplus = sorted(built - set(handlers)), sorted(set(handlers) - built)
        raise ContractError(f"{document.surface}: no handler for {missing}, no built operation for {surplus}")
    tree: PathTree[Route] = PathTree()
    for operation in document.operations:
        route = Route(document, operation, handlers.get(operation.handler))
        for template in document.templates(operation):
            tree.add(template, operation.method, route)
    return tree
