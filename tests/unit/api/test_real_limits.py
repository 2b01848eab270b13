"""`--profile microsoft`: every number of the real service, and what a client hears when it is reached."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.api_fakes import HOME, NOW, PRINCIPALS, Application, FakeHunting, assemble
from tests.asgi import Answer
from tests.endpoint_world import EndpointWorld, make_world
from vedette.api.throttle import MeteredHunting, Throttle
from vedette.clock import ManualClock
from vedette.context import RequestContext, Tenant
from vedette.contracts.quotas import load_quota_profile
from vedette.egress.policy import EgressPolicy
from vedette.egress.transport import Egress
from vedette.hunting.catalog import ContractCatalog
from vedette.hunting.errors import HuntingTimeoutError
from vedette.hunting.quota import HuntingLimits
from vedette.hunting.service import HuntingParts, HuntingService
from vedette.kql.compile import compile_with_discovery
from vedette.lake.engine import QueryLimits, QueryOutcome, QueryScope
from vedette.lake.errors import QueryTimeoutError
from vedette.machines.visibility import SeenMachines
from vedette.settings import Settings

HUNTING = {
    "graph": "/v1.0/security/runHuntingQuery",
    "xdr": "/api/advancedhunting/run",
    "mde": "/api/advancedqueries/run",
}
THROTTLED = {"graph": "TooManyRequests", "xdr": "429", "mde": "429"}
"""The code in the body of a 429."""

SECONDS = {"graph": 180.0, "xdr": 180.0, "mde": 200.0}
MEGABYTES = {"graph": 50, "xdr": 50, "mde": 50}
ROWS = 100_000


def hunt(application: Application, surface: str, query: str = "print 1") -> Answer:
    return application.client(surface).post(HUNTING[surface], {"Query": query})


def refusal(answer: Answer, surface: str) -> tuple[str, str]:
    """The code and the text of an error whose body has the surface's form."""
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    if surface == "graph":
        assert set(error) == {"code", "message", "innerError"}
        assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}
    else:
        assert set(error) == {"code", "message", "target"}
        assert error["target"] == answer.headers["request-id"]
    return error["code"], error["message"]


@pytest.fixture
def limited(assembled: Callable[..., Application]) -> Application:
    return assembled(profile="microsoft")


@pytest.mark.parametrize("surface", HUNTING)
def test_forty_five_queries_a_minute(limited: Application, surface: str) -> None:
    limited.clock.advance(15)
    assert [hunt(limited, surface).status for _ in range(45)] == [200] * 45
    refused = hunt(limited, surface)
    assert (refused.status, refused.headers["retry-after"]) == (429, "45")
    expected = "API calls quota exceeded! maximum allowed 45 per 00:01:00"
    assert refusal(refused, surface) == (THROTTLED[surface], expected)
    limited.clock.advance(45)
    assert hunt(limited, surface).status == 200


def test_each_hunting_api_of_defender_has_its_own_count(limited: Application) -> None:
    assert [hunt(limited, "xdr").status for _ in range(46)][-1] == 429
    assert hunt(limited, "mde").status == 200


@pytest.mark.parametrize("surface", HUNTING)
def test_fifteen_hundred_queries_an_hour(limited: Application, surface: str) -> None:
    limited.hunting.cpu = limited.hunting.elapsed = 0.0
    for _ in range(50):
        assert {hunt(limited, surface).status for _ in range(30)} == {200}
        limited.clock.advance(60)
    refused = hunt(limited, surface)
    assert (refused.status, refused.headers["retry-after"]) == (429, "600")
    expected = "API calls quota exceeded! maximum allowed 1500 per 01:00:00"
    assert refusal(refused, surface) == (THROTTLED[surface], expected)
    limited.clock.advance(600)
    assert hunt(limited, surface).status == 200


def test_fifty_lists_of_incidents_a_minute(limited: Application) -> None:
    client = limited.client("xdr")
    answers = [client.get("/api/incidents") for _ in range(51)]
    assert [answer.status for answer in answers] == [200] * 50 + [429]
    assert answers[49].headers["ratelimit-remaining"] == "0"
    assert answers[50].headers["retry-after"] == "60"
    expected = "API calls quota exceeded! maximum allowed 50 per 00:01:00"
    assert refusal(answers[50], "xdr") == ("429", expected)
    limited.clock.advance(60)
    assert client.get("/api/incidents").status == 200


@pytest.mark.parametrize(("surface", "other"), [("graph", "xdr"), ("xdr", "graph")])
def test_fifteen_minutes_of_cpu_time_in_a_cycle_of_fifteen_minutes(
    limited: Application, surface: str, other: str
) -> None:
    limited.hunting.cpu = 450.0
    limited.clock.advance(100)
    assert [hunt(limited, surface).status for _ in range(2)] == [200, 200]
    for each in (surface, other):
        refused = hunt(limited, each)
        assert (refused.status, refused.headers["retry-after"]) == (429, "800")
        code, message = refusal(refused, each)
        assert (code, message[:8]) == (THROTTLED[each], "You have")
    assert hunt(limited, "mde").status == 200
    limited.clock.advance(800)
    assert hunt(limited, surface).status == 200


