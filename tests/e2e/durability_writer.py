"""Writes batches into a lake until it is killed, printing the id of every batch that was acknowledged.

Arguments: data folder, name of this writer, tenant id.
"""

import sys
from pathlib import Path

import pyarrow as pa

from vedette.clock import SystemClock, now_ticks
from vedette.ids import RandomIds
from vedette.jobs.outbox import Outbox
from vedette.lake.engine import LakeFolders
from vedette.lake.engines.duckdb_files import DuckDBJson
from vedette.lake.publish import Publisher
from vedette.lake.writer import LakeWriter, WriterOptions
from vedette.store.engine import Store

ROWS = 50
"""Rows of each of the two tables that every batch has."""


def main(folder: Path, name: str, tenant_id: str) -> None:
    store, folders, clock, ids = Store.in_folder(folder), LakeFolders(folder / "lake"), SystemClock(), RandomIds()
    publisher = Publisher(store, folders, ids, Outbox(clock, ids))
    writer = LakeWriter(folders, clock, publisher, DuckDBJson(), WriterOptions(flush_seconds=0.02))
    writer.start()
    print("started", flush=True)
    number = 0
    while True:
        batch_id = f"{name}-{number}"
        rows = pa.table(
            {"Timestamp": [now_ticks(clock)] * ROWS, "ReportId": [number] * ROWS, "DeviceId": [name] * ROWS}
        )
        first = writer.append(tenant_id, batch_id, {"DeviceProcessEvents": rows, "DeviceFileEvents": rows}, b"{}")
        assert first is None, f"{batch_id} was known already"
        if number % 3 == 0:
            assert writer.append(tenant_id, batch_id, {"DeviceFileEvents": rows}, b"again") == b"{}"
        print(batch_id, flush=True)
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
