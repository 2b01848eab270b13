"""The handlers of the Defender hosts by the names that `operations/defender.toml` gives them."""

from collections.abc import Mapping

from vedette.api.cursors import CursorBox
from vedette.api.defender.actions import DefenderActions
from vedette.api.defender.alerts import DefenderAlerts
from vedette.api.defender.downloads import DefenderDownloads
from vedette.api.defender.endpoint import EndpointParts
from vedette.api.defender.exports import KIND, DefenderExports
from vedette.api.defender.hunting import DefenderHunting
from vedette.api.defender.incidents import DefenderIncidents
from vedette.api.defender.indicators import DefenderIndicators
from vedette.api.defender.investigations import DefenderInvestigations
from vedette.api.defender.knowledge_base import DefenderKnowledgeBase
from vedette.api.defender.library import DefenderLibrary
from vedette.api.defender.machines import DefenderMachines
from vedette.api.defender.remediations import DefenderRemediations
from vedette.api.defender.sightings import DefenderSightings
from vedette.api.defender.weaknesses import DefenderWeaknesses
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
        self._cursors = cursors

    def forget(self) -> None:
        """Drop what was remembered of the store: it was put back to an earlier state."""
        self._incidents.forget()

    def handlers(self) -> Mapping[str, Handler]:
        """Every built operation."""
        exports = DefenderExports(self._endpoint)
        return {
            "list_incidents": self._incidents.list,
            "get_incident": self._incidents.get,
            "update_incident": self._incidents.update,
            "run_advanced_hunting": self._hunting.run,
            "run_advanced_query": self._hunting.run,
            "download": DefenderDownloads(self._endpoint, {KIND: exports.file}).get,
            **_machines(self._endpoint),
            **_actions(self._endpoint),
            **_library(self._endpoint),
            **_indicators(self._endpoint),
            **_alerts(self._endpoint, self._cursors),
            **_sightings(self._endpoint, self._cursors),
            **_weaknesses(self._endpoint),
            **_exports(exports),
            **_remediations(self._endpoint),
            **_knowledge_base(self._endpoint),
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
        "find_machine_info_by_ip": machines.find_by_key,
        "count_machines": machines.count,
    }


def _actions(parts: EndpointParts) -> Mapping[str, AuthenticatedHandler]:
    actions, investigations = DefenderActions(parts), DefenderInvestigations(parts)
    return {
        "get_machineactions_collection": actions.list,
        "get_machineaction_object": actions.get,
        "list_actions_of_machine": actions.of_machine,
        "list_available_machine_actions": actions.available,
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
        "get_ti_indicator_by_id": indicators.get,
        "post_ti_indicator": indicators.put,
        "import_ti_indicators": indicators.import_many,
        "delete_ti_indicator_by_id": indicators.delete,
        "batch_delete_ti_indicators": indicators.delete_many,
    }


def _alerts(parts: EndpointParts, cursors: CursorBox) -> Mapping[str, AuthenticatedHandler]:
    alerts = DefenderAlerts(parts, cursors)
    return {
        "list_alerts": alerts.list,
        "count_alerts": alerts.count,
        "get_alert_info_by_id": alerts.get,
        "update_alert": alerts.update,
        "batch_update_alerts": alerts.update_many,
        "create_alert_by_reference": alerts.create_by_reference,
        "get_alert_related_domain_info": alerts.domains,
        "get_alert_related_files_info": alerts.files,
        "get_alert_related_ip_info": alerts.ips,
        "get_alert_related_machine_info": alerts.machine,
        "get_alert_related_user_info": alerts.user,
    }


def _sightings(parts: EndpointParts, cursors: CursorBox) -> Mapping[str, AuthenticatedHandler]:
    sightings = DefenderSightings(parts, cursors)
    return {
        "get_machine_related_alerts": sightings.machine_alerts,
        "count_machine_related_alerts": sightings.machine_alert_count,
        "get_file_information": sightings.file,
        "get_file_statistics": sightings.file_stats,
        "get_file_related_alerts": sightings.file_alerts,
        "get_file_related_machines": sightings.file_machines,
        "get_domain_statistics": sightings.domain_stats,
        "get_domain_related_alerts": sightings.domain_alerts,
        "get_domain_related_machines": sightings.domain_machines,
        "get_ip_statistics": sightings.ip_stats,
        "get_ip_related_alerts": sightings.ip_alerts,
        "get_user_related_alerts": sightings.user_alerts,
        "get_user_related_machines": sightings.user_machines,
    }


