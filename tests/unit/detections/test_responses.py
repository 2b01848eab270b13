"""Responses of rules: read in both shapes, carried out once per target, refused by name where nothing does them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.endpoint_world import HOME, SHA1, SRV02, WS01, EndpointWorld, make_world, process_event
from vedette.detections.hits import Hit
from vedette.detections.responses import Responder, Response, ResponseNotBuiltError, responses_of
from vedette.errors import InvalidRequestError
from vedette.indicators.indicators import Indicators
from vedette.machines.actions import MachineActions
from vedette.machines.execution import ActionRequests
from vedette.machines.investigations import InvestigationRequests, Investigations

OLDER = "#microsoft.graph.security."


def read(automated: dict[str, Any] | None = None, *older: dict[str, Any]) -> tuple[Response, ...]:
    return tuple(responses_of(automated, older))


def test_both_shapes_say_the_same() -> None:
    newer = read(
        {
            "@odata.type": "x",
            "isolateDevices": [{"deviceIdColumn": "DeviceId", "isolationType": "selective"}],
            "stopAndQuarantineFiles": [{"deviceIdColumn": "DeviceId", "sha1Column": "SHA1"}],
            "blockFiles": [{"sha256Column": "SHA256", "deviceGroupNames": ["Servers"]}],
            "allowFiles": [],
        }
    )
    older = read(
        None,
        {"@odata.type": f"{OLDER}isolateDeviceResponseAction", "identifier": "deviceId", "isolationType": "selective"},
        {"@odata.type": f"{OLDER}stopAndQuarantineFileResponseAction", "identifier": "deviceId,sha1"},
        {"@odata.type": f"{OLDER}blockFileResponseAction", "identifier": "sha256", "deviceGroupNames": ["Servers"]},
    )
    assert newer == older
    assert [each.scope for each in newer] == ["Selective", None, None]


@pytest.mark.parametrize(
    "automated",
    [
        {"isolateDevices": [{}]},
        {"isolateDevices": [{"deviceIdColumn": "DeviceId", "isolationType": "half"}]},
        {"isolateDevices": [{"deviceIdColumn": "DeviceId", "sha1Column": "SHA1"}]},
        {"blockFiles": [{}]},
    ],
)
def test_wrong_responses(automated: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        read(automated)


def test_what_nothing_carries_out_is_refused_by_name() -> None:
    with pytest.raises(ResponseNotBuiltError):
        read({"softDeleteEmails": [{"networkMessageIdColumn": "NetworkMessageId"}]})
    with pytest.raises(ResponseNotBuiltError):
        read(None, {"@odata.type": f"{OLDER}disableUserResponseAction", "identifier": "accountSid"})


@pytest.fixture
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    world.ingest({"DeviceProcessEvents": [process_event(world, 2), process_event(world, 1, SRV02)]})
    world.work()
    yield world
    world.close()


def test_responses_are_carried_out_once_per_target(world: EndpointWorld) -> None:
    responder = Responder(
        ActionRequests(world.queue, world.clock, world.ids, delay=0.0),
        InvestigationRequests(world.queue, world.clock, delay=0.0),
        world.clock,
    )
    responses = read(
        {
            "isolateDevices": [{"deviceIdColumn": "DeviceId"}],
            "initiateInvestigations": [{"deviceIdColumn": "DeviceId"}],
            "blockFiles": [{"sha1Column": "SHA1"}],
        }
    )
    rows = [
        {"DeviceId": WS01, "SHA1": SHA1},
        {"DeviceId": WS01, "SHA1": SHA1},
        {"DeviceId": SRV02},
        {"DeviceId": "0" * 40},
    ]
    hits = [Hit(row, str(number)) for number, row in enumerate(rows)]
    with world.store.begin() as connection:
        assert responder.respond(connection, HOME, "Heron", responses, hits) == 5
        assert responder.respond(connection, HOME, "Heron", responses[:1], hits) == 0  # they are isolated already
        actions = MachineActions(connection, HOME)
        found = actions.of_keys(actions.keys(None, ()))
        assert sorted((each.machine_id, each.type, each.scope) for each in found) == [
            (WS01, "Isolate", "Full"),
            (SRV02, "Isolate", "Full"),
        ]
        investigations = Investigations(connection, HOME)
        assert len(investigations.keys(None, ())) == 2
        (indicator,) = Indicators(connection, HOME).active(0)
        assert (indicator.value, indicator.action) == (SHA1, "BlockAndRemediate")
