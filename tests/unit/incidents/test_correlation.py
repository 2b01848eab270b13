"""Which alerts share an incident."""

import pytest
from sqlalchemy import Connection

from tests.unit.incidents.conftest import HOME, OTHER, CreateAlert
from vedette.clock import ManualClock, now_ticks
from vedette.incidents.changes import By
from vedette.incidents.correlation import highest_severity, links_of
from vedette.incidents.evidence import (
    DeviceEvidence,
    Evidence,
    FileDetails,
    FileEvidence,
    IpEvidence,
    ProcessEvidence,
    UserAccount,
    UserEvidence,
)
from vedette.incidents.incidents import IncidentChange, Incidents

DEVICE = DeviceEvidence(device_id="a" * 40)
OTHER_DEVICE = DeviceEvidence(device_id="b" * 40)
ANN = UserEvidence(account=UserAccount(account_name="ann", domain_name="CONTOSO"))


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ((DEVICE,), (DEVICE,), True),
        ((DEVICE,), (OTHER_DEVICE,), False),
        ((DEVICE, ANN), (OTHER_DEVICE, ANN), True),
        ((ANN,), (UserEvidence(account=UserAccount(account_name="ANN", domain_name="contoso")),), True),
        ((IpEvidence(address="203.0.113.9"),), (IpEvidence(address="203.0.113.9"),), False),
        (
            (IpEvidence(address="203.0.113.9", verdict="malicious"),),
            (IpEvidence(address="203.0.113.9", verdict="suspicious"),),
            True,
        ),
        (
            (FileEvidence(file=FileDetails(sha1="c" * 40), verdict="malicious"),),
            (FileEvidence(file=FileDetails(sha1="C" * 40), verdict="malicious"),),
            True,
        ),
        (
            (FileEvidence(file=FileDetails(file_name="powershell.exe", sha1="c" * 40)),),
            (FileEvidence(file=FileDetails(file_name="powershell.exe", sha1="c" * 40)),),
            False,
        ),
    ],
)
def test_what_ties_alerts_together(
    create_alert: CreateAlert, first: tuple[Evidence, ...], second: tuple[Evidence, ...], together: bool
) -> None:
    one, two = create_alert(*first), create_alert(*second)
    assert one.opened_incident
    assert two.opened_incident is not together
    assert (one.alert.incident_id == two.alert.incident_id) is together


@pytest.mark.parametrize(
    "account",
    [
        UserAccount(account_name="SYSTEM", domain_name="NT AUTHORITY", user_sid="S-1-5-18"),
        UserAccount(account_name="Local Service", domain_name="NT AUTHORITY"),
        UserAccount(account_name="WS-01$", domain_name="CONTOSO", user_sid="S-1-5-21-1-2-3-1104"),
        UserAccount(account_name="-"),
    ],
)
def test_accounts_that_every_device_has_tie_nothing(account: UserAccount) -> None:
    assert links_of([UserEvidence(account=account)]) == frozenset()


def test_a_process_is_known_by_device_id_and_time() -> None:
    process = ProcessEvidence(process_id=4, created=5, device_id="d1")
    assert {(link.kind, link.value) for link in links_of([process])} == {("process", "d1/4/5")}
    assert links_of([ProcessEvidence(process_id=4, device_id="d1")]) == frozenset()


def test_far_apart_in_time_is_another_incident(create_alert: CreateAlert) -> None:
    old = create_alert(DEVICE, hours_ago=30)
    near = create_alert(DEVICE, hours_ago=10)
    assert near.alert.incident_id == old.alert.incident_id
    far = create_alert(OTHER_DEVICE, hours_ago=30), create_alert(OTHER_DEVICE)
    assert far[0].alert.incident_id != far[1].alert.incident_id


def test_the_incident_that_shares_most_wins(create_alert: CreateAlert) -> None:
    both = create_alert(DEVICE, ANN)
    other = create_alert(OTHER_DEVICE)
    assert other.alert.incident_id != both.alert.incident_id
    assert create_alert(DEVICE, ANN, OTHER_DEVICE).alert.incident_id == both.alert.incident_id


@pytest.mark.parametrize(("classification", "reopens"), [("truePositive", True), ("falsePositive", False)])
def test_a_new_alert_opens_a_resolved_incident_again_unless_it_was_harmless(
    create_alert: CreateAlert, connection: Connection, clock: ManualClock, classification: str, reopens: bool
) -> None:
    first = create_alert(DEVICE).alert
    change = IncidentChange(status="resolved", classification=classification)
    Incidents(connection, HOME).change(first.incident_id, change, By("ann", now_ticks(clock)))
    assert (create_alert(DEVICE).alert.incident_id == first.incident_id) is reopens
    incident = Incidents(connection, HOME).get(first.incident_id)
    assert incident is not None
    assert incident.status == ("active" if reopens else "resolved")


def test_an_open_incident_goes_before_a_resolved_one(
    create_alert: CreateAlert, connection: Connection, clock: ManualClock
) -> None:
    resolved, opened = create_alert(DEVICE, ANN).alert, create_alert(OTHER_DEVICE).alert
    change = IncidentChange(status="resolved")
    Incidents(connection, HOME).change(resolved.incident_id, change, By("ann", now_ticks(clock)))
    assert create_alert(DEVICE, ANN, OTHER_DEVICE).alert.incident_id == opened.incident_id


def test_tenants_do_not_correlate(create_alert: CreateAlert) -> None:
    assert create_alert(DEVICE).opened_incident
    assert create_alert(DEVICE, tenant_id=OTHER).opened_incident


def test_name_and_severity_follow_the_alerts(create_alert: CreateAlert, connection: Connection) -> None:
    incidents = Incidents(connection, HOME)
    first = create_alert(DEVICE, title="Encoded command", category="Execution", severity="low").alert
    incident = incidents.get(first.incident_id)
    assert incident is not None
    assert (incident.display_name, incident.severity) == ("Encoded command on one endpoint", "low")
    create_alert(DEVICE, OTHER_DEVICE, title="PsExec", category="LateralMovement", severity="medium")
    incident = incidents.get(first.incident_id)
    assert incident is not None
    assert incident.display_name == "Multi-stage incident involving Execution & Lateral movement on multiple endpoints"
    assert incident.severity == "medium"


def test_severities_are_ordered_by_the_contract() -> None:
    assert highest_severity(["low", "informational", "unknown"]) == "low"
