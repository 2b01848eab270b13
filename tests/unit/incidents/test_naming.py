"""Names of incidents."""

import pytest

from vedette.incidents.naming import AlertSummary, incident_name

DUMP = AlertSummary("Credential dumping", "CredentialAccess")
CODED = AlertSummary("Encoded command", "Execution")
C2 = AlertSummary("Beacon", "CommandAndControl")
ODD = AlertSummary("Oddity", "SuspiciousActivity")
DNS = AlertSummary("Tunnel", "DNSTunnel")


@pytest.mark.parametrize(
    ("alerts", "devices", "users", "name"),
    [
        ([DUMP], 1, 0, "Credential dumping on one endpoint"),
        ([DUMP, DUMP], 3, 1, "Credential dumping on multiple endpoints"),
        ([DUMP], 0, 1, "Credential dumping involving one user"),
        ([DUMP], 0, 2, "Credential dumping involving multiple users"),
        ([DUMP], 0, 0, "Credential dumping"),
        ([C2, AlertSummary("Other", "CommandAndControl")], 1, 0, "Command and control incident on one endpoint"),
        ([C2, DUMP, CODED], 1, 0, "Multi-stage incident involving Execution & Command and control on one endpoint"),
        ([ODD, CODED], 1, 0, "Multi-stage incident involving Execution & Suspicious activity on one endpoint"),
        ([DNS, ODD], 0, 0, "Multi-stage incident involving Dns tunnel & Suspicious activity"),
    ],
)
def test_names(alerts: list[AlertSummary], devices: int, users: int, name: str) -> None:
    assert incident_name(alerts, devices, users) == name
