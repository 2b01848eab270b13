"""Subscriptions: validation, renewal, expiry, and notifications that carry their signature."""

import base64
import datetime
import hashlib
import hmac
import json
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding

from tests.api_fakes import HOME, Application
from tests.unit.api.test_paging_under_change import new_alert
from vedette.api.graph.subscriptions import subscription_filters
from vedette.clock import now_ticks
from vedette.context import EVERYTHING, DataScope
from vedette.contracts.notifications import load_notifications
from vedette.egress.errors import EgressFailedError
from vedette.egress.transport import EgressResponse
from vedette.errors import InvalidRequestError
from vedette.ids import RandomIds
from vedette.incidents.changes import ALERT_CHANGED, INCIDENT_CHANGED
from vedette.jobs.outbox import OutboxRelay
from vedette.jobs.queue import JobQueue
from vedette.server.resource_data import describe_resource
from vedette.store.secrets import Secret
from vedette.streaming.delivery import DELIVER, FAN_OUT, Delivery, Reach
from vedette.streaming.lifecycle import END, WARN, DeliveryParts, Lifecycle
from vedette.streaming.sending import SIGNATURE, DeliveryError
from vedette.streaming.subscriptions import Subscription, Subscriptions

BODY = {
    "changeType": "created,updated",
    "notificationUrl": "https://hooks.contoso.test/graph",
    "resource": "security/alerts_v2?$filter=severity eq 'high'",
    "expirationDateTime": "2025-11-24T12:00:00Z",
    "clientState": "a secret",
}


RESOURCES = ("security/alerts", "security/alerts_v2", "security/incidents")


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


def reach(*_: object) -> DataScope:
    """Subscribers here are told everything."""
    return EVERYTHING


def vouch(tenant_id: str, subscription: Subscription) -> str:
    """Stands for a validation token."""
    return f"token of {tenant_id} for {subscription.application_id}"


def parts_of(application: Application, receiver: Receiver) -> DeliveryParts:
    queue = JobQueue(application.store, application.clock, RandomIds())
    return DeliveryParts(application.store, queue, receiver, application.sealer, application.clock)


def watch_all(application: Application, receiver: Receiver) -> None:
    """What the composition root has done when a subscription is made or renewed."""
    with application.store.begin() as connection:
        for subscription in Subscriptions(connection, HOME, application.sealer).live(now_ticks(application.clock)):
            Lifecycle(parts_of(application, receiver)).watch(connection, HOME, subscription)


def events(receiver: Receiver) -> list[tuple[object, object]]:
    """Lifecycle notifications that were taken: subscription and event."""
    found = [each for document, *_ in receiver.taken for each in document["value"] if "lifecycleEvent" in each]
    return [(each["subscriptionId"], each["lifecycleEvent"]) for each in found]


def deliver_all(application: Application, receiver: Receiver, told: Reach = reach) -> int:
    """Relay what happened and run the jobs of notifications; how many deliveries failed."""
    queue = JobQueue(application.store, application.clock, RandomIds())
    topics = {ALERT_CHANGED: (FAN_OUT,), INCIDENT_CHANGED: (FAN_OUT,)}
    OutboxRelay(application.store, queue, topics).relay()
    parts = parts_of(application, receiver)
    delivery, lifecycle = Delivery(parts, subscription_filters(), describe_resource, told, vouch), Lifecycle(parts)
    handlers = {FAN_OUT: delivery.fan_out, DELIVER: delivery.deliver, WARN: lifecycle.warn, END: lifecycle.end}
    failed = 0
    while (job := queue.claim()) is not None:
        try:
            handlers[job.kind](job)
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
    assert created.json()["clientState"] == "a secret"
    path = f"/v1.0/subscriptions/{created.json()['id']}"
    assert created.headers["location"] == f"https://localhost{path}"
    assert graph.get(path).json()["clientState"] is None
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


@pytest.mark.parametrize("resource", ["security/alerts_v2", "/security/incidents"])
@pytest.mark.parametrize(
    ("scope", "is_told"),
    [
        (EVERYTHING, True),
        (DataScope(sources=frozenset({"endpoint"})), True),
        (DataScope(sources=frozenset({"office"})), False),
        (DataScope(device_groups=frozenset({1})), False),
        (None, False),
    ],
)
def test_subscribers_are_told_of_what_they_see(
    application: Application, resource: str, scope: DataScope | None, is_told: bool
) -> None:
    text, _ = certificate()
    rich = {"includeResourceData": True, "encryptionCertificate": text, "encryptionCertificateId": "mine"}
    body = {**BODY, **rich, "resource": resource}
    assert application.client("graph").post("/v1.0/subscriptions", body).status == 201
    new_alert(application, 2)
    receiver = Receiver()
    assert deliver_all(application, receiver, lambda *_: scope) == 0
    assert bool(receiver.taken) is is_told


