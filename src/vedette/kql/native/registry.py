"""The table of native functions: what `natives.toml` says of each, and the function, imported when it is used."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib
import importlib.resources
import importlib.util
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from vedette.errors import ContractError

if TYPE_CHECKING:
    import pyarrow as pa

PREFIX = "native_"
"""What the name of a native function begins with in SQL."""

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "geo": ("h3", "s2geometry", "spherely", "geographiclib", "maxminddb"),
    "useragent": ("ua_parser",),
}
"""The packages that each optional extra of the distribution brings."""

SqlType = Literal["VARCHAR", "DOUBLE", "BIGINT", "INTEGER", "BOOLEAN"]
Cost = Literal["point", "shape", "overlay", "series", "series_squared", "text", "patterns"]
Batch = Callable[..., "pa.Array"]

COSTS: Mapping[Cost, str] = {
    "point": "a few microseconds a row",
    "shape": "proportional to the number of vertices; a shape that repeats is read once",
    "overlay": "somewhat more than proportional to the number of vertices of all shapes of the row",
    "text": "a few microseconds a row, and proportional to the length of the text",
    "patterns": "up to milliseconds for a text not met before: hundreds of regular expressions are tried",
    "series": "proportional to the length of the series",
    "series_squared": "grows with the square of the length of the series, or with its product with another length",
}

_DIGEST = 16
_NAME = re.compile(rf"\b{PREFIX}(\w+)")


class Native(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A native function. `defaults` stand for the last parameters where a query leaves them out.

    A row with a null among the arguments gives null, unless `takes_nulls`. `columnar` functions take and give whole
    columns (numpy arrays, lists of text), the others are called once a row.
    """

    module: str
    parameters: tuple[SqlType, ...]
    result: SqlType
    cost: Cost
    dynamic: bool = False
    defaults: tuple[str | float | bool, ...] = ()
    takes_nulls: bool = False
    columnar: bool = False
    extra: str | None = None
    name: str = ""

    def missing_extra(self, is_installed: Callable[[str], bool] | None = None) -> str | None:
        """The extra that has to be installed before the function can be used, None if it can."""
        packages = EXTRAS[self.extra] if self.extra is not None else ()
        return None if all(map(is_installed or _is_installed, packages)) else self.extra

    def batch(self, constants: Mapping[int, str] | None = None) -> Batch:
        """The function over columns of an Arrow table, those of `constants` left out."""
        from vedette.kql.native import batches

        function = getattr(importlib.import_module(f"vedette.kql.native.{self.module}"), self.name)
        shape = batches.Shape(len(self.parameters), self.result, constants or {})
        if self.columnar:
            return batches.over_columns(function, shape)
        return batches.over_rows(function, shape, takes_nulls=self.takes_nulls)


@dataclasses.dataclass(frozen=True, slots=True)
class NativeUse:
    """A native function as one query calls it: long text that is the same in every row is bound, not passed.

    `constants` are pairs of a parameter's place and its text.
    """

    name: str
    constants: tuple[tuple[int, str], ...] = ()

    @property
    def sql_name(self) -> str:
        """The function's name in the SQL text."""
        if not self.constants:
            return f"{PREFIX}{self.name}"
        digest = hashlib.sha256(repr(self.constants).encode()).hexdigest()
        return f"{PREFIX}{self.name}_{digest[:_DIGEST]}"

    @property
    def parameters(self) -> tuple[SqlType, ...]:
        """The types of what is passed."""
        bound = dict(self.constants)
        return tuple(each for place, each in enumerate(natives()[self.name].parameters) if place not in bound)

    @property
    def result(self) -> SqlType:
        """The type of what comes back."""
        return natives()[self.name].result

    def batch(self) -> Batch:
        """The function over the columns that are passed."""
        return natives()[self.name].batch(dict(self.constants))


@functools.cache
def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@functools.cache
def natives() -> Mapping[str, Native]:
    """Every native function by name."""
    text = (importlib.resources.files("vedette.kql.native") / "natives.toml").read_text("utf-8")
    found: dict[str, Native] = {}
    for name, raw in tomllib.loads(text).items():
        try:
            found[name] = msgspec.convert({**raw, "name": name}, Native)
        except msgspec.ValidationError as error:
            raise ContractError(f"natives.toml: {name}: {error}") from error
    return found


def uses_in(sql: str) -> tuple[NativeUse, ...]:
    """The native functions that an SQL text calls without bound constants."""
    return tuple(NativeUse(name) for name in sorted({*_NAME.findall(sql)} & natives().keys()))
