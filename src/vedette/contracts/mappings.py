"""How raw telemetry becomes rows of advanced-hunting tables, as data: envelopes, rules, value tables, duplicates.

The records are facts only. `vedette.ingest` compiles them; the vocabulary of their expressions is described there.
"""

import functools
from collections.abc import Mapping
from typing import Literal

import msgspec

from vedette.contracts.loader import data_folder, load_document, load_folder

Verified = Literal["data", "shape", "partial"]
"""`data`: checked against real events. `shape`: from documentation only. `partial`: some values are ours."""


class TableReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a record that already is a row says which table it belongs to.

    With a `prefix` the field holds the table's name behind it. Otherwise the first of these that fits: a key that only
    one table has, the value of the field, a key that is common to the remaining ones.
    """

    field: str
    prefix: str = ""
    by_key: Mapping[str, str] = {}
    by_action: Mapping[str, tuple[str, ...]] = {}
    by_default: Mapping[str, str] = {}


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One shape of raw record: how it is recognised, and where time, device, channel and data are in it.

    `kind` says what is inside: `events` of an operating system, finished `rows`, or something recognised but not read.
    """

    name: str
    kind: Literal["events", "rows", "unsupported"]
    has: tuple[str, ...]
    verified: Verified
    lacks: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    host: str | None = None
    channel: str | None = None
    event_id: str | None = None
    record_id: str | None = None
    sid: str | None = None
    process_id: str | None = None
    message: str | None = None
    unnamed: str | None = None
    """Path of a list of unnamed strings; joined, they stand in for the field Message."""
    records: str | None = None
    """Key under which a wrapper object holds a list of such records."""
    table: TableReference | None = None
    data: tuple[str, ...] = ()


class EnvelopesDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All envelopes, in the order in which they are tried."""

    source: str
    envelopes: tuple[Envelope, ...]


class ProcessReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of an event that name a process: Sysmon GUID, process id, image path, account."""

    guid: str | None = None
    pid: str | None = None
    image: str | None = None
    user: str | None = None


class Orientation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which end of a connection is the device: the source where `local_is_source` holds, else `fallback`.

    `source` and `destination` are address, port and host name fields; an empty name is no field.
    """

    local_is_source: str
    source: tuple[str, str, str]
    destination: tuple[str, str, str]
    fallback: Literal["known_ip", "destination"]
    doubtful: str | None = None
    """With `known_ip`: where this holds, the side whose address the device is known by; else the destination."""


class SplitText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text that long events spread over several records: grouped by `by`, ordered by `order`."""

    by: str
    order: str
    text: str


class AlsoRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A second row of the same event in another table, once per value of the `distinct` columns."""

    table: str
    distinct: tuple[str, ...]
    columns: Mapping[str, str]


class VolumeFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keeps only events for which `when` holds, while the ingest option `option` has `value`."""

    option: str
    value: str
    when: str


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events with one of `event_ids` for which `when` holds become one row of `table`.

    A rule without a table says that the event has no counterpart in the product, and why (`reason`).
    """

    id: str
    event_ids: tuple[int, ...]
    channel: str | None = None
    when: str | None = None
    keep: VolumeFilter | None = None
    table: str | None = None
    reason: str | None = None
    extension: str | None = None
    """ActionType under which an option could represent the event after all."""
    action_type: str | None = None
    duplicate_of: str | None = None
    seed: bool = False
    """The row is the start of a process that later events refer to."""
    initiating: ProcessReference | None = None
    target: ProcessReference | None = None
    close: ProcessReference | None = None
    """The event is the end of this process."""
    orient: Orientation | None = None
    join: SplitText | None = None
    verified: Verified | None = None
    columns: Mapping[str, str] = {}
    also: AlsoRow | None = None


class RuleSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of one source. `defaults` apply to every rule whose table has the column."""

    name: str
    product: str
    envelopes: tuple[str, ...]
    source: str
    defaults: Mapping[str, str]
    rules: tuple[Rule, ...]
    channel: str | None = None

    def channel_of(self, rule: Rule) -> str:
        """The event channel of `rule`, in lower case."""
        return (rule.channel or self.channel or "").lower()


class ValueTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value table of the vocabulary. Keys are compared in lower case."""

    values: Mapping[str, str]
    default: str | None = None
    verified: Verified = "data"


class VocabularyDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value tables by name; each is a function of one argument in rules."""

    source: str
    registry_roots: Mapping[str, str]
    """How registry paths begin in events (upper case) and in rows."""
    tables: Mapping[str, ValueTable]


class DuplicatePair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of the rules `drop` that repeat a row of the rules `keep` on the same device within some seconds."""

    keep: tuple[str, ...]
    drop: tuple[str, ...]
    key: tuple[str, ...]
    within_seconds: int
    optional: tuple[str, ...] = ()
    """Keys that a kept row may lack: some forwarders lose them."""
    merge: tuple[str, ...] = ()


class DuplicatesDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All pairs of sensors that report one fact."""

    source: str
    pairs: tuple[DuplicatePair, ...]


class ProcessColumns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which columns of a row are filled from the start of the process that it names."""

    source: str
    initiating: Mapping[str, str]
    target: Mapping[str, str]


@functools.cache
def load_envelopes() -> tuple[Envelope, ...]:
    """All envelopes, in the order in which they are tried."""
    return load_document(data_folder("mappings") / "envelopes.toml", EnvelopesDocument).envelopes


@functools.cache
def load_rule_sets() -> tuple[RuleSet, ...]:
    """The rules of every source, sources by file name."""
    return tuple(load_folder("mappings/rules", RuleSet))


@functools.cache
def load_vocabulary() -> VocabularyDocument:
    """The value tables of the vocabulary."""
    return load_document(data_folder("mappings") / "vocabulary.toml", VocabularyDocument)


@functools.cache
def load_duplicate_pairs() -> tuple[DuplicatePair, ...]:
    """Pairs of rules that report one fact."""
    return load_document(data_folder("mappings") / "duplicates.toml", DuplicatesDocument).pairs


@functools.cache
def load_process_columns() -> ProcessColumns:
    """What rows take from the start of the process they name."""
    return load_document(data_folder("mappings") / "processes.toml", ProcessColumns)
