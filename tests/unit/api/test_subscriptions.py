"""Subscriptions: validation, renewal, expiry, and notifications that carry their signature."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api_fakes import HOME, Application
from tests.unit.api.test_paging_under_change import new_alert
from vedette.api.graph.subscriptions import subscription_filters
from vedette.egress.errors import EgressFailedError
from vedette.egress.transport import EgressResponse
from vedette.errors import InvalidRequestError
from vedette.ids import RandomIds
from vedette.incidents.changes import ALERT_CHANGED, INCIDENT_CHANGED
from vedette.jobs.outbox import OutboxRelay
from vedette.jobs.queue import JobQueue
from vedette.store.secrets import Secret
from vedette.streaming.delivery import DELIVER, FAN_OUT, SIGNATURE, Delivery, DeliveryError, DeliveryParts

BODY = {
    "changeType": "created,updated",
    "notificationUrl": "https://hooks.contoso.test/graph",
    "resource": "security/alerts_v2?$filter=severity eq 'high'",
    "expirationDateTime": "2025-11-24T12:00:00Z",
    "clientState": "a secret",
}


class Receiver:
    """Takes what is posted; answers validation tokens. `status` is its answer to notifications."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, object], Mapping[str, str], bytes]] = []
        self.status = 202
        self.is_away = False

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> EgressResponse:
        if self.is_away:
            raise EgressFailedError(url, "connection")
        tokens = parse_qs(urlsplit(url).query).get("validationToken")
        if tokens:
            return EgressResponse(url, 200, {}, tokens[0].encode())
        self.taken.append((json.loads(body), headers, body))
        return EgressResponse(url, self.status, {}, b"")


def deliver_all(application: Application, receiver: Receiver) -> int:
    """Relay what happened and run the jobs of notifications; how many deliveries failed."""
    queue = JobQueue(application.store, application.clock, RandomIds())
    topics = {ALERT_CHANGED: (FAN_OUT,), INCIDENT_CHANGED: (FAN_OUT,)}
    OutboxRelay(application.store, queue, topics).relay()
    parts = DeliveryParts(application.store, queue, receiver, application.sealer, application.clock)
    delivery = Delivery(parts, subscription_filters())
    failed = 0
    while (job := queue.claim()) is not None:
        try:
            {FAN_OUT: delivery.fan_out, DELIVER: delivery.deliver}[job.kind](job)
        except DeliveryError as error:
            queue.fail(job, str(error))
            failed += 1
        else:
            queue.complete(job)
    return failed


def test_a_notification_is_told_once_and_signed(application: Application) -> None:
    graph = application.client("graph")
    created = graph.post("/v1.0/subscriptions", BODY)
    assert created.status == 201
    assert created.json()["clientState"] is None
    assert application.validated == ["https://hooks.contoso.test/graph"]
    high, _low = new_alert(application, 2), new_alert(application, 0)
    receiver = Receiver()
    assert deliver_all(application, receiver) == 0
    ((document, headers, body),) = receiver.taken
    (notification,) = document["value"]
    assert notification["subscriptionId"] == created.json()["id"]
    assert (notification["changeType"], notification["clientState"]) == ("created", "a secret")
    assert notification["tenantId"] == HOME
    assert notification["resourceData"] == {
        "@odata.type": "#microsoft.graph.security.alert",
        "@odata.id": f"security/alerts_v2/{high}",
        "id": high,
    }
    moment, _, digest = headers[SIGNATURE].removeprefix("t=").partition(",v1=")
    assert digest == hmac.new(b"a secret", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    graph.patch(f"/v1.0/security/alerts_v2/{high}", {"status": "inProgress"})
    deliver_all(application, receiver)
    assert receiver.taken[1][0]["value"][0]["changeType"] == "updated"


def test_what_is_not_taken_is_tried_again(application: Application) -> None:
    application.client("graph").post("/v1.0/subscriptions", {**BODY, "resource": "/security/incidents"})
    new_alert(application, 1)
    receiver = Receiver()
    receiver.status = 503
    assert deliver_all(application, receiver) == 1
    application.clock.advance(60)
    receiver.is_away = True
    assert deliver_all(application, receiver) == 1
    application.clock.advance(60)
    receiver.is_away, receiver.status = False, 200
    assert deliver_all(application, receiver) == 0
    assert [taken["value"][0]["resource"] for taken, *_ in receiver.taken] == ["security/incidents/1"] * 2


def test_renewing_expiry_and_deleting(application: Application) -> None:
    graph = application.client("graph")
    path = f"/v1.0/subscriptions/{graph.post('/v1.0/subscriptions', BODY).json()['id']}"
    renewed = graph.patch(path, {"expirationDateTime": "2025-12-01T00:00:00Z"})
    assert renewed.json()["expirationDateTime"] == "2025-12-01T00:00:00.0000000Z"
    assert [each["id"] for each in graph.get("/v1.0/subscriptions").json()["value"]] == [path.rpartition("/")[2]]
    assert application.client("graph-other").get(path).status == 404
    assert graph.send("DELETE", path).status == 204
    assert graph.get(path).status == 404
    path = f"/v1.0/subscriptions/{graph.post('/v1.0/subscriptions', BODY).json()['id']}"
    application.clock.advance(86_401)
    assert graph.get(path).status == 404
    receiver = Receiver()
    new_alert(application, 2)
    deliver_all(application, receiver)
    assert receiver.taken == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"resource": "users"}, 400),
        ({"resource": "security/alerts?$filter=nothing eq 1"}, 400),
        ({"resource": "security/alerts?$top=1"}, 400),
        ({"changeType": "deleted"}, 400),
        ({"expirationDateTime": "2027-01-01T00:00:00Z"}, 400),
        ({"expirationDateTime": "2020-01-01T00:00:00Z"}, 400),
        ({"expirationDateTime": "soon"}, 400),
        ({"clientState": "x" * 129}, 400),
        ({"notificationUrl": "ftp://hooks.contoso.test"}, 400),
        ({"includeResourceData": True}, 501),
        ({"colour": "red"}, 400),
    ],
)
def test_what_is_refused(application: Application, change: dict[str, object], status: int) -> None:
    assert application.client("graph").post("/v1.0/subscriptions", {**BODY, **change}).status == status
    assert application.validated == []


def test_an_address_has_to_repeat_the_token(application: Application) -> None:
    class Echo(Receiver):
        def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> EgressResponse:
            return EgressResponse(url, 200, {}, b"hello")

    queue = JobQueue(application.store, application.clock, RandomIds())

    def delivery(receiver: Receiver) -> Delivery:
        parts = DeliveryParts(application.store, queue, receiver, application.sealer, application.clock)
        return Delivery(parts, subscription_filters())

    away = Receiver()
    away.is_away = True
    for receiver in (Echo(), away):
        with pytest.raises(InvalidRequestError):
            delivery(receiver).validate("https://hooks.contoso.test/a", "token")
    delivery(Receiver()).validate("https://hooks.contoso.test/a?b=c", "to ken&/")


def test_the_client_state_is_sealed_at_rest(application: Application) -> None:
    application.client("graph").post("/v1.0/subscriptions", BODY)
    with application.store.connect() as connection:
        row = connection.exec_driver_sql("SELECT client_state FROM subscriptions").one()
    assert b"a secret" not in row[0]
    assert "a secret" not in repr(Secret(b"a secret"))
