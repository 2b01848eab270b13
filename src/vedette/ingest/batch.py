"""One batch inside the engine: blocks of records go in, finished rows of advanced-hunting tables come out."""

# ruff: noqa: S608 - what is put into the texts are names of contract data, never values of records

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import duckdb
import pyarrow as pa

from vedette.contracts.mappings import load_duplicate_pairs, load_envelopes, load_rule_sets
from vedette.contracts.tables import load_tables
from vedette.ingest import resolution
from vedette.ingest.blocks import Block
from vedette.ingest.columns import stored_columns, stored_schema
from vedette.ingest.envelopes import classification, unwrapped
from vedette.ingest.processes import PROCESS_TABLE, TenantProcesses, kept_columns, starts_schema
from vedette.ingest.quarantine import Rejected
from vedette.ingest.ready_rows import insert_ready_rows
from vedette.ingest.rules import CLOSE_COLUMNS, CLOSES, COUNTS, EventKind, RuleBook, staging_table


class Tally(NamedTuple):
    """How many events a block or batch had, by what became of them."""

    events: int = 0
    accepted: int = 0
    ignored: int = 0
    unmapped: int = 0


class _Kind(NamedTuple):
    envelope: int
    channel: str
    event_id: int | None
    events: int


class MappingBatch:
    """Maps the records of one batch. Not thread-safe; `close` gives its memory back."""

    def __init__(self, tenant_id: str, rules: RuleBook, *, forced: str | None, memory: str, folder: str) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": 1,
            "memory_limit": memory,
            "temp_directory": folder,
            "preserve_insertion_order": True,
        }
        self._connection = duckdb.connect(config=config)
        self._tenant_id = tenant_id
        self._rules = rules
        self._classification = classification(forced)
        self._tables: set[str] = set()
        self._seen_rules: set[str] = set()
        self.tally = Tally()
        self.unmapped_kinds: Counter[str] = Counter()
        self._run(
            f"CREATE TEMP TABLE {CLOSES} ({', '.join(f'{name} {type_}' for name, type_ in CLOSE_COLUMNS.items())})"
        )

    def close(self) -> None:
        """Drop everything."""
        self._connection.close()

    def add(self, block: Block) -> Iterator[Rejected]:
        """Map a block; yields the records that cannot be mapped."""
        self._classify(block.records)
        rejected = self._rows(
            "SELECT ordinal, problem FROM events WHERE problem IS NOT NULL AND NOT wrapped ORDER BY ordinal"
        )
        blank = 0
        for ordinal, problem in rejected:
            record = block.rejected(int(str(ordinal)), str(problem))
            if record.raw.strip():
                yield record
            else:
                blank += 1
        (events,) = self._rows("SELECT count(*) FROM events WHERE NOT wrapped")[0]
        counted = self._map_kinds()
        self.tally = Tally(*map(sum, zip(self.tally, counted._replace(events=int(str(events)) - blank), strict=True)))

    def finish(self, processes: TenantProcesses) -> tuple[dict[str, pa.Table], pa.Table]:
        """The finished rows by table, and the process starts to remember."""
        self._merge_duplicates()
        self._collect_starts(processes)
        rows = {}
        for table in sorted(self._tables):
            finished = self._finished(table)
            if finished.num_rows:
                rows[table] = finished
        return rows, self._starts_to_remember(processes.limit)

    def _classify(self, records: pa.Table) -> None:
        self._connection.register("block", records)
        self._run(f"CREATE OR REPLACE TEMP TABLE events AS {self._classification}", {"tenant": self._tenant_id})
        if self._rows("SELECT 1 FROM events WHERE wrapped LIMIT 1"):
            self._connection.unregister("block")
            self._run(f"CREATE OR REPLACE TEMP TABLE block AS {unwrapped('events')}")
            inner = (
                "SELECT * REPLACE "
                "(false AS wrapped, CASE WHEN wrapped THEN 'nested_wrapper' ELSE problem END AS problem) "
                f"FROM ({self._classification})"
            )
            self._run(f"INSERT INTO events {inner}", {"tenant": self._tenant_id})
            self._run("DROP TABLE block")
        else:
            self._connection.unregister("block")

    def _map_kinds(self) -> Tally:
        query = (
            "SELECT env, lower(channel), channel, event_id, count(*) FROM events WHERE problem IS NULL AND NOT wrapped "
            "GROUP BY ALL ORDER BY ALL"
        )
        total = Tally()
        for envelope, channel, spelled, event_id, events in self._rows(query):
            contract = load_envelopes()[int(str(envelope))]
            if contract.kind == "rows":
                counted = self._map_ready_rows(contract.name, str(spelled), int(str(events)))
            else:
                kind = EventKind(contract.name, str(channel), int(str(event_id)))
                counted = self._map_events(kind, int(str(events)))
            total = Tally(*map(sum, zip(total, counted, strict=True)))
        return total

    def _map_ready_rows(self, envelope: str, table: str, events: int) -> Tally:
        if table not in load_tables():
            self.unmapped_kinds[f"{envelope}|{table}"] += events
            return Tally(unmapped=events)
        self._stage(table)
        contract = next(contract for contract in load_envelopes() if contract.name == envelope)
        self._run(insert_ready_rows(contract, table))
        return Tally(accepted=events)

    def _map_events(self, kind: EventKind, events: int) -> Tally:
        group = self._rules.group(kind)
        if group is None:
            self.unmapped_kinds[f"{kind.channel}|{kind.event_id}"] += events
            return Tally(unmapped=events)
        if group.only_counts:
            return Tally(ignored=events)
        self._run(group.flatten)
        matched = {0: events} if group.takes_all else self._matched()
        accepted = ignored = 0
        for index, rule in enumerate(group.rules):
            inserted = 0
            if rule.close_insert is not None and matched.get(index):
                self._run(rule.close_insert)
            if rule.insert is not None and rule.table is not None and matched.get(index):
                inserted = self._insert(rule.table, rule.insert)
                self._seen_rules.add(rule.id)
            if rule.also_insert is not None and rule.also_table is not None and matched.get(index):
                self._insert(rule.also_table, rule.also_insert)
            accepted += inserted
            ignored += matched.get(index, 0) - inserted
        unmapped = events - accepted - ignored
        if unmapped:
            self.unmapped_kinds[f"{kind.channel}|{kind.event_id}"] += unmapped
        return Tally(accepted=accepted, ignored=ignored, unmapped=unmapped)

    def _matched(self) -> dict[int, int]:
        """How many of the flattened events each rule is for."""
        return {int(str(index)): int(str(count)) for index, count in self._rows(COUNTS) if index is not None}

    def _insert(self, table: str, statement: str) -> int:
        self._stage(table)
        ((count,),) = self._rows(statement)
        return int(str(count))

    def _stage(self, table: str) -> None:
        if table not in self._tables:
            self._tables.add(table)
            self._run(staging_table(table))

    def _merge_duplicates(self) -> None:
        for pair in load_duplicate_pairs():
            if self._seen_rules.isdisjoint(pair.keep) or self._seen_rules.isdisjoint(pair.drop):
                continue
            for statement in resolution.duplicate_statements(pair, _table_of(pair.keep[0])):
                self._run(statement)
        for table in _split_tables() & self._tables:
            for statement in resolution.split_text_statements(table):
                self._run(statement)
        for table, statement in resolution.distinct_statements():
            if table in self._tables:
                self._run(statement)

    def _collect_starts(self, processes: TenantProcesses) -> None:
        statements = resolution.process_statements(has_own=PROCESS_TABLE in self._tables)
        self._connection.register("remembered", processes.starts)
        self._run(statements.all)
        self._connection.unregister("remembered")
        self._run(statements.ended)

    def _finished(self, table: str) -> pa.Table:
        names = {stored.name for stored in stored_columns(table)}
        sql = resolution.resolved_rows(table) if "InitiatingProcessId" in names else resolution.plain_rows(table)
        return self._connection.sql(sql).to_arrow_table().cast(stored_schema(table))

    def _starts_to_remember(self, limit: int) -> pa.Table:
        names = ", ".join(["host", "guid", "pid", "started", "ended", *(f'"{name}"' for name in kept_columns())])
        sql = f"SELECT {names} FROM starts ORDER BY started DESC LIMIT {limit}"
        return self._connection.sql(sql).to_arrow_table().cast(starts_schema())

    def _run(self, statement: str, parameters: Mapping[str, str] | None = None) -> None:
        self._rows(statement, parameters)

    def _rows(self, statement: str, parameters: Mapping[str, str] | None = None) -> list[tuple[object, ...]]:
        return self._connection.execute(statement, parameters).fetchall()


def _table_of(rule_id: str) -> str:
    rules = (rule for rule_set in load_rule_sets() for rule in rule_set.rules)
    return next(rule.table or "" for rule in rules if rule.id == rule_id)


def _split_tables() -> set[str]:
    rules = (rule for rule_set in load_rule_sets() for rule in rule_set.rules)
    return {rule.table for rule in rules if rule.join is not None and rule.table is not None}