def _weaknesses(parts: EndpointParts) -> Mapping[str, AuthenticatedHandler]:
    weaknesses = DefenderWeaknesses(parts)
    return {
        "get_all_vulnerabilities": weaknesses.vulnerabilities,
        "get_vulnerability_by_id": weaknesses.vulnerability,
        "get_machines_by_vulnerability": weaknesses.machines_by_vulnerability,
        "get_all_vulnerabilities_by_machines": weaknesses.findings,
        "get_software": weaknesses.software,
        "get_software_by_id": weaknesses.one_software,
        "get_machines_by_software": weaknesses.machines_by_software,
        "get_vuln_by_software": weaknesses.vulnerabilities_by_software,
        "get_software_ver_distribution": weaknesses.distributions,
        "get_missing_kbs_software": weaknesses.missing_updates_of_software,
        "get_missing_kbs_machine": weaknesses.missing_updates_of_machine,
        "get_installed_software": weaknesses.machine_software,
        "get_discovered_vulnerabilities": weaknesses.machine_vulnerabilities,
        "get_security_recommendations": weaknesses.machine_recommendations,
        "get_all_recommendations": weaknesses.recommendations,
        "get_recommendation_by_id": weaknesses.recommendation,
        "list_recommendation_software": weaknesses.recommendation_software,
        "get_recommendation_machines": weaknesses.recommendation_machines,
        "get_recommendation_vulnerabilities": weaknesses.recommendation_vulnerabilities,
        "get_exposure_score": weaknesses.exposure_score,
        "get_machine_group_exposure_score": weaknesses.exposure_by_groups,
        "list_antivirus_health": weaknesses.antivirus_health,
        "list_device_antivirus": weaknesses.device_antivirus,
        "get_device_secure_score": weaknesses.configuration_score,
    }


def _exports(exports: DefenderExports) -> Mapping[str, AuthenticatedHandler]:
    vulnerabilities = "get_assessment_software_vulnerabilities"
    return {
        vulnerabilities: exports.page("vulnerabilities"),
        f"{vulnerabilities}_software_vulnerabilities_export": exports.files("vulnerabilities"),
        f"{vulnerabilities}_software_vulnerability_changes_by_machine": exports.page("changes"),
        "get_assessment_non_cpe_software_inventory": exports.page("uncoded_software"),
        "get_assessment_non_cpe_software_inventory_export": exports.files("uncoded_software"),
        "get_baseline_compliance_assessment": exports.page("baselines"),
        "export_baseline_compliance_assessment": exports.files("baselines"),
        "export_info_gathering": exports.files("gathered"),
        "get_assessment_browser_extensions": exports.page("extensions"),
        "export_assessment_browser_extensions": exports.files("extensions"),
        "get_certificate_assessment": exports.page("certificates"),
        "export_certificate_assessment": exports.files("certificates"),
        "get_hardware_firmware_inventory": exports.page("components"),
        "export_hardware_firmware_inventory": exports.files("components"),
        "get_assessment_software_inventory": exports.page("software"),
        "get_assessment_software_inventory_software_inventory_export": exports.files("software"),
        "get_assessment_secure_config": exports.page("configurations"),
        "get_assessment_secure_config_secure_configurations_assessment_export": exports.files("configurations"),
    }


def _remediations(parts: EndpointParts) -> Mapping[str, AuthenticatedHandler]:
    remediations = DefenderRemediations(parts)
    return {
        "get_remediation_all_activities": remediations.list,
        "get_remediation_one_activity": remediations.get,
        "get_remediation_exposed_devices_activities": remediations.machines,
    }


def _knowledge_base(parts: EndpointParts) -> Mapping[str, AuthenticatedHandler]:
    records = DefenderKnowledgeBase(parts)
    return {
        "list_baseline_profiles": records.profiles,
        "list_baseline_configurations": records.configurations,
        "get_browser_extensions_permission_info": records.permissions,
    }
