"""A directory of two tenants, built once and copied for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.identity.world import Seed, World, build_template, copy_world
from vedette.store.secrets import MasterKey

Template = tuple[Path, MasterKey, Seed]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    path = tmp_path_factory.mktemp("identity") / "control.db"
    master_key = MasterKey.random()
    return path, master_key, build_template(path, master_key)


@pytest.fixture
def world(template: Template, tmp_path: Path) -> Iterator[World]:
    path, master_key, seed = template
    world = copy_world(path, tmp_path, master_key, seed)
    yield world
    world.store.close()
