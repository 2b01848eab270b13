"""Incidents and alerts as they were last written out: what did not change since is neither read nor encoded again.

An alert shows its evidence, an incident its alerts, and each change of any of them gives it a new number. So this, the
time of last update and what the form depends on say everything about the bytes.
"""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec
from sqlalchemy import ColumnElement

from vedette.incidents.alerts import Alert, Alerts, AlertVersion
from vedette.incidents.incidents import IncidentVersion
from vedette.odata.paging import Selection

ROOM = 64 * 1024 * 1024
"""Bytes of memory that a surface takes in a process; what was not asked for longest goes first."""

ENTRY = 700
"""Bytes that one incident or alert takes besides its text."""

Form = tuple[str, ...]
"""Whose incidents, and everything that their bytes depend on besides: tenant, surface, host, wording."""

Version = IncidentVersion | AlertVersion
"""Starts with the id, a number or a text: those of incidents and alerts are never the same."""

V = TypeVar("V", IncidentVersion, AlertVersion)

Write = Callable[[Sequence[Any]], Mapping[Any, object]]
"""Reads incidents or alerts by id, in the same view of the store, and gives each in its wire form."""

_ENCODER = msgspec.json.Encoder()


class WrittenAlerts(NamedTuple):
    """The alerts of an incident: which states they are in, and those encoded."""

    versions: Sequence[AlertVersion] = ()
    encoded: Sequence[msgspec.Raw] = ()


class Repository(Protocol[V]):
    """Incidents or alerts."""

    def versions(self, selection: Selection) -> tuple[list[V], tuple[int | str, ...] | None]:
        """Which states the entities of a page are in, and the sort keys of the last one if there are more."""
        ...

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many meet a condition."""
        ...


@dataclasses.dataclass(frozen=True)
class VersionPages(Generic[V]):
    """Pages of incidents or alerts that say no more than which state each is in."""

    repository: Repository[V]

    def page(self, selection: Selection) -> tuple[list[V], tuple[int | str, ...] | None]:
        """See `Repository.versions`."""
        return self.repository.versions(selection)

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """See `Repository.count`."""
        return self.repository.count(condition)


class WrittenIncidents:
    """Encoded incidents and alerts by version and form. Thread-safe; one a surface and process."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[tuple[Form, Version], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, form: Form, versions: Sequence[Version], write: Write) -> list[msgspec.Raw]:
        """The encoded entities in their order; `write` is asked for those that are not known."""
        known = self._known(form, versions)
        missing = [version for version in versions if version not in known]
        if missing:
            entities = write([version[0] for version in missing])
            written = {version: _ENCODER.encode(entities[version[0]]) for version in missing}
            self._keep(form, written)
            known |= written
        return [msgspec.Raw(known[version]) for version in versions]

    def alerts_of(
        self, form: Form, alerts: Alerts, incident_ids: Iterable[int], write: Callable[[Alert], object]
    ) -> dict[int, WrittenAlerts]:
        """The alerts of incidents, by incident."""
        versions = alerts.versions_of(incident_ids)
        encoded = iter(self.read_alerts(form, alerts, list(chain.from_iterable(versions.values())), write))
        return {key: WrittenAlerts(each, list(islice(encoded, len(each)))) for key, each in versions.items()}

    def read_alerts(
        self, form: Form, alerts: Alerts, versions: Sequence[AlertVersion], write: Callable[[Alert], object]
    ) -> list[msgspec.Raw]:
        """The encoded alerts in their order."""

        def write_all(alert_ids: Sequence[str]) -> dict[str, object]:
            return {alert.alert_id: write(alert) for alert in alerts.of_ids(alert_ids)}

        return self.read(form, versions, write_all)

    def forget(self) -> None:
        """Keep nothing: the store was put back, and its numbers may mean something else from now on."""
        with self._lock:
            self._room += sum(map(_size, self._kept.values()))
            self._kept.clear()

    def _known(self, form: Form, versions: Sequence[Version]) -> dict[Version, bytes]:
        known = {}
        with self._lock:
            for version in versions:
                if (found := self._kept.get((form, version))) is not None:
                    self._kept.move_to_end((form, version))
                    known[version] = found
        return known

    def _keep(self, form: Form, written: Mapping[Version, bytes]) -> None:
        with self._lock:
            for version, encoded in written.items():
                if (form, version) not in self._kept:
                    self._kept[form, version] = encoded
                    self._room -= _size(encoded)
            while self._room < 0:
                self._room += _size(self._kept.popitem(last=False)[1])


def _size(encoded: bytes) -> int:
    return len(encoded) + ENTRY
