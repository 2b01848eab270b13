"""The rule compiler: a mapping rule becomes one INSERT … SELECT over the events of a block.

Each table that rules write to has a staging table with its stored columns and the working columns below; `batch`
resolves processes and duplicates there before rows leave.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlglot import exp

from vedette.contracts.mappings import Envelope, ProcessReference, Rule, RuleSet, load_envelopes, load_rule_sets
from vedette.ingest.columns import SQL_TYPES, converted, stored_columns
from vedette.ingest.envelopes import envelope_index, json_path, keys_of
from vedette.ingest.errors import RuleError
from vedette.ingest.expressions import fields_of, parse_expression
from vedette.ingest.sql import (
    DIALECT,
    alias,
    both,
    call,
    case,
    column,
    concat,
    either,
    equals,
    is_null,
    negation,
    number,
    text,
)
from vedette.ingest.vocabulary import OUTGOING, Scope, Typed, as_long, as_text, translate

WORKING_COLUMNS: Mapping[str, str] = {
    "_rule": "VARCHAR",
    "_host": "VARCHAR",
    "_time": "BIGINT",
    "_initiating_guid": "VARCHAR",
    "_initiating_pid": "BIGINT",
    "_initiating_image": "VARCHAR",
    "_initiating_user": "VARCHAR",
    "_target_guid": "VARCHAR",
    "_target_pid": "BIGINT",
    "_seed": "BOOLEAN",
    "_split_by": "VARCHAR",
    "_split_order": "BIGINT",
    "_split_text": "VARCHAR",
}
CLOSES = "closes"
CLOSE_COLUMNS: Mapping[str, str] = {"_host": "VARCHAR", "_time": "BIGINT", "guid": "VARCHAR", "pid": "BIGINT"}

FLAT = "flat"
"""The events of one kind with a column per field: made by a group's `flatten`, read by its rules."""
RULE_INDEX = "_rule_index"
_BASE = "base"

_BUILT_IN: Mapping[str, Typed] = {
    "_time": Typed(column("time"), "ticks"),
    "_event_id": Typed(column("event_id"), "long"),
    "_host": Typed(column("host"), "text"),
    "_channel": Typed(column("channel"), "text"),
    "_record_id": Typed(column("record_id"), "text"),
    "_sid": Typed(column("sid"), "text"),
    "_pid": Typed(column("pid"), "text"),
    "_device_id": Typed(column("_device_id"), "text"),
}
_EVENT_COLUMNS = ("ordinal", "time", "event_id", "host", "channel", "record_id", "sid", "pid", "_device_id")


class EventKind(NamedTuple):
    """What the rule of an event is chosen by. `channel` is in lower case."""

    envelope: str
    channel: str
    event_id: int


class CompiledRule(NamedTuple):
    """The statements of one rule in one envelope. `insert` is None for a rule without a table."""

    id: str
    table: str | None
    insert: str | None
    also_table: str | None = None
    also_insert: str | None = None
    close_insert: str | None = None


class CompiledGroup(NamedTuple):
    """The rules that compete for the same events, in order, and the statement that makes the relation they read."""

    flatten: str
    rules: tuple[CompiledRule, ...]
    only_counts: bool
    """Whether the one rule says that there is no row, so that nothing has to be read."""
    takes_all: bool
    """Whether the one rule is for all events, so that they need not be counted."""


COUNTS = f'SELECT "{RULE_INDEX}", count(*) FROM {FLAT} GROUP BY ALL'  # noqa: S608 - two names of this module
"""SQL: how many of the flattened events each rule is for (by index; NULL: none)."""


