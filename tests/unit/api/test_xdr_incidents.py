"""Incidents of the Defender XDR API, as its pages document them: hosts, paths, options, values, bodies."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.api_fakes import HOME, Application
from tests.unit.api.test_paging_under_change import new_alert
from vedette.clock import now_ticks
from vedette.contracts.enums import load_enums
from vedette.contracts.operations import load_operations
from vedette.ids import RandomIds
from vedette.incidents.alerts import NewAlert, create
from vedette.incidents.evidence import Evidence, MailboxEvidence, MailMessageEvidence, UserAccount

INCIDENT = "/api/incidents/1"

SPELLINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "status": {
        "Active": ("Active", "active", "ACTIVE"),
        "InProgress": ("InProgress", "inprogress", "inProgress"),
        "Resolved": ("Resolved", "resolved"),
        "Redirected": ("Redirected", "redirected"),
    },
    "classification": {
        "Unknown": ("Unknown", "unknown"),
        "TruePositive": ("TruePositive", "truepositive", "True positive"),
        "FalsePositive": ("FalsePositive", "falsePositive", "False positive"),
        "InformationalExpectedActivity": ("InformationalExpectedActivity", "Informational, expected activity"),
    },
    "determination": {
        "NotAvailable": ("NotAvailable", "notavailable"),
        "Apt": ("Apt", "APT"),
        "Malware": ("Malware", "malware"),
        "SecurityPersonnel": ("SecurityPersonnel",),
        "SecurityTesting": ("SecurityTesting", "Security test"),
        "UnwantedSoftware": ("UnwantedSoftware", "Unwanted software"),
        "Other": ("Other", "other"),
        "MultiStagedAttack": ("MultiStagedAttack", "Multistage attack", "Multi staged attack"),
        "MaliciousUserActivity": ("MaliciousUserActivity", "Malicious user activity"),
        "CompromisedAccount": ("CompromisedAccount", "CompromisedUser", "Compromised account"),
        "Phishing": ("Phishing", "PHISHING"),
        "LineOfBusinessApplication": ("LineOfBusinessApplication", "Line-of-business application"),
        "ConfirmedActivity": ("ConfirmedActivity", "ConfirmedUserActivity", "Confirmed activity"),
        "Clean": ("Clean", "NotMalicious", "Not malicious"),
        "NoEnoughDataToValidate": (
            "NoEnoughDataToValidate",
            "NotEnoughDataToValidate",
            "InsufficientData",
            "Not enough data to validate",
        ),
    },
}
"""By property: what is answered, and how pages of this API and of Defender for Endpoint write it."""


@pytest.fixture
def filled(application: Application) -> Application:
    for number in range(3):
        new_alert(application, number)
        application.clock.advance(60)
    return application


@pytest.mark.parametrize("host", load_operations()["defender"].hosts)
@pytest.mark.parametrize("path", ["/api/incidents", "/api/v1.0/incidents", "/API/V1.0/Incidents"])
def test_every_host_and_both_paths_answer(filled: Application, host: str, path: str) -> None:
    answer = filled.client("xdr").send("GET", path, host=host)
    assert answer.status == 200
    document = answer.json()
    assert document["@odata.context"] == f"https://{host}/api/$metadata#Incidents"
    assert [each["incidentId"] for each in document["value"]] == [3, 2, 1]
    one = filled.client("xdr").send("GET", f"{path}/2", host=host).json()
    assert one["@odata.context"] == f"https://{host}/api/$metadata#Incidents/$entity"
    assert {name: value for name, value in one.items() if name != "@odata.context"} == document["value"][1]


@pytest.mark.parametrize(
    ("property_", "given", "answered"),
    [
        (property_, given, answered)
        for property_, values in SPELLINGS.items()
        for answered, spellings in values.items()
        for given in spellings
    ],
)
def test_every_documented_spelling_is_taken_and_one_is_answered(
    filled: Application, property_: str, given: str, answered: str
) -> None:
    answer = filled.client("xdr").patch(INCIDENT, {property_: given})
    assert answer.status == 200
    assert answer.json()[property_] == answered


def test_every_value_that_is_answered_is_documented_here() -> None:
    enums = {"status": "incidentStatus", "classification": "alertClassification", "determination": "alertDetermination"}
    for property_, name in enums.items():
        enum = load_enums()[name]
        assert {enum.defender(each.name) for each in enum.members if not each.hidden} == set(SPELLINGS[property_])


def test_the_documented_update(filled: Application) -> None:
    body = {
        "status": "Resolved",
        "assignedTo": "secop2@contoso.com",
        "classification": "TruePositive",
        "determination": "Malware",
        "tags": ["Yossi's playground", "Don't mess with the Zohan"],
        "comment": "pen testing",
    }
    answer = filled.client("xdr").patch(INCIDENT, body)
    assert answer.status == 200
    document = answer.json()
    for name in ("status", "assignedTo", "classification", "determination", "tags"):
        assert document[name] == body[name]
    (comment,) = document["comments"]
    assert (comment["comment"], comment["createdBy"]) == ("pen testing", "Heron connector")
    assert {alert["status"] for alert in document["alerts"]} == {"Resolved"}
    assert document == filled.client("xdr").get(INCIDENT).json()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"status": "Closed"}, "status"),
        ({"status": None}, "status"),
        ({"status": 1}, "status"),
        ({"classification": "Maybe"}, "classification"),
        ({"determination": ["Malware"]}, "determination"),
        ({"assignedTo": 7}, "assignedTo"),
        ({"tags": "one"}, "tags"),
        ({"tags": None}, "tags"),
        ({"tags": [1]}, "tags"),
        ({"comment": {"text": "x"}}, "comment"),
        ({"comment": " "}, "comment"),
        ({"comments": ["x"]}, "comments"),
        ({"severity": "High"}, "severity"),
        ({"incidentId": 2}, "incidentId"),
    ],
)
def test_a_body_that_is_not_documented_changes_nothing(filled: Application, body: dict[str, Any], named: str) -> None:
    before = filled.client("xdr").get(INCIDENT).json()
    answer = filled.client("xdr").patch(INCIDENT, {"assignedTo": "eve", "comment": "half", **body})
    error = answer.json()["error"]
    assert (answer.status, error["code"], named in error["message"]) == (400, "InvalidRequestBody", True)
    assert error["target"]
    assert filled.client("xdr").get(INCIDENT).json() == before


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("createdTime ge 2025-11-23T12:01:00Z", [3, 2]),
        ("createdTime gt 2025-11-23T12:01:00.0000000Z", [3]),
        ("lastUpdateTime le 2025-11-23T12:01:00+00:00", [2, 1]),
        ("lastUpdateTime lt 2025-11-23T14:01:00+02:00", [1]),
        ("lastUpdateTime ge '2025-11-23T12:02:00Z'", [3]),
        ("createdTime ge 2025-11-23", [3, 2, 1]),
        ("createdTime gt 2025-11-23T12:01Z", [3]),
        ("createdTime ge 2025-11-23T12:01:00Z and createdTime lt 2025-11-23T12:02:00Z", [2]),
        ("status eq 'Active'", [3, 2, 1]),
        ("status eq 'active' and not (status ne 'ACTIVE')", [3, 2, 1]),
        ("status in ('Resolved','InProgress')", []),
        ("assignedTo eq null", [3, 2, 1]),
        ("assignedTo eq 'o''neil'", []),
        ("(status eq 'Active' or assignedTo eq 'ann') and createdTime lt 2025-11-23T12:01:00Z", [1]),
    ],
)
@pytest.mark.parametrize("space", ["%20", "+"])
def test_what_may_be_filtered_by(filled: Application, condition: str, expected: list[int], space: str) -> None:
    written = quote(condition, safe=" '():,").replace(" ", space)
    answer = filled.client("xdr").get(f"/api/incidents?$filter={written}")
    assert answer.status == 200, answer.body
    assert [each["incidentId"] for each in answer.json()["value"]] == expected


@pytest.mark.parametrize(
    "query",
    [
        "$filter=severity eq 'High'",
        "$filter=incidentName eq 'x'",
        "$filter=status eq 'Closed'",
        "$filter=createdTime ge yesterday",
        "$filter=createdTime ge 2025-13-01T00:00:00Z",
        "$filter=" + "(" * 300 + "status eq 'Active'" + ")" * 300,
        "$top=101",
        "$top=-1",
        "$top=ten",
        "$skip=-1",
        "$expand=alerts",
        "$search=x",
    ],
)
def test_what_may_not_be_asked(filled: Application, query: str) -> None:
    answer = filled.client("xdr").get(f"/api/incidents?{quote(query, safe='$=')}")
    assert (answer.status, answer.json()["error"]["code"]) == (400, "ODataError")


def _entity(application: Application, evidence: Evidence) -> dict[str, Any]:
    now = now_ticks(application.clock)
    new = NewAlert(
        title="Mail",
        severity="low",
        category="InitialAccess",
        service_source="microsoftDefenderForOffice365",
        detection_source="microsoftDefenderForOffice365",
        first_activity=now,
        last_activity=now,
        evidence=(evidence,),
    )
    with application.store.begin() as connection:
        incident_id = create(connection, HOME, new, application.clock, RandomIds()).alert.incident_id
    incident = application.client("xdr").get(f"/api/incidents/{incident_id}").json()
    assert incident["detectionSource"] == "OfficeATP"
    (entity,) = incident["alerts"][0]["entities"]
    return {name: value for name, value in entity.items() if value is not None}


def test_messages_and_mailboxes_are_as_documented(application: Application) -> None:
    message = MailMessageEvidence(
        network_message_id="n",
        sender="user.abc@mail.contoso.co.in",
        sender_ip="203.0.113.7",
        recipient="test.User4@contoso.com",
        subject="[EXTERNAL] Attention",
        delivery_action="Delivered",
    )
    assert _entity(application, message) == {
        "entityType": "MailMessage",
        "userPrincipalName": "test.User4@contoso.com",
        "sender": "user.abc@mail.contoso.co.in",
        "recipient": "test.User4@contoso.com",
        "subject": "[EXTERNAL] Attention",
        "deliveryAction": "Delivered",
    }
    account = UserAccount(user_principal_name="testUser4@contoso.com")
    mailbox = MailboxEvidence(primary_address="test.User4@contoso.com", display_name="test User4", account=account)
    assert _entity(application, mailbox) == {
        "entityType": "MailBox",
        "userPrincipalName": "testUser4@contoso.com",
        "mailboxDisplayName": "test User4",
        "mailboxAddress": "test.User4@contoso.com",
    }
