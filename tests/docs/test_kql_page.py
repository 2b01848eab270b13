"""The second half of docs/kql.md is what the registry says. VEDETTE_WRITE_DOCS=1 writes it."""

import os
from pathlib import Path

from vedette.kql.coverage import render_language_coverage

PAGE = Path(__file__).resolve().parents[2] / "docs" / "kql.md"
MARK = "## Coverage\n"


def test_the_tables_are_what_the_registry_says() -> None:
    written, mark, tables = PAGE.read_text("utf-8").partition(MARK)
    rendered = render_language_coverage()
    if os.environ.get("VEDETTE_WRITE_DOCS") == "1":
        PAGE.write_text(written + rendered, "utf-8")
        tables = rendered.removeprefix(MARK)
    assert mark
    assert tables == rendered.removeprefix(MARK), "run: VEDETTE_WRITE_DOCS=1 pytest tests/docs/test_kql_page.py"
