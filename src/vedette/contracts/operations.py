"""The operations that the server answers: one record each, in `data/operations/<surface>.toml`.

The record is the single source for routing, permissions, quotas and the coverage page. An operation without a record
has no route.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from vedette.contracts.loader import load_folder
from vedette.errors import ContractError

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
Limiter = Literal["control", "hunting", "crypto"]

ANY_SEGMENT = "*"
"""In `OperationsDocument.segments`: every first path segment that no other surface reserves."""


class OperationContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operation. `path` is a template below the surface's mounts: `/security/incidents/{id}`."""

    method: Method
    path: str
    handler: str
    """Name in the surface's handler table, unique there: `list_incidents`."""
    source: str
    """Where the fact comes from: `repo/path@commit`, a URL, or `vedette` for our own operations."""
    status: Literal["implemented", "partial", "planned"]
    aliases: tuple[str, ...] = ()
    """Further templates of the same operation, with the same parameters (a namespace-qualified action name)."""
    versions: tuple[str, ...] = ()
    """Keys of the surface's mounts; empty: all of them."""
    authentication: Literal["bearer", "token", "none", "administrator", "scraper"] = "bearer"
    """`token`: any good token of the surface, whatever it permits. `administrator`: of the whole installation.
    `scraper`: who may read the server's metrics."""
    application: tuple[str, ...] = ()
    """Application permissions of which any one is enough, least privileged first."""
    delegated: tuple[str, ...] = ()
    """Delegated permissions of which any one is enough, least privileged first."""
    besides: tuple[str, ...] = ()
    """Permissions of which any one is needed besides those."""
    quota: str = "default"
    """Key of the quota class in `quotas.toml`."""
    limiter: Limiter = "control"
    """Which pool of worker threads runs the handler."""
    body: Literal["bytes", "file"] = "bytes"
    """`file`: the body is spooled to a temporary file and handed over as `ApiRequest.body_file`."""
    max_body: int = 4 * 1024 * 1024
    """Bytes; a longer body is answered 413. 0: no limit, only with `body = "file"`."""
    note: str = ""
    part: str = ""
    """The document's `part`."""


class OperationsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One surface: how it is reached, whose tokens it takes, and what it offers."""

    surface: str
    segments: tuple[str, ...]
    """First path segments that lead to this surface on a host that serves all of them."""
    operations: tuple[OperationContract, ...]
    hosts: tuple[str, ...] = ()
    """Host names of the real service: requests for them reach only this surface."""
    elsewhere: Mapping[str, tuple[str, ...]] = {}
    """First path segments that lead to this surface on a host of another one, by that host's name."""
    everywhere: bool = False
    """Whether its segments lead to this surface on the hosts of the others too."""
    cross_origin: bool = False
    """Whether pages of any origin may call it. Only for a surface that takes tokens and no cookies."""
    names_organization: bool = False
    """Whether a segment after the version may name the caller's own organization: `/v1.0/{tenant}/users`."""
    audiences: tuple[str, ...] = ()
    """Resource applications (`Principal.audience`) whose tokens the surface takes."""
    part: str = ""
    """Set in a further file of a surface: it adds operations to it and says nothing else."""
    mounts: Mapping[str, tuple[str, ...]] = {}
    """Version → path prefixes below which that version is served; empty: paths are absolute."""

    def templates(self, operation: OperationContract) -> Iterator[str]:
        """Every absolute path template of `operation`."""
        paths = (operation.path, *operation.aliases)
        if not self.mounts:
            yield from paths
            return
        for version in operation.versions or tuple(self.mounts):
            for prefix in self.mounts[version]:
                yield from (prefix + path for path in paths)


@functools.cache
def load_operations() -> Mapping[str, OperationsDocument]:
    """All surfaces by name."""
    documents: dict[str, OperationsDocument] = {}
    loaded = list(load_folder("operations", OperationsDocument))
    for document in (document for document in loaded if not document.part):
        if document.surface in documents:
            raise ContractError(f"two operation files declare the surface {document.surface}")
        parts = [other for other in loaded if other.part and other.surface == document.surface]
        documents[document.surface] = _joined(document, parts)
        _check(documents[document.surface])
    if lost := {document.surface for document in loaded} - set(documents):
        raise ContractError(f"parts of surfaces that no file declares: {sorted(lost)}")
    return documents


def _joined(document: OperationsDocument, parts: Iterable[OperationsDocument]) -> OperationsDocument:
    added = [msgspec.structs.replace(operation, part=part.part) for part in parts for operation in part.operations]
    return msgspec.structs.replace(document, operations=(*document.operations, *added))


def _check(document: OperationsDocument) -> None:
    seen: set[str] = set()
    for operation in document.operations:
        where = f"{document.surface}: {operation.method} {operation.path}"
        if operation.handler in seen:
            raise ContractError(f"{where}: handler {operation.handler} is used twice")
        seen.add(operation.handler)
        needs_permission = operation.authentication in ("bearer", "administrator")
        if needs_permission and not (operation.application or operation.delegated):
            raise ContractError(f"{where}: needs a token but names no permission")
        if unknown := set(operation.versions) - set(document.mounts):
            raise ContractError(f"{where}: versions without a mount: {sorted(unknown)}")
        if operation.max_body == 0 and operation.body == "bytes":
            raise ContractError(f"{where}: a body kept in memory needs a limit")
