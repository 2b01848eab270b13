"""What needs a whole batch: duplicates of two sensors, split texts, second rows, and the processes that rows name.

All of it is SQL over the staging tables; nothing here depends on single rules.
"""

# ruff: noqa: S608 - what is put into the texts are names of contract data, never values of records

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from vedette.contracts.mappings import DuplicatePair, load_process_columns, load_rule_sets
from vedette.ingest.columns import StoredColumn, stored_columns
from vedette.ingest.expressions import parse_expression
from vedette.ingest.processes import PROCESS_TABLE, kept_columns
from vedette.ingest.rules import CLOSES
from vedette.ingest.sql import DIALECT, concat, try_cast
from vedette.ingest.times import ticks_of_process_guid
from vedette.ingest.vocabulary import Scope, Typed, translate

_TICKS_PER_SECOND = 10_000_000


def duplicate_statements(pair: DuplicatePair, table: str) -> list[str]:
    """SQL that fills nulls of the kept rows from the rows to drop, then drops them.

    The device is compared by its first label: one sensor may know it by its full name and the other by its short one.
    """
    kept, dropped = _names(pair.keep), _names(pair.drop)
    same = [_key(pair, key, table) for key in pair.key]
    same += [
        "split_part(k._host, '.', 1) = split_part(d._host, '.', 1)",
        f"abs(k._time - d._time) <= {pair.within_seconds * _TICKS_PER_SECOND}",
    ]
    matching = " AND ".join(same)
    statements = []
    if pair.merge:
        sets = ", ".join(f'"{name}" = coalesce(k."{name}", d."{name}")' for name in pair.merge)
        statements.append(
            f'UPDATE "{table}" k SET {sets} FROM (SELECT * FROM "{table}" WHERE _rule IN ({dropped})) d '
            f"WHERE k._rule IN ({kept}) AND {matching}"
        )
    statements.append(
        f'DELETE FROM "{table}" d USING (SELECT * FROM "{table}" WHERE _rule IN ({kept})) k '
        f"WHERE d._rule IN ({dropped}) AND {matching}"
    )
    return statements


def _names(rules: tuple[str, ...]) -> str:
    return ", ".join(exp.Literal.string(rule).sql(dialect=DIALECT) for rule in rules)


def _key(pair: DuplicatePair, key: str, table: str) -> str:
    sides = []
    for side in ("k", "d"):
        fields = {
            stored.name: Typed(exp.column(stored.physical, table=side, quoted=True), "text")
            for stored in stored_columns(table)
        }
        expression = parse_expression(key, f"duplicates {pair.keep[0]}/{pair.drop[0]}")
        value = translate(expression, Scope(key, fields)).node
        sides.append(try_cast(value, "VARCHAR").sql(dialect=DIALECT))
    kept, dropped = sides
    same = f"coalesce({kept}, '') = coalesce({dropped}, '')"
    return f"({same} OR {kept} IS NULL)" if key in pair.optional else same


def split_text_statements(table: str) -> list[str]:
    """SQL that makes one row of each text that came in several records."""
    joined = (
        "SELECT _host, _rule, _split_by, min(_split_order) AS first, "
        "string_agg(_split_text, '' ORDER BY _split_order) AS whole "
        f'FROM "{table}" WHERE _split_by IS NOT NULL GROUP BY ALL HAVING count(DISTINCT _split_order) > 1'
    )
    same = "t._host = j._host AND t._rule = j._rule AND t._split_by = j._split_by"
    return [
        f"CREATE OR REPLACE TEMP TABLE joined AS {joined}",
        f'DELETE FROM "{table}" t USING joined j WHERE {same} AND t._split_order > j.first',
        f'UPDATE "{table}" t SET "AdditionalFields" = json_merge_patch(t."AdditionalFields", '
        f"json_object('ScriptContent', j.whole)) FROM joined j WHERE {same}",
    ]


def distinct_statements() -> list[tuple[str, str]]:
    """For each table of second rows: the table, and SQL that keeps one row for each value of the distinct columns."""
    found = {}
    for rule_set in load_rule_sets():
        for rule in rule_set.rules:
            if rule.also is not None:
                keys = ", ".join(f'"{name}"' for name in rule.also.distinct)
                missing = " OR ".join(f'"{name}" IS NULL' for name in rule.also.distinct)
                found[rule.also.table] = (
                    f'DELETE FROM "{rule.also.table}" WHERE {missing} OR rowid NOT IN '
                    f'(SELECT arg_min(rowid, _time) FROM "{rule.also.table}" GROUP BY {keys})'
                )
    return list(found.items())


class ProcessStatements(NamedTuple):
    """SQL that makes `starts` (relation `remembered` and the batch's own) with their ends."""

    own: str
    all: str
    ended: str