def test_who_sees_less_when_it_is_delivered_is_not_told(application: Application) -> None:
    application.client("graph").post("/v1.0/subscriptions", BODY)
    new_alert(application, 2)
    receiver, asked = Receiver(), list[object]()

    def first_everything(*about: object) -> DataScope | None:
        asked.append(about)
        return EVERYTHING if len(asked) == 1 else None

    assert deliver_all(application, receiver, first_everything) == 0
    assert (len(asked), receiver.taken) == (2, [])


def test_what_is_not_taken_is_tried_again(application: Application) -> None:
    application.client("graph").post("/v1.0/subscriptions", {**BODY, "resource": "/security/incidents"})
    new_alert(application, 1)
    receiver = Receiver()
    receiver.status = 503
    assert deliver_all(application, receiver) == 0
    application.clock.advance(60)
    receiver.is_away = True
    assert deliver_all(application, receiver) == 0
    application.clock.advance(60)
    receiver.is_away, receiver.status = False, 200
    assert deliver_all(application, receiver) == 0
    assert [taken["value"][0]["resource"] for taken, *_ in receiver.taken] == ["security/incidents/1"] * 2
    assert len({taken["value"][0]["id"] for taken, *_ in receiver.taken}) == 1


def test_it_is_tried_for_four_hours(application: Application) -> None:
    expires = {"expirationDateTime": "2025-12-01T00:00:00Z"}
    body = {**BODY, **expires, "lifecycleNotificationUrl": "https://hooks.contoso.test/life"}
    application.client("graph").post("/v1.0/subscriptions", body)
    new_alert(application, 2)
    receiver = Receiver()
    receiver.status = 503
    tried = []
    for _ in range(3 * 60):
        deliver_all(application, receiver)
        tried.append(len(receiver.taken))
        application.clock.advance(60)
    assert tried[-1] > tried[60] > tried[5] > 3, "ever less often, but on and on"
    receiver.status = 202
    for _ in range(20):
        deliver_all(application, receiver)
        application.clock.advance(60)
    assert events(receiver) == []
    assert len(receiver.taken) == tried[-1] + 1


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
        ({"includeResourceData": True}, 400),
        ({"colour": "red"}, 400),
        ({"latestSupportedTlsVersion": "v2"}, 400),
        ({"notificationUrlAppId": "mine"}, 400),
    ],
)
def test_what_is_refused(application: Application, change: dict[str, object], status: int) -> None:
    assert application.client("graph").post("/v1.0/subscriptions", {**BODY, **change}).status == status
    assert application.validated == []


def test_an_address_has_to_repeat_the_token(application: Application) -> None:
    class Echo(Receiver):
        def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> EgressResponse:
            return EgressResponse(url, 200, {}, b"hello")

    def delivery(receiver: Receiver) -> Delivery:
        return Delivery(parts_of(application, receiver), subscription_filters(), describe_resource, reach, vouch)

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


