"""The handlers of Microsoft Graph by the names that `operations/graph.toml` gives them."""

from collections.abc import Mapping

import msgspec

from vedette.api.cursors import CursorBox
from vedette.api.graph.alerts import GraphAlerts
from vedette.api.graph.batch import GraphBatch
from vedette.api.graph.conventions import following
from vedette.api.graph.detection_rules import GraphDetectionRules, RuleParts
from vedette.api.graph.feeds import FeedParts, GraphFeeds
from vedette.api.graph.hunting import GraphHunting
from vedette.api.graph.identity_accounts import GraphIdentities
from vedette.api.graph.incidents import GraphIncidents
from vedette.api.graph.legacy_alerts import GraphLegacyAlerts
from vedette.api.graph.manual_alerts import GraphManualAlerts
from vedette.api.graph.metadata import metadata
from vedette.api.graph.secure_scores import GraphSecureScores
from vedette.api.graph.subscriptions import GraphSubscriptions, SubscriptionParts
from vedette.api.graph.ti_indicators import GraphTiIndicators
from vedette.api.http import AuthenticatedHandler
from vedette.api.hunting import HuntingRunner
from vedette.api.inner_calls import InnerCalls
from vedette.api.kept_lists import KeptList, ListParts
from vedette.api.router import Handler
from vedette.api.written_incidents import WrittenIncidents
from vedette.clock import Clock
from vedette.identity.services import IdentityServices
from vedette.machines.telemetry import Telemetry
from vedette.store.engine import Store


class GraphParts(msgspec.Struct, frozen=True):
    """What the security part of Graph works with."""

    store: Store
    hunting: HuntingRunner
    clock: Clock
    cursors: CursorBox
    rules: RuleParts
    subscriptions: SubscriptionParts
    calls: InnerCalls
    telemetry: Telemetry
    identity: IdentityServices


class GraphSurface:
    """Microsoft Graph, security part."""

    def __init__(self, parts: GraphParts) -> None:
        store, hunting, clock, cursors = parts.store, parts.hunting, parts.clock, parts.cursors
        self._written = WrittenIncidents()
        self._incidents = GraphIncidents(store, clock, cursors, self._written)
        self._alerts = GraphAlerts(store, clock, cursors, self._written)
        self._hunting = GraphHunting(hunting)
        self._rules = GraphDetectionRules(parts.rules)
        self._batch = GraphBatch(parts.calls)
        self._manual_alerts = GraphManualAlerts(parts.rules)
        self._legacy_alerts = GraphLegacyAlerts(store, clock, cursors)
        lists = KeptList(ListParts(store, cursors, clock, parts.rules.ids))
        feeds = FeedParts(store, lists, clock)
        self._subscriptions = GraphSubscriptions(parts.subscriptions, lists)
        self._feeds = GraphFeeds(feeds)
        self._identities = GraphIdentities(feeds, parts.telemetry, parts.identity, parts.subscriptions.sealer)
        self._scores = GraphSecureScores(feeds, parts.telemetry)
        self._ti_indicators = GraphTiIndicators(feeds)

    def forget(self) -> None:
        """Drop what was remembered of the store: it was put back to an earlier state."""
        self._written.forget()

    def handlers(self) -> Mapping[str, Handler]:
        """Every built operation."""
        return {"run_batch": self._batch.run, "metadata": metadata, **following(self._of_security())}

    def _of_security(self) -> Mapping[str, AuthenticatedHandler]:
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
            "get_hunting_query": self._hunting.run_by_address,
            "create_alert": self._manual_alerts.create,
            **self._legacy_alerts.handlers(),
            **self._feeds.handlers(),
            **self._identities.handlers(),
            **self._scores.handlers(),
            **self._ti_indicators.handlers(),
            "list_detection_rules": self._rules.list,
            "create_detection_rule": self._rules.create,
            "get_detection_rule": self._rules.get,
            "update_detection_rule": self._rules.update,
            "delete_detection_rule": self._rules.delete,
            "list_subscriptions": self._subscriptions.list,
            "create_subscription": self._subscriptions.create,
            "get_subscription": self._subscriptions.get,
            "update_subscription": self._subscriptions.update,
            "delete_subscription": self._subscriptions.delete,
            "reauthorize_subscription": self._subscriptions.reauthorize,
        }
