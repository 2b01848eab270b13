"""Where incidentWebUrl and alertWebUrl lead: pages of incidents and alerts with their activity logs."""

from urllib.parse import quote, urlsplit

import pytest

from tests.api_fakes import HOME, OTHER, Application
from tests.unit.api.test_paging_under_change import new_alert
from tests.unit.portal.test_portal import cookie_of, person, portal, signed_in
from vedette.incidents.evidence import FileDetails, ProcessEvidence
from vedette.incidents.incidents import IncidentChange
from vedette.incidents.triage import By, change_incident, merge_incidents
from vedette.portal.incidents import _named
from vedette.portal.session import new_session

__all__ = ["portal"]


def test_the_addresses_of_answers_lead_to_pages(portal: Application) -> None:
    alert_id = new_alert(portal, 1)
    alert = portal.client("graph").get(f"/v1.0/security/alerts_v2/{alert_id}").json()
    browser = signed_in(portal)
    for name, text in (("incidentWebUrl", "Incident 1: "), ("alertWebUrl", "Alert 1")):
        parts = urlsplit(alert[name])
        target = f"{parts.path}?{parts.query}"
        assert portal.client().get(target).headers["location"] == f"/portal/sign-in?to={quote(target, safe='')}"
        page = browser.get(target)
        assert (page.status, text in page.body.decode()) == (200, True)
        assert browser.get(f"{parts.path}?tid={OTHER}").status == 404
    assert "Alert 1" in browser.get("/portal/incidents").body.decode()
    assert browser.get("/portal/incidents/99").status == 404
    assert browser.get("/portal/incidents/x").status == 404
    assert browser.get("/portal/alerts/nothing").status == 404


def test_everything_that_happens_is_in_the_log(portal: Application) -> None:
    new_alert(portal, 1), new_alert(portal, 2)
    with portal.store.begin() as connection:
        change_incident(connection, HOME, 1, IncidentChange(comment="<b>seen</b>", assigned_to="ann"), By("ann", 1))
        merge_incidents(connection, HOME, [1, 2], None, By("bob", 2, "Microsoft Graph"))
    browser = signed_in(portal)
    page = browser.get("/portal/incidents/1").body.decode()
    done = ("Created", "Changed", "Merged with others")
    for text in (*done, "bob, over Microsoft Graph", "&lt;b&gt;seen", "assigned to: ann"):
        assert text in page
    assert "<b>seen" not in page
    assert browser.get("/portal/incidents/2").headers["location"] == "/portal/incidents/1"
    assert '/portal/incidents/2"' not in browser.get("/portal/incidents").body.decode()
    assert "Merged into another" in browser.get("/portal/incidents/2?log=1").body.decode()


def test_another_tenant_sees_nothing(portal: Application) -> None:
    new_alert(portal, 1, OTHER)
    browser = signed_in(portal)
    assert browser.get("/portal/incidents/1").status == 404
    assert "None yet" in browser.get("/portal/incidents").body.decode()


def test_evidence_is_told_in_words() -> None:
    process = ProcessEvidence(
        process_id=752,
        created=639309567302240000,
        image=FileDetails(file_name="rcl.exe"),
        parent_image=FileDetails(file_name="cmd.exe"),
    )
    told = "process id: 752; created: 2026-11-22T15:05:30.2240000Z; file name: rcl.exe; parent image file name: cmd.exe"
    assert _named(process) == told


@pytest.mark.parametrize("host", ["graph.microsoft.com", "localhost:8443"])
def test_links_lead_to_pages_on_the_host_of_the_answer(portal: Application, host: str) -> None:
    new_alert(portal, 1)
    answer = portal.client("graph").send("GET", "/v1.0/security/incidents/1", host=host)
    link = urlsplit(answer.json()["incidentWebUrl"])
    assert link.netloc == host
    target = f"{link.path}?{link.query}"
    stranger = portal.client().send("GET", target, host=host)
    assert stranger.status == 303
    way = portal.client().send("GET", f"{stranger.headers['location']}&account=admin@contoso.test", host=host)
    login = urlsplit(way.headers["location"])
    assert login.netloc == ("login.microsoftonline.com" if host == "graph.microsoft.com" else "")
    assert quote(f"https://{host}/portal/signed-in", safe="") in login.query
    user = person(portal, "admin@contoso.test")
    cookie = cookie_of(new_session(portal.identity, user.tenant_id, user.id))
    page = portal.client().send("GET", target, host=host, headers={"cookie": cookie})
    assert (page.status, "Incident 1: " in page.body.decode()) == (200, True)
