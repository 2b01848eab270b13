"""From host, method and path to an operation."""

from collections.abc import Callable

import pytest

from tests.api_fakes import Application
from vedette.api.hosts import host_name, read_origin
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.router import Router, split_path
from vedette.api.templates import PathTree
from vedette.contracts.operations import OperationContract, OperationsDocument, load_operations
from vedette.errors import ContractError, InvalidRequestError


def find(tree: PathTree[str], path: str) -> tuple[str | None, dict[str, str]]:
    for values, parameters in tree.find(split_path(path.encode())):
        return values.get("GET"), dict(parameters)
    return None, {}


@pytest.fixture
def tree() -> PathTree[str]:
    tree: PathTree[str] = PathTree()
    for template in (
        "/security/incidents/{id}",
        "/security/incidents/{id}/comments",
        "/security/incidents/newest",
        "/applications(appId='{appId}')",
        "/machines/findbyip(ip='{ip}',timestamp={time})",
        "/machineactions/{id}/getLink(index={n})",
        "/{tenant}/oauth2/token",
        "/common/discovery/instance",
    ):
        tree.add(template, "GET", template)
    return tree


@pytest.mark.parametrize(
    ("path", "template", "parameters"),
    [
        ("/security/incidents/12", "/security/incidents/{id}", {"id": "12"}),
        ("/Security/INCIDENTS/12/", "/security/incidents/{id}", {"id": "12"}),
        ("//security//incidents//12", "/security/incidents/{id}", {"id": "12"}),
        ("/security/incidents/newest", "/security/incidents/newest", {}),
        ("/security/incidents/newest/comments", "/security/incidents/{id}/comments", {"id": "newest"}),
        ("/security/incidents/a%2Fb", "/security/incidents/{id}", {"id": "a/b"}),
        ("/applications(appId='o''x')", "/applications(appId='{appId}')", {"appId": "o'x"}),
        (
            "/machines/FindByIp(ip='10.0.0.1',timestamp=2024-01-01T00:00:00Z)",
            "/machines/findbyip(ip='{ip}',timestamp={time})",
            {"ip": "10.0.0.1", "time": "2024-01-01T00:00:00Z"},
        ),
        ("/machineactions/x/getLink(index=0)", "/machineactions/{id}/getLink(index={n})", {"id": "x", "n": "0"}),
        ("/contoso.test/oauth2/token", "/{tenant}/oauth2/token", {"tenant": "contoso.test"}),
        ("/common/oauth2/token", "/{tenant}/oauth2/token", {"tenant": "common"}),
        ("/security/incidents/../../secret", None, {}),
        ("/security", None, {}),
        ("/", None, {}),
    ],
)
def test_templates(tree: PathTree[str], path: str, template: str | None, parameters: dict[str, str]) -> None:
    assert find(tree, path) == (template, parameters)


def test_a_template_is_taken_once(tree: PathTree[str]) -> None:
    with pytest.raises(ContractError):
        tree.add("/Security/Incidents/{id}", "GET", "again")


def test_a_path_that_is_no_text() -> None:
    with pytest.raises(InvalidRequestError, match="PathNotUtf8"):
        split_path(b"/a/%ff")


@pytest.mark.parametrize(
    ("host", "name"),
    [("Localhost:8443", "localhost"), ("[::1]:8443", "[::1]"), ("graph.microsoft.com.", "graph.microsoft.com")],
)
def test_host_names(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("localhost", "/v1.0/security/incidents", 200),
        ("localhost", "/api/incidents", 200),
        ("127.0.0.1:18400", "/api/v1.0/incidents", 200),
        ("graph.microsoft.com", "/v1.0/security/incidents", 200),
        ("GRAPH.microsoft.com:443", "/beta//security/incidents", 200),
        ("eu.api.security.microsoft.com", "/api/incidents", 200),
        ("soc.contoso.test", "/api/incidents", 200),
        ("api.security.microsoft.com", "/v1.0/security/incidents", 404),
        ("graph.microsoft.com", "/api/incidents", 400),
        ("localhost", "/elsewhere", 404),
        ("evil.test", "/api/incidents", 421),
        ("localhost.evil.test", "/healthz", 421),
        ("", "/api/incidents", 421),
    ],
)
def test_a_host_leads_to_its_surface(assembled: Callable[..., Application], host: str, path: str, status: int) -> None:
    application = assembled(accepted_hosts=("soc.contoso.test",))
    token = "graph" if "security/incidents" in path else "xdr"
    headers = {"authorization": f"Bearer {token}", "host": host}
    assert application.client().send("GET", path, headers=headers).status == status