def process_statements(*, has_own: bool) -> ProcessStatements:
    """The statements that collect process starts, oldest knowledge first."""
    names = ", ".join(f'"{name}"' for name in kept_columns())
    own = (
        "SELECT _host AS host, nullif(lower(trim(\"ProcessUniqueId\", '{}')), '') AS guid, \"ProcessId\" AS pid, "
        f'_time AS started, NULL::BIGINT AS ended, {names} FROM "{PROCESS_TABLE}" WHERE _seed'
    )
    remembered = f"SELECT host, guid, pid, started, ended, {names} FROM remembered"
    union = f"{remembered} UNION ALL {own}" if has_own else remembered
    distinct = "QUALIFY row_number() OVER (PARTITION BY host, coalesce(guid, pid::VARCHAR), started) = 1"
    all_ = f"CREATE TEMP TABLE starts AS SELECT row_number() OVER () AS id, * FROM (SELECT * FROM ({union}) {distinct})"
    by_guid = f"SELECT s.id, c._time FROM {CLOSES} c JOIN starts s ON s.host = c._host AND s.guid = c.guid"
    by_pid = (
        f"SELECT s.id, c._time FROM (SELECT * FROM {CLOSES} WHERE guid IS NULL AND pid IS NOT NULL) c "
        "ASOF JOIN starts s ON s.host = c._host AND s.pid = c.pid AND s.started <= c._time"
    )
    ended = (
        "UPDATE starts s SET ended = e.at FROM "
        f"(SELECT id, min(_time) AS at FROM ({by_guid} UNION ALL {by_pid}) GROUP BY id) e "
        "WHERE s.id = e.id AND s.ended IS NULL"
    )
    return ProcessStatements(own, all_, ended)


def resolved_rows(table: str) -> str:
    """SQL of the finished rows of `table`: what the event says, then what the process's start says, then the rest."""
    columns = load_process_columns()
    names = {stored.name for stored in stored_columns(table)}
    fills = {name: source for name, source in columns.initiating.items() if name in names}
    roles = ["initiating", "target"] if table in _tables_with_targets() else ["initiating"]
    target = {name: source for name, source in columns.target.items() if name in names and "target" in roles}
    outputs = [f'{_finished(stored, fills, target)} AS "{stored.physical}"' for stored in stored_columns(table)]
    joins = [f"LEFT JOIN starts {role[0]} ON {role[0]}.id = m._{role}" for role in roles]
    return f"SELECT {', '.join(outputs)} FROM ({_with_processes(table, roles)}) m {' '.join(joins)}"


def _tables_with_targets() -> set[str]:
    rules = (rule for rule_set in load_rule_sets() for rule in rule_set.rules)
    return {rule.table for rule in rules if rule.target is not None and rule.table is not None}


def plain_rows(table: str) -> str:
    """SQL of the finished rows of a table without processes."""
    outputs = [f'{_finished(stored, {}, {})} AS "{stored.physical}"' for stored in stored_columns(table)]
    return f'SELECT {", ".join(outputs)} FROM "{table}" m'


def _finished(stored: StoredColumn, initiating: dict[str, str], target: dict[str, str]) -> str:
    values = [f'm."{stored.physical}"']
    if stored.name in initiating:
        values.append(_taken("i", initiating[stored.name]))
        values += [_CARRIED[stored.name]] if stored.name in _CARRIED else []
    if stored.name in target:
        values.append(_taken("t", target[stored.name]))
    if stored.type == "string":
        values.append("''")
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _taken(side: str, source: str) -> str:
    if source.startswith("lower("):
        return f'lower({side}."{source.removeprefix("lower(").removesuffix(")")}")'
    return f'{side}."{source}"'


def _carried() -> dict[str, str]:
    fields = {
        "image": Typed(exp.column("_initiating_image", table="m"), "text"),
        "user": Typed(exp.column("_initiating_user", table="m"), "text"),
    }
    expressions = {
        "InitiatingProcessFileName": "basename(image)",
        "InitiatingProcessFolderPath": "lower(image)",
        "InitiatingProcessAccountDomain": "lower(domain(user))",
        "InitiatingProcessAccountName": "lower(account(user))",
    }
    carried = {
        name: translate(parse_expression(source, name), Scope(name, fields)).node.sql(dialect=DIALECT)
        for name, source in expressions.items()
    }
    guid = exp.column("_initiating_guid", table="m")
    carried["InitiatingProcessId"] = "m._initiating_pid"
    carried["InitiatingProcessCreationTime"] = ticks_of_process_guid(concat("{", guid)).sql(dialect=DIALECT)
    carried["InitiatingProcessUniqueId"] = concat("{", guid, "}").sql(dialect=DIALECT)
    return carried


_CARRIED = _carried()
"""What an event itself carries of the process that it names, for processes whose start is not known."""


def _with_processes(table: str, roles: Sequence[str]) -> str:
    query = f'SELECT m.*, rowid AS _row FROM "{table}" m'
    for role in roles:
        guid, pid = f"_{role}_guid", f"_{role}_pid"
        by_guid = "(SELECT host, guid, max(id) AS id FROM starts WHERE guid IS NOT NULL GROUP BY ALL)"
        query = (
            f"SELECT m.*, coalesce(g.id, CASE WHEN p.ended IS NULL OR p.ended >= m._time THEN p.id END) AS _{role} "
            f"FROM (SELECT *, CASE WHEN {guid} IS NULL THEN {pid} END AS _{role}_key FROM ({query})) m "
            f"LEFT JOIN {by_guid} g ON g.host = m._host AND g.guid = m.{guid} "
            f"ASOF LEFT JOIN starts p ON p.host = m._host AND p.pid = m._{role}_key AND p.started <= m._time"
        )
    return query
