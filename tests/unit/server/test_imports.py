"""What a server imports before it answers: nothing that it can do without."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import vedette.server.up, vedette.server.schema, vedette.server.processes
print(" ".join(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def modules() -> set[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "name", ["rich", "pygments", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "alembic", "jinja2", "segno"]
)
def test_it_is_not_imported(modules: set[str], name: str) -> None:
    assert name not in modules


def test_what_forked_processes_share_is_imported(modules: set[str]) -> None:
    assert {"duckdb", "pyarrow", "sqlglot", "vedette.kql.compile", "vedette.ingest.pipeline"} <= modules
