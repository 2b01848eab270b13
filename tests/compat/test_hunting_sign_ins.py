"""Every grant leaves a row of its sign-in, whether it gave a token or was refused: hunted on the running server."""

import ssl
import uuid
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest

from .conftest import DemoServer
from .people import Person
from .test_federation import Federated, Issuer, federated, issuer, users_token
from .test_hunting_the_directory import XDR, await_rows, hunt

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # msal's of the password grant
__all__ = ["federated", "issuer", "users_token"]
READ, REDIRECT = f"{XDR}/Incident.Read", "http://localhost"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ON_BEHALF_OF = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class Requests:
    """Token requests, each with a correlation id of its own; `expected` is what has to be found of them, by table."""

    def __init__(self, server: DemoServer) -> None:
        self.tenant, self._server = str(server.home["tenant_id"]), server
        self.expected: dict[str, set[tuple[str, int]]] = {"EntraIdSignInEvents": set(), "EntraIdSpnSignInEvents": set()}
        context = ssl.create_default_context(cafile=server.ca_file)
        self.client = httpx2.Client(base_url=server.base_url, verify=context, trust_env=False, timeout=60)

    def post(self, path: str, form: dict[str, str], correlation_id: str = "") -> dict[str, object]:
        headers = {"content-type": "application/x-www-form-urlencoded", "client-request-id": correlation_id}
        answer = self.client.post(f"/{self.tenant}/oauth2/v2.0/{path}", content=urlencode(form), headers=headers)
        found: dict[str, object] = answer.json()
        return found

    def ask(self, grant_type: str, refusal: int = 0, /, *, by: str = "user", **form: str) -> dict[str, object]:
        """Ask for a token; `refusal` is the number of the error to come."""
        correlation_id = str(uuid.uuid4())
        answer = self.post("token", {"grant_type": grant_type, **form}, correlation_id)
        assert answer.get("error_codes", [0]) == [refusal], answer
        table = "EntraIdSignInEvents" if by == "user" else "EntraIdSpnSignInEvents"
        self.expected[table].add((correlation_id, refusal))
        return answer

    def close(self) -> None:
        self.client.close()


@pytest.fixture
def requests(demo_server: DemoServer) -> Iterator[Requests]:
    requests = Requests(demo_server)
    yield requests
    requests.close()


def test_every_grant_is_there(
    trusted: DemoServer, requests: Requests, federated: Federated, issuer: Issuer, users_token: str
) -> None:
    native = {"client_id": str(trusted.app("public")["client_id"])}
    own = {name: str(trusted.app("confidential")[name]) for name in ("client_id", "client_secret")}
    with Person(trusted) as person:
        signing_in = {"username": person.name, **native, "scope": f"{READ} offline_access"}
        given = requests.ask("password", password=person.password, **signing_in)
        requests.ask("password", 50126, password="wrong", **signing_in)
        requests.ask("refresh_token", refresh_token=str(given["refresh_token"]), scope=READ, **native)
        code = {"code": authorization_code(trusted, person), "redirect_uri": REDIRECT, **native}
        requests.ask("authorization_code", **code)
        requests.ask("authorization_code", 54005, **code)
        requests.ask("refresh_token", 70000, refresh_token="nonsense", scope=READ, **native)
        requests.ask(DEVICE_CODE, device_code=device_code(requests, person, native["client_id"]), **native)
    api = {"client_id": federated.client_id, "client_secret": federated.secret}
    requests.ask(ON_BEHALF_OF, requested_token_use="on_behalf_of", assertion=users_token, scope=READ, **api)
    everything = {"scope": f"{XDR}/.default"}
    requests.ask("client_credentials", by="application", **own, **everything)
    requests.ask("client_credentials", 7000215, by="application", **own | {"client_secret": "wrong"}, **everything)
    federated_key = {"client_assertion_type": ASSERTION, "client_assertion": issuer.token()}
    requests.ask("client_credentials", by="application", client_id=federated.client_id, **federated_key, **everything)
    for table, expected in requests.expected.items():
        ids = ", ".join(f"'{correlation_id}'" for correlation_id, _ in expected)
        query = f"{table} | where CorrelationId in ({ids}) | project Told = strcat(CorrelationId, ' ', ErrorCode)"
        await_rows(trusted, query, {f"{correlation_id} {code}" for correlation_id, code in expected}, "Told")


def test_the_page_of_a_sign_in_is_told_of_as_interactive(trusted: DemoServer) -> None:
    with Person(trusted) as person:
        authorization_code(trusted, person)
        query = (
            f"EntraIdSignInEvents | where AccountUpn == '{person.name}' and LogonType has 'interactiveUser'"
            " | project Application, Requirement = AuthenticationRequirement"
        )
    await_rows(trusted, query, {"singleFactorAuthentication"}, "Requirement")
    assert "Vedette demo sign-in" in {row["Application"] for row in hunt(trusted, query)}  # others signed in as well


def authorization_code(server: DemoServer, person: Person) -> str:
    query = {
        "client_id": str(server.app("public")["client_id"]),
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": READ,
    }
    page = person.sign_in(f"{server.base_url}/{server.home['tenant_id']}/oauth2/v2.0/authorize?{urlencode(query)}")
    return dict(parse_qsl(urlsplit(page.headers["location"]).query))["code"]


def device_code(requests: Requests, person: Person, client_id: str) -> str:
    started = requests.post("devicecode", {"client_id": client_id, "scope": READ})
    page = person.submit(person.open(str(started["verification_uri"])), user_code=str(started["user_code"]))
    if "username" in page.text:
        page = person.submit(page, username=person.name, password=person.password)
    assert "You are signed in" in person.submit(page, answer="accept").text
    return str(started["device_code"])
