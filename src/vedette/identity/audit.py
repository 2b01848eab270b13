"""What happened at the login service, as news for the hunting tables: sign-ins of people and applications, changes.

News of a change travels in the change's own transaction. Sign-ins of applications are many and change nothing: they are
gathered for up to a second, so that thousands of tokens cost one write.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from vedette.clock import Clock
from vedette.errors import ApiError
from vedette.ids import Ids
from vedette.jobs.outbox import Outbox
from vedette.observability.logs import get_logger
from vedette.store.engine import Store

LOG = get_logger(__name__)

TOPIC = "identity.events"
GATHER_SECONDS = 1.0
MAXIMUM_GATHERED = 500
MAXIMUM_KEPT = 20 * MAXIMUM_GATHERED
"""How many sign-ins of a tenant wait at most while they cannot be written."""

MAXIMUM_TEXT = 1024

Table = Literal["EntraIdSignInEvents", "EntraIdSpnSignInEvents", "IdentityDirectoryEvents", "CloudAppEvents"]
CHANGE_TABLES: tuple[Table, ...] = ("IdentityDirectoryEvents", "CloudAppEvents")


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in, or an attempt at one: a person's, if it is or was to be on behalf of one."""

    tenant_id: str
    app_id: str
    app_name: str
    is_confidential: bool
    is_for_person: bool = False
    """Whether a person was to sign in, known or not."""
    is_interactive: bool = False
    error_code: int = 0
    correlation_id: str = ""
    request_id: str = ""
    principal_id: str = ""
    user_id: str = ""
    user_name: str = ""
    user_display_name: str = ""
    methods: tuple[str, ...] = ()
    resource_id: str = ""
    resource_name: str = ""
    address: str = ""
    user_agent: str = ""
    endpoint: str = ""


class DirectoryChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the directory by a person or an application."""

    tenant_id: str
    action: str
    actor_id: str
    actor_name: str
    actor_display_name: str
    is_application: bool = False
    """Whether an application made it on its own."""
    application: str = ""
    """The application that the change is about."""
    app_id: str = ""
    app_name: str = ""
    """The application that it was made with; none on the sign-in pages."""
    target_kind: str = "User"
    target_id: str = ""
    target_name: str = ""
    target_display_name: str = ""
    address: str = ""
    user_agent: str = ""
    details: Mapping[str, str] = {}


class Event(msgspec.Struct, frozen=True):
    """One row to be: table, time, id, and what it tells."""

    table: Table
    at: float
    id: str
    fields: dict[str, object]


class AuditLog:
    """Publishes events. Thread-safe; one a process; between `start` and `close` what is gathered is written in time."""

    def __init__(self, store: Store, outbox: Outbox, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._ids = ids
        self._gathered: dict[str, list[Event]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._writer: threading.Thread | None = None
        self._unit: Callable[[], AbstractContextManager[object]] = nullcontext

    def start(self, unit: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        """Write what is gathered every second, in the background, each time within a `unit` of work."""
        self._unit = unit
        self._writer = threading.Thread(target=self._write_forever, name="audit-writer", daemon=True)
        self._writer.start()

    def publish(self, connection: Connection, record: SignIn | DirectoryChange) -> None:
        """Tell of something in the caller's transaction."""
        self._publish(connection, record.tenant_id, [self._event(table, record) for table in _tables(record)])

    def gather(self, sign_in: SignIn) -> None:
        """Tell of a sign-in that changed nothing, within a second."""
        event = self._event(_tables(sign_in)[0], sign_in)
        with self._lock:
            events = self._gathered.setdefault(sign_in.tenant_id, [])
            events.append(event)
            count = len(events)
        if count >= (MAXIMUM_GATHERED if self._writer is None else MAXIMUM_KEPT):
            self._flush_quietly()
        elif count >= MAXIMUM_GATHERED:  # whoever signs in does not wait for the disk
            self._wake.set()

    def flush(self) -> None:
        """Write what is gathered."""
        with self._lock:
            gathered, self._gathered = self._gathered, {}
        if not gathered:
            return
        try:
            with self._store.begin() as connection:
                for tenant_id, events in gathered.items():
                    self._publish(connection, tenant_id, events)
        except SQLAlchemyError:  # the control plane is busy or away: the next time will do
            self._put_back(gathered)
            raise

    def close(self) -> None:
        """Write what is gathered, for the last time."""
        self._stopping.set()
        self._wake.set()
        if self._writer is not None:
            self._writer.join()
        with self._unit():
            self.flush()

    def forget(self) -> None:
        """Let go of what is gathered: it never happened."""
        with self._lock:
            self._gathered = {}

    def _write_forever(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(GATHER_SECONDS)
            self._wake.clear()
            try:
                with self._unit():
                    self._flush_quietly()
            except ApiError:  # the state has been changing for long; what is gathered waits for the next round
                continue

    def _flush_quietly(self) -> None:
        """What went well is not undone because it could not be written down yet."""
        try:
            self.flush()
        except SQLAlchemyError:
            LOG.exception("sign-ins could not be recorded yet")

    def _put_back(self, gathered: dict[str, list[Event]]) -> None:
        with self._lock:
            for tenant_id, events in gathered.items():
                self._gathered[tenant_id] = (events + self._gathered.get(tenant_id, []))[:MAXIMUM_KEPT]

    def _event(self, table: Table, record: SignIn | DirectoryChange) -> Event:
        fields = {name: _short(value) for name, value in msgspec.to_builtins(record).items()}
        return Event(table, self._clock.time(), self._ids.guid(), fields)

    def _publish(self, connection: Connection, tenant_id: str, events: Iterable[Event]) -> None:
        payload = {"batch_id": self._ids.guid(), "events": msgspec.to_builtins(list(events))}
        self._outbox.publish(connection, tenant_id, TOPIC, payload)


def _tables(record: SignIn | DirectoryChange) -> tuple[Table, ...]:
    """Where it is told: a change in two tables, since hunters of the directory and of cloud apps look for it."""
    if isinstance(record, DirectoryChange):
        return CHANGE_TABLES
    is_persons = record.is_for_person or record.user_id or record.user_name
    return ("EntraIdSignInEvents",) if is_persons else ("EntraIdSpnSignInEvents",)


def _short(value: object) -> object:
    """Text that a caller sent is kept only up to a length."""
    return value[:MAXIMUM_TEXT] if isinstance(value, str) else value
