"""A lake in memory that keeps the promises of `lake.engine.Lake`, and short ways to a pipeline."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from vedette.ingest.pipeline import Pipeline, PipelineLimits
from vedette.ingest.receipts import Receipt
from vedette.ingest.sources.source import Source

TENANT = "11111111-1111-1111-1111-111111111111"
SYSMON = "Microsoft-Windows-Sysmon/Operational"


class MemoryLake:
    """Rows of every batch, each batch once."""

    def __init__(self) -> None:
        self.batches: dict[tuple[str, str], tuple[Mapping[str, pa.Table], bytes]] = {}

    def append(self, tenant_id: str, batch_id: str, rows: Mapping[str, pa.Table], summary: bytes) -> bytes | None:
        if (tenant_id, batch_id) in self.batches:
            return self.batches[tenant_id, batch_id][1]
        self.batches[tenant_id, batch_id] = (rows, summary)
        return None

    def flush(self, tenant_id: str) -> None:
        """Nothing is pending."""

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, in order of arrival."""
        return [row for rows, _ in self.batches.values() if table in rows for row in rows[table].to_pylist()]


class Room:
    """A pipeline over a memory lake and a folder."""

    def __init__(self, folder: Path, limits: PipelineLimits | None = None, **options: str) -> None:
        self.lake = MemoryLake()
        self.folder = folder
        self.pipeline = Pipeline(self.lake, folder, limits=limits, options=options)

    def take(self, content: bytes | list[Any], *, batch: str | None = None, format_: str = "auto") -> Receipt:
        """Take in bytes, or events as JSON lines."""
        if isinstance(content, list):
            content = "".join(json.dumps(event) + "\n" for event in content).encode()
        return self.pipeline.accept(TENANT, batch, [Source("input", content)], format_)

    def quarantine(self, receipt: Receipt) -> list[dict[str, Any]]:
        """The quarantine file of a batch."""
        path = self.folder / f"{receipt.batch_id}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def sysmon(event_id: int, **data: object) -> dict[str, object]:
    """A Sysmon event as NXLog forwards it."""
    return {
        "EventID": event_id,
        "Channel": SYSMON,
        "Hostname": "WS1.contoso.example",
        "@timestamp": "2026-01-02T03:04:05.678Z",
        "EventReceivedTime": "2026-01-02 03:04:05",
        "RecordNumber": 7,
        **data,
    }


def security(event_id: int, **data: object) -> dict[str, object]:
    """An event of the Security log in the flat shape."""
    return {
        "EventID": event_id,
        "Channel": "Security",
        "SourceName": "Microsoft-Windows-Security-Auditing",
        "Hostname": "WS1.contoso.example",
        "TimeCreated": "2026-01-02 03:04:06.100",
        **data,
    }
