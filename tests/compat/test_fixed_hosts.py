"""Clients with the real hosts built in, unmodified, in a network of their own: the server is login.microsoftonline.com.

MSAL asks for a user's realm at the authority's host without its port, so the password grant needs port 443.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from vedette.identity.provisioning import Provisioning
from vedette.server.data_folder import open_data_folder
from vedette.server.wiring import Services
from vedette.settings import load_settings
from vedette.store.migrate import upgrade
from vedette.store.secrets import Secret

NAME, PASSWORD = "ada@contoso.example", "correct horse battery staple"

CLIENT = """
import json, sys, warnings
import msal, requests
from azure.identity import UsernamePasswordCredential
tenant, client_id, name, password = sys.argv[1:]
warnings.simplefilter("ignore")
scopes = ["https://api.security.microsoft.com/Incident.Read"]
answers = {}
for segment in (tenant, "organizations"):
    app = msal.PublicClientApplication(client_id, authority=f"https://login.microsoftonline.com/{segment}")
    answers[segment] = app.acquire_token_by_username_password(name, password, scopes)
app = msal.PublicClientApplication(client_id, authority=f"https://login.microsoftonline.com/{tenant}")
answers["wrong"] = app.acquire_token_by_username_password(name, "wrong", scopes)
credential = UsernamePasswordCredential(client_id, name, password, tenant_id=tenant)
answers["azure"] = {"access_token": credential.get_token(*scopes).token}
graph = app.acquire_token_by_username_password(name, password, ["https://graph.microsoft.com/User.Read"])
bearer = {"Authorization": f"Bearer {graph['access_token']}"}
answers["userinfo"] = requests.get("https://graph.microsoft.com/oidc/userinfo", headers=bearer, timeout=30).json()
answers["incidents"] = requests.get(
    "https://api.security.microsoft.com/api/incidents", timeout=30,
    headers={"Authorization": f"Bearer {answers['azure']['access_token']}"},
).status_code
print(json.dumps(answers))
"""


@pytest.fixture
def prepared(tmp_path: Path) -> tuple[Path, Mapping[str, str]]:
    """A data folder with a person and a public client of several tenants."""
    folder = tmp_path / "data"
    services = Services(load_settings({"data": folder}, {}), open_data_folder(folder))
    try:
        upgrade(services.store)
        with services.store.begin() as connection:
            admin = Provisioning(connection, services.identity)
            home = admin.create_tenant("Contoso", "contoso.example", is_home=True).tenant.tenant_id
            admin.create_user(home, NAME, "Ada Analyst", Secret(PASSWORD), roles=["Security Reader"])
            app = admin.create_application(home, "Script", kind="public")
            admin.add_required_permissions(home, app.app_id, "mtp", delegated=["Incident.Read"])
            admin.add_required_permissions(home, app.app_id, "graph", delegated=["User.Read"])
            admin.grant_admin_consent(home, app.app_id)
            connection.exec_driver_sql("UPDATE applications SET sign_in_audience = 'AzureADMultipleOrgs'")
        return folder, {"tenant": home, "client_id": app.app_id}
    finally:
        services.close()


def test_the_password_grant_at_the_real_hosts(
    judge: Path, prepared: tuple[Path, Mapping[str, str]], tmp_path: Path
) -> None:
    data, known = prepared
    network = tmp_path / "network"
    subprocess.run([judge / "mkca.sh", network], check=True, capture_output=True)
    vedette = Path(sys.executable).with_name("vedette")
    certificate = f"--tls-cert {network}/server.pem --tls-key {network}/server.key"
    server = f"{vedette} up --single --data {data} --port 443 {certificate} >{tmp_path}/out 2>{tmp_path}/err"
    client = [sys.executable, "-W", "ignore", "-c", CLIENT, known["tenant"], known["client_id"], NAME, PASSWORD]
    command = [judge / "sandbox.sh", network, server, *client]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, (done.stderr, (tmp_path / "err").read_text())
    answers = json.loads(done.stdout)
    for segment in (known["tenant"], "organizations"):
        assert answers[segment]["id_token_claims"]["preferred_username"] == NAME, answers
        assert answers[segment]["id_token_claims"]["iss"] == f"https://login.microsoftonline.com/{known['tenant']}/v2.0"
    assert answers["wrong"]["error_codes"] == [50126]
    assert answers["azure"]["access_token"].count(".") == 2
    assert answers["userinfo"]["email"] == NAME
    assert answers["incidents"] == 200