def test_ten_minutes_of_run_time_an_hour_and_three_hours_a_day_of_defender_for_endpoint(limited: Application) -> None:
    limited.hunting.elapsed = 200.0
    limited.clock.advance(-(NOW % 86_400))
    for hour in range(18):
        assert [hunt(limited, "mde").status for _ in range(3)] == [200] * 3
        refused = hunt(limited, "mde")
        assert refused.status == 429
        if hour < 17:
            assert refused.headers["retry-after"] == "3600"
            assert refusal(refused, "mde")[1].endswith("600 seconds per 01:00:00.")
        limited.clock.advance(3_600)
    refused = hunt(limited, "mde")
    assert (refused.status, refused.headers["retry-after"]) == (429, "21600")
    assert refusal(refused, "mde") == (
        "429",
        "The run time of hunting queries of this tenant is used up: 10800 seconds per 1.00:00:00.",
    )
    assert hunt(limited, "xdr").status == 200
    limited.clock.advance(21_600)
    assert hunt(limited, "mde").status == 200


def test_by_default_nothing_is_limited(application: Application) -> None:
    application.hunting.cpu = application.hunting.elapsed = 1e6
    assert {hunt(application, surface).status for surface in HUNTING for _ in range(60)} == {200}


@pytest.fixture(scope="module")
def world() -> Iterator[EndpointWorld]:
    world = make_world("microsoft")
    yield world
    world.close()


@pytest.fixture
def hunted(world: EndpointWorld, assembled: Callable[..., Application]) -> Application:
    """Real queries under the limits."""
    return assembled(profile="microsoft", clock=ManualClock(NOW), queries=world.hunting)


@pytest.mark.parametrize("surface", HUNTING)
def test_a_hundred_thousand_rows(hunted: Application, surface: str) -> None:
    answer = hunt(hunted, surface, f"range Number from 1 to {ROWS + 1} step 1")
    assert answer.status == 200
    assert len(answer.json()["results" if surface == "graph" else "Results"]) == ROWS


@pytest.mark.parametrize("surface", HUNTING)
def test_size_of_an_answer(hunted: Application, surface: str) -> None:
    def rows_of(megabytes: int) -> Answer:
        """Rows of 16 KiB each."""
        count = megabytes * 64
        return hunt(hunted, surface, f"range n from 1 to {count} step 1 | project t = strrep('0123456789abcdef', 1024)")

    assert rows_of(MEGABYTES[surface] - 2).status == 200
    refused = rows_of(MEGABYTES[surface] + 2)
    assert refused.status == 400
    assert refusal(refused, surface) == (
        "BadRequest",
        "Query execution has exceeded the allowed result size. "
        "Optimize your query by limiting the number of results and try again",
    )


class SlowEngine:
    """Lets every query run into its deadline, and remembers how long that was."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def execute(
        self, scope: QueryScope, sql: str, parameters: Sequence[object], limits: QueryLimits, *, query_id: str
    ) -> QueryOutcome:
        self.seconds.append(limits.seconds)
        raise QueryTimeoutError("deadline")

    def interrupt(self, query_id: str) -> bool:
        return False


@pytest.mark.parametrize("surface", HUNTING)
def test_three_minutes_or_two_hundred_seconds(world: EndpointWorld, surface: str, tmp_path: Path) -> None:
    engine, quotas = SlowEngine(), load_quota_profile("microsoft")
    seconds = Settings(data=tmp_path).hunting_seconds
    limits = HuntingLimits(quotas.hunting, quotas.hunting_by_class, seconds=seconds, memory=2**28)
    parts = HuntingParts(
        compile_with_discovery,
        lambda _: ContractCatalog(),
        engine,  # type: ignore[arg-type]
        world.writer,
        Egress(EgressPolicy()),
        limits,
        world.clock,
        SeenMachines(world.store),
    )
    application = assemble(profile="microsoft", queries=HuntingService(parts))
    try:
        answer = hunt(application, surface)
    finally:
        application.close()
    assert engine.seconds[0] == pytest.approx(SECONDS[surface], abs=5)
    assert answer.status == 504
    told = {"graph": ("UnknownError", "")}
    assert refusal(answer, surface) == told.get(surface, ("InternalServerError", "Query exceeded the timeout period."))


def test_queries_that_fail_use_time_too() -> None:
    throttle, hunting = Throttle(load_quota_profile("microsoft"), ManualClock(NOW)), FakeHunting()
    hunting.failure = HuntingTimeoutError()
    tenant, caller = Tenant(HOME, "contoso.test", "Contoso"), PRINCIPALS["mde"]
    context = RequestContext(tenant, caller, "r", "c", "https://localhost", quota="endpoint_hunting")
    with pytest.raises(HuntingTimeoutError):
        MeteredHunting(hunting, throttle).run(context, "print 1", None)
    used = {(each.quota, each.window_seconds): each.used for each in throttle.usage(HOME)}
    assert used["endpoint_hunting_run_time", 3600] > 0
    assert used["endpoint_hunting_run_time", 86_400] > 0
    assert used["hunting_cpu", 900] == 0
