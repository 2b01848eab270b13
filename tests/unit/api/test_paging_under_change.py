"""Lists while rows change underneath: every row that was there is answered once, none that was not, in one order."""

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api_fakes import HOME, OTHER, Application, assemble, find_tenant, principal
from tests.asgi import AsgiClient
from vedette.api.cursors import CursorBox, new_cursor
from vedette.clock import now_ticks
from vedette.context import RequestContext
from vedette.ids import RandomIds
from vedette.incidents.alerts import AlertChange, Alerts, NewAlert, create
from vedette.incidents.evidence import DeviceEvidence
from vedette.incidents.incidents import IncidentChange
from vedette.incidents.triage import By, change_incident, merge_incidents
from vedette.odata.errors import ODataError
from vedette.store.secrets import MasterKey

SEVERITIES = ("low", "medium", "high")


def new_alert(application: Application, number: int, tenant_id: str = HOME) -> str:
    now = now_ticks(application.clock)
    new = NewAlert(
        title=f"Alert {number}",
        severity=SEVERITIES[number % 3],
        category="Execution",
        service_source="microsoftDefenderForEndpoint",
        detection_source="customDetection",
        first_activity=now,
        last_activity=now,
        evidence=(DeviceEvidence(device_id=f"{number:040x}"),),
    )
    with application.store.begin() as connection:
        return create(connection, tenant_id, new, application.clock, RandomIds()).alert.alert_id


def change(application: Application, incident_id: int, wanted: IncidentChange) -> None:
    with application.store.begin() as connection:
        change_incident(connection, HOME, incident_id, wanted, By("ann", now_ticks(application.clock)))


def follow(client: AsgiClient, target: str, between: Callable[[], object]) -> list[dict[str, Any]]:
    """All rows of a list; `between` happens before every page but the first."""
    rows: list[dict[str, Any]] = []
    while target:
        answer = client.get(target)
        assert answer.status == 200, answer.body
        document = answer.json()
        rows += document["value"]
        link = document.get("@odata.nextLink")
        if not link:
            return rows
        parts = urlsplit(link)
        target = f"{parts.path}?{parts.query}"
        between()
    return rows


ORDERS = ("", "lastUpdateDateTime", "lastUpdateDateTime desc", "createdDateTime", "status,id desc", "severity desc")
FILTERS = ("", "status eq 'active'", "severity ne 'low'", "assignedTo eq null")
STEPS = st.lists(
    st.tuples(st.sampled_from(("new", "touch", "resolve", "assign", "merge", "wait")), st.integers(0, 30)), max_size=4
)


@settings(max_examples=40, deadline=None)
@given(
    order=st.sampled_from(ORDERS),
    condition=st.sampled_from(FILTERS),
    top=st.integers(1, 5),
    rounds=st.lists(STEPS, max_size=12),
)
def test_pages_are_cut_from_one_state(order: str, condition: str, top: int, rounds: list[Any]) -> None:
    application = assemble()
    try:
        client = application.client("graph")
        for number in range(14):
            new_alert(application, number)
            application.clock.advance(number % 2)
        change(application, 3, IncidentChange(status="resolved"))
        options = "&".join(
            part for part in (f"$orderby={order}" if order else "", f"$filter={condition}" if condition else "") if part
        )
        expected = [row["id"] for row in client.get(f"/v1.0/security/incidents?$top=50&{options}").json()["value"]]
        pending = iter(rounds)

        def between() -> None:
            for step, number in next(pending, []):
                act(application, step, number)

        rows = follow(client, f"/v1.0/security/incidents?$top={top}&{options}", between)
        assert [row["id"] for row in rows] == expected
    finally:
        application.close()


def act(application: Application, step: str, number: int) -> None:
    incident_id = number % 14 + 1
    if step == "new":
        new_alert(application, 100 + number)
    elif step == "wait":
        application.clock.advance(1)
    elif step == "merge":
        with application.store.begin() as connection:
            try:
                merge_incidents(connection, HOME, [incident_id, (number + 5) % 14 + 1], None, By("ann", 0))
            except Exception:  # noqa: BLE001 - refused ones change nothing
                connection.rollback()
    else:
        wanted = {
            "touch": IncidentChange(comment="seen"),
            "resolve": IncidentChange(status="resolved"),
            "assign": IncidentChange(assigned_to=f"user{number}", severity="high"),
        }
        change(application, incident_id, wanted[step])


