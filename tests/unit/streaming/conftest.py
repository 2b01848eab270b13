"""The directory of two tenants that identity is tested with."""

from tests.unit.identity.conftest import template, world

__all__ = ["template", "world"]