class RuleBook:
    """All rules, by the kind of event they are for; compiled when first met. Thread-safe: twice is harmless."""

    def __init__(self, options: Mapping[str, str], rule_sets: Sequence[RuleSet] | None = None) -> None:
        self._options = dict(options)
        self._by_kind: dict[tuple[str, int], list[tuple[RuleSet, Rule]]] = {}
        self._compiled: dict[EventKind, CompiledGroup | None] = {}
        for rule_set in load_rule_sets() if rule_sets is None else rule_sets:
            for rule in rule_set.rules:
                for event_id in rule.event_ids:
                    self._by_kind.setdefault((rule_set.channel_of(rule), event_id), []).append((rule_set, rule))

    def group(self, kind: EventKind) -> CompiledGroup | None:
        """The rules for events of `kind`; None if there are none: the event is unmapped."""
        if kind not in self._compiled:
            self._compiled[kind] = self._compile(kind)
        return self._compiled[kind]

    def _compile(self, kind: EventKind) -> CompiledGroup | None:
        candidates = self._by_kind.get((kind.channel, kind.event_id), [])
        fitting = [(rule_set, rule) for rule_set, rule in candidates if kind.envelope in rule_set.envelopes]
        if not fitting:
            return None
        fields = _Fields()
        takes_all = len(fitting) == 1 and fitting[0][1].when is None
        compilers = [RuleCompiler(rule_set, rule, fields, self._options) for rule_set, rule in fitting]
        rules = tuple(compiler.compile(index) for index, compiler in enumerate(compilers))
        has_no_row = len(rules) == 1 and rules[0].insert is None and rules[0].close_insert is None
        flatten = _flatten(compilers, kind, fields)
        return CompiledGroup(flatten, rules, only_counts=has_no_row and takes_all, takes_all=takes_all)


def _flatten(compilers: "Sequence[RuleCompiler]", kind: EventKind, fields: "_Fields") -> str:
    conditions = [compiler.condition() for compiler in compilers]
    directions = [direction for compiler in compilers if (direction := compiler.direction()) is not None]
    envelope = next(envelope for envelope in load_envelopes() if envelope.name == kind.envelope)
    index = case(*((condition, number(position)) for position, condition in enumerate(conditions)))
    query = exp.select(
        exp.Star(), alias(index, RULE_INDEX), *(alias(direction, OUTGOING) for direction in directions[:1])
    )
    # Materialised where conditions read the fields: the engine would else parse the record anew for each.
    is_plain = not directions and all(isinstance(condition, exp.Boolean) for condition in conditions)
    base = flattened_events(envelope, kind, fields.labels)
    query = query.from_(_BASE).with_(_BASE, as_=base, materialized=not is_plain)
    return f"CREATE OR REPLACE TEMP TABLE {FLAT} AS {query.sql(dialect=DIALECT)}"


