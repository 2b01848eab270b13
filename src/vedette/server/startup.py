"""Work before a server counts as ready: the demo, and the files it was told to load."""

from collections.abc import Iterator
from pathlib import Path

from vedette.observability.logs import get_logger
from vedette.server.demo.provision import ensure_demo
from vedette.server.directory import ensure_home_tenant
from vedette.server.plan import ServerPlan
from vedette.server.wiring import Services

LOG = get_logger(__name__)


def perform(services: Services, plan: ServerPlan) -> None:
    """Do what the settings ask for. Repeating it changes nothing."""
    if plan.settings.demo:
        ensure_demo(services, plan.base_url, plan.ca_file)
    if plan.settings.load:
        load(services, plan.settings.load)


def load(services: Services, paths: tuple[Path, ...]) -> None:
    """Read files into the home tenant, as `POST /ingest/v1/events` would: the same file twice is taken in once."""
    from vedette.ingest.sources.source import Source

    tenant = ensure_home_tenant(services)
    for path in files_below(paths):
        receipt = services.pipeline.accept(tenant.tenant_id, None, [Source(path.name, path)])
        LOG.info("loaded", file=str(path), accepted=receipt.accepted, quarantined=receipt.quarantined)
    services.writer.flush(tenant.tenant_id)


def files_below(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The files named, and all files below the folders named, in order; hidden ones left out."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for entry in sorted(path.rglob("*")):
            if entry.is_file() and not any(part.startswith(".") for part in entry.relative_to(path).parts):
                yield entry
