"""The handlers of the Defender hosts by the names that `operations/defender.toml` gives them."""

from collections.abc import Mapping

from vedette.api.cursors import CursorBox
from vedette.api.defender.hunting import DefenderHunting
from vedette.api.defender.incidents import DefenderIncidents
from vedette.api.http import AuthenticatedHandler
from vedette.api.hunting import HuntingRunner
from vedette.clock import Clock
from vedette.store.engine import Store


class DefenderSurface:
    """Defender XDR and Defender for Endpoint."""

    def __init__(self, store: Store, hunting: HuntingRunner, clock: Clock, cursors: CursorBox) -> None:
        self._incidents = DefenderIncidents(store, clock, cursors)
        self._hunting = DefenderHunting(hunting)

    def handlers(self) -> Mapping[str, AuthenticatedHandler]:
        """Every built operation."""
        return {
            "list_incidents": self._incidents.list,
            "get_incident": self._incidents.get,
            "update_incident": self._incidents.update,
            "run_advanced_hunting": self._hunting.run,
            "run_advanced_query": self._hunting.run,
        }
