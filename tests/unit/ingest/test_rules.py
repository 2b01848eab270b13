"""Every rule of the packaged mappings compiles for every envelope that it names, and its statements run."""

import duckdb
import msgspec
import pytest

from vedette.contracts.mappings import RuleSet, load_envelopes, load_rule_sets, load_vocabulary
from vedette.ingest.envelopes import classification
from vedette.ingest.errors import RuleError
from vedette.ingest.rules import CLOSE_COLUMNS, CLOSES, EventKind, RuleBook, staging_table

EVERYTHING = {"process_access": "sensitive"}


def _rules() -> list[tuple[RuleSet, str]]:
    return [(rule_set, rule.id) for rule_set in load_rule_sets() for rule in rule_set.rules]


def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE TEMP TABLE block (ordinal BIGINT, line_number BIGINT, line VARCHAR)").fetchall()
    connection.execute(f"CREATE TEMP TABLE events AS {classification()}", {"tenant": "t"}).fetchall()
    columns = ", ".join(f"{name} {type_}" for name, type_ in CLOSE_COLUMNS.items())
    connection.execute(f"CREATE TEMP TABLE {CLOSES} ({columns})").fetchall()
    return connection


@pytest.mark.parametrize("envelope", ["nxlog_flat", "evtx"])
def test_every_rule_compiles_and_runs(envelope: str) -> None:
    book, connection, staged, ran = RuleBook(EVERYTHING), _connection(), set(), set()
    for rule_set in load_rule_sets():
        for rule in rule_set.rules:
            group = book.group(EventKind(envelope, rule_set.channel_of(rule), rule.event_ids[0]))
            assert group is not None
            connection.execute(group.flatten).fetchall()
            for compiled in group.rules:
                for table in {compiled.table, compiled.also_table} - staged - {None}:
                    connection.execute(staging_table(str(table))).fetchall()
                    staged.add(table)
                for statement in (compiled.insert, compiled.also_insert, compiled.close_insert):
                    if statement is not None and compiled.id not in ran:
                        connection.execute(statement).fetchall()
                ran.add(compiled.id)
    assert ran == {rule_id for _, rule_id in _rules()}


def test_a_column_that_the_table_lacks_is_an_error() -> None:
    rule_set = load_rule_sets()[0]
    rule = next(rule for rule in rule_set.rules if rule.table == "DeviceFileEvents")
    broken = msgspec.structs.replace(rule, columns={**rule.columns, "ProcessIntegritiLevel": "Image"})
    book = RuleBook({}, [msgspec.structs.replace(rule_set, rules=(broken,))])
    with pytest.raises(RuleError, match="ProcessIntegritiLevel: table DeviceFileEvents has no such column"):
        book.group(EventKind("evtx", rule_set.channel_of(rule), rule.event_ids[0]))


def test_every_rule_with_a_table_says_how_it_was_verified() -> None:
    for rule_set in load_rule_sets():
        assert rule_set.source
        for rule in rule_set.rules:
            assert (rule.verified is None) == (rule.table is None), rule.id
            assert (rule.reason is None) == (rule.table is not None), rule.id
    assert all(envelope.verified for envelope in load_envelopes())
    assert all(table.values for table in load_vocabulary().tables.values())


def test_rule_ids_are_unique_and_duplicates_name_real_rules() -> None:
    ids = [rule_id for _, rule_id in _rules()]
    assert len(ids) == len(set(ids))
    for rule_set in load_rule_sets():
        for rule in rule_set.rules:
            assert rule.duplicate_of is None or rule.duplicate_of in ids


def test_event_without_a_rule_has_no_group() -> None:
    assert RuleBook({}).group(EventKind("evtx", "security", 1)) is None
