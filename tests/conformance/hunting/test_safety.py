"""What a query may do at most, on the running engine: it stops when told, stays within its memory, and no name in it
reaches anything but the catalog."""

import threading
import time
from collections.abc import Iterator

import pytest

from tests.endpoint_world import HOME, EndpointWorld, find_tenant, make_world
from vedette.context import Principal, RequestContext
from vedette.hunting.errors import (
    HuntingCancelledError,
    HuntingError,
    HuntingMemoryError,
)
from vedette.kql.errors import KqlError

STOPS_WITHIN = 0.5
RUNS = 0.4


@pytest.fixture(scope="module")
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    yield world
    world.close()


def context(request_id: str) -> RequestContext:
    principal = Principal("application", HOME, HOME, HOME, "mtp")
    return RequestContext(find_tenant(HOME), principal, request_id, request_id, "https://localhost")


ENDLESS = {
    "cross join": """range a from 1 to 3000000 step 1 | extend k = 1
        | join kind=inner (range b from 1 to 3000000 step 1 | extend k = 1) on k | summarize sum(a * b)""",
    "regex": """range a from 1 to 50000000 step 1 | extend s = strrep(strcat('aaaaaaaaaaaaaaaaaaaaaaaaaaaa', a), 20)
        | where s matches regex '(a+)+(a|aa)+b$' | count""",
    "range of billions": "range a from 1 to 90000000000000 step 1 | where a % 7 == 8",
    "mv-expand": "range a from 1 to 100000 step 1 | extend l = range(1, 100000, 1) | mv-expand l | count",
    "scan": """range a from 1 to 5000000 step 1 | sort by a asc
        | scan with (step s1: true; step s2: a > s1.a;) | count""",
    "native function": """range a from 1 to 100000000 step 1
        | extend u = parse_user_agent(strcat('Mozilla/5.0 (Windows NT ', a, ')'), 'browser') | summarize dcount(tostring(u))""",  # noqa: E501
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_query_stops_when_told(world: EndpointWorld, name: str) -> None:
    ctx, ended = context(name), list[float]()

    def run() -> None:
        with pytest.raises((HuntingCancelledError, HuntingMemoryError)):
            world.hunting.run(ctx, ENDLESS[name])
        ended.append(time.perf_counter())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(RUNS)
    told = time.perf_counter()
    world.hunting.cancel(ctx)
    thread.join(30)
    assert ended, "the query did not stop"
    assert ended[0] - told <= STOPS_WITHIN


def test_what_is_cancelled_is_running_no_more(world: EndpointWorld) -> None:
    ctx = context("done")
    world.hunting.run(ctx, "print 1")
    assert world.hunting.cancel(ctx) is False


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("range a from 1 to 3000000000 step 1 | summarize make_list(a, 1000000000)", HuntingMemoryError),
        ("range a from 1 to 300000000 step 1 | summarize count_distinct(hash_sha256(tostring(a)))", HuntingMemoryError),
        ("range a from 1 to 9000000 step 1 | extend s = strrep('x', 1000)", HuntingError),
    ],
    ids=["list", "distinct", "result"],
)
def test_memory_is_bounded(world: EndpointWorld, query: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        world.hunting.run(context("memory"), query)


OUTSIDE = [
    "duckdb_tables", "duckdb_settings", "duckdb_functions", "duckdb_secrets", "sqlite_master", "pg_catalog",
    "information_schema", "pragma_database_list", "segments", "applications", "client_secrets", "temp", "memory",
    "read_csv", "read_text", "read_blob", "read_parquet", "glob", "getenv", "query_table", "query", "shell", "attach",
    "DeviceProcessEvents#2", "/etc/passwd", "../../control.db", "file:///etc/passwd", "https://localhost/x.csv",
    'x" UNION SELECT 1 --', "x'; DROP VIEW x; --", 'DeviceProcessEvents"', "main.DeviceProcessEvents",
    "information_schema.tables", "*/*.parquet",
]  # fmt: skip
FORMS = [
    "['{name}']",
    "['{name}'] | count",
    "table('{name}')",
    "database('main').['{name}']",
    "union DeviceProcessEvents, ['{name}']",
    "DeviceProcessEvents | join (['{name}']) on DeviceId",
    "search in (['{name}']) 'x'",
    "print x = toscalar(['{name}'] | take 1)",
    "['{name}']('/etc/passwd')",
    "print x = ['{name}']('/etc/passwd')",
    "DeviceProcessEvents | where FileName in (['{name}'])",
    "DeviceProcessEvents | evaluate ['{name}']('/etc/passwd')",
    "DeviceProcessEvents | invoke ['{name}']('/etc/passwd')",
]


@pytest.mark.parametrize("form", FORMS)
def test_no_name_reaches_outside_the_catalog(world: EndpointWorld, form: str) -> None:
    for name in OUTSIDE:
        quoted = name.replace("'", "\\'")
        with pytest.raises(KqlError):
            world.hunting.run(context("names"), form.format(name=quoted))


@pytest.mark.parametrize(
    "name", ['a"b', "a'b", "a;b", "a--b", "a/*b", "$1", "a\\b", "*", "t1", "_row", "select", "\u202e"]
)
def test_names_of_columns_stay_names(world: EndpointWorld, name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    query = f"print ['{quoted}'] = ago(1d) | extend y = 1 | where y == 1 | summarize take_any(['{quoted}'])"
    assert world.hunting.run(context("columns"), f"print ['{quoted}'] = 1").columns[0].name == name
    assert world.hunting.run(context("columns"), query).data.num_rows == 1
