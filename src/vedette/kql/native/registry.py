"""The table of native functions: what `natives.toml` says of each, and the function, imported when it is used."""

from __future__ import annotations

import functools
import importlib
import importlib.resources
import importlib.util
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from vedette.errors import ContractError

if TYPE_CHECKING:
    import pyarrow as pa

PREFIX = "native_"
"""What the name of a native function begins with in SQL."""

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "geo": ("h3", "s2geometry", "spherely", "geographiclib"),
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

    def batch(self) -> Batch:
        """The function over columns of an Arrow table."""
        from vedette.kql.native import batches

        function = getattr(importlib.import_module(f"vedette.kql.native.{self.module}"), self.name)
        if self.columnar:
            return batches.over_columns(function, len(self.parameters), self.result)
        return batches.over_rows(function, len(self.parameters), self.result, takes_nulls=self.takes_nulls)


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


def natives_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Names of the native functions that SQL texts call."""
    return tuple(sorted({name for text in texts for name in _NAME.findall(text) if name in natives()}))


def natives_named(names: Iterable[str]) -> tuple[Native, ...]:
    """The native functions of these names."""
    return tuple(natives()[name] for name in names)
