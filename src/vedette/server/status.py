"""`vedette status`: what the server of a data folder is doing."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from vedette import __version__
from vedette.server.data_folder import ServerState, existing_data_folder, read_state
from vedette.server.ports import answers, probe_context
from vedette.server.wiring import Services
from vedette.settings import load_settings
from vedette.store.migrate import current_revision


def read_status(data: Path) -> dict[str, object]:
    """Address, readiness and contents, for people and for programs."""
    folder = existing_data_folder(data)
    state = read_state(folder)
    services = Services(load_settings({"data": data}, os.environ), folder)
    try:
        status: dict[str, object] = {
            "version": __version__,
            "data": str(data),
            "running": state is not None,
            "ready": False,
            "schema": current_revision(services.store),
        }
        if state is not None:
            status |= {"pid": state.pid, "base_url": state.base_url, "ca_file": state.ca_file}
            status["ready"] = _answers(state)
        if status["schema"] is not None:
            status |= {"tenants": len(services.tenants()), "jobs": dict(services.queue.depth())}
        return status
    finally:
        services.close()


def _answers(state: ServerState) -> bool:
    address = urlsplit(state.base_url)
    context = probe_context(Path(state.certificate) if state.certificate else None)
    return answers(address.hostname or "", address.port or 443, "/readyz", context)
