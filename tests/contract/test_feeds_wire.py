"""Older alerts, secure scores, identities and threat intelligence against Graph's published types."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api_fakes import HOME, Application, assemble
from tests.contract.graph_types import GraphTypes
from tests.contract.security_data import fill
from tests.unit.api.test_graph_feeds import SAMPLES, SINGLE
from vedette.api.graph.feeds import FEEDS, put_resource
from vedette.api.graph.secure_scores import to_profile, to_secure_score
from vedette.clock import now_ticks
from vedette.context import Tenant
from vedette.ids import RandomIds
from vedette.machines.secure_scores import Control, ControlScore, ControlUpdate, SecureScore

OTHERS = "microsoft.graph (chosen)"
TENANT = Tenant(HOME, "contoso.test", "Contoso")


@pytest.fixture
def application() -> Iterator[Application]:
    application = assemble()
    fill(application, RandomIds())
    yield application
    application.close()


def test_older_alerts(application: Application, shared: Path) -> None:
    types = GraphTypes(shared, OTHERS)
    alerts = application.client("graph").get("/v1.0/security/alerts").json()["value"]
    assert len(alerts) == 3
    for alert in alerts:
        assert list(types.problems(alert, "alert")) == []


@pytest.mark.parametrize("path", SINGLE)
def test_resources_of_feeds(application: Application, shared: Path, path: str) -> None:
    with application.store.begin() as connection:
        put_resource(connection, HOME, path, {"id": "one", **SAMPLES[path]}, ("seed", now_ticks(application.clock)))
    document = application.client("graph").get(f"/v1.0/security/{path}/one").json()
    type_name = document.get("@odata.type", FEEDS[path].type_name).rpartition(".")[2]
    assert list(GraphTypes(shared).problems(document, type_name)) == []


def test_secure_scores(shared: Path) -> None:
    types = GraphTypes(shared, OTHERS)
    control = Control("scid-1", "Firewall", "Turn it on", "Reached", "Policy", "Security controls", None, 8.0, False, 1)
    score = SecureScore(0, (ControlScore(control, 4.0, 1, 2),), 2)
    assert list(types.problems(to_secure_score(TENANT, score), "secureScore")) == []
    update = ControlUpdate("Ignored", None, "Known", "ann", 1)
    assert list(types.problems(to_profile(TENANT, control, 1, [update]), "secureScoreControlProfile")) == []
