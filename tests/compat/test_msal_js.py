"""MSAL.js from npm, unmodified: msal-node with a secret, msal-browser signing in on the real pages in Chromium."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import lacking
from vedette.identity.directory.applications import RedirectUris
from vedette.identity.provisioning import Provisioning
from vedette.server.data_folder import existing_data_folder
from vedette.server.wiring import Services
from vedette.settings import load_settings

from .conftest import DemoServer
from .people import Person

CHROMIUM = "/usr/bin/chromium"
PORT = 18170
ORIGIN = f"http://localhost:{PORT}/"
DEFENDER = "https://api.security.microsoft.com"

NODE_SCRIPT = """
const {ConfidentialClientApplication} = require('@azure/msal-node');
const [clientId, clientSecret, authority, known] = process.argv.slice(2);
const app = new ConfidentialClientApplication({auth: {clientId, clientSecret, authority, knownAuthorities: [known]}});
app.acquireTokenByClientCredential({scopes: ['https://api.security.microsoft.com/.default']})
  .then(answer => console.log(JSON.stringify({token: answer.accessToken})))
  .catch(error => console.log(JSON.stringify({error: error.errorCode, message: error.message})));
"""

PAGE = """<!doctype html><title>app</title><pre id="out"></pre><script src="/msal.js"></script><script>
(async () => {
  const out = document.getElementById('out');
  try {
    const app = new msal.PublicClientApplication({auth: %s});
    await app.initialize();
    const scopes = ['https://api.security.microsoft.com/Incident.Read'];
    const answer = await app.handleRedirectPromise();
    if (!answer) return await app.loginRedirect({scopes});
    const renewed = await app.acquireTokenSilent({scopes, account: answer.account, forceRefresh: true});
    out.textContent = JSON.stringify({name: answer.account.username, scopes: renewed.scopes});
  } catch (error) { out.textContent = JSON.stringify({error: String(error)}); }
})();
</script>"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MSAL.js in it."""
    npm = shutil.which("npm")
    if npm is None:
        lacking("npm is missing")
    folder = tmp_path_factory.mktemp("npm")
    command = [str(npm), "install", "--no-audit", "--no-fund", "@azure/msal-node", "@azure/msal-browser"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        lacking("MSAL.js of the npm registry is missing")
    return folder


@pytest.mark.parametrize("is_right", [True, False])
def test_msal_node_with_a_secret(trusted: DemoServer, packages: Path, is_right: bool) -> None:
    app = trusted.app("confidential")
    script = packages / "ask.js"
    script.write_text(NODE_SCRIPT)
    arguments = [
        str(app["client_id"]),
        str(app["client_secret"]) if is_right else "wrong",
        f"{trusted.base_url}/{trusted.home['tenant_id']}",
        urlsplit(trusted.base_url).netloc,
    ]
    done = subprocess.run(
        ["node", str(script), *arguments],
        env={"NODE_EXTRA_CA_CERTS": trusted.ca_file, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer = json.loads(done.stdout)
    if is_right:
        assert answer["token"].count(".") == 2
    else:
        assert answer["error"] == "invalid_client"
        assert "AADSTS7000215" in answer["message"]


@pytest.fixture(scope="module")
def page_app(demo_server: DemoServer) -> str:
    """The client id of a browser application."""
    services = Services(load_settings({"data": demo_server.data}, {}), existing_data_folder(demo_server.data))
    home = str(demo_server.home["tenant_id"])
    try:
        with services.store.begin() as connection:
            admin = Provisioning(connection, services.identity)
            app = admin.create_application(home, "Single page", redirect_uris=RedirectUris(spa=(ORIGIN,)))
            admin.add_required_permissions(home, app.app_id, "mtp", delegated=["Incident.Read"])
            admin.grant_admin_consent(home, app.app_id)
            return app.app_id
    finally:
        services.close()


@pytest.fixture
def served(packages: Path, demo_server: DemoServer, page_app: str) -> Iterator[None]:
    """The application's own page."""
    library = (packages / "node_modules/@azure/msal-browser/lib/msal-browser.min.js").read_bytes()
    auth = {
        "clientId": page_app,
        "authority": f"{demo_server.base_url}/{demo_server.home['tenant_id']}",
        "knownAuthorities": [urlsplit(demo_server.base_url).netloc],
        "redirectUri": ORIGIN,
    }
    page = (PAGE % json.dumps(auth)).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_library = self.path == "/msal.js"
            self.send_response(200)
            self.send_header("content-type", "text/javascript" if is_library else "text/html")
            self.end_headers()
            self.wfile.write(library if is_library else page)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.browser
@pytest.mark.usefixtures("served")
def test_msal_browser_signs_in_on_the_pages(trusted: DemoServer) -> None:
    from playwright.sync_api import sync_playwright

    if not Path(CHROMIUM).exists():
        lacking("Chromium is missing")
    with Person(trusted) as person, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.goto(ORIGIN)
        page.locator("#username:focus").wait_for()
        page.fill("#username", person.name)
        page.fill("#password", person.password)
        page.keyboard.press("Enter")
        page.wait_for_function("document.getElementById('out')?.textContent")
        answer = json.loads(page.inner_text("#out"))
        browser.close()
    assert answer == {"name": person.name, "scopes": [f"{DEFENDER}/Incident.Read"]}
