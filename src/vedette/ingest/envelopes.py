"""The first step over a block of records: which shape each has, and its time, device, channel and event id.

One SELECT over the block's lines; the mapping rules then run over its result, the table `events`.
"""

import functools
import json
from collections.abc import Iterable, Mapping

from sqlglot import exp

from vedette.clock import UNIX_EPOCH_TICKS
from vedette.contracts.mappings import Envelope, load_envelopes
from vedette.ingest.sql import (
    DIALECT,
    alias,
    both,
    call,
    case,
    column,
    concat,
    equals,
    is_null,
    negation,
    number,
    text,
    try_cast,
)
from vedette.ingest.times import ticks_of_text

EVENTS = "events"
LAST_TICK = UNIX_EPOCH_TICKS + 253_402_300_800 * 10_000_000 - 1

Structure = dict[str, "Structure | str"]


def envelope_index(name: str) -> int:
    """Position of an envelope in the order in which they are tried; the table `events` holds it as `env`."""
    return next(index for index, envelope in enumerate(load_envelopes()) if envelope.name == name)


def keys_of(path: str) -> list[str]:
    """The keys of a dotted path; quoted ones may hold dots."""
    parts = path.split('"')
    keys: list[str] = []
    for index, part in enumerate(parts):
        keys.extend([part] if index % 2 else [key for key in part.split(".") if key])
    return keys


def json_path(path: str) -> str:
    """The engine's notation of a dotted path; `.` alone is the whole record."""
    return "$" + "".join(".*" if key == "*" else f'."{key}"' for key in keys_of(path))


@functools.cache
def classification(forced: str | None = None) -> str:
    """SQL that classifies the relation `block(ordinal, line_number, line)`. Parameter `tenant`.

    `problem` is NULL for records that can be mapped, else the reason why not. `wrapped` marks a record that only holds
    a list of records. `forced` names the one envelope to use instead of telling them apart.
    """
    line = [column(name) for name in ("ordinal", "line_number", "line")]
    which = number(envelope_index(forced)) if forced else _detection()
    # One pass that parses and validates: TRY gives NULL for what is no JSON.
    parsed = call("try", call("json_transform", column("line"), json.dumps(_structure(_paths()))))
    steps = [
        exp.select(*line, alias(parsed, "s")).from_("block"),
        exp.select(exp.Star(), alias(negation(is_null(column("s"))), "valid")),
        exp.select(exp.Star(), alias(which, "env"), alias(call("coalesce", _wrapped(), exp.false()), "wrapped")),
        exp.select(*line, column("valid"), column("env"), column("wrapped"), *_flat_columns()),
        exp.select(exp.Star(), alias(ticks_of_text(column("time_text")), "time")),
        exp.select(exp.Star(), alias(_problem(), "problem"), alias(_device_id(), "_device_id")),
    ]
    query = steps[0]
    for step in steps[1:]:
        query = step.from_(query.subquery("step"))
    return query.sql(dialect=DIALECT)


def unwrapped(relation: str) -> str:
    """SQL of the records inside the wrappers of `relation`, in the shape of a block."""
    is_list = call("starts_with", call("ltrim", column("line")), "[")
    elements, records = (call("json_extract", column("line"), path) for path in ("$[*]", "$.records[*]"))
    items = exp.Anonymous(this="unnest", expressions=[case((is_list, elements), default=records)])
    query = exp.select(column("ordinal"), column("line_number"), alias(try_cast(items, "VARCHAR"), "line"))
    return query.from_(relation).where(column("wrapped")).sql(dialect=DIALECT)


def _paths() -> Iterable[str]:
    for envelope in load_envelopes():
        yield from (f'"{key}"' for key in (*envelope.has, *envelope.lacks))
        yield from envelope.time
        named = (
            envelope.host,
            envelope.channel,
            envelope.event_id,
            envelope.record_id,
            envelope.sid,
            envelope.process_id,
        )
        yield from (path for path in (*named, envelope.records) if path is not None)
        if envelope.table is not None:
            yield from (
                f'"{key}"' for key in (envelope.table.field, *envelope.table.by_key, *envelope.table.by_default)
            )


def _structure(paths: Iterable[str]) -> Structure:
    root: Structure = {}
    for path in paths:
        node, keys = root, keys_of(path)
        for key in keys[:-1]:
            child = node.get(key)
            if not isinstance(child, dict):
                child = node[key] = {}
            node = child
        node.setdefault(keys[-1], "VARCHAR")
    return root


def _value(path: str | None) -> exp.Expression:
    if path is None:
        return exp.Null()
    node: exp.Expression = column("s")
    for key in keys_of(path):
        node = call("struct_extract", node, key)
    return node


