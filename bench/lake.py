"""A lake with everything around it that a hunt needs, in a folder of its own."""

import os
import time
from pathlib import Path
from typing import Self

from vedette.clock import ManualClock
from vedette.context import Principal, RequestContext, Tenant
from vedette.contracts.quotas import HuntingQuota
from vedette.egress.policy import EgressPolicy
from vedette.egress.transport import Egress
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.quota import HuntingLimits
from vedette.hunting.service import HuntingParts, HuntingService
from vedette.ids import RandomIds
from vedette.jobs.outbox import Outbox
from vedette.kql.compile import compile_with_discovery
from vedette.lake.compaction import Compactor
from vedette.lake.engine import LakeFolders
from vedette.lake.engines.duckdb import DuckDBEngine
from vedette.lake.engines.duckdb_files import DuckDBJson, DuckDBRewriter
from vedette.lake.publish import Publisher
from vedette.lake.segments import Segments
from vedette.lake.writer import LakeWriter
from vedette.machines.visibility import SeenMachines
from vedette.store.engine import Store
from vedette.store.metadata import METADATA

TENANT = "b3ac0000-0000-4000-8000-000000000000"
MEMORY = 2 * 2**30


class BenchLake:
    """Everything between a query's text and its rows. Close it by leaving the `with` block."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(time.time())  # stands still: what is compared is asked at the same moment
        self._store = Store.in_folder(folder)
        with self._store.begin() as connection:
            METADATA.create_all(connection)
        self._folders, ids = LakeFolders(folder / "lake"), RandomIds()
        publisher = Publisher(self._store, self._folders, ids, Outbox(self.clock, ids))
        self.writer = LakeWriter(self._folders, self.clock, publisher, DuckDBJson())
        self._rewriter = DuckDBRewriter(ids, memory=MEMORY, threads=os.cpu_count() or 1)
        self._engine = DuckDBEngine(self._store, self._folders)
        limits = HuntingLimits(HuntingQuota(), seconds=600, memory=MEMORY)
        self._service = HuntingService(
            HuntingParts(
                compile=compile_with_discovery,
                catalog=lambda _tenant_id: ContractCatalog(),
                engine=self._engine,
                lake=self.writer,
                egress=Egress(EgressPolicy()),
                limits=limits,
                clock=self.clock,
                seen_devices=SeenMachines(self._store),
            )
        )
        principal = Principal("application", TENANT, TENANT, TENANT, "mtp")
        tenant = Tenant(TENANT, "bench.example", "Bench")
        self._ctx = RequestContext(tenant, principal, "bench", "bench", "https://localhost")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.stop()
        self._engine.close()
        self._store.close()

    def hunt(self, query: str) -> list[dict[str, object]]:
        """JSON-ready rows of a KQL query."""
        return self._service.run(self._ctx, query).rows()

    def values(self, query: str) -> list[tuple[object, ...]]:
        """Rows of a KQL query in the engine's representation."""
        columns = self._service.run(self._ctx, query).data.columns
        return list(zip(*(column.to_pylist() for column in columns), strict=True))

    def files(self, table: str) -> list[Path]:
        """The files that hold a table's rows now."""
        with self._store.connect() as connection:
            segments = Segments(connection, TENANT).live(table)
        return [self._folders.segments(TENANT) / segment.path for segment in segments]

    def compact(self) -> None:
        """Compact until nothing is left to do, as the worker does over time."""
        compactor = Compactor(self._store, self._folders, self.clock, self._rewriter)
        while compactor.compact(TENANT):
            pass
