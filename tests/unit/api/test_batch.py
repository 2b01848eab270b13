"""`$batch` and `$metadata`."""

from typing import Any
from xml.etree import ElementTree

import pytest

from tests.api_fakes import Application
from tests.unit.api.test_paging_under_change import new_alert
from vedette.contracts.graph_types import load_graph_types


def step(number: int, url: str = "/security/incidents?$top=1", **more: Any) -> dict[str, Any]:
    return {"id": f"{number}", "method": "GET", "url": url, **more}


def test_requests_are_answered_each_for_itself(application: Application) -> None:
    new_alert(application, 1)
    comment = {"comment": "by batch"}
    requests = [
        step(3, "/security/incidents/1", dependsOn=["1"]),
        {
            "id": "1",
            "method": "post",
            "url": "security/incidents/1/comments",
            "body": comment,
            "headers": {"Content-Type": "application/json"},
        },
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
    assert [each["id"] for each in answer.json()["responses"]] == ["3", "1", "2", "4", "5", "6"]


def test_permissions_hold_within(application: Application) -> None:
    new_alert(application, 1)
    requests = [step(1), {**step(2, "/security/incidents/1"), "method": "PATCH", "body": {"status": "resolved"}}]
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
        [step(1, "https://graph.microsoft.com/v1.0/users")],
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
