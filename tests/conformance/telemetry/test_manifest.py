"""Every set of the telemetry pack that is read goes through the pipeline, and the facts that its manifest states are
found in the mapped rows."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import yaml

from tests.conformance.telemetry.facts import FactQuery, Uncovered, query_of
from tests.conftest import SHARED as PACK
from vedette.ingest.columns import stored_schema
from vedette.ingest.pipeline import Pipeline
from vedette.ingest.receipts import Receipt
from vedette.ingest.sources.source import Source

SHARED = PACK / "telemetry"
TENANT = "11111111-1111-1111-1111-111111111111"
GOAL = 0.6

Evaluate = Callable[[FactQuery], int]
"""Runs a fact's query over the rows of one set."""


class MemoryLake:
    """A lake that keeps its rows in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, list[pa.Table]] = {}
        self._known: dict[tuple[str, str], bytes] = {}

    def append(self, tenant_id: str, batch_id: str, rows: dict[str, pa.Table], summary: bytes) -> bytes | None:
        if (tenant_id, batch_id) in self._known:
            return self._known[tenant_id, batch_id]
        self._known[tenant_id, batch_id] = summary
        for table, data in rows.items():
            self.rows.setdefault(table, []).append(data)
        return None


def _manifest() -> list[dict[str, object]]:
    path = SHARED / "MANIFEST.yaml"
    if not path.exists():
        if os.environ.get("CI") == "true":
            raise FileNotFoundError(path)
        return []
    return list(yaml.safe_load(path.read_text())["sets"])


SETS = _manifest()


def _evaluator(lake: MemoryLake) -> Evaluate:
    connection = duckdb.connect()

    def evaluate(query: FactQuery) -> int:
        chunks = lake.rows.get(query.table)
        data = pa.concat_tables(chunks) if chunks else stored_schema(query.table).empty_table()
        connection.register(query.table, data)
        sql, parameters = query.sql()
        ((count,),) = connection.execute(sql, parameters).fetchall()
        return int(count)

    return evaluate


def _ingested(entry: dict[str, object], folder: Path) -> tuple[MemoryLake, list[Receipt]]:
    lake = MemoryLake()
    pipeline = Pipeline(lake, folder)
    files = [SHARED / str(file["file"]) for file in entry["files"]]  # type: ignore[attr-defined]
    return lake, [pipeline.accept(TENANT, None, [Source(path.name, path)]) for path in files]


@pytest.mark.shared
@pytest.mark.skipif(not SETS, reason="no telemetry pack (VEDETTE_SHARED)")
def test_facts_of_the_manifest_are_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, wrong, reasons = [], [], Counter[str]()
    uncovered: list[str] = []
    for entry in SETS:
        lake, receipts = _ingested(entry, tmp_path / "quarantine")
        for receipt in receipts:
            assert receipt.events == (
                receipt.accepted + receipt.unmapped + receipt.ignored + receipt.quarantined - receipt.damaged
            )
        is_read = any(receipt.accepted for receipt in receipts)
        evaluate = _evaluator(lake)
        for fact in entry.get("facts", ()):  # type: ignore[attr-defined]
            query = query_of(fact)
            if not isinstance(query, Uncovered) and not is_read:
                query = Uncovered(query.what, "the format of the set is not read yet")
            if isinstance(query, Uncovered):
                reasons[query.reason] += 1
                uncovered.append(f"{entry['name']}: {query.what}: {query.reason}")
                continue
            count = evaluate(query)
            (found if count == query.events else wrong).append((entry["name"], query, count))
    mapped = len(found) + len(wrong)
    with capsys.disabled():
        print(f"\nmanifest facts: {mapped + len(uncovered)}, of mapped events {mapped}, found {len(found)}")
        for name, query, count in wrong:
            print(f"  not found: {name}: {query.what}: {count} instead of {query.events}: {query.kql()}")
        for line in uncovered:
            print(f"  cannot be found: {line}")
    assert mapped
    assert len(found) >= GOAL * mapped
