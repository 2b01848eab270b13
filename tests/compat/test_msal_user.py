"""msal, unmodified, on behalf of people: authorization code with PKCE, device code, password, refresh, on-behalf-of."""

import re
import threading
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import msal
import pytest
import requests

from .conftest import DemoServer
from .people import Person
from .test_msal import claims

INCIDENTS = ["https://api.security.microsoft.com/Incident.Read"]
REDIRECT = "http://localhost:18150"

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended:UserWarning"),
]


class PortKeeper(requests.Session):
    """msal asks for the user's realm at the authority's host without its port; this puts the port back."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url

    def request(self, method: str, url: str, *args: object, **options: object) -> requests.Response:
        bare = f"https://{urlsplit(self._base_url).hostname}/"
        address = self._base_url + url.removeprefix(bare[:-1]) if url.startswith(bare) else url
        return super().request(method, address, *args, **options)


def application(server: DemoServer, **options: object) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(
        server.app("public")["client_id"],
        authority=f"{server.base_url}/{server.home['tenant_id']}",
        instance_discovery=False,
        http_client=PortKeeper(server.base_url),
        **options,
    )


@pytest.fixture
def person(trusted: DemoServer) -> Iterator[Person]:
    with Person(trusted) as person:
        yield person


@pytest.mark.parametrize("prompt", [None, "login", "select_account"])
def test_authorization_code_with_pkce(trusted: DemoServer, person: Person, prompt: str | None) -> None:
    app = application(trusted)
    flow = app.initiate_auth_code_flow(INCIDENTS, redirect_uri=REDIRECT, prompt=prompt, login_hint=person.name)
    answer = person.sign_in(flow["auth_uri"])
    assert answer.status_code == 302, answer.text
    returned = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    result = app.acquire_token_by_auth_code_flow(flow, returned)
    assert "access_token" in result, result
    assert "Incident.Read" in claims(result["access_token"])["scp"]
    assert result["id_token_claims"]["preferred_username"] == person.name
    account = app.get_accounts()[0]
    assert account["username"] == person.name
    assert app.acquire_token_silent(INCIDENTS, account)["access_token"] == result["access_token"]
    renewed = app.acquire_token_silent(INCIDENTS, account, force_refresh=True)
    assert renewed["access_token"] != result["access_token"]


def test_form_post(trusted: DemoServer, person: Person) -> None:
    app = application(trusted)
    flow = app.initiate_auth_code_flow(INCIDENTS, redirect_uri=REDIRECT, response_mode="form_post")
    page = person.sign_in(flow["auth_uri"])

    returned = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text))
    assert "access_token" in app.acquire_token_by_auth_code_flow(flow, returned)


def test_a_declined_sign_in_is_told(trusted: DemoServer, person: Person) -> None:
    app = application(trusted)
    flow = app.initiate_auth_code_flow(INCIDENTS, redirect_uri=REDIRECT)
    answer = person.submit(person.open(flow["auth_uri"]), cancel="yes")
    returned = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert app.acquire_token_by_auth_code_flow(flow, returned)["error"] == "access_denied"


def test_device_code(trusted: DemoServer, person: Person) -> None:
    app = application(trusted)
    flow = app.initiate_device_flow(INCIDENTS)
    assert flow["verification_uri"] in flow["message"]
    page = person.submit(person.open(flow["verification_uri"]), user_code=flow["user_code"])
    confirm = person.submit(page, username=person.name, password=person.password)
    flow["interval"] = 1
    answers: list[dict[str, object]] = []
    waiting = threading.Thread(target=lambda: answers.append(app.acquire_token_by_device_flow(flow)))
    waiting.start()
    assert "You are signed in" in person.submit(confirm, answer="accept").text
    waiting.join(timeout=20)
    assert "Incident.Read" in claims(str(answers[0]["access_token"]))["scp"]


def test_password_and_refresh(trusted: DemoServer, person: Person) -> None:
    app = application(trusted)
    result = app.acquire_token_by_username_password(person.name, person.password, INCIDENTS)
    assert claims(result["access_token"])["upn"] == person.name, result
    other = application(trusted)
    renewed = other.acquire_token_by_refresh_token(result["refresh_token"], INCIDENTS)
    assert claims(renewed["access_token"])["upn"] == person.name


def test_a_wrong_password_is_50126(trusted: DemoServer, person: Person) -> None:
    answer = application(trusted).acquire_token_by_username_password(person.name, "wrong", INCIDENTS)
    assert (answer["error"], answer["error_codes"]) == ("invalid_grant", [50126])


def test_continuous_access_evaluation_is_accepted(trusted: DemoServer, person: Person) -> None:
    app = application(trusted, client_capabilities=["CP1"])
    result = app.acquire_token_by_username_password(person.name, person.password, INCIDENTS)
    assert claims(result["access_token"])["upn"] == person.name
