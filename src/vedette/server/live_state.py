"""The state of a running server as a whole: saved, brought back, wiped, while all its processes go on."""

import json

import msgspec
from sqlalchemy import MetaData

from vedette.server import snapshots
from vedette.server.data_folder import write_private
from vedette.server.plan import ServerPlan
from vedette.server.snapshots import Snapshot
from vedette.server.wiring import Services

_SCHEMA_VERSION = "alembic_version"


class LiveState:
    """Every change happens between units of work (`server.gate`); who asks for one is a unit himself."""

    def __init__(self, services: Services, plan: ServerPlan) -> None:
        self._services = services
        self._plan = plan

    def save(self, name: str) -> Snapshot:
        """Save everything that the server has acknowledged so far."""
        services = self._services
        with services.gate.pause():
            services.identity.audit.flush()
            services.api_audit.flush()
            services.writer.flush_all()
            return snapshots.save(services.folder, name, services.clock.time())

    def restore(self, name: str) -> None:
        """Bring a state back: the next request, in whichever process, meets nothing else."""
        services = self._services
        snapshots.check(services.folder, name)
        with services.gate.change():
            snapshots.bring_back(services.folder, name)
            services.gate.forget()
            services.writer.recover()
            self._place_demo()

    def delete(self, name: str) -> None:
        """Delete a snapshot."""
        snapshots.delete(self._services.folder, name)

    def all(self) -> list[Snapshot]:
        """Every snapshot."""
        return snapshots.all_snapshots(self._services.folder)

    def reset(self) -> None:
        """Begin anew, as after the start: an empty server, or the demo."""
        from vedette.server.startup import perform

        services = self._services
        with services.gate.change():
            self._empty_tables()
            snapshots.wipe_files(services.folder)
            services.gate.forget()
            perform(services, self._plan)

    def _empty_tables(self) -> None:
        tables = MetaData()
        tables.reflect(self._services.store.engine)
        with self._services.store.begin() as connection:
            for table in reversed(tables.sorted_tables):
                if table.name != _SCHEMA_VERSION:
                    connection.execute(table.delete())

    def _place_demo(self) -> None:
        """The demo's file tells where this server answers, not the one that was saved."""
        path, plan = self._services.folder.demo_file, self._plan
        if path.exists():
            document = json.loads(path.read_bytes())
            document |= {"base_url": plan.base_url, "ca_file": str(plan.ca_file) if plan.ca_file else None}
            write_private(path, msgspec.to_builtins(document))
