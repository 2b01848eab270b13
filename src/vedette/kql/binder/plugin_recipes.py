"""Plugins written in KQL: `functions/plugins/<name>.kql` over the table `T` whose columns have fixed names.

In a recipe `__who` and `__time` are the plugin's first two columns, `<dims>` the dimensions behind a comma, `<order>`
sort keys for them before a comma, `<restart>` whether they differ from the row before. `BIN(x)` is the period of x and
`NEXT(x)` the period after x; `Bins` has all periods as `__period`.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import re
from collections.abc import Mapping, Sequence

from vedette.kql import plan, syntax
from vedette.kql.binder.context import Binder
from vedette.kql.binder.scopes import ScalarVariable, Scope, Table, TableVariable, Variable, reference
from vedette.kql.binder.statements import bind_statements
from vedette.kql.parser import parse
from vedette.kql.plan import Column, Expression

CALENDAR = frozenset({"week", "month", "year"})
"""Periods that can be asked for by name instead of by length."""

_PERIOD = re.compile(r"\b(BIN|NEXT)\(([^()]*)\)")


@functools.cache
def recipe(name: str) -> str:
    """The text of a plugin's recipe."""
    return (importlib.resources.files("vedette.kql.functions") / "plugins" / f"{name}.kql").read_text("utf-8")


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> syntax.Query:
    return parse(text)


@dataclasses.dataclass(frozen=True, slots=True)
class Dimensions:
    """The columns that slice a calculation: their values over the input and their names in the result."""

    values: tuple[Expression, ...] = ()
    names: tuple[str, ...] = ()

    def columns(self, binder: Binder) -> list[Column]:
        """Fresh columns under the names that recipes know."""
        return [binder.column(f"__d{index}", each.type) for index, each in enumerate(self.values)]

    def substitutions(self) -> dict[str, str]:
        """What their marks in a recipe stand for."""
        names = [f"__d{index}" for index in range(len(self.values))]
        return {
            "<dims>": "".join(f", {each}" for each in names),
            "<order>": "".join(f"{each} asc, " for each in names),
            "<restart>": " or ".join(f"tostring({each}) != tostring(prev({each}))" for each in names) or "false",
        }


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """How a timeline is cut: by the length in `Window` from `Start`, or by a part of the calendar."""

    calendar: str | None = None

    def spell(self, text: str) -> str:
        """A recipe with `BIN` and `NEXT` spelled out."""
        return _PERIOD.sub(self._replacement, text)

    def _replacement(self, match: re.Match[str]) -> str:
        what, value = match.groups()
        if self.calendar is None:
            return f"bin_at({value}, Window, Start)" if what == "BIN" else f"({value} + Window)"
        inner = value if what == "BIN" else f"datetime_add('{self.calendar}', 1, {value})"
        return f"startof{self.calendar}({inner})"

    def all(self) -> str:
        """The statement that defines `Bins`."""
        if self.calendar is None:
            return "let Bins = range __period from Start to End step Window;\n"
        days = "range __day from Start to End step 1d"
        return self.spell(f"let Bins = {days} | summarize by __period = BIN(__day);\n")


def prepare(
    binder: Binder, table: Table, columns: Mapping[str, Expression], dimensions: Dimensions | None = None
) -> Table:
    """The input of a recipe: these columns, then the dimensions."""
    outputs = [binder.column(name, value.type) for name, value in columns.items()]
    values = tuple(columns.values())
    if dimensions is not None:
        outputs += dimensions.columns(binder)
        values += dimensions.values
    return Table(plan.Project(tuple(outputs), table.relation, values), serialized=table.serialized)


def cook(binder: Binder, call: syntax.FunctionCall, text: str, given: Mapping[str, Expression | Table]) -> Table:
    """Bind a recipe over the tables and constants that it names; `T` is the prepared input."""
    variables: dict[str, Variable] = {
        name: TableVariable(each, binder.share()) if isinstance(each, Table) else ScalarVariable(each)
        for name, each in given.items()
    }
    with binder.calling(call.span, stored=True):
        results = bind_statements(binder, _parsed(text).statements, Scope(variables))
    assert isinstance(results[-1], Table)
    return results[-1]


def rename(binder: Binder, table: Table, names: Sequence[str]) -> Table:
    """The columns of a recipe's result under the names of the plugin's documentation."""
    columns = tuple(binder.fresh(old, name) for old, name in zip(table.columns, names, strict=True))
    relation = plan.Project(columns, table.relation, tuple(reference(each) for each in table.columns))
    return Table(relation, serialized=table.serialized)
