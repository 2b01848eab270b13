"""docs/coverage.md says what the contract data says. VEDETTE_WRITE_DOCS=1 writes it."""

import importlib
import os
import pkgutil
from collections.abc import Mapping
from pathlib import Path

import vedette.kql.sql
from vedette.contracts.coverage import render_coverage
from vedette.contracts.functions import load_functions
from vedette.contracts.hunting_answers import load_hunting_answers
from vedette.contracts.operations import load_operations
from vedette.contracts.tables import load_tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "coverage.md"


def unsupported_functions() -> Mapping[str, str]:
    """What each module of the emitter refuses by name."""
    refused: dict[str, str] = {}
    for module in pkgutil.iter_modules(vedette.kql.sql.__path__, "vedette.kql.sql."):
        refused |= getattr(importlib.import_module(module.name), "UNSUPPORTED", {})
    return refused


def test_the_page_is_what_the_data_says() -> None:
    page = render_coverage(
        load_operations(), load_tables(), load_functions(), load_hunting_answers(), unsupported_functions()
    )
    if os.environ.get("VEDETTE_WRITE_DOCS") == "1":
        PAGE.write_text(page)
    assert PAGE.read_text() == page, "run: VEDETTE_WRITE_DOCS=1 pytest tests/docs/test_coverage_page.py"
