"""From query text to one SELECT: parse, bind, rewrite, emit. Compiled queries are kept for when they come again."""

from __future__ import annotations

import dataclasses
import functools
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generator import Generator

from vedette.kql.binder import NeedsDiscovery, bind
from vedette.kql.binder.context import QueryParameters
from vedette.kql.catalog import Catalog
from vedette.kql.compiled import CompiledQuery, CompiledTemplate, TableRead
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Span
from vedette.kql.moments import Moment
from vedette.kql.native.registry import uses_in
from vedette.kql.parser import parse
from vedette.kql.plan import BoundQuery, Relation
from vedette.kql.rewrites.context import Context
from vedette.kql.rewrites.rules import rewrite
from vedette.kql.sql import (  # noqa: F401 - importing them registers their operators
    expansion,
    graph_components,
    joins,
    partitions,
    places,
    scanning,
    series,
    sources,
    steps,
    summaries,
    windows,
)
from vedette.kql.sql.base import Dialect, UnsupportedError
from vedette.kql.sql.duckdb import DUCKDB
from vedette.kql.sql.macros import macros_in, statements_for
from vedette.kql.sql.natives import uses_in_tree
from vedette.kql.sql.nesting import bind_nested
from vedette.kql.sql.relations import Relations, result_columns

DIALECTS: Mapping[str, Dialect] = {DUCKDB.name: DUCKDB}

Discoveries = Mapping[str, Sequence[tuple[object, ...]]]
Run = Callable[[CompiledQuery], Sequence[tuple[object, ...]]]
"""Runs a compiled query and gives all its rows."""

CACHED = 256
DISCOVERY_LIMIT = 8


class _Cache:
    """Compiled queries by everything they depend on, the least recently used dropped first. Thread-safe."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[tuple[object, ...], CompiledTemplate] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...]) -> CompiledTemplate | None:
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
            return found

    def put(self, key: tuple[object, ...], compiled: CompiledTemplate) -> None:
        with self._lock:
            self._entries[key] = compiled
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)


_cache = _Cache(CACHED)


def compile_query(
    text: str,
    catalog: Catalog,
    *,
    now: int,
    dialect: str = "duckdb",
    discoveries: Discoveries | None = None,
    parameters: QueryParameters | None = None,
) -> CompiledQuery:
    """The SELECT for a query over `catalog`, with `now` in ticks and values for what it declares as query parameters.

    Raises KqlError with every error found, and NeedsDiscovery where the columns depend on data: then use
    `compile_with_discovery`.
    """
    key = (text, catalog.version, dialect, tuple(sorted((parameters or {}).items())))
    if not discoveries and (found := _cache.get(key)) is not None:
        return found.at(now)
    try:
        bound = bind(parse(text), text, catalog, discoveries, parameters=parameters)
        compiled = emit(bound, text, Context(catalog), DIALECTS[dialect])
    except RecursionError:
        raise _too_deep(text) from None
    if not discoveries:
        _cache.put(key, compiled)
    return compiled.at(now)


def compile_with_discovery(
    text: str,
    catalog: Catalog,
    *,
    now: int,
    run: Run,
    dialect: str = "duckdb",
    parameters: QueryParameters | None = None,
) -> CompiledQuery:
    """As `compile_query`, for queries whose columns depend on data too: `run` executes what has to be found out."""
    discoveries: dict[str, Sequence[tuple[object, ...]]] = {}
    for _ in range(DISCOVERY_LIMIT):
        try:
            return compile_query(
                text, catalog, now=now, dialect=dialect, discoveries=discoveries, parameters=parameters
            )
        except NeedsDiscovery as request:
            question = emit(BoundQuery(request.plan), text, Context(catalog), DIALECTS[dialect])
            discoveries[request.key] = run(question.at(now))
    raise _refused(
        text, UnsupportedError("evaluate", f"more than {DISCOVERY_LIMIT} plugins whose columns depend on data")
    )


def emit(bound: BoundQuery, text: str, context: Context, dialect: Dialect) -> CompiledTemplate:
    """The SELECT for a bound query, and those for its further results. `text` is what its errors point into."""
    first = _emit_one(bound.relation, text, context, dialect)
    further = tuple(_with(_emit_one(relation, text, context, dialect), name=name) for name, relation in bound.further)
    return dataclasses.replace(_with(first, render=bound.render), further=further)


def _with(template: CompiledTemplate, **fields: Any) -> CompiledTemplate:
    return dataclasses.replace(template, query=dataclasses.replace(template.query, **fields))


def _emit_one(root: Relation, text: str, context: Context, dialect: Dialect) -> CompiledTemplate:
    relation = rewrite(root, context)
    emitter = Relations(dialect, relation)
    try:
        tree = emitter.query(relation)
        bind_nested(tree)
    except UnsupportedError as error:
        raise _refused(text, error) from error
    moments = _numbered(tree, emitter.moments)
    sql = _generator().generate(tree, copy=False)
    query = CompiledQuery(
        sql=sql,
        parameters=(),
        columns=result_columns(relation.columns),
        reads=tuple(TableRead(relation, table, (None, None)) for (table, _), relation in emitter.reads.items()),
        externals=tuple(emitter.externals),
        ordered=emitter.ordered,
        setup=statements_for(macros_in(sql)),
        natives=(*uses_in(sql), *uses_in_tree(tree)),
    )
    return CompiledTemplate(query, moments, tuple(range_ for _, range_ in emitter.reads))


def _numbered(tree: exp.Expression, moments: Sequence[Moment]) -> tuple[Moment, ...]:
    """The moments that the statement asks for in the end; its parameters are numbered anew by them."""
    used: dict[Moment, int] = {}
    for parameter in tree.find_all(exp.Parameter) if moments else ():
        position = used.setdefault(moments[int(parameter.name) - 1], len(used) + 1)
        parameter.set("this", exp.Literal.number(position))
    return tuple(used)


def _too_deep(text: str) -> Exception:
    diagnostics = Diagnostics(text)
    diagnostics.report("chain_too_long", Span(0, len(text)))
    return _raised(diagnostics)


def _refused(text: str, error: UnsupportedError) -> Exception:
    """The diagnostic that names what the dialect cannot do, where the text says it."""
    diagnostics = Diagnostics(text)
    found = re.search(rf"\b{re.escape(error.what)}\b", text)
    span = Span(found.start(), len(error.what)) if found else Span(0, len(text))
    diagnostics.report("not_available", span, name=error.what, reason=error.reason)
    return _raised(diagnostics)


def _raised(diagnostics: Diagnostics) -> Exception:
    """The error that diagnostics amount to, for the caller to raise."""
    try:
        diagnostics.raise_errors()
    except Exception as raised:  # noqa: BLE001 - the KqlError just made
        return raised
    raise AssertionError("a diagnostic was reported")


@functools.cache
def _dialect() -> DuckDB:
    return DuckDB()


def _generator() -> Generator:
    return _dialect().generator(normalize_functions=False, comments=False)
