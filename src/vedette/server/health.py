"""What probes and scrapers ask a process: is it alive, can it answer, what has it counted."""

import json
from collections.abc import Callable, Mapping

from sqlalchemy import text

from vedette.api.http import ApiRequest, ApiResponse, PublicHandler
from vedette.observability import metrics
from vedette.observability.logs import get_logger
from vedette.store.engine import Store

LOG = get_logger(__name__)

Check = Callable[[], None]


class HealthSurface:
    """Handlers of `operations/server.toml`."""

    def __init__(self, store: Store) -> None:
        self._checks: Mapping[str, Check] = {"control_plane": lambda: _ask(store)}

    def handlers(self) -> Mapping[str, PublicHandler]:
        """Handlers by operation handler name."""
        return {"health": health, "readiness": self.readiness, "metrics": exposition}

    def readiness(self, _request: ApiRequest) -> ApiResponse:
        """200 when every part can be used, else 503; the answer names the parts and never why."""
        states = {name: _state(name, check) for name, check in self._checks.items()}
        ready = all(state == "ok" for state in states.values())
        body = {"status": "ready" if ready else "unavailable", "checks": states}
        return ApiResponse(200 if ready else 503, json.dumps(body).encode())


def health(_request: ApiRequest) -> ApiResponse:
    """200 as long as the process answers."""
    return ApiResponse(200, b'{"status": "ok"}')


def exposition(_request: ApiRequest) -> ApiResponse:
    """Metrics of all processes of this server."""
    return ApiResponse(200, metrics.exposition(), metrics.CONTENT_TYPE)


def _state(name: str, check: Check) -> str:
    try:
        check()
    except Exception:  # whatever is wrong, the probe has to hear that something is
        LOG.exception("readiness check failed", check=name)
        return "failed"
    return "ok"


def _ask(store: Store) -> None:
    with store.connect() as connection:
        connection.execute(text("SELECT 1 FROM tenants LIMIT 1"))