def test_pages_hold_against_concurrent_writers() -> None:
    application = assemble()
    for number in range(40):
        new_alert(application, number)
    stop = threading.Event()

    def write(seed: int) -> None:
        number = seed
        while not stop.is_set():
            number += 7
            change(application, number % 40 + 1, IncidentChange(comment=f"{number}"))
            new_alert(application, 1000 + number)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in (1, 2)]
    for writer in writers:
        writer.start()
    try:
        for surface, target in (
            ("graph", "/v1.0/security/incidents?$top=7&$orderby=lastUpdateDateTime&$count=true"),
            ("xdr", "/api/incidents?$top=9"),
            ("graph", "/v1.0/security/alerts_v2?$top=11&$orderby=lastUpdateDateTime desc"),
        ):
            rows = follow(application.client(surface), target, lambda: None)
            ids = [str(row.get("id") or row.get("incidentId")) for row in rows]
            assert len(ids) == len(set(ids)) >= 40
    finally:
        stop.set()
        for writer in writers:
            writer.join()
        application.close()


def test_alerts_page_as_they_were(application: Application) -> None:
    ids = [new_alert(application, number) for number in range(6)]
    client = application.client("graph")
    query = "$filter=status eq 'new'&$orderby=lastUpdateDateTime desc"
    last = client.get(f"/v1.0/security/alerts_v2?{query}").json()["value"][-1]["id"]  # ids decide: they are random

    def between() -> None:
        with application.store.begin() as connection:
            Alerts(connection, HOME).change(last, AlertChange(status="resolved"), By("ann", 0))

    rows = follow(client, f"/v1.0/security/alerts_v2?$top=2&{query}", between)
    assert sorted(row["id"] for row in rows) == sorted(ids)
    assert next(row["status"] for row in rows if row["id"] == last) == "resolved"  # shown as it is


def test_the_count_is_that_of_the_first_page(application: Application) -> None:
    for number in range(5):
        new_alert(application, number)
    client = application.client("graph")
    first = client.get("/v1.0/security/incidents?$top=2&$count=true").json()
    new_alert(application, 99)
    parts = urlsplit(first["@odata.nextLink"])
    second = client.get(f"{parts.path}?{parts.query}").json()
    assert (first["@odata.count"], second["@odata.count"]) == (5, 5)
    assert client.get("/v1.0/security/incidents/$count").body == b"6"


@pytest.mark.parametrize("change_", ["alter", "filter", "tenant", "list", "nonsense"])
def test_a_cursor_answers_only_what_it_was_made_for(application: Application, change_: str) -> None:
    for number in range(4):
        new_alert(application, number)
        new_alert(application, number, OTHER)
    link = application.client("graph").get("/v1.0/security/incidents?$top=2").json()["@odata.nextLink"]
    token = link.partition("skiptoken=")[2]
    target, who = f"/v1.0/security/incidents?$top=2&$skiptoken={token}", "graph"
    assert application.client("graph").get(target).status == 200
    if change_ == "alter":
        middle = len(token) // 2
        target = target.replace(token, token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :])
    elif change_ == "filter":
        target += "&$filter=status eq 'active'"
    elif change_ == "tenant":
        who = "graph-other"
    elif change_ == "list":
        target = target.replace("incidents", "alerts_v2")
    else:
        target = target.replace(token, "%C3%A4")
    assert application.client(who).get(target).status == 400


def test_cursors_of_another_installation_do_not_open() -> None:
    context = RequestContext(find_tenant(HOME), principal("graph"), "", "", "")
    token = CursorBox(MasterKey.random()).seal(context, "q", new_cursor(1, (2, "a"), None))
    with pytest.raises(ODataError):
        CursorBox(MasterKey.random()).open(context, "q", token)
