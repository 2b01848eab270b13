"""Runs of rules: overlapping windows make no second alert, failures are outcomes, tenants stay apart."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from sqlalchemy import Table, select

from vedette.clock import ManualClock, now_ticks
from vedette.context import RequestContext, Tenant
from vedette.detections import tables as detection_tables
from vedette.detections.evaluate import ALERT_CREATED, Evaluator, RuleRuns, Window
from vedette.errors import VedetteError
from vedette.hunting.results import QueryStatistics, Results
from vedette.ids import RandomIds
from vedette.incidents import tables as incident_tables
from vedette.jobs.outbox import Outbox
from vedette.jobs.tables import OUTBOX
from vedette.kql.compiled import ResultColumn
from vedette.kql.types import ScalarType
from vedette.machines import tables as machine_tables
from vedette.machines.device_groups import DeviceGroups
from vedette.store.engine import Store

from .test_alerting import RULE

TENANT = Tenant("11111111-0000-0000-0000-000000000001", "a.example", "A")
OTHER = Tenant("11111111-0000-0000-0000-000000000002", "b.example", "B")


class FakeHunting:
    """Answers with given events, and remembers what it was asked."""

    def __init__(self) -> None:
        self.events: list[tuple[int, str]] = []
        self.asked: list[tuple[RequestContext, str, str | None]] = []
        self.error: VedetteError | None = None

    def run(self, ctx: RequestContext, query: str, timespan: str | None = None) -> Results:
        self.asked.append((ctx, query, timespan))
        if self.error is not None:
            raise self.error
        times = [at for at, _ in self.events]
        columns = {
            "Timestamp": (ScalarType.DATETIME, pa.array(times, pa.int64())),
            "ReportId": (ScalarType.LONG, pa.array(times, pa.int64())),
            "DeviceId": (ScalarType.STRING, pa.array([device for _, device in self.events], pa.string())),
            "DeviceName": (ScalarType.STRING, pa.array(["" for _ in self.events], pa.string())),
        }
        data = pa.table([array for _, array in columns.values()], names=list(columns))
        statistics = QueryStatistics(0, 0, 0, 0, 0, len(times), 0)
        return Results(tuple(ResultColumn(name, type_) for name, (type_, _) in columns.items()), data, statistics)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.in_folder(tmp_path)
    with store.begin() as connection:
        for module in (detection_tables, incident_tables, machine_tables):
            for table in vars(module).values():
                if isinstance(table, Table):
                    table.create(connection)
        OUTBOX.create(connection)
    yield store
    store.close()


@pytest.fixture
def hunting() -> FakeHunting:
    return FakeHunting()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_790_000_000)


@pytest.fixture
def evaluator(store: Store, hunting: FakeHunting, clock: ManualClock) -> Evaluator:
    return Evaluator(store, hunting, Outbox(clock, RandomIds()), clock, RandomIds())


def test_new_hits_become_one_alert_in_one_incident(
    evaluator: Evaluator, hunting: FakeHunting, store: Store, clock: ManualClock
) -> None:
    now = now_ticks(clock)
    hunting.events = [(now - 20, "d1"), (now - 10, "d1")]
    outcome = evaluator.evaluate(TENANT, RULE)
    assert outcome.hits == 2
    (alert,) = outcome.alerts
    assert (alert.first_activity, alert.last_activity) == (now - 20, now - 10)
    with store.connect() as connection:
        row = connection.execute(select(OUTBOX).where(OUTBOX.c.topic == ALERT_CREATED)).one()
        assert row.payload == {"alert_id": alert.alert_id}
        run = RuleRuns(connection, TENANT.tenant_id).all()[RULE.id]
        assert (run.last_status, run.last_hits, run.alerts) == ("completed", 2, 1)


def test_overlapping_windows_make_no_second_alert(
    evaluator: Evaluator, hunting: FakeHunting, clock: ManualClock
) -> None:
    now = now_ticks(clock)
    hunting.events = [(now, "d1")]
    assert len(evaluator.evaluate(TENANT, RULE).alerts) == 1
    assert evaluator.evaluate(TENANT, RULE).alerts == ()
    hunting.events = [(now, "d1"), (now + 5, "d1")]
    (second,) = evaluator.evaluate(TENANT, RULE).alerts
    assert second.first_activity == now + 5


def test_a_rule_of_device_groups_sees_their_machines_alone(
    evaluator: Evaluator, hunting: FakeHunting, store: Store
) -> None:
    with store.begin() as connection:
        group = DeviceGroups(connection, TENANT.tenant_id).create("Servers", ())
    for names, expected in ((("Servers",), {group.group_id}), (("Gone",), set())):
        evaluator.evaluate(TENANT, msgspec.structs.replace(RULE, device_groups=names))
        assert hunting.asked[-1][0].scope.device_groups == expected
    evaluator.evaluate(TENANT, RULE)
    assert not hunting.asked[-1][0].scope.is_limited


def test_alerts_of_a_rule_may_stay_alone(evaluator: Evaluator, hunting: FakeHunting, clock: ManualClock) -> None:
    hunting.events = [(now_ticks(clock), "d1")]
    (first,) = evaluator.evaluate(TENANT, RULE).alerts
    (together,) = evaluator.evaluate(TENANT, msgspec.structs.replace(RULE, id="together")).alerts
    (alone,) = evaluator.evaluate(TENANT, msgspec.structs.replace(RULE, id="alone", correlated=False)).alerts
    assert together.incident_id == first.incident_id != alone.incident_id


def test_another_tenant_s_hits_are_its_own(evaluator: Evaluator, hunting: FakeHunting, clock: ManualClock) -> None:
    hunting.events = [(now_ticks(clock), "d1")]
    assert len(evaluator.evaluate(TENANT, RULE).alerts) == 1
    assert len(evaluator.evaluate(OTHER, RULE).alerts) == 1
    assert [context.tenant.tenant_id for context, _, _ in hunting.asked] == [TENANT.tenant_id, OTHER.tenant_id]
    assert all(context.principal.tenant_id == context.tenant.tenant_id for context, _, _ in hunting.asked)


def test_a_failed_query_is_recorded_and_does_not_raise(
    evaluator: Evaluator, hunting: FakeHunting, store: Store
) -> None:
    hunting.error = VedetteError("no such column")
    assert evaluator.evaluate(TENANT, RULE).error == "no such column"
    with store.connect() as connection:
        run = RuleRuns(connection, TENANT.tenant_id).all()[RULE.id]
        assert (run.last_status, run.last_error) == ("failed", "no such column")


def test_the_window_is_the_rule_s_lookback_unless_given(evaluator: Evaluator, hunting: FakeHunting) -> None:
    evaluator.evaluate(TENANT, RULE)
    evaluator.evaluate(TENANT, RULE, Window(0, 10))
    assert [asked[2] for asked in hunting.asked] == [
        "2026-09-21T10:13:20.0000000Z/2026-09-21T14:13:20.0000000Z",
        "0001-01-01T00:00:00.0000000Z/0001-01-01T00:00:00.0000009Z",
    ]
