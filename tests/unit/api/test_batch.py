"""`$batch` and `$metadata`."""

from typing import Any
from xml.etree import ElementTree

import pytest

from tests.api_fakes import Application
from tests.unit.api.test_paging_under_change import new_alert
from vedette.contracts.graph_types import load_graph_types

JSON = {"Content-Type": "application/json"}


def step(number: object, url: str = "/security/incidents?$top=1", **more: Any) -> dict[str, Any]:
    return {"id": f"{number}", "method": "GET", "url": url, **more}


def test_requests_are_answered_each_for_itself(application: Application) -> None:
    new_alert(application, 1)
    comment = {"comment": "by batch"}
    requests = [
        {
            "id": "1",
            "method": "post",
            "url": "security/incidents/1/comments",
            "body": comment,
            "headers": JSON,
        },
        step(3, "/security/incidents/1", dependsOn=["1"]),
        step(2, "/security/incidents/77"),
        step(4, "/security/alerts_v2", dependsOn=["2"]),
        step(5, "/security/incidents/$count"),
        step(6, "/nothing/here"),
    ]
    answer = application.client("graph").post("/v1.0/$batch", {"requests": requests}, client_request_id="run-1")
    assert answer.status == 200
    by_id = {each["id"]: each for each in answer.json()["responses"]}
    assert {name: each["status"] for name, each in by_id.items()} == {
        "3": 200,
        "1": 200,
        "2": 404,
        "4": 424,
        "5": 200,
        "6": 400,
    }
    assert [each["comment"] for each in by_id["3"]["body"]["comments"]] == ["by batch"]
    assert by_id["2"]["body"]["error"]["code"] == "NotFound"
    assert by_id["5"]["body"] == "MQ=="
    assert by_id["3"]["headers"]["client-request-id"] == "run-1"
    assert [each["id"] for each in answer.json()["responses"]] == ["1", "3", "2", "4", "5", "6"]


@pytest.mark.parametrize(
    ("url", "segment"),
    [
        ("/v1.0/security/incidents", "v1.0"),
        ("https://graph.microsoft.com/v1.0/security/incidents", "https:"),
        ("/security/nothing", "nothing"),
    ],
)
def test_an_address_that_leads_nowhere_fails_alone(application: Application, url: str, segment: str) -> None:
    answer = application.client("graph").post("/v1.0/$batch", {"requests": [step(1, url), step(2)]})
    failed, other = answer.json()["responses"]
    assert (failed["status"], other["status"]) == (400, 200)
    assert failed["body"]["error"]["code"] == "BadRequest"
    assert failed["body"]["error"]["message"] == f"Resource not found for the segment '{segment}'."


def test_a_failure_is_passed_on_along_dependencies(application: Application) -> None:
    requests = [
        step("A", "/security/incidents/77"),
        step("b", dependsOn=["a"]),
        step("c", dependsOn=["B"]),
        step("d", dependsOn=[]),
        step("e", dependsOn=["d", "C"]),
    ]
    responses = application.client("graph").post("/v1.0/$batch", {"requests": requests}).json()["responses"]
    assert [(each["id"], each["status"]) for each in responses] == [
        ("A", 404),
        ("b", 424),
        ("c", 424),
        ("d", 200),
        ("e", 424),
    ]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"comment": "said"}, {"content-type": "application/json; charset=utf-8"}),
        ("eyJjb21tZW50Ijoic2FpZCJ9", JSON),
        ("eyJjb21tZW50Ijoic2FpZCJ9", {"Content-Type": "application/octet-stream"}),
        ("eyJjb21tZW50Ijoic2FpZCIgfQ", JSON),
    ],
)
def test_bodies_as_they_are_and_in_base64(application: Application, body: object, headers: dict[str, str]) -> None:
    new_alert(application, 1)
    url = "/security/incidents/1/comments"
    wanted = {"requests": [step(1, url, method="POST", body=body, headers=headers)]}
    (answer,) = application.client("graph").post("/beta/$batch", wanted).json()["responses"]
    assert (answer["status"], [each["comment"] for each in answer["body"]["value"]]) == (200, ["said"])


def test_headers_are_those_of_their_own_request(application: Application) -> None:
    new_alert(application, 1)
    none = {"Accept": "application/json;odata.metadata=none", "Authorization": "Bearer nothing"}
    requests = [step(1, headers=none), step(2)]
    bare, whole = application.client("graph").post("/v1.0/$batch", {"requests": requests}).json()["responses"]
    assert (bare["status"], whole["status"]) == (200, 200)
    assert "@odata.context" not in bare["body"]
    assert "@odata.context" in whole["body"]


def test_permissions_hold_within(application: Application) -> None:
    new_alert(application, 1)
    requests = [step(1), {**step(2, "/security/incidents/1"), "method": "PATCH", "body": {}, "headers": JSON}]
    answer = application.client("graph-reader").post("/v1.0/$batch", {"requests": requests})
    assert [each["status"] for each in answer.json()["responses"]] == [200, 403]
    assert application.client().post("/v1.0/$batch", {"requests": requests}).status == 401
    assert application.client("xdr").post("/v1.0/$batch", {"requests": requests}).status == 401


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [step(number) for number in range(21)],
        [step(1), step(1)],
        [step(1, dependsOn=["9"])],
        [step(1, dependsOn=["2"]), step(2, dependsOn=["1"])],
        [step(1, "/$batch")],
        [step(1), step(2, dependsOn=["3"]), step(3)],
        [step("a"), step("A")],
        [step(1, method="POST", body={"comment": "x"})],
        [step(1, method="PATCH", headers={"ConsistencyLevel": "eventual"}, body={})],
        [step(1, method="POST")],
        [{"id": "1", "method": "TRACE", "url": "/me"}],
        [{"id": 1}],
        "all",
    ],
)
def test_what_is_no_batch(application: Application, requests: Any) -> None:
    assert application.client("graph").post("/v1.0/$batch", {"requests": requests}).status == 400


def test_metadata_declares_every_type_that_it_names(application: Application) -> None:
    answer = application.client().get("/v1.0/$metadata")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/xml")
    space = "{http://docs.oasis-open.org/odata/ns/edm}"
    root = ElementTree.fromstring(answer.body)
    declared, named = set(), set()
    for schema in root.iter(f"{space}Schema"):
        namespace = schema.attrib["Namespace"]
        declared |= {f"{namespace}.{each.attrib['Name']}" for each in schema if each.tag != f"{space}Action"}
        for each in schema.iter():
            for name in ("Type", "BaseType", "EntityType"):
                if name in each.attrib:
                    named.add(each.attrib[name].removeprefix("Collection(").removesuffix(")"))
    assert {name for name in named if not name.startswith("Edm.")} <= declared
    assert set(load_graph_types().types) <= declared
    keys = [each.attrib["Name"] for each in root.iter(f"{space}PropertyRef")]
    assert keys == ["id"]
