"""The hunting language: text to SQL, and what an editor asks. Imports nothing else of Vedette but `errors`.

Everything public is loaded when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vedette.kql.catalog import StaticCatalog, TableColumn, TableSchema
    from vedette.kql.compile import compile_query, compile_with_discovery
    from vedette.kql.editor import complete, hover
    from vedette.kql.errors import KqlError
    from vedette.kql.types import ScalarType

__all__ = [
    "KqlError",
    "ScalarType",
    "StaticCatalog",
    "TableColumn",
    "TableSchema",
    "compile_query",
    "compile_with_discovery",
    "complete",
    "hover",
]

_MODULES = {
    "KqlError": "errors",
    "ScalarType": "types",
    "StaticCatalog": "catalog",
    "TableColumn": "catalog",
    "TableSchema": "catalog",
    "compile_query": "compile",
    "compile_with_discovery": "compile",
    "complete": "editor",
    "hover": "editor",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"vedette.kql.{_MODULES[name]}"), name)
