"""Typical hunts over at least five million rows, each as a ratio to SQL written by hand over the same files.

Both have to answer with the same values.
"""

import itertools
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import msgspec

from bench.lake import TENANT, BenchLake
from bench.measurement import Measurement
from bench.packs import mapped_rows
from bench.telemetry import multiplied
from vedette.clock import now_ticks

COUNTS = {"DeviceProcessEvents": 5_000_000, "DeviceNetworkEvents": 1_000_000, "DeviceFileEvents": 1_000_000}
BATCHES = 40
REPEATS = 3
GOAL = 1.2
"""Times the hand-written statement, on the same files, with the same threads, in the same process."""

Row = tuple[object, ...]

WEEK = "$now - 6048000000000"


class Hunt(msgspec.Struct, frozen=True):
    """A query, and what somebody would write in SQL for the same answer who knows the files. `$now` are ticks."""

    name: str
    kql: str
    sql: str


HUNTS = (
    Hunt(
        "has, rare term, take",
        """DeviceProcessEvents | where Timestamp > ago(7d) | where ProcessCommandLine has "mimikatz" | take 100""",
        rf"""SELECT * FROM DeviceProcessEvents WHERE "Timestamp" > {WEEK} AND ProcessCommandLine ILIKE '%mimikatz%'
        AND regexp_matches(ProcessCommandLine, '(?i)(^|[^a-z0-9])mimikatz([^a-z0-9]|$)') LIMIT 100""",
    ),
    Hunt(
        "has_any, project, top",
        """DeviceProcessEvents | where Timestamp > ago(7d)
        | where ProcessCommandLine has_any ("whoami", "nltest", "net1", "quser")
        | project Timestamp, DeviceName, AccountName, ProcessCommandLine | top 100 by Timestamp desc""",
        rf"""SELECT "Timestamp", DeviceName, AccountName, ProcessCommandLine FROM DeviceProcessEvents
        WHERE "Timestamp" > {WEEK}
        AND (ProcessCommandLine ILIKE '%whoami%' OR ProcessCommandLine ILIKE '%nltest%'
            OR ProcessCommandLine ILIKE '%net1%' OR ProcessCommandLine ILIKE '%quser%')
        AND regexp_matches(ProcessCommandLine, '(?i)(^|[^a-z0-9])(whoami|nltest|net1|quser)([^a-z0-9]|$)')
        ORDER BY "Timestamp" DESC LIMIT 100""",
    ),
    Hunt(
        "in~, summarize count by",
        """DeviceProcessEvents | where Timestamp > ago(7d)
        | where FileName in~ ("powershell.exe", "cmd.exe", "rundll32.exe", "regsvr32.exe")
        | summarize count() by DeviceName, FileName | order by count_ desc, DeviceName asc, FileName asc | take 100""",
        f"""SELECT DeviceName, FileName, count(*) n FROM DeviceProcessEvents WHERE "Timestamp" > {WEEK}
        AND lower(FileName) IN ('powershell.exe', 'cmd.exe', 'rundll32.exe', 'regsvr32.exe')
        GROUP BY ALL ORDER BY n DESC, DeviceName, FileName LIMIT 100""",
    ),
    Hunt(
        "count and dcount by hour",
        "DeviceProcessEvents | where Timestamp > ago(7d) | summarize count(), dcount(DeviceId) by bin(Timestamp, 1h)",
        f"""SELECT "Timestamp" // 36000000000 * 36000000000, count(*), count(DISTINCT DeviceId)
        FROM DeviceProcessEvents WHERE "Timestamp" > {WEEK} GROUP BY 1""",
    ),
    Hunt(
        "arg_max by device",
        """DeviceProcessEvents | where Timestamp > ago(7d)
        | summarize arg_max(Timestamp, FileName, ProcessCommandLine) by DeviceId""",
        f"""SELECT DeviceId, max("Timestamp"), arg_max((FileName, ProcessCommandLine), "Timestamp")
        FROM DeviceProcessEvents WHERE "Timestamp" > {WEEK} GROUP BY 1""",
    ),
    Hunt(
        "contains, matches regex",
        r"""DeviceProcessEvents | where Timestamp > ago(7d) | where ProcessCommandLine contains "encodedcommand"
        or ProcessCommandLine matches regex @"\s-[eE]{1}[nNcCoO]*\s+[A-Za-z0-9+/=]{20,}" | summarize count()""",
        rf"""SELECT count(*) FROM DeviceProcessEvents WHERE "Timestamp" > {WEEK}
        AND (ProcessCommandLine ILIKE '%encodedcommand%'
        OR regexp_matches(ProcessCommandLine, '\s-[eE]{{1}}[nNcCoO]*\s+[A-Za-z0-9+/=]{{20,}}'))""",
    ),
    Hunt(
        "join process to network",
        """DeviceProcessEvents | where Timestamp > ago(1d) | where FileName =~ "powershell.exe"
        | project DeviceId, FileName, Started = Timestamp
        | join kind=inner (DeviceNetworkEvents | where Timestamp > ago(1d)
            | project DeviceId, Connected = Timestamp, RemoteIP) on DeviceId
        | where Connected between (Started .. Started + 2m) | summarize count() by RemoteIP""",
        """SELECT n.RemoteIP, count(*) FROM DeviceProcessEvents p JOIN DeviceNetworkEvents n USING (DeviceId)
        WHERE p."Timestamp" > $now - 864000000000 AND n."Timestamp" > $now - 864000000000
        AND lower(p.FileName) = 'powershell.exe'
        AND n."Timestamp" BETWEEN p."Timestamp" AND p."Timestamp" + 1200000000 GROUP BY 1""",
    ),
    Hunt(
        "has_any of a long list",
        """DeviceProcessEvents | where Timestamp > ago(7d)
        | where ProcessCommandLine has_any ("whoami", "nltest", "quser", "mimikatz", "psexec", "procdump", "vssadmin",
            "bcdedit", "wevtutil", "certutil", "bitsadmin", "regsvr32")
        | summarize Count = count(), Last = max(Timestamp) by DeviceName""",
        rf"""SELECT DeviceName, count(*), max("Timestamp") FROM DeviceProcessEvents WHERE "Timestamp" > {WEEK}
        AND regexp_matches(ProcessCommandLine, '(?i)(^|[^a-z0-9])(whoami|nltest|quser|mimikatz|psexec|procdump|'
            || 'vssadmin|bcdedit|wevtutil|certutil|bitsadmin|regsvr32)([^a-z0-9]|$)') GROUP BY 1""",
    ),
    Hunt(
        "parse_json of AdditionalFields",
        """DeviceProcessEvents | where Timestamp > ago(3d) | extend Fields = parse_json(AdditionalFields)
        | where isnotempty(AdditionalFields) | extend Product = tostring(Fields.Product)
        | summarize count() by Product""",
        """SELECT coalesce(json_extract_string(AdditionalFields, '$.Product'), ''), count(*) FROM DeviceProcessEvents
        WHERE "Timestamp" > $now - 2592000000000 AND AdditionalFields IS NOT NULL
        AND CAST(AdditionalFields AS VARCHAR) <> '' GROUP BY 1""",
    ),
    Hunt(
        "mv-expand of split words",
        """DeviceProcessEvents | where Timestamp > ago(1d) | where FileName =~ "powershell.exe"
        | mv-expand Word = split(ProcessCommandLine, " ") to typeof(string) | summarize count() by Word
        | top 20 by count_ desc, Word asc""",
        """SELECT Word, count(*) n FROM (SELECT unnest(string_split(ProcessCommandLine, ' ')) AS Word
        FROM DeviceProcessEvents WHERE "Timestamp" > $now - 864000000000 AND lower(FileName) = 'powershell.exe')
        GROUP BY 1 ORDER BY n DESC, Word LIMIT 20""",
    ),
    Hunt(
        "top by time",
        """DeviceProcessEvents | where FileName =~ "cmd.exe" | project Timestamp, DeviceName, ProcessCommandLine
        | top 50 by Timestamp desc""",
        """SELECT "Timestamp", DeviceName, ProcessCommandLine FROM DeviceProcessEvents WHERE lower(FileName) = 'cmd.exe'
        ORDER BY "Timestamp" DESC LIMIT 50""",
    ),
    Hunt(
        "distinct after make_set",
        """DeviceFileEvents | where Timestamp > ago(7d) | where FolderPath has "temp"
        | summarize Names = make_set(FileName, 1000), Devices = dcount(DeviceId) by InitiatingProcessFileName""",
        rf"""SELECT InitiatingProcessFileName, list(DISTINCT FileName)[:1000], count(DISTINCT DeviceId)
        FROM DeviceFileEvents WHERE "Timestamp" > {WEEK} AND FolderPath ILIKE '%temp%'
        AND regexp_matches(FolderPath, '(?i)(^|[^a-z0-9])temp([^a-z0-9]|$)') GROUP BY 1""",
    ),
)


