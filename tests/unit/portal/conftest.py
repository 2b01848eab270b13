"""The assembled application, as the API's tests have it."""

from tests.unit.api.conftest import assembled

__all__ = ["assembled"]
