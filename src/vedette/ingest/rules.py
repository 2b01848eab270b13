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
from vedette.ingest.expressions import Expression, fields_of, parse_expression
from vedette.ingest.sql import DIALECT, alias, both, call, case, column, concat, equals, negation, number, text
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
    """The rules that compete for the same events, in order; `match` counts the events of each one (by index)."""

    rules: tuple[CompiledRule, ...]
    match: str | None


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
        compilers = [RuleCompiler(rule_set, rule, kind, self._options) for rule_set, rule in fitting]
        conditions = [rule.when for _, rule in fitting]
        rules = tuple(compiler.compile(conditions[:index]) for index, compiler in enumerate(compilers))
        match = compilers[0].match(conditions) if any(conditions) or len(rules) > 1 else None
        return CompiledGroup(rules, match)


class RuleCompiler:
    """Compiles one rule for one kind of event."""

    def __init__(self, rule_set: RuleSet, rule: Rule, kind: EventKind, options: Mapping[str, str]) -> None:
        self._rule_set = rule_set
        self._rule = rule
        self._kind = kind
        self._options = options
        self._envelope = next(envelope for envelope in load_envelopes() if envelope.name == kind.envelope)

    def compile(self, earlier: Sequence[str | None]) -> CompiledRule:
        """The statements of the rule, for events that no `earlier` rule's condition holds for."""
        rule = self._rule
        close = self._close_insert(earlier) if rule.close is not None else None
        if rule.table is None:
            return CompiledRule(rule.id, None, None, close_insert=close)
        insert = self._insert(rule.table, self._row_values(rule.table), earlier)
        if rule.also is None:
            return CompiledRule(rule.id, rule.table, insert, close_insert=close)
        also = self._insert(rule.also.table, self._column_values(rule.also.table, rule.also.columns), earlier)
        return CompiledRule(rule.id, rule.table, insert, rule.also.table, also, close)

    def match(self, conditions: Sequence[str | None]) -> str:
        """SQL: index of the first condition that holds, NULL for none, and how many events that is."""
        scope_fields = _Fields()
        parsed = [None if when is None else self._parse(when, "when", scope_fields) for when in conditions]
        source = self._source(scope_fields)
        scope = self._scope(scope_fields, "when")
        branches = [
            (exp.true() if when is None else translate(when, scope).node, number(index))
            for index, when in enumerate(parsed)
        ]
        query = source.selecting([alias(case(*branches), "rule"), alias(call("count"), "events")]).group_by("1")
        return query.sql(dialect=DIALECT)

    def _row_values(self, table: str) -> dict[str, str]:
        rule = self._rule
        values = self._column_values(table, rule.columns)
        if rule.action_type is not None:
            values["ActionType"] = rule.action_type
        return values

    def _column_values(self, table: str, columns: Mapping[str, str]) -> dict[str, str]:
        known = {stored.name for stored in stored_columns(table)}
        for name in columns:
            if name not in known:
                raise RuleError(f"{self._rule.id}.{name}", f"table {table} has no such column")
        defaults = {name: value for name, value in self._rule_set.defaults.items() if name in known}
        return {**defaults, **columns}

    def _insert(self, table: str, values: Mapping[str, str], earlier: Sequence[str | None]) -> str:
        fields = _Fields()
        parsed = {name: self._parse(value, name, fields) for name, value in values.items()}
        conditions = [self._parse(when, "when", fields) for when in earlier if when is not None]
        own = [self._parse(when, "when", fields) for when in (self._rule.when, self._kept()) if when is not None]
        working = self._working_expressions(table, fields)
        source = self._source(fields)
        types = {stored.name: stored for stored in stored_columns(table)}
        outputs = [
            alias(converted(translate(node, self._scope(fields, name)), types[name].type), types[name].physical)
            for name, node in parsed.items()
        ]
        outputs += self._working_outputs(working, fields)
        scope = self._scope(fields, "when")
        where: list[exp.Expression] = [
            exp.not_(call("coalesce", translate(node, scope).node, exp.false())) for node in conditions
        ]
        where += [translate(node, scope).node for node in own]
        query = source.selecting(outputs)
        if where:
            query = query.where(both(*(exp.Paren(this=condition) for condition in where)))
        return f"INSERT INTO {_quoted(table)} BY NAME {query.sql(dialect=DIALECT)}"

    def _kept(self) -> str | None:
        keep = self._rule.keep
        return keep.when if keep is not None and self._options.get(keep.option) == keep.value else None

    def _working_expressions(self, table: str, fields: "_Fields") -> dict[str, Expression]:
        rule = self._rule
        if rule.table != table:
            return {}
        sources: dict[str, str | None] = {}
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
        return {name: self._parse(value, name, fields) for name, value in sources.items() if value is not None}

    def _working_outputs(self, working: Mapping[str, Expression], fields: "_Fields") -> list[exp.Expression]:
        outputs = [
            alias(text(self._rule.id), "_rule"),
            alias(call("lower", column("host")), "_host"),
            alias(column("time"), "_time"),
            alias(exp.true() if self._rule.seed else exp.false(), "_seed"),
        ]
        for name, expression in working.items():
            value = translate(expression, self._scope(fields, name))
            outputs.append(alias(_working_value(name, value), name))
        return outputs

    def _close_insert(self, earlier: Sequence[str | None]) -> str:
        fields = _Fields()
        reference = self._rule.close or ProcessReference()
        guid = self._parse(reference.guid, "close", fields) if reference.guid else None
        pid = self._parse(reference.pid, "close", fields) if reference.pid else None
        source = self._source(fields)
        scope = self._scope(fields, "close")
        outputs = [alias(call("lower", column("host")), "_host"), alias(column("time"), "_time")]
        if guid is not None:
            outputs.append(alias(_working_value("_guid", translate(guid, scope)), "guid"))
        if pid is not None:
            outputs.append(alias(as_long(translate(pid, scope)), "pid"))
        if any(earlier):
            raise RuleError(self._rule.id, "a rule that ends processes cannot compete with others")
        return f"INSERT INTO {CLOSES} BY NAME {source.selecting(outputs).sql(dialect=DIALECT)}"

    def _parse(self, source: str, name: str, fields: "_Fields") -> Expression:
        expression = parse_expression(source, f"{self._rule.id}.{name}")
        for field in sorted(fields_of(expression) - set(_BUILT_IN)):
            fields.add(field)
        return expression

    def _scope(self, fields: "_Fields", name: str) -> Scope:
        known = dict(_BUILT_IN) | {field: Typed(column(label), "text") for field, label in fields.labels.items()}
        orientation = self._rule.orient
        if orientation is not None:
            known[OUTGOING] = Typed(column(OUTGOING), "bool")
        return Scope(f"{self._rule.id}.{name}", known, orientation)

    def _source(self, fields: "_Fields") -> "_FlatEvents":
        """The events of this kind with one nullable text column for each field that the rule reads."""
        orientation = self._rule.orient
        if orientation is not None:
            for name in (*orientation.source, *orientation.destination):
                if name:
                    fields.add(name)
            conditions = [self._parse(orientation.local_is_source, "orient", fields)]
            if orientation.doubtful is not None:
                conditions.append(self._parse(orientation.doubtful, "orient", fields))
        flattened = flattened_events(self._envelope, self._kind, fields.labels)
        if orientation is None:
            return _FlatEvents(flattened)
        scope = Scope(f"{self._rule.id}.orient", self._scope(fields, "orient").fields)
        source, destination = (fields.labels[ends[0]] for ends in (orientation.source, orientation.destination))
        translated = [translate(condition, scope).node for condition in conditions]
        return _FlatEvents(flattened, oriented_events(translated, source, destination))


