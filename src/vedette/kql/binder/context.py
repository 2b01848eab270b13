"""What all parts of the binder share while one query is bound: catalog, diagnostics, columns, the way to recurse."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from vedette.kql import plan, syntax
from vedette.kql.binder.discovery import Discoveries, NeedsDiscovery, NotYetThere
from vedette.kql.binder.scopes import Scope, Table
from vedette.kql.catalog import Catalog
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Span
from vedette.kql.plan import Column, Expression, Relation
from vedette.kql.traversal import reads_outer_rows
from vedette.kql.types import ScalarType

MAXIMUM_CALL_DEPTH = 40
"""Calls of functions within functions; deeper is taken for recursion."""

MAXIMUM_INLINED = 20_000
"""Calls and variables put in place of their names: what doubles with every let statement ends here."""

MAXIMUM_COLUMNS = 50_000
"""Columns of all steps of a query together; joins of joins make them in the square of their number."""

Bound = Expression | Table

QueryParameters = Mapping[str, str | int | float | bool]
"""Values for what a query declares as its parameters, by name."""


class Binder:
    """State of one binding. `scalar`, `table` and `anything` bind an expression, whatever module that is done in."""

    scalar: Callable[[Binder, syntax.Expression, Scope], Expression]
    table: Callable[[Binder, syntax.Expression, Scope], Table]
    anything: Callable[[Binder, syntax.Expression, Scope], Bound]
    in_pattern: Callable[[Binder, syntax.FunctionCall, Scope], Expression | None]

    def __init__(self, text: str, catalog: Catalog, discoveries: Discoveries | None, *, analysis: bool = False) -> None:
        self.catalog = self.stored = catalog
        self.analysis = analysis
        self.diagnostics = Diagnostics(text)
        self._text = text
        self.asks_ingestion_time = "ingestion_time" in text
        self._asked_names: dict[str, bool] = {}
        self.budget = MAXIMUM_INLINED
        self.render: dict[str, str] | None = None
        self.parameters: QueryParameters = {}
        self.options: dict[str, Expression] = {}
        self.subject: Table | None = None
        self.call_depth = 0
        self._discoveries = discoveries or {}
        self._columns = 0
        self._shared = 0
        self._asked = 0
        self._call_site: Span | None = None
        self._guesses = False

    def guessed(self, table: Table, name: str) -> Column:
        """A column that only the data knows, its type too: dynamic stands for it."""
        self._guesses = True
        if name not in table.discovered:
            table.discovered[name] = self.column(name, ScalarType.DYNAMIC)
        return table.discovered[name]

    def may_be_guessed(self, *types: ScalarType | None) -> bool:
        """Whether a dynamic one among the types may stand for another that only the data knows."""
        return self._guesses and ScalarType.DYNAMIC in types

    def asks_for(self, name: str) -> bool:
        """Whether a name stands anywhere in the query: what it does not mention need not be there."""
        if name not in self._asked_names:
            self._asked_names[name] = re.search(rf"\b{re.escape(name)}\b", self._text) is not None
        return self._asked_names[name]

    def column(self, name: str, type_: ScalarType) -> Column:
        """A fresh column. Raises KqlError where a query has grown out of bounds."""
        self._columns += 1
        if self._columns > MAXIMUM_COLUMNS:
            self.diagnostics.report("too_many_columns", Span(0, len(self._text)), limit=MAXIMUM_COLUMNS)
            self.diagnostics.raise_errors()
        return Column(self._columns, name, type_)

    def fresh(self, column: Column, name: str | None = None) -> Column:
        """A fresh column with the name and type of another one."""
        return self.column(name or column.name, column.type)

    def share(self) -> int:
        """A fresh number for rows that are computed once."""
        self._shared += 1
        return self._shared

    def report(self, name: str, span: Span, /, *, hint: str | None = None, **fields: str | int) -> None:
        """Record an error. Inside a stored function, whose text is not the query's, it stands at the call."""
        self.diagnostics.report(name, self._call_site or span, hint=hint, **fields)

    def fail(self, name: str, span: Span, /, *, hint: str | None = None, **fields: str | int) -> Expression:
        """Record an error and give an expression that fits everywhere, so that one mistake is reported once."""
        self.report(name, span, hint=hint, **fields)
        return unknown()

    def fail_table(self, name: str, span: Span, /, *, hint: str | None = None, **fields: str | int) -> Table:
        """Record an error and give a table in which every name is found."""
        self.report(name, span, hint=hint, **fields)
        return Table(plan.Values((), ()), open=True, serialized=True)

    def spend(self, span: Span, cost: int = 1) -> bool:
        """Count what is put in place of a name; False, with one report, when a query has grown out of bounds."""
        if self.budget <= 0:
            return False
        self.budget -= cost
        if self.budget <= 0:
            self.report("query_too_large", span, limit=MAXIMUM_INLINED)
        return self.budget > 0

    def discover(self, relation: Relation) -> list[tuple[object, ...]]:
        """Rows of a query that has to be run before binding can go on.

        Raises NotYetThere if it reads rows that an enclosing operator hands in.
        """
        if reads_outer_rows(relation):
            raise NotYetThere
        key = f"discovery-{self._asked}"
        self._asked += 1
        if key not in self._discoveries:
            self.diagnostics.raise_errors()
            raise NeedsDiscovery(key, relation)
        return list(self._discoveries[key])

    @contextlib.contextmanager
    def calling(self, span: Span, *, stored: bool, catalog: Catalog | None = None) -> Iterator[None]:
        """While a function's body is bound, which sees the catalog that was there when it was declared."""
        before, seen = self._call_site, self.catalog
        self.catalog = catalog or seen
        if stored and before is None:
            self._call_site = span
        self.call_depth += 1
        try:
            yield
        finally:
            self.call_depth -= 1
            self._call_site, self.catalog = before, seen


def unknown() -> Expression:
    """The value of something that could not be bound."""
    return plan.Literal(ScalarType.DYNAMIC, None)


def is_unknown(expression: Expression) -> bool:
    """Whether the expression may stand for something that could not be bound, which was reported then."""
    return isinstance(expression, plan.Literal) and expression.type is ScalarType.DYNAMIC and expression.value is None


def similar(name: str, candidates: Iterable[str]) -> str | None:
    """A hint naming what was probably meant."""
    names = list(dict.fromkeys(candidates))
    folded = {each.lower(): each for each in names}
    exact = folded.get(name.lower())
    if exact is not None:
        return f"did you mean {exact}?"
    close = difflib.get_close_matches(name.lower(), list(folded), n=1, cutoff=0.75)
    return f"did you mean {folded[close[0]]}?" if close else None
