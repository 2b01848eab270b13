"""Functions that a tenant stores: checked when they are saved, then names of every query and rule of that tenant."""

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from vedette.errors import ConflictError, InvalidRequestError, NotFoundError
from vedette.hunting.tables import HUNTING_FUNCTIONS
from vedette.kql.binder.declarations import check_function
from vedette.kql.catalog import Catalog, TableSchema
from vedette.kql.diagnostics import position
from vedette.kql.errors import Diagnostic, KqlError, Span
from vedette.kql.functions.registry import find
from vedette.kql.keywords import KEYWORDS
from vedette.store.tenancy import TenantRepository

MAXIMUM_FUNCTIONS = 1_000
"""Functions that one tenant can store: each query reads them all."""

_BODY = " {\n"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class StoredFunction(msgspec.Struct, frozen=True):
    """One function: `parameters` as written between its parentheses, `query` the body without braces."""

    name: str
    parameters: str
    query: str
    description: str = ""
    last_modified: int = 0
    last_modified_by: str = ""

    @property
    def declaration(self) -> str:
        """The function in KQL, without its name."""
        return f"({self.parameters}){_BODY}{self.query}\n}}"


class TenantCatalog:
    """What one tenant's queries can name: the tables and functions of everybody, and the tenant's own functions."""

    def __init__(self, common: Catalog, functions: Mapping[str, str]) -> None:
        """`functions` are declarations by name; a name of `common` cannot be taken by one of them."""
        self._common = common
        self._functions = functions

    @property
    def version(self) -> str:
        """Changes with any of the functions."""
        if not self._functions:
            return self._common.version
        digest = hashlib.sha256(msgspec.json.encode(sorted(self._functions.items())))
        return f"{self._common.version}-{digest.hexdigest()[:16]}"

    def table(self, name: str) -> TableSchema | None:
        """The table of that name."""
        return self._common.table(name)

    def table_names(self) -> Iterable[str]:
        """Names of tables."""
        return self._common.table_names()

    def function(self, name: str) -> str | None:
        """KQL text of a function."""
        return self._common.function(name) or self._functions.get(name)

    def function_names(self) -> Iterable[str]:
        """Names of functions."""
        return (*self._common.function_names(), *self._functions)


class StoredFunctions(TenantRepository):
    """The functions of one tenant."""

    def all(self) -> list[StoredFunction]:
        """Every function, by name."""
        rows = self.connection.execute(self.select(HUNTING_FUNCTIONS).order_by(HUNTING_FUNCTIONS.c.name))
        return [_load(row) for row in rows]

    def get(self, name: str) -> StoredFunction:
        """One function. Raises NotFoundError."""
        row = self.connection.execute(self.select(HUNTING_FUNCTIONS).where(HUNTING_FUNCTIONS.c.name == name)).first()
        if row is None:
            raise NotFoundError("FunctionNotFound", name=name)
        return _load(row)

    def create(self, function: StoredFunction, common: Catalog) -> None:
        """Store a new function.

        Raises InvalidRequestError for a name that cannot be given, ConflictError for one that the tenant has given
        already, KqlError for a declaration that does not parse or bind, or that calls itself.
        """
        stored = {each.name: each.declaration for each in self.all()}
        if function.name in stored:
            raise ConflictError("FunctionExists", name=function.name)
        if len(stored) >= MAXIMUM_FUNCTIONS:
            raise ConflictError("TooManyFunctions", limit=MAXIMUM_FUNCTIONS)
        _check_name(function.name, common)
        if errors := check_function(function.declaration, TenantCatalog(common, stored)):
            raise KqlError(tuple(_in_query(each, function) for each in errors))
        try:
            with self.connection.begin_nested():
                self.insert(HUNTING_FUNCTIONS, **msgspec.structs.asdict(function))
        except IntegrityError as error:
            raise ConflictError("FunctionExists", name=function.name) from error

    def remove(self, name: str) -> None:
        """Delete a function. What still names it gets an error when it runs next. Raises NotFoundError."""
        deleted = self.connection.execute(self.delete(HUNTING_FUNCTIONS).where(HUNTING_FUNCTIONS.c.name == name))
        if not deleted.rowcount:
            raise NotFoundError("FunctionNotFound", name=name)


def tenant_catalog(connection: Connection, tenant_id: str, common: Catalog) -> TenantCatalog:
    """The catalog of a tenant as its functions are now."""
    stored = StoredFunctions(connection, tenant_id).all()
    return TenantCatalog(common, {each.name: each.declaration for each in stored})


def _in_query(diagnostic: Diagnostic, function: StoredFunction) -> Diagnostic:
    """The diagnostic with places of the body that the user wrote; one of the parameters stays as it is."""
    start = diagnostic.span.start - function.declaration.index(_BODY) - len(_BODY)
    if start < 0:
        return diagnostic
    line, column = position(function.query, start)
    return dataclasses.replace(diagnostic, span=Span(start, diagnostic.span.length), line=line, column=column)


def _check_name(name: str, common: Catalog) -> None:
    """Tables and the language's functions keep their names: a query must not change its meaning by a new function."""
    if not _NAME.fullmatch(name) or name in KEYWORDS:
        raise InvalidRequestError("FunctionNameInvalid", name=name)
    taken = common.table(name) is not None or common.function(name) is not None
    if taken or any(find(kind, name) for kind in ("scalar", "aggregate", "window", "plugin")):
        raise InvalidRequestError("FunctionNameTaken", name=name)


def _load(row: Row[tuple[object, ...]]) -> StoredFunction:
    values = dict(row._mapping)
    return msgspec.convert({name: values[name] for name in StoredFunction.__struct_fields__}, StoredFunction)