def certificate(bits: int = 2048) -> tuple[str, rsa.RSAPrivateKey]:
    """A certificate of a subscriber, and its key."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver")])
    start = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=3650))
    signed = builder.sign(key, hashes.SHA256())
    return base64.b64encode(signed.public_bytes(Encoding.DER)).decode(), key


def test_resource_data_is_encrypted_for_the_subscriber(application: Application) -> None:
    text, key = certificate()
    rich = {"includeResourceData": True, "encryptionCertificate": text, "encryptionCertificateId": "mine"}
    created = application.client("graph").post("/v1.0/subscriptions", {**BODY, **rich})
    assert (created.status, created.json()["includeResourceData"]) == (201, True)
    assert (created.json()["encryptionCertificateId"], created.json()["encryptionCertificate"]) == ("mine", None)
    alert_id = new_alert(application, 2)
    receiver = Receiver()
    assert deliver_all(application, receiver) == 0
    document = receiver.taken[0][0]
    assert document["validationTokens"] == [f"token of {HOME} for {created.json()['applicationId']}"]
    content = document["value"][0]["encryptedContent"]
    assert content["encryptionCertificateId"] == "mine"
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
    data_key, data = key.decrypt(base64.b64decode(content["dataKey"]), oaep), base64.b64decode(content["data"])
    assert base64.b64decode(content["dataSignature"]) == hmac.new(data_key, data, hashlib.sha256).digest()
    decryptor = Cipher(algorithms.AES(data_key), modes.CBC(data_key[:16])).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    resource = json.loads(unpadder.update(padded) + unpadder.finalize())
    assert (resource["id"], resource["@odata.type"]) == (alert_id, "#microsoft.graph.security.alert")


@pytest.mark.parametrize("wrong", ["none", "id", "text", "small"])
def test_wrong_certificates(application: Application, wrong: str) -> None:
    rich = {"includeResourceData": True, "encryptionCertificate": certificate()[0], "encryptionCertificateId": "mine"}
    if wrong == "small":
        rich["encryptionCertificate"] = certificate(1024)[0]
    elif wrong == "text":
        rich["encryptionCertificate"] = "AAAA"
    else:
        del rich["encryptionCertificate" if wrong == "none" else "encryptionCertificateId"]
    assert application.client("graph").post("/v1.0/subscriptions", {**BODY, **rich}).status == 400


def test_the_subscriber_is_warned_before_the_end(application: Application) -> None:
    receiver = Receiver()
    graph = application.client("graph")
    body = {**BODY, "lifecycleNotificationUrl": "https://hooks.contoso.test/life"}
    first, second = (graph.post("/v1.0/subscriptions", body).json()["id"] for _ in range(2))
    watch_all(application, receiver)
    assert deliver_all(application, receiver) == 0
    renewed = {"expirationDateTime": "2025-12-01T00:00:00Z"}
    assert graph.patch(f"/v1.0/subscriptions/{second}", renewed).json()["clientState"] is None
    watch_all(application, receiver)
    application.clock.advance(86_400 - 600)
    assert deliver_all(application, receiver) == 0
    assert events(receiver) == [(first, "reauthorizationRequired")]
    assert graph.send("POST", f"/v1.0/subscriptions/{first}/reauthorize").status == 204
    assert application.client("graph-other").send("POST", f"/v1.0/subscriptions/{first}/reauthorize").status == 404
    application.clock.advance(700)
    assert deliver_all(application, receiver) == 0
    assert events(receiver)[1:] == [(first, "subscriptionRemoved")]
    assert graph.send("POST", f"/v1.0/subscriptions/{first}/reauthorize").status == 404
    assert [each["id"] for each in graph.get("/v1.0/subscriptions").json()["value"]] == [second]
    application.clock.advance(8 * 86_400)
    assert deliver_all(application, receiver) == 0
    assert events(receiver)[2:] == [(second, "subscriptionRemoved")]
    with application.store.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM subscriptions").scalar() == 0


def test_an_end_that_nobody_takes_is_the_end_all_the_same(application: Application) -> None:
    receiver = Receiver()
    body = {**BODY, "lifecycleNotificationUrl": "https://hooks.contoso.test/life"}
    application.client("graph").post("/v1.0/subscriptions", body)
    watch_all(application, receiver)
    receiver.is_away = True
    application.clock.advance(86_401)
    for _ in range(10):
        deliver_all(application, receiver)
        application.clock.advance(600)
    with application.store.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM subscriptions").scalar() == 0


def test_who_may_not_be_told_any_more_loses_the_subscription(application: Application) -> None:
    graph, receiver = application.client("graph"), Receiver()
    body = {**BODY, "lifecycleNotificationUrl": "https://hooks.contoso.test/life"}
    path = f"/v1.0/subscriptions/{graph.post('/v1.0/subscriptions', body).json()['id']}"
    new_alert(application, 2)
    assert deliver_all(application, receiver, lambda *_: None) == 0
    assert [event for _, event in events(receiver)] == ["subscriptionRemoved"]
    assert len(receiver.taken) == 1
    assert graph.get(path).status == 404


def test_what_was_not_taken_in_time_is_told_of(application: Application) -> None:
    body = {**BODY, "lifecycleNotificationUrl": "https://hooks.contoso.test/life"}
    expires = {"expirationDateTime": "2025-12-01T00:00:00Z"}
    application.client("graph").post("/v1.0/subscriptions", {**body, **expires})
    new_alert(application, 2)
    receiver = Receiver()
    receiver.status = 503
    assert deliver_all(application, receiver) == 0
    receiver.taken.clear()
    receiver.status = 200
    application.clock.advance(load_notifications().delivery_seconds + 60)
    assert deliver_all(application, receiver) == 0
    assert [event for _, event in events(receiver)] == ["missed"]
    assert len(receiver.taken) == 1


def test_subscriptions_are_a_list(application: Application) -> None:
    graph = application.client("graph")
    made = [graph.post("/v1.0/subscriptions", {**BODY, "resource": each}).json()["id"] for each in RESOURCES]
    page = graph.get("/v1.0/subscriptions?$select=id,resource&$count=true&$top=2").json()
    assert (page["@odata.count"], len(page["value"])) == (3, 2)
    assert set(page["value"][0]) == {"id", "resource"}
    rest = graph.get(page["@odata.nextLink"].partition("localhost")[2]).json()
    assert sorted(each["id"] for each in page["value"] + rest["value"]) == sorted(made)
    filtered = graph.get("/v1.0/subscriptions?$filter=resource%20eq%20'security/incidents'").json()
    assert [each["id"] for each in filtered["value"]] == made[2:]
    assert set(graph.get(f"/v1.0/subscriptions/{made[0]}?$select=resource").json()) == {"@odata.context", "resource"}


def test_what_was_said_of_the_receiver_is_answered(application: Application) -> None:
    app = "99999999-0000-4000-8000-000000000001"
    said = {"latestSupportedTlsVersion": "v1_3", "notificationUrlAppId": app}
    graph = application.client("graph")
    created = graph.post("/v1.0/subscriptions", {**BODY, **said}).json()
    read = graph.get(f"/v1.0/subscriptions/{created['id']}").json()
    assert {name: read[name] for name in said} == {name: created[name] for name in said} == said
    assert graph.post("/v1.0/subscriptions", BODY).json()["latestSupportedTlsVersion"] == "v1_2"