class RuleCompiler:
    """Compiles one rule for one kind of event: statements over the relation of flattened events."""

    def __init__(self, rule_set: RuleSet, rule: Rule, fields: "_Fields", options: Mapping[str, str]) -> None:
        self._rule_set = rule_set
        self._rule = rule
        self._fields = fields
        self._options = options

    def compile(self, index: int) -> CompiledRule:
        """The statements of the rule, for the events with this rule index."""
        rule = self._rule
        close = self._close_insert(index) if rule.close is not None else None
        if rule.table is None:
            return CompiledRule(rule.id, None, None, close_insert=close)
        values = dict(self._column_values(rule.table, rule.columns))
        if rule.action_type is not None:
            values["ActionType"] = rule.action_type
        insert = self._insert(rule.table, values, index)
        if rule.also is None:
            return CompiledRule(rule.id, rule.table, insert, close_insert=close)
        also = self._insert(rule.also.table, self._column_values(rule.also.table, rule.also.columns), index)
        return CompiledRule(rule.id, rule.table, insert, rule.also.table, also, close)

    def condition(self) -> exp.Expression:
        """Whether an event is for this rule, if it is for none before it."""
        return exp.true() if self._rule.when is None else self._translated(self._rule.when, "when").node

    def direction(self) -> exp.Expression | None:
        """Whether the source of the connection is the device; None for a rule without orientation.

        In doubtful cases it is the source only if the device was seen elsewhere in the block to send from that address,
        and not to send from the other.
        """
        orientation = self._rule.orient
        if orientation is None:
            return None
        is_source = call("coalesce", self._translated(orientation.local_is_source, "orient").node, exp.false())
        if orientation.doubtful is None:
            return is_source
        doubtful = call("coalesce", self._translated(orientation.doubtful, "orient").node, exp.false())
        source, destination = (self._field(ends[0]) for ends in (orientation.source, orientation.destination))
        ours, theirs = (_known_to_send(address, source, is_source) for address in (source, destination))
        return exp.Paren(this=either(is_source, both(doubtful, ours, negation(theirs))))

    def _column_values(self, table: str, columns: Mapping[str, str]) -> Mapping[str, str]:
        known = {stored.name for stored in stored_columns(table)}
        for name in columns:
            if name not in known:
                raise RuleError(f"{self._rule.id}.{name}", f"table {table} has no such column")
        defaults = {name: value for name, value in self._rule_set.defaults.items() if name in known}
        return {**defaults, **columns}

    def _insert(self, table: str, values: Mapping[str, str], index: int) -> str:
        types = {stored.name: stored for stored in stored_columns(table)}
        outputs = [
            alias(converted(self._translated(value, name), types[name].type), types[name].physical)
            for name, value in values.items()
        ]
        outputs += self._working_outputs(table)
        where = equals(column(RULE_INDEX), index)
        keep = self._rule.keep
        if keep is not None and self._options.get(keep.option) == keep.value:
            where = both(where, exp.Paren(this=self._translated(keep.when, "keep").node))
        return (
            f"INSERT INTO {_quoted(table)} BY NAME {exp.select(*outputs).from_(FLAT).where(where).sql(dialect=DIALECT)}"
        )

    def _working_outputs(self, table: str) -> list[exp.Expression]:
        is_own = table == self._rule.table
        outputs = [
            alias(text(self._rule.id), "_rule"),
            alias(call("lower", column("host")), "_host"),
            alias(column("time"), "_time"),
            alias(exp.true() if self._rule.seed and is_own else exp.false(), "_seed"),
        ]
        for name, source in self._working_sources().items() if is_own else ():
            if source is not None:
                outputs.append(alias(_working_value(name, self._translated(source, name)), name))
        return outputs

    def _working_sources(self) -> dict[str, str | None]:
        rule, sources = self._rule, dict[str, str | None]()
        if rule.initiating is not None:
            reference = rule.initiating
            sources |= {
                "_initiating_guid": reference.guid,
                "_initiating_pid": reference.pid,
                "_initiating_image": reference.image,
                "_initiating_user": reference.user,
            }
        if rule.target is not None:
            sources |= {"_target_guid": rule.target.guid, "_target_pid": rule.target.pid}
        if rule.join is not None:
            sources |= {"_split_by": rule.join.by, "_split_order": rule.join.order, "_split_text": rule.join.text}
        return sources

    def _close_insert(self, index: int) -> str:
        reference = self._rule.close or ProcessReference()
        outputs = [alias(call("lower", column("host")), "_host"), alias(column("time"), "_time")]
        if reference.guid is not None:
            outputs.append(alias(_working_value("_guid", self._translated(reference.guid, "close")), "guid"))
        if reference.pid is not None:
            outputs.append(alias(as_long(self._translated(reference.pid, "close")), "pid"))
        query = exp.select(*outputs).from_(FLAT).where(equals(column(RULE_INDEX), index))
        return f"INSERT INTO {CLOSES} BY NAME {query.sql(dialect=DIALECT)}"

    def _translated(self, source: str, name: str) -> Typed:
        where = f"{self._rule.id}.{name}"
        expression = parse_expression(source, where)
        known = dict(_BUILT_IN)
        orientation = self._rule.orient
        ends = () if orientation is None else (*orientation.source, *orientation.destination)
        for field in sorted((fields_of(expression) | {end for end in ends if end}) - set(_BUILT_IN)):
            known[field] = Typed(self._field(field), "text")
        if orientation is not None:
            known[OUTGOING] = Typed(column(OUTGOING), "bool")
        return translate(expression, Scope(where, known, orientation))

    def _field(self, name: str) -> exp.Expression:
        return column(self._fields.label(name))