def _present(key: str) -> exp.Expression:
    return negation(is_null(_value(f'"{key}"')))


def _flat_columns() -> list[exp.Expression]:
    picks: Mapping[str, list[tuple[int, exp.Expression]]] = {
        "time_text": [(i, _time_text(e)) for i, e in enumerate(load_envelopes()) if e.time],
        "host": _each("host"),
        "channel": [*_each("channel"), *_tables()],
        "event_id": [(i, _event_id(node)) for i, node in _each("event_id")],
        "record_id": [*_each("record_id"), *_line_numbers()],
        "sid": _each("sid"),
        "pid": _each("process_id"),
    }
    return [alias(_by_envelope(branches), name) for name, branches in picks.items()]


def _each(attribute: str) -> list[tuple[int, exp.Expression]]:
    found = []
    for index, envelope in enumerate(load_envelopes()):
        path = getattr(envelope, attribute)
        if path is not None:
            found.append((index, call("nullif", _value(path), "")))
    return found


def _line_numbers() -> list[tuple[int, exp.Expression]]:
    numbered = try_cast(column("line_number"), "VARCHAR")
    return [(i, numbered) for i, e in enumerate(load_envelopes()) if e.kind == "events" and e.record_id is None]


def _tables() -> list[tuple[int, exp.Expression]]:
    return [(i, _table_name(e)) for i, e in enumerate(load_envelopes()) if e.table is not None]


def _table_name(envelope: Envelope) -> exp.Expression:
    reference = envelope.table
    if reference is None:
        return exp.Null()
    value = _value(f'"{reference.field}"')
    if reference.prefix:
        return call("replace", value, reference.prefix, "")
    actions = [(equals(value, action), text(table)) for table, names in reference.by_action.items() for action in names]
    keys = [(_present(key), text(table)) for key, table in {**reference.by_key, **reference.by_default}.items()]
    return case(*keys[: len(reference.by_key)], *actions, *keys[len(reference.by_key) :])


def _by_envelope(branches: list[tuple[int, exp.Expression]]) -> exp.Expression:
    grouped: dict[str, tuple[list[int], exp.Expression]] = {}
    for index, node in branches:
        grouped.setdefault(node.sql(dialect=DIALECT), ([], node))[0].append(index)
    conditions = [
        (exp.In(this=column("env"), expressions=[number(index) for index in indexes]), node)
        for indexes, node in grouped.values()
    ]
    return case(*conditions)


def _detection() -> exp.Expression:
    branches = []
    for index, envelope in enumerate(load_envelopes()):
        tests = [_present(key) for key in envelope.has] + [negation(_present(key)) for key in envelope.lacks]
        branches.append((both(*tests), number(index)))
    return case(*branches)


def _wrapped() -> exp.Expression:
    is_list = call("starts_with", call("ltrim", column("line")), "[")
    holds_records = call("starts_with", _value("records"), "[")
    return case((column("valid"), exp.Paren(this=exp.or_(is_list, call("coalesce", holds_records, exp.false())))))


def _time_text(envelope: Envelope) -> exp.Expression:
    values = [call("nullif", call("nullif", _value(path), ""), "-") for path in envelope.time]
    return call("coalesce", *values)


def _event_id(node: exp.Expression) -> exp.Expression:
    inside = call("regexp_extract", node, r'"#text":\s*"?(\d+)', 1)
    return call("coalesce", try_cast(node, "INTEGER"), try_cast(inside, "INTEGER"))


def _device_id() -> exp.Expression:
    seed = concat(exp.Placeholder(this="tenant"), ":", call("lower", column("host")))
    return case((negation(is_null(column("host"))), call("sha1", seed)))


def _problem() -> exp.Expression:
    envelopes = load_envelopes()
    unsupported = [(i, e) for i, e in enumerate(envelopes) if e.kind == "unsupported"]
    events = [number(i) for i, e in enumerate(envelopes) if e.kind == "events"]
    in_range = exp.Between(this=column("time"), low=number(0), high=number(LAST_TICK))
    incomplete = exp.Paren(this=exp.or_(is_null(column("event_id")), is_null(column("channel"))))
    return case(
        (negation(column("valid")), text("malformed_json")),
        (column("wrapped"), text("wrapper")),
        (is_null(column("env")), text("unknown_format")),
        *((equals(column("env"), i), text(f"unsupported_format:{e.name}")) for i, e in unsupported),
        (is_null(column("time_text")), text("no_timestamp")),
        (exp.Paren(this=exp.or_(is_null(column("time")), exp.not_(in_range))), text("unreadable_timestamp")),
        (both(exp.In(this=column("env"), expressions=events), incomplete), text("no_event_id")),
    )
