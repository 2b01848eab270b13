"""What the login service tells the hunting tables, from the outbox row to the row of the lake."""

import json

import pyarrow as pa
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from vedette.clock import to_ticks
from vedette.contracts.tables import load_tables
from vedette.identity import audit
from vedette.identity.audit_rows import IdentityTables
from vedette.jobs.queue import Job
from vedette.jobs.tables import OUTBOX

from .browser import Browser
from .world import MTP, PASSWORD, World


class RecordingLake:
    """Keeps what is appended, once per batch id."""

    def __init__(self) -> None:
        self.batches: dict[str, dict[str, pa.Table]] = {}

    def append(self, tenant_id: str, batch_id: str, rows: dict[str, pa.Table], summary: bytes) -> bytes | None:
        self.batches.setdefault(f"{tenant_id}/{batch_id}", rows)
        return None

    def flush(self, tenant_id: str) -> None:
        """Nothing waits."""


def rows(world: World, table: str, tenant_id: str = "") -> list[dict[str, object]]:
    """The rows that the worker would have written."""
    world.services.audit.flush()
    lake = RecordingLake()
    wanted = tenant_id or world.seed.home.tenant_id
    with world.store.connect() as connection:
        for row in connection.execute(
            select(OUTBOX).where(OUTBOX.c.topic == audit.TOPIC, OUTBOX.c.tenant_id == wanted)
        ):
            job = Job(tenant_id=row.tenant_id, job_id="j", kind="k", payload=row.payload, attempt=1, lease_id="l")
            IdentityTables(lake).write(job)
            IdentityTables(lake).write(job)
    known = {column.name for column in load_tables()[table].columns}
    found = [row for batch in lake.batches.values() if table in batch for row in batch[table].to_pylist()]
    assert all(set(row) <= known for row in found)
    return found


def test_an_applications_sign_in(world: World) -> None:
    world.token()
    refused = world.request("token_v2", form=world.client_credentials(client_secret="wrong"))
    assert refused.status == 401
    good, bad = rows(world, "EntraIdSpnSignInEvents")
    assert good["Timestamp"] == to_ticks(world.clock.time())
    assert (good["ErrorCode"], bad["ErrorCode"]) == (0, 7000215)
    assert good["ServicePrincipalName"] == good["Application"] == "Hunter"
    assert good["ApplicationId"] == world.seed.app.app_id
    assert good["ResourceDisplayName"] == "Microsoft Threat Protection"
    assert good["IPAddress"] == "192.0.2.7"
    assert good["ServicePrincipalId"]
    assert good["ReportId"] != bad["ReportId"]
    assert rows(world, "EntraIdSpnSignInEvents", world.seed.customer.tenant_id) == []


def password(world: World, secret: str) -> None:
    form = {
        "grant_type": "password",
        "client_id": world.seed.native.app_id,
        "username": "ada@contoso.example",
        "password": secret,
        "scope": f"{MTP}/Incident.Read",
    }
    world.request("token_v2", form=form, headers={"user-agent": "script/1"})


def test_a_persons_sign_ins(world: World) -> None:
    password(world, PASSWORD.reveal())
    password(world, "wrong")
    good, bad = sorted(rows(world, "EntraIdSignInEvents"), key=lambda row: row["ErrorCode"])
    assert (good["ErrorCode"], bad["ErrorCode"]) == (0, 50126)
    assert good["AccountUpn"] == bad["AccountUpn"] == "ada@contoso.example"
    assert json.loads(good["LogonType"]) == ["nonInteractiveUser"]
    assert good["IsConfidentialClient"] is False
    assert good["AuthenticationRequirement"] == "singleFactorAuthentication"
    assert good["UserAgent"] == "script/1"
    assert "wrong" not in json.dumps(bad, default=str).replace("wrongly", "")


def test_pages_tell_of_sign_ins_and_consent(world: World) -> None:
    browser = Browser(world)
    query = {
        "client_id": world.seed.native.app_id,
        "response_type": "code",
        "redirect_uri": "http://localhost",
        "scope": "https://graph.microsoft.com/User.Read",
    }
    page = browser.get(f"/{world.seed.home.tenant_id}/oauth2/v2.0/authorize", query)
    browser.sign_in(page, password="wrong")
    browser.submit(browser.sign_in(page), answer="accept")
    by_code = {row["ErrorCode"]: row for row in rows(world, "EntraIdSignInEvents")}
    assert set(by_code) == {0, 50126}
    assert json.loads(by_code[0]["LogonType"]) == ["interactiveUser"]
    assert by_code[0]["Application"] == "Desktop"
    [change] = rows(world, "IdentityDirectoryEvents")
    assert (change["ActionType"], change["Application"]) == ("Consent to application", "Desktop")
    assert json.loads(change["AdditionalFields"])["permissions"] == "User.Read"
    assert (change["AccountName"], change["AccountDomain"]) == ("ada", "contoso.example")


def test_a_sign_in_that_is_not_stored_is_not_told(world: World) -> None:
    change = audit.DirectoryChange(
        tenant_id=world.seed.home.tenant_id, action="x", actor_id="", actor_name="a@b", actor_display_name=""
    )

    def fail() -> None:
        with world.store.begin() as connection:
            world.services.audit.publish(connection, change)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert rows(world, "IdentityDirectoryEvents") == []


def test_many_sign_ins_are_one_write(world: World) -> None:
    for _ in range(audit.MAXIMUM_GATHERED - 1):
        world.services.audit.gather(
            audit.SignIn(tenant_id=world.seed.home.tenant_id, app_id="a", app_name="A" * 5000, is_confidential=True)
        )
    with world.store.connect() as connection:
        assert connection.execute(select(OUTBOX)).first() is None
    found = rows(world, "EntraIdSpnSignInEvents")
    assert len(found) == audit.MAXIMUM_GATHERED - 1
    assert len(found[0]["Application"]) == audit.MAXIMUM_TEXT


def test_close_writes_the_rest(world: World) -> None:
    world.services.audit.start()
    world.token()
    world.services.audit.close()
    with world.store.connect() as connection:
        assert connection.execute(select(OUTBOX)).first() is not None


def test_what_cannot_be_written_waits(world: World) -> None:
    world.token()
    with world.store.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE outbox RENAME TO elsewhere")
    with pytest.raises(OperationalError):
        world.services.audit.flush()
    with world.store.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO outbox")
    assert len(rows(world, "EntraIdSpnSignInEvents")) == 1
