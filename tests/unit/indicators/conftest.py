"""A world of two devices, closed afterwards."""

from collections.abc import Iterator

import pytest

from tests.endpoint_world import EndpointWorld, make_world


@pytest.fixture
def world() -> Iterator[EndpointWorld]:
    world = make_world()
    yield world
    world.close()
