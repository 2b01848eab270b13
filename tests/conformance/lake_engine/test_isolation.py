import os
from pathlib import Path

import pytest

from vedette.lake.errors import EngineError, InvalidBatchError, QueryError, StatementRefusedError

from .conftest import OURS, ROWS, TABLE, THEIRS, Bench


def test_a_tenant_reads_its_own_rows_and_no_others(bench: Bench) -> None:
    for tenant_id, secret in ((OURS, "ours"), (THEIRS, "theirs")):
        rows = bench.run('SELECT DISTINCT "ProcessCommandLine", count(*) FROM events GROUP BY 1', tenant_id).data
        assert rows.to_pydict() == {"ProcessCommandLine": [secret], "count_star()": [ROWS]}


def test_a_tenant_without_data_has_empty_tables(bench: Bench) -> None:
    outcome = bench.run("SELECT * FROM events", "33333333-3333-4333-8333-333333333333")
    assert outcome.data.num_rows == 0
    assert "ProcessCommandLine" in outcome.data.column_names


@pytest.mark.parametrize("tenant_id", ["..", "", "../" + THEIRS, THEIRS.upper() + "/", "%", OURS + "/../" + THEIRS])
def test_what_is_no_tenant_id_opens_nothing(bench: Bench, tenant_id: str) -> None:
    with pytest.raises(InvalidBatchError):
        bench.run("SELECT 1 FROM events", tenant_id)


def test_files_of_others_cannot_be_read(bench: Bench, tmp_path: Path) -> None:
    (theirs,) = bench.files(THEIRS)
    (ours,) = bench.files(OURS)
    detour = ours.parent / os.path.relpath(theirs, ours.parent)
    link = ours.parent / "link.parquet"
    link.symlink_to(theirs)
    attempts = [
        f"SELECT * FROM read_parquet('{theirs}')",
        f"SELECT * FROM '{theirs}'",
        f"SELECT * FROM read_parquet('{detour}')",
        f"SELECT * FROM read_parquet('{link}')",
        f"SELECT * FROM read_parquet('{theirs.parent}/*.parquet')",
        f"SELECT * FROM parquet_metadata('{theirs}')",
        f"SELECT * FROM parquet_schema('{theirs}')",
        f"SELECT * FROM read_blob('{theirs}')",
        f"SELECT * FROM read_text('{tmp_path}/control.db')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM read_json('/etc/passwd')",
        f"SELECT * FROM glob('{theirs.parent}/*')",
        f"SELECT * FROM glob('{tmp_path}/**')",
        "SELECT getenv('PATH')",
        "SELECT * FROM read_parquet('https://localhost:1/x.parquet')",
        "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
        "SELECT * FROM TABLE",
        "SELECT * FROM os",
    ]
    for sql in attempts:
        with pytest.raises(EngineError):
            bench.run(sql)


def test_own_segments_outside_the_scope_cannot_be_read(bench: Bench) -> None:
    (ours,) = bench.files(OURS)
    other = ours.with_name("other.parquet")
    other.write_bytes(ours.read_bytes())
    with pytest.raises(EngineError):
        bench.run(f"SELECT * FROM read_parquet('{other}')")


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{path}'",
        "COPY events TO '{path}'",
        "EXPORT DATABASE '{path}'",
        "ATTACH '{path}'",
        "CREATE TABLE t AS SELECT 1",
        "CREATE TEMP TABLE t AS SELECT 1",
        "INSERT INTO events VALUES (1)",
        "INSTALL httpfs",
        "LOAD json",
        "SET threads = 1",
        "SET enable_external_access = true",
        "RESET memory_limit",
        "PRAGMA database_list",
        "CHECKPOINT",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY (SELECT 1) TO '{path}'",
        "CALL pragma_version()",
        "PREPARE p AS SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "",
        ";",
    ],
)
def test_only_one_select_is_executed(bench: Bench, tmp_path: Path, sql: str) -> None:
    target = bench.files(OURS)[0].parent / "written"
    with pytest.raises(StatementRefusedError):
        bench.run(sql.format(path=target))
    assert not target.exists()


def test_the_engines_words_stay_inside(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    (theirs,) = bench.files(THEIRS)
    with pytest.raises(QueryError) as raised:
        bench.run(f"SELECT * FROM read_parquet('{theirs}')")
    assert str(theirs) not in str(raised.value)
    assert isinstance(raised.value, EngineError)
    assert caplog.records[0].__dict__["incident_id"] == raised.value.incident_id
    assert TABLE not in str(raised.value)
