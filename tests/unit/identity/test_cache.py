"""The directory cache: fresh at every generation, bounded, without errors in it."""

import msgspec
import pytest

from vedette.identity.directory import cache as module
from vedette.identity.directory.cache import DirectoryCache
from vedette.identity.directory.tenants import TenantRecord, Tenants

from .world import World


@pytest.fixture
def tenant(world: World) -> TenantRecord:
    with world.store.connect() as connection:
        return Tenants(connection).get(world.seed.home.tenant_id)


def test_a_value_is_read_once_a_generation(tenant: TenantRecord) -> None:
    cache = DirectoryCache()
    later = msgspec.structs.replace(tenant, generation=tenant.generation + 1)
    values = iter(range(10))
    read = lambda: next(values)  # noqa: E731
    assert [cache.get(state, "key", read) for state in (tenant, tenant, later, later, tenant)] == [0, 0, 1, 1, 2]


def test_keys_and_tenants_are_apart(tenant: TenantRecord, world: World) -> None:
    cache = DirectoryCache()
    other = msgspec.structs.replace(tenant, tenant=world.seed.customer)
    assert cache.get(tenant, "a", lambda: 1) == 1
    assert cache.get(tenant, "b", lambda: 2) == 2
    assert cache.get(other, "a", lambda: 3) == 3
    assert cache.get(tenant, "a", lambda: 4) == 1


def test_errors_are_not_kept(tenant: TenantRecord) -> None:
    cache = DirectoryCache()
    with pytest.raises(ZeroDivisionError):
        cache.get(tenant, "key", lambda: 1 // 0)
    assert cache.get(tenant, "key", lambda: 5) == 5


def test_it_is_bounded(tenant: TenantRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_VALUES", 3)
    cache = DirectoryCache()
    assert [cache.get(tenant, key, lambda key=key: key) for key in range(9)] == list(range(9))
    assert all(len(values) <= 3 for _, values in cache._tenants.values())
