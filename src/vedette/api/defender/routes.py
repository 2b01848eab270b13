"""The handlers of the Defender hosts by the names that `operations/defender.toml` gives them."""

from collections.abc import Mapping

from vedette.api.cursors import CursorBox
from vedette.api.defender.actions import DefenderActions
from vedette.api.defender.downloads import DefenderDownloads
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.hunting import DefenderHunting
from vedette.api.defender.incidents import DefenderIncidents
from vedette.api.defender.indicators import DefenderIndicators
from vedette.api.defender.investigations import DefenderInvestigations
from vedette.api.defender.library import DefenderLibrary
from vedette.api.defender.machines import DefenderMachines
from vedette.api.http import AuthenticatedHandler
from vedette.api.hunting import HuntingRunner
from vedette.api.router import Handler
from vedette.clock import Clock
from vedette.store.engine import Store


class DefenderSurface:
    """Defender XDR and Defender for Endpoint."""

    def __init__(
        self, store: Store, hunting: HuntingRunner, clock: Clock, cursors: CursorBox, endpoint: EndpointParts
    ) -> None:
        self._incidents = DefenderIncidents(store, clock, cursors)
        self._hunting = DefenderHunting(hunting)
        self._endpoint = endpoint

    def handlers(self) -> Mapping[str, Handler]:
        """Every built operation."""
        return {
            "list_incidents": self._incidents.list,
            "get_incident": self._incidents.get,
            "update_incident": self._incidents.update,
            "run_advanced_hunting": self._hunting.run,
            "run_advanced_query": self._hunting.run,
            "download": DefenderDownloads(self._endpoint, {}).get,
            **_machines(self._endpoint),
            **_actions(self._endpoint),
            **_library(self._endpoint),
            **_indicators(self._endpoint),
        }


def _machines(parts: EndpointParts) -> Mapping[str, AuthenticatedHandler]:
    machines = DefenderMachines(parts)
    return {
        "list_machines": machines.list,
        "get_machine_by_id": machines.get,
        "update_machine_method": machines.update,
        "get_machine_log_on_users": machines.users,
        "add_or_remove_machine_tags": machines.tag,
        "add_or_remove_multiple_machine_tags": machines.tag_many,
        "set_device_value": machines.set_device_value,
        "find_machines_by_tag": machines.find_by_tag,
        "find_machines_by_ip": machines.find_by_ip,
    }


def _actions(parts: EndpointParts) -> Mapping[str, AuthenticatedHandler]:
    actions, investigations = DefenderActions(parts), DefenderInvestigations(parts)
    return {
        "get_machineactions_collection": actions.list,
        "get_machineaction_object": actions.get,
        "isolate_machine": actions.isolate,
        "unisolate_machine": actions.unisolate,
        "restrict_code_execution": actions.restrict,
        "unrestrict_code_execution": actions.unrestrict,
        "run_av_scan": actions.scan,
        "offboard_machine_api": actions.offboard,
        "stop_and_quarantine_file": actions.stop_and_quarantine,
        "collect_investigation_package": actions.collect_package,
        "get_package_sas_uri": actions.package_uri,
        "run_live_response": actions.live_response,
        "get_live_response_result": actions.live_response_result,
        "cancel_machine_action": actions.cancel,
        "initiate_autoir_investigation": actions.start_investigation,
        "get_investigation_collection": investigations.list,
        "get_investigation_object": investigations.get,
    }


def _library(parts: EndpointParts) -> Mapping[str, AuthenticatedHandler]:
    library = DefenderLibrary(parts)
    return {
        "upload_library": library.upload,
        "list_library_files": library.list,
        "delete_library": library.delete,
    }


def _indicators(parts: EndpointParts) -> Mapping[str, AuthenticatedHandler]:
    indicators = DefenderIndicators(parts)
    return {
        "list_indicators": indicators.list,
        "post_ti_indicator": indicators.put,
        "import_ti_indicators": indicators.import_many,
        "delete_ti_indicator_by_id": indicators.delete,
        "batch_delete_ti_indicators": indicators.delete_many,
    }
