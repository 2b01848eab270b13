from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from vedette.clock import ManualClock, to_ticks
from vedette.context import DataScope, Principal, RequestContext, Tenant
from vedette.contracts.faults import load_faults
from vedette.contracts.quotas import HuntingQuota, load_quota_profile
from vedette.egress.policy import EgressPolicy
from vedette.egress.transport import Egress
from vedette.errors import ApiError
from vedette.hunting import errors as hunting_errors
from vedette.hunting.errors import ExternalDataError, HuntingError, HuntingTimeoutError, InvalidTimespanError
from vedette.hunting.quota import HuntingLimits
from vedette.hunting.service import HuntingParts, HuntingService, Parameters, RunQuery
from vedette.ids import RandomIds
from vedette.jobs.outbox import Outbox
from vedette.kql.catalog import Catalog, TableSchema
from vedette.kql.compiled import CompiledQuery, ExternalRead, ResultColumn, TableRead
from vedette.kql.types import ScalarType
from vedette.lake.engine import LakeFolders
from vedette.lake.engines.duckdb import DuckDBEngine
from vedette.lake.engines.duckdb_files import DuckDBJson
from vedette.lake.publish import Publisher
from vedette.lake.writer import LakeWriter
from vedette.store.engine import Store
from vedette.store.metadata import METADATA

HOME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
NOW = 1_790_000_000.0
DAY = 86_400 * 10_000_000
TABLE = "DeviceProcessEvents"
LINES = (ResultColumn("ProcessCommandLine", ScalarType.STRING),)


def nobody(_tenant_id: str, _scope: DataScope) -> frozenset[str]:
    """These queries are nobody's: nothing may ask who sees which machine."""
    raise AssertionError


class NoTables:
    """A catalog nobody looks into."""

    version = "0"

    def table(self, name: str) -> TableSchema | None:
        return None

    def table_names(self) -> Sequence[str]:
        return ()

    def function(self, name: str) -> str | None:
        return None

    def function_names(self) -> Sequence[str]:
        return ()


