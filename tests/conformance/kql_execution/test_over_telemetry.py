"""Published hunting queries over tables with real telemetry and over empty ones: the engine does not fail.

A share of the corpus by default; `VEDETTE_CORPUS=whole` (`make corpus`) runs all of it and prints the score.
"""

import json
import os
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.kql_execution.telemetry_lake import TelemetryLake, telemetry_lake
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.errors import ExternalDataError, HuntingError
from vedette.kql.errors import KqlError

FLOORS = tomllib.loads((Path(__file__).parent / "floors.toml").read_text("utf-8"))["over_tables"]
WHOLE = os.environ.get("VEDETTE_CORPUS") == "whole"
CORPUS = "hunting_queries.jsonl"
"""The workspace corpus adds nothing: its few queries over hunting tables alone call functions of a workspace."""
STEP = 1 if WHOLE else 12
"""By default every twelfth query."""

_LONGEST = 100_000
"""One query of the corpus writes other queries, with a scan over half a megabyte of text for most of a minute."""


@pytest.fixture(scope="module", params=["telemetry", "empty"])
def lake(
    request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TelemetryLake]:
    yield from telemetry_lake(shared, tmp_path_factory.mktemp("quarantine"), filled=request.param == "telemetry")


def _valid(shared: Path) -> list[dict[str, str]]:
    """Queries in which Microsoft's analyser finds no error, over tables that are known."""
    catalog = ContractCatalog()
    lines = (shared / "conformance" / CORPUS).read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return [
        each
        for each in records
        if not each["official"]["syntax_errors"]
        and not each["official"]["semantic_errors"]
        and all(catalog.table(name) is not None for name in each["tables"])
        and (WHOLE or len(each["query"]) < _LONGEST)
    ]


@pytest.mark.shared
def test_the_engine_does_not_fail(lake: TelemetryLake, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes: Counter[str] = Counter()
    failed: list[tuple[str, str]] = []
    for record in _valid(shared)[::STEP]:
        try:
            outcomes["answered with rows" if lake.hunt(record["query"]).data.num_rows else "answered"] += 1
        except KqlError:
            outcomes["refused"] += 1  # what binds is measured by the analysis
        except ExternalDataError:
            outcomes["without its external data"] += 1  # the sources are not fetched
        except HuntingError as error:
            failed.append((record["id"], error.code))
    ran = sum(outcomes.values()) - outcomes["refused"] + len(failed)
    if WHOLE:
        with capsys.disabled():
            print(f"\n{CORPUS}: {dict(outcomes)}, failed {len(failed)} of {ran} that bind")
    assert ran
    assert 100 * (ran - len(failed)) / ran >= FLOORS["without_engine_error"], failed