def _known_to_send(address: exp.Expression, source: exp.Expression, is_source: exp.Expression) -> exp.Expression:
    host = call("lower", column("host"))
    known = exp.select(concat(host, "|", source)).from_(_BASE).where(both(is_source, negation(is_null(source))))
    seen = exp.In(this=concat(host, "|", address), query=known.subquery())
    return call("coalesce", seen, exp.false())


class _Fields:
    """The event fields that a group reads, each with a label: names that differ only in case are two."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}

    def label(self, name: str) -> str:
        """The column that holds the field."""
        return self.labels.setdefault(name, f"f{len(self.labels)}")


def flattened_events(envelope: Envelope, kind: EventKind, labels: Mapping[str, str]) -> exp.Select:
    """The events of `kind` with a text column per field: missing, `-` and empty are NULL."""
    where = both(
        equals(column("env"), envelope_index(envelope.name)),
        equals(column("event_id"), kind.event_id),
        equals(call("lower", column("channel")), kind.channel),
        exp.Is(this=column("problem"), expression=exp.Null()),
    )
    structured, apart = _structure_of(labels)
    base = [column(name) for name in _EVENT_COLUMNS]
    data = exp.select(*base, column("line"), alias(_data(envelope), "data")).from_("events").where(where).subquery("e")
    transformed = call("json_transform", column("data"), json.dumps(structured)) if structured else exp.Null()
    parsed = exp.select(*base, column("line"), column("data"), alias(transformed, "d")).from_(data).subquery("p")
    outputs = []
    for name, label in labels.items():
        value = (
            call("json_extract_string", column("data"), f'$."{name}"')
            if name in apart
            else call("struct_extract", column("d"), name)
        )
        value = call("nullif", call("nullif", value, ""), "-")
        if name == "Message":
            value = call("coalesce", value, *_messages(envelope))
        outputs.append(alias(value, label))
    return exp.select(*base, *outputs).from_(parsed)


def _structure_of(labels: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    structured: dict[str, str] = {}
    lowered: set[str] = set()
    for name in labels:
        if name.lower() not in lowered:
            lowered.add(name.lower())
            structured[name] = "VARCHAR"
    return structured, set(labels) - set(structured)


def _data(envelope: Envelope) -> exp.Expression:
    if envelope.data == (".",):
        return column("line")
    values = []
    for path in envelope.data:
        value = call("json_extract", column("line"), json_path(path))
        if keys_of(path)[-1] == "*":
            value = call("list_extract", value, 1)
        values.append(case((equals(call("json_type", value), "OBJECT"), value)))
    return call("coalesce", *values)


def _messages(envelope: Envelope) -> list[exp.Expression]:
    found = []
    if envelope.message is not None:
        found.append(call("json_extract_string", column("line"), json_path(envelope.message)))
    if envelope.unnamed is not None:
        strings = call(
            "json_transform", call("json_extract", column("line"), json_path(envelope.unnamed)), '["VARCHAR"]'
        )
        found.append(call("nullif", call("array_to_string", strings, "\n"), ""))
    return found


def _working_value(name: str, value: Typed) -> exp.Expression:
    if name.endswith("_guid"):
        return call("lower", call("trim", as_text(value), "{}"))
    if name in ("_initiating_pid", "_target_pid", "_split_order"):
        return as_long(value)
    return as_text(value)


@functools.cache
def staging_table(table: str) -> str:
    """SQL that makes the staging table of `table`."""
    columns = {stored.physical: SQL_TYPES[stored.type] for stored in stored_columns(table)} | dict(WORKING_COLUMNS)
    definitions = ", ".join(f"{_quoted(name)} {type_}" for name, type_ in columns.items())
    return f"CREATE TEMP TABLE {_quoted(table)} ({definitions})"


def _quoted(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql(dialect=DIALECT)