class World:
    """A service over a real lake. Its compiler takes SQL over `events` in place of KQL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(NOW)
        self.store = Store.in_folder(folder)
        with self.store.begin() as connection:
            METADATA.create_all(connection)
        folders, ids = LakeFolders(folder / "lake"), RandomIds()
        publisher = Publisher(self.store, folders, ids, Outbox(self.clock, ids))
        self.writer = LakeWriter(folders, self.clock, publisher, DuckDBJson())
        self.engine = DuckDBEngine(self.store, folders, threads=1)
        self.externals: tuple[ExternalRead, ...] = ()
        (folder / "mirror" / "feeds.example").mkdir(parents=True)

    def service(self, quota: HuntingQuota | None = None, seconds: float = 30.0) -> HuntingService:
        limits = HuntingLimits(quota or HuntingQuota(), seconds=seconds, memory=256 * 2**20)
        egress = Egress(EgressPolicy(mirror=self.folder / "mirror"))
        return HuntingService(
            HuntingParts(
                self.compile, lambda _: NoTables(), self.engine, self.writer, egress, limits, self.clock, nobody
            )
        )

    def compile(
        self, text: str, catalog: Catalog, *, now: int, run: RunQuery, parameters: Parameters | None = None
    ) -> CompiledQuery:
        reads = (TableRead("events", TABLE, (None, None)),)
        if text.startswith("discover "):
            ((text,),) = run(CompiledQuery(text.removeprefix("discover "), (), LINES, reads))  # type: ignore[assignment]
        return CompiledQuery(text, (), LINES, reads, self.externals)

    def ingest(self, tenant_id: str, *events: tuple[float, str]) -> None:
        rows = pa.table(
            {
                "Timestamp": pa.array([to_ticks(NOW) - int(days * DAY) for days, _ in events], pa.int64()),
                "ProcessCommandLine": [line for _, line in events],
            }
        )
        self.writer.append(tenant_id, f"batch {events}", {TABLE: rows}, b"")

    def close(self) -> None:
        self.writer.stop()
        self.engine.close()
        self.store.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def ctx(tenant_id: str = HOME) -> RequestContext:
    principal = Principal("application", tenant_id, "o", "a", "mtp")
    return RequestContext(Tenant(tenant_id, "x.example", "X"), principal, "request", "correlation", "https://x")


ALL = 'SELECT "ProcessCommandLine" FROM events ORDER BY 1'


def test_rows_are_visible_right_after_their_acknowledgement_and_only_to_their_tenant(world: World) -> None:
    world.ingest(HOME, (0, "ours"))
    world.ingest(OTHER, (0, "theirs"))
    service = world.service()
    assert service.run(ctx(), ALL).rows() == [{"ProcessCommandLine": "ours"}]
    answer = service.run(ctx(OTHER), ALL)
    assert answer.rows() == [{"ProcessCommandLine": "theirs"}]
    assert (answer.statistics.rows, answer.truncated) == (1, False)
    assert answer.statistics.elapsed > 0


def test_the_timespan_and_the_lookback_narrow_each_other(world: World) -> None:
    world.ingest(HOME, (1, "new"), (20, "old"), (40, "ancient"))
    free, limited = world.service(), world.service(load_quota_profile("microsoft").hunting)

    def lines(service: HuntingService, timespan: str | None = None) -> list[object]:
        return service.run(ctx(), ALL, timespan).values()[0]

    assert lines(free) == ["ancient", "new", "old"]
    assert lines(free, "P30D") == ["new", "old"]
    assert lines(limited) == ["new", "old"]
    assert lines(limited, "P7D") == ["new"]
    assert lines(limited, "P90D") == ["new", "old"]
    with pytest.raises(InvalidTimespanError):
        lines(free, "yesterday")


def test_rows_beyond_the_profiles_limit_are_cut_off(world: World) -> None:
    world.ingest(HOME, *((0.0, f"{number}") for number in range(10)))
    answer = world.service(HuntingQuota(rows=4)).run(ctx(), ALL)
    assert (len(answer.rows()), answer.truncated) == (4, True)


def test_the_deadline(world: World) -> None:
    with pytest.raises(HuntingTimeoutError):
        world.service(seconds=0.1).run(ctx(), "SELECT sum(a.range * b.range) FROM range(9999999) a, range(9999999) b")


def test_an_error_of_the_engine_carries_only_a_reference(world: World) -> None:
    with pytest.raises(HuntingError) as raised:
        world.service().run(ctx(), "SELECT nonsense FROM events")
    assert raised.value.code == "QueryFailed"
    assert set(raised.value.fields) == {"incident_id"}


def test_a_query_can_be_compiled_with_what_another_one_found(world: World) -> None:
    world.ingest(HOME, (0, "SELECT 'found'"))
    assert world.service().run(ctx(), f"discover {ALL}").values() == [["found"]]


def test_external_data_comes_from_the_mirror_or_not_at_all(world: World) -> None:
    (world.folder / "mirror" / "feeds.example" / "list.txt").write_text("one\ntwo\n")
    columns = (ResultColumn("Line", ScalarType.STRING),)
    world.externals = (ExternalRead("feed", ("https://feeds.example/list.txt",), "txt", columns, {}),)
    assert world.service().run(ctx(), 'SELECT "Line" FROM feed ORDER BY 1').values() == [["one", "two"]]
    world.externals = (ExternalRead("feed", ("https://elsewhere.example/list.txt",), "txt", columns, {}),)
    with pytest.raises(ExternalDataError) as raised:
        world.service().run(ctx(), 'SELECT "Line" FROM feed')
    assert raised.value.fields == {"uri": "https://elsewhere.example/list.txt", "reason": "host not allowed"}


def test_every_error_has_words_on_every_surface() -> None:
    codes = {
        value.code for value in vars(hunting_errors).values() if isinstance(value, type) and issubclass(value, ApiError)
    }
    for surface in ("graph", "defender"):
        assert codes - {"BadRequest", "InternalServerError"} <= set(load_faults(surface))
