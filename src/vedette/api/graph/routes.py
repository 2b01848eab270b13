"""The handlers of Microsoft Graph by the names that `operations/graph.toml` gives them."""

from collections.abc import Mapping

from vedette.api.cursors import CursorBox
from vedette.api.graph.alerts import GraphAlerts
from vedette.api.graph.hunting import GraphHunting
from vedette.api.graph.incidents import GraphIncidents
from vedette.api.http import AuthenticatedHandler
from vedette.api.hunting import HuntingRunner
from vedette.clock import Clock
from vedette.store.engine import Store


class GraphSurface:
    """Microsoft Graph, security part."""

    def __init__(self, store: Store, hunting: HuntingRunner, clock: Clock, cursors: CursorBox) -> None:
        self._incidents = GraphIncidents(store, clock, cursors)
        self._alerts = GraphAlerts(store, clock, cursors)
        self._hunting = GraphHunting(hunting)

    def handlers(self) -> Mapping[str, AuthenticatedHandler]:
        """Every built operation."""
        return {
            "list_incidents": self._incidents.list,
            "get_incident": self._incidents.get,
            "update_incident": self._incidents.update,
            "add_incident_comment": self._incidents.add_comment,
            "list_incident_alerts": self._incidents.list_alerts,
            "count_incidents": self._incidents.count,
            "merge_incidents": self._incidents.merge,
            "list_alerts": self._alerts.list,
            "count_alerts": self._alerts.count,
            "move_alerts": self._alerts.move,
            "get_alert": self._alerts.get,
            "update_alert": self._alerts.update,
            "add_alert_comment": self._alerts.add_comment,
            "run_hunting_query": self._hunting.run,
        }
