"""The tenant of everything, made once: tests that change it say so by asking for one of their own."""

from collections.abc import Iterator

import pytest

from tests.contract.seeded_tenant import SeededTenant, make_seeded_tenant


@pytest.fixture(scope="session")
def seeded() -> Iterator[SeededTenant]:
    """For reading."""
    tenant = make_seeded_tenant("read")
    yield tenant
    tenant.close()
