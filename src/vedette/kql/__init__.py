"""The hunting language: text to SQL, and what an editor asks. Imports nothing else of Vedette but `errors`.

`complete` and `hover` are loaded when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vedette.kql.editor import complete, hover

__all__ = ["complete", "hover"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("vedette.kql.editor"), name)