class _FlatEvents(NamedTuple):
    """The events of a kind as the relation `flat`, materialised: else the engine parses anew for each column."""

    flattened: exp.Select
    oriented: exp.Select | None = None

    def selecting(self, outputs: Sequence[exp.Expression]) -> exp.Select:
        """A query of `outputs` over the events."""
        query = exp.select(*outputs)
        query = query.from_("flat") if self.oriented is None else query.from_(self.oriented.subquery("f"))
        return query.with_("flat", as_=self.flattened, materialized=True)


class _Fields:
    """The event fields that a statement reads, each with a label: names that differ only in case are two."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}

    def add(self, name: str) -> None:
        self.labels.setdefault(name, f"f{len(self.labels)}")


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


def oriented_events(conditions: Sequence[exp.Expression], source: str, destination: str) -> exp.Select:
    """The relation `flat` with the column that says whether the source of the connection is the device.

    A second condition names the cases in doubt: there it is the source only if the device was seen elsewhere in the
    block to send from that address, and not to send from the other.
    """
    local_is_source, *doubtful = (call("coalesce", condition, exp.false()) for condition in conditions)
    outgoing = local_is_source
    if doubtful:
        known = exp.select(concat(call("lower", column("host")), "|", column(source)))
        known = known.from_("flat").where(
            both(local_is_source, negation(exp.Is(this=column(source), expression=exp.Null())))
        )
        ours, theirs = (
            call(
                "coalesce",
                exp.In(this=concat(call("lower", column("host")), "|", column(end)), query=known.subquery()),
                exp.false(),
            )
            for end in (source, destination)
        )
        outgoing = exp.Paren(this=exp.or_(local_is_source, both(*doubtful, ours, negation(theirs))))
    return exp.select(exp.Star(), alias(outgoing, OUTGOING)).from_("flat")


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
