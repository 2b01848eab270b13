"""The binder: turns the syntax tree into a typed plan, looking up every name. `bind` is the way in."""

from vedette.kql.binder.bind import bind
from vedette.kql.binder.discovery import NeedsDiscovery

__all__ = ["NeedsDiscovery", "bind"]