def measure() -> Iterator[Measurement]:
    """Make the lake, then run every hunt and its peer in turns; medians, ratio of KQL (JSON rows made) to SQL."""
    with tempfile.TemporaryDirectory() as folder, BenchLake(Path(folder)) as lake:
        for number, rows in enumerate(multiplied(mapped_rows(), COUNTS, BATCHES, now_ticks(lake.clock))):
            lake.writer.append(TENANT, f"bench-{number}", rows, b"")
            lake.writer.flush(TENANT)
        lake.compact()
        yield from compare(lake)


def compare(lake: BenchLake) -> Iterator[Measurement]:
    """The ratios over a lake that has rows."""
    now = now_ticks(lake.clock)
    with _peer(lake) as peer:
        for hunt in HUNTS:
            sql = hunt.sql.replace("$now", str(now))
            kql_times, sql_times = [], []
            for _ in range(REPEATS):
                kql_times.append(_timed(lambda kql=hunt.kql: lake.hunt(kql)))
                sql_times.append(_timed(lambda sql=sql: peer.execute(sql).fetchall()))
            _require_equal(hunt.name, lake.values(hunt.kql), peer.execute(sql).fetchall())
            ours, theirs = statistics.median(kql_times), statistics.median(sql_times)
            yield Measurement(
                f"hunt: {hunt.name}", ours / theirs, "x", GOAL, peer=f"SQL by hand, {theirs * 1e3:.0f} ms"
            )


def _require_equal(name: str, ours: Sequence[Row], theirs: Sequence[Row]) -> None:
    """Raises ValueError where the rows differ; their order, and that within arrays, is nobody's business here."""
    if Counter(map(_comparable, ours)) != Counter(map(_comparable, theirs)):
        raise ValueError(f"hunt {name!r}: KQL and SQL answer differently")


def _comparable(row: Row) -> str:
    """The row as text: JSON arrays read, members of structs among its columns."""
    columns = itertools.chain.from_iterable(value if isinstance(value, tuple) else (value,) for value in row)
    return repr([_unordered(value) for value in columns])


def _unordered(value: object) -> object:
    if isinstance(value, str) and value.startswith('["'):
        value = json.loads(value)
    return sorted(value) if isinstance(value, list) else value


def _peer(lake: BenchLake) -> duckdb.DuckDBPyConnection:
    """A connection that stays open, with a view per table over the lake's files."""
    peer = duckdb.connect(config={"threads": os.cpu_count() or 1})
    for table in COUNTS:
        files = [str(path) for path in lake.files(table)]
        peer.execute(f"CREATE VIEW {table} AS SELECT * EXCLUDE (_ingestion_time) FROM read_parquet({files!r})")
    return peer


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
