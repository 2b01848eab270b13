"""Puts the demo's events into the lake by the path that a user's own file takes, and keeps them up to date."""

import datetime
import tempfile
from collections.abc import Iterable
from pathlib import Path

from vedette.ingest.sources.source import Source
from vedette.observability.logs import get_logger
from vedette.server.demo.generate import demo_lines, recent_lines
from vedette.server.wiring import Services

LOG = get_logger(__name__)

STALE_AFTER = datetime.timedelta(minutes=45)
_STAMP = "demo-until"


def ensure_telemetry(services: Services, tenant_id: str) -> bool:
    """The week with its attacks, once; later the last hour of ordinary life. True if the attacks are new."""
    end = datetime.datetime.fromtimestamp(services.clock.time(), datetime.UTC)
    stamp = services.folder.lake / tenant_id / _STAMP
    until = _until(stamp)
    if until is None:
        _accept(services, tenant_id, demo_lines(end), "demo-week")
    elif end - until > STALE_AFTER:
        _accept(services, tenant_id, recent_lines(end), f"demo-{end:%Y%m%dT%H%M%S}")
    else:
        return False
    stamp.write_text(end.isoformat(), encoding="utf-8")
    return until is None


def _accept(services: Services, tenant_id: str, lines: Iterable[str], batch_id: str) -> None:
    with tempfile.TemporaryDirectory(dir=services.folder.run) as folder:
        path = Path(folder) / "demo.json"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        receipt = services.pipeline.accept(tenant_id, batch_id, [Source(path.name, path)])
    services.writer.flush(tenant_id)
    LOG.info("demo telemetry loaded", accepted=receipt.accepted, quarantined=receipt.quarantined)


def _until(stamp: Path) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(stamp.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
