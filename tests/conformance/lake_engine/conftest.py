"""What every engine has to prove, over a lake with two tenants. Parametrised by engine; DuckDB is the first."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from vedette.clock import ManualClock
from vedette.ids import RandomIds
from vedette.jobs.outbox import Outbox
from vedette.lake.engine import Engine, LakeFolders, QueryLimits, QueryOutcome, QueryScope, RelationScope
from vedette.lake.engines.duckdb import DuckDBEngine
from vedette.lake.engines.duckdb_files import DuckDBJson
from vedette.lake.publish import Publisher
from vedette.lake.writer import LakeWriter
from vedette.store.engine import Store
from vedette.store.metadata import METADATA

OURS = "11111111-1111-4111-8111-111111111111"
THEIRS = "22222222-2222-4222-8222-222222222222"
TABLE = "DeviceProcessEvents"
ROWS = 5_000


class Bench:
    """An engine over a lake in which both tenants have rows of DeviceProcessEvents."""

    def __init__(self, engine: Engine, folders: LakeFolders) -> None:
        self.engine = engine
        self.folders = folders
        self.limits = QueryLimits(rows=100_000, seconds=30, memory=512 * 2**20)

    def run(self, sql: str, tenant_id: str = OURS, **limits: object) -> QueryOutcome:
        """Execute with one relation, `events`, over DeviceProcessEvents."""
        bounds = QueryLimits(**{**{f: getattr(self.limits, f) for f in self.limits.__struct_fields__}, **limits})
        return self.engine.execute(QueryScope(tenant_id, (RelationScope("events", TABLE),)), sql, (), bounds)

    def files(self, tenant_id: str) -> list[Path]:
        """A tenant's segments."""
        return sorted(self.folders.segments(tenant_id).rglob("*.parquet"))


@pytest.fixture(params=["duckdb"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    store = Store.in_folder(tmp_path)
    with store.begin() as connection:
        METADATA.create_all(connection)
    folders, clock, ids = LakeFolders(tmp_path / "lake"), ManualClock(1_790_000_000.0), RandomIds()
    writer = LakeWriter(folders, clock, Publisher(store, folders, ids, Outbox(clock, ids)), DuckDBJson())
    for tenant_id, secret in ((OURS, "ours"), (THEIRS, "theirs")):
        times = pa.array(range(638_000_000_000_000_000, 638_000_000_000_000_000 + ROWS), pa.int64())
        rows = pa.table({"Timestamp": times, "ProcessCommandLine": [secret] * ROWS})
        writer.append(tenant_id, "batch", {TABLE: rows}, b"")
    writer.stop()
    engine = {"duckdb": lambda: DuckDBEngine(store, folders, threads=2)}[request.param]()
    yield Bench(engine, folders)
    engine.close()
    store.close()
