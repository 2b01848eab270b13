"""What users' tests and conformance checks rely on. Names are loaded when first used: importing this costs nothing.

As a pytest plugin (`pytest_plugins = ["vedette.testing"]`) it brings the fixtures of `vedette.testing.plugin`.
"""

import importlib
from typing import Any

pytest_plugins = ["vedette.testing.plugin"]

_HOMES = {
    "Analysis": "vedette.testing.kql_analysis",
    "analyze_kql": "vedette.testing.kql_analysis",
    "run_kql": "vedette.testing.kql_execution",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