def test_head_options_and_methods_that_are_not_there(application: Application) -> None:
    client = application.client("graph")
    head = client.send("HEAD", "/v1.0/security/incidents")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) > 0
    options = application.client().send("OPTIONS", "/v1.0/security/incidents/1")
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PATCH")
    wrong = client.send("DELETE", "/v1.0/security/incidents/1")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS, PATCH")
    assert wrong.json()["error"]["code"] == "MethodNotAllowed"


def test_links_follow_the_host_of_the_request(application: Application) -> None:
    context = application.client("graph").get("https://graph.microsoft.com/v1.0/security/incidents").json()
    assert context["@odata.context"] == "https://graph.microsoft.com/v1.0/$metadata#security/incidents"
    forged = application.client("graph").get("/v1.0/security/incidents", x_forwarded_host="evil.test").json()
    assert forged["@odata.context"] == "https://localhost/v1.0/$metadata#security/incidents"


def test_what_a_proxy_forwards(assembled: Callable[..., Application]) -> None:
    application = assembled(behind_proxy=True, accepted_hosts=("soc.contoso.test",))
    client = application.client("graph", host="127.0.0.1:18400")
    forwarded = {"x_forwarded_host": "soc.contoso.test:444", "x_forwarded_for": "198.51.100.1, 192.0.2.99"}
    answer = client.get("/v1.0/security/incidents", **forwarded)
    assert answer.json()["@odata.context"].startswith("https://soc.contoso.test:444/v1.0/")
    assert application.records[-1].client_address == "192.0.2.99"
    assert client.get("/v1.0/security/incidents", x_forwarded_host="evil.test").status == 421


def test_an_origin_is_http_unless_said_otherwise() -> None:
    origin = read_origin("http", {"host": "h", "x-forwarded-proto": "https"}, "", behind_proxy=False)
    assert origin.base_url == "http://h"
    origin = read_origin("http", {"host": "h", "x-forwarded-proto": "https"}, "", behind_proxy=True)
    assert origin.base_url == "https://h"


def answer(_request: ApiRequest) -> ApiResponse:
    return ApiResponse(200)


def test_records_and_handlers_agree() -> None:
    operation = OperationContract(
        method="GET", path="/x", handler="x", source="vedette", status="implemented", authentication="none"
    )
    document = OperationsDocument(surface="s", segments=("x",), operations=(operation,))
    Router([document], {"s": {"x": answer}})
    with pytest.raises(ContractError, match="no handler"):
        Router([document], {"s": {}})
    with pytest.raises(ContractError, match="no built operation"):
        Router([document], {"s": {"x": answer, "y": answer}})


def test_a_planned_operation_says_so(assembled: Callable[..., Application]) -> None:
    operation = OperationContract(
        method="GET", path="/x", handler="x", source="vedette", status="planned", application=("Vedette.Ingest",)
    )
    document = OperationsDocument(surface="s", segments=("x",), operations=(operation,), audiences=("vedette",))
    application = assembled({"s": (document, {})})
    answer = application.client("ingest").get("/x")
    assert (answer.status, answer.json()["error"]["code"]) == (501, "NotImplemented")
    assert "s.x" in answer.json()["error"]["message"]
    assert application.client().get("/x").status == 401  # who is calling comes first


def test_userinfo_is_on_the_host_of_graph_too() -> None:
    documents = [load_operations()[name] for name in ("login", "graph", "defender")]
    answer = lambda _request: ApiResponse(200)  # noqa: E731
    handlers = {
        document.surface: {each.handler: answer for each in document.operations if each.status != "planned"}
        for document in documents
    }
    router = Router(documents, handlers)
    segments = ("oidc", "userinfo")
    for host in ("graph.microsoft.com", "login.microsoftonline.com", "localhost:8443"):
        surface = router.surface(host, segments)
        assert router.match(surface, "GET", segments).route.operation.handler == "userinfo"
    assert router.surface("graph.microsoft.com", ("common", "oauth2", "token")) == "graph"
    assert router.surface("api.security.microsoft.com", segments) == "defender"
