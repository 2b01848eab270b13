"""Who may do what concerns the whole installation: nobody but its owner."""

import pytest

from tests.api_fakes import HOME, OTHER, find_tenant, principal
from vedette.api.auth import Administrators, Authenticator, Scrapers
from vedette.context import Principal
from vedette.contracts.operations import load_operations
from vedette.errors import PermissionDeniedError, UnauthenticatedError
from vedette.identity.errors import MalformedTokenError

ROLE = "Vedette.Administer"
PRINCIPALS = {
    "owner": principal("vedette", ROLE),
    "ingest": principal("vedette", "Vedette.Ingest"),
    "partner": principal("vedette", ROLE, tenant_id=OTHER),
    "graph": principal("graph", ROLE),
    "person": principal("vedette", ROLE, scopes=(ROLE,), kind="user"),
}


class Tokens:
    def verify(self, token: str) -> Principal:
        if token not in PRINCIPALS:
            raise MalformedTokenError
        return PRINCIPALS[token]


def admit(token: str | None, local: str | None = "local-token", home: str | None = HOME) -> object:
    document = load_operations()["vedette"]
    administrators = Administrators(
        Authenticator(Tokens(), find_tenant), lambda: local, lambda: find_tenant(home) if home else None
    )
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return administrators.admit(headers, document, document.operations[0])


def test_the_holder_of_the_local_token_and_the_home_tenant_s_administrator() -> None:
    assert admit("local-token") is None
    assert admit("owner") == (PRINCIPALS["owner"], find_tenant(HOME))


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (None, UnauthenticatedError),
        ("", UnauthenticatedError),
        ("local-toke", MalformedTokenError),
        ("graph", UnauthenticatedError),
        ("ingest", PermissionDeniedError),
        ("partner", PermissionDeniedError),
        ("person", PermissionDeniedError),
    ],
)
def test_nobody_else(token: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        admit(token)


@pytest.mark.parametrize("local", [None, ""])
def test_without_a_local_token_nothing_is_one(local: str | None) -> None:
    for token in ("", "None"):
        with pytest.raises((UnauthenticatedError, MalformedTokenError)):
            admit(token, local)


def test_without_a_home_tenant_no_application_is_one() -> None:
    with pytest.raises(PermissionDeniedError):
        admit("owner", home=None)


def test_every_operation_is_for_administrators_only() -> None:
    assert {each.authentication for each in load_operations()["vedette"].operations} == {"administrator"}


@pytest.mark.parametrize(
    ("address", "token", "behind_proxy", "sent", "may"),
    [
        ("127.0.0.1", None, False, None, True),
        ("::1", None, False, None, True),
        ("::ffff:127.0.0.1", None, False, None, True),
        ("192.0.2.7", None, False, None, False),
        ("unix", None, False, None, False),
        ("127.0.0.1", None, True, None, False),
        ("127.0.0.1", "scrape", False, None, False),
        ("127.0.0.1", "scrape", False, "scrap", False),
        ("192.0.2.7", "scrape", False, "scrape", True),
        ("192.0.2.7", "scrape", True, "scrape", True),
        ("192.0.2.7", "", False, "", False),
        ("192.0.2.7", None, True, "local-token", True),
        ("192.0.2.7", "scrape", False, "local-token", True),
    ],
)
def test_who_may_read_the_metrics(
    address: str, token: str | None, behind_proxy: bool, sent: str | None, may: bool
) -> None:
    scrapers = Scrapers(lambda: token, lambda: "local-token", behind_proxy=behind_proxy)
    headers = {} if sent is None else {"authorization": f"Bearer {sent}"}
    if may:
        scrapers.admit(headers, address)
    else:
        with pytest.raises(UnauthenticatedError):
            scrapers.admit(headers, address)
