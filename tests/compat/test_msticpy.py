"""msticpy, unmodified, at the hosts it has built in: its four drivers, with every KQL query it ships."""

import json
from pathlib import Path

import pytest

from vedette.testing import analyze_kql

from .installed import python_client
from .sandbox import FixedHosts

DRIVER = Path(__file__).parent / "drivers" / "msticpy_hunting.py"

REFUSED = {
    "host_alerts": ("TenantId1", "DeviceAlertEvents"),
    "ip_alerts": ("DeviceAlertEvents",),
    "list_alerts": ("DeviceAlertEvents",),
    "sha1_alerts": ("SHA1", "DeviceAlertEvents"),
    "url_alerts": ("DeviceAlertEvents",),
    "list_file_events_for_host": ("DeviceID",),
}
"""Queries that name what is no table or column there: a table that is gone, columns that `project-away` took before."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return python_client(tmp_path_factory.mktemp("msticpy") / "venv", "msticpy==3.0.2")


def answers(fixed_hosts: FixedHosts, python: Path, environment: str) -> dict[str, dict]:
    return json.loads(fixed_hosts.run([python, DRIVER, environment]))


@pytest.mark.parametrize(("environment", "least"), [("MDE", 99), ("M365D", 53), ("M365DGraph", 53)])
def test_hunting_with_every_query_that_it_ships(
    fixed_hosts: FixedHosts, python: Path, environment: str, least: int
) -> None:
    answer = answers(fixed_hosts, python, environment)
    assert answer["probe"]["rows"] == "3"
    assert answer["probe"]["Timestamp"] == "datetime64[ns, UTC]"
    assert answer["probe"]["ProcessId"] == "int64"
    assert len(answer["queries"]) >= least
    for name, query in answer["queries"].items():
        reasons = REFUSED.get(name.rpartition(".")[2], ())
        if "error" not in query:
            assert query["is_answer"], name
        elif "//" not in query["sent"]:  # folded into one line, a comment swallows the rest
            assert any(f"'{reason}'" in query["error"] for reason in reasons), (name, query)
        if not reasons:
            errors = analyze_kql(query["written"]).errors
            assert not errors, (name, query["written"], errors)


def test_alerts_of_the_older_graph_api(fixed_hosts: FixedHosts, python: Path) -> None:
    queries = answers(fixed_hosts, python, "SecurityGraph")["queries"]
    assert "value" in queries["SecurityGraphAlert.list_alerts"]["columns"]
    assert queries["SecurityGraphAlert.get_alert"]["error"] == "Resource x was not found."
