"""Application tokens a second, against two token servers from npm in the same run; bearer tokens verified a second.

Every server is one process on plain HTTP that signs each token by RS256 with 2048 bits. Vedette and oidc-provider check
the client's secret, oauth2-mock-server checks nothing.
"""

import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from bench.measurement import Measurement
from bench.web_process import free_port, running, web_process
from vedette.clock import SystemClock
from vedette.identity.provisioning import Provisioning
from vedette.identity.services import IdentityServices
from vedette.identity.tokens.verifier import Verifier
from vedette.ids import RandomIds
from vedette.store.engine import Store
from vedette.store.metadata import METADATA
from vedette.store.secrets import MasterKey

CONNECTIONS = 16
SECONDS = 4.0
ROUNDS = 3
RATIO_GOAL = 1.5
CACHED_GOAL, UNCACHED_GOAL = 200_000.0, 15_000.0
FRESH_TOKENS = 1_000
SECRET = "a-secret-of-the-benchmark-that-is-long-enough"
PACKAGES = ("oidc-provider", "oauth2-mock-server")
BASE = "https://localhost"

OIDC_PROVIDER = """
import {Provider} from 'oidc-provider';
import {generateKeyPairSync} from 'node:crypto';
const [port, secret] = process.argv.slice(2);
const key = generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey.export({format: 'jwk'});
const resource = 'https://api.example';
const server = {scope: 'read', audience: resource, accessTokenTTL: 3599, accessTokenFormat: 'jwt',
                jwt: {sign: {alg: 'RS256'}}};
new Provider(`http://127.0.0.1:${port}`, {
  clients: [{client_id: 'bench', client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [],
             response_types: [], token_endpoint_auth_method: 'client_secret_post'}],
  features: {devInteractions: {enabled: false}, clientCredentials: {enabled: true},
             resourceIndicators: {enabled: true, defaultResource: () => resource, getResourceServerInfo: () => server}},
  jwks: {keys: [{...key, use: 'sig', alg: 'RS256'}]},
}).listen(Number(port), '127.0.0.1');
"""

MOCK_SERVER = """
import {OAuth2Server} from 'oauth2-mock-server';
const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');
await server.start(Number(process.argv[2]), '127.0.0.1');
"""


class Endpoint(msgspec.Struct, frozen=True):
    """Where a server gives tokens, and for what."""

    port: int
    path: str
    form: dict[str, str]

    def tokens_per_second(self) -> float:
        """Under load for some seconds."""
        form = urlencode(self.form)
        request = (
            f"POST {self.path} HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}"
        )
        command = [sys.executable, "-m", "bench.http_load", str(self.port), str(CONNECTIONS), str(SECONDS)]
        done = subprocess.run(command, input=request.encode(), capture_output=True, check=True)
        return float(json.loads(done.stdout)["rate"])


def measure() -> Iterator[Measurement]:
    """The three servers in turns, medians; then verification in this process."""
    with tempfile.TemporaryDirectory(prefix="vedette-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        endpoints = {
            "vedette": stack.enter_context(_vedette(folder)),
            **{peer: stack.enter_context(served) for peer, served in _peers(folder).items()},
        }
        rates: dict[str, list[float]] = {server: [] for server in endpoints}
        for _ in range(ROUNDS):
            for server, endpoint in endpoints.items():
                rates[server].append(endpoint.tokens_per_second())
    medians = {server: statistics.median(of_server) for server, of_server in rates.items()}
    ours = medians.pop("vedette")
    yield Measurement("tokens.issued", ours, "tokens/s")
    for peer, theirs in medians.items():
        goal = RATIO_GOAL if peer == PACKAGES[0] else None
        yield Measurement(f"tokens.issued.vs.{peer}", ours / theirs, "x", goal, "higher", f"{peer}, {theirs:.0f}/s")
    yield from _verification()


def _verification() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(prefix="vedette-bench-") as name:
        store = Store.in_folder(Path(name))
        METADATA.create_all(store.engine)
        services = IdentityServices(store, MasterKey.random(), clock=SystemClock(), ids=RandomIds())
        tokens = _signed(services)
        verifier = Verifier(services)
        verifier.verify(tokens.pop())
        yield Measurement("tokens.verified.uncached", _rate(verifier, tokens), "tokens/s/core", UNCACHED_GOAL, "higher")
        known = tokens[:1] * 100_000
        yield Measurement("tokens.verified.cached", _rate(verifier, known), "tokens/s/core", CACHED_GOAL, "higher")
        store.close()


def _rate(verifier: Verifier, tokens: list[str]) -> float:
    started = time.process_time()
    for token in tokens:
        verifier.verify(token)
    return len(tokens) / (time.process_time() - started)


def _signed(services: IdentityServices) -> list[str]:
    from vedette.identity.minting import MintOrder, mint

    with services.store.begin() as connection:
        admin = Provisioning(connection, services)
        tenant = admin.create_tenant("Bench", "bench.example").tenant
        app = admin.create_application(tenant.tenant_id, "Bench")
    order = MintOrder(tenant=tenant.domain, app_id=app.app_id, roles=("Incident.Read.All",), base_url=BASE)
    return [mint(services, order).value.reveal() for _ in range(FRESH_TOKENS + 1)]


@contextlib.contextmanager
def _vedette(folder: Path) -> Iterator[Endpoint]:
    with web_process(folder / "data") as process:
        form = {
            "grant_type": "client_credentials",
            "client_id": process.client_id,
            "client_secret": process.client_secret,
            "scope": "https://graph.microsoft.com/.default",
        }
        yield Endpoint(process.port, f"/{process.tenant_id}/oauth2/v2.0/token", form)


def _peers(folder: Path) -> dict[str, contextlib.AbstractContextManager[Endpoint]]:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm, which the servers to compare with come from")
    options = ["--no-audit", "--no-fund", "--no-package-lock", "--silent"]
    subprocess.run([npm, "install", *options, *PACKAGES], cwd=folder, check=True, timeout=180)
    form = {"grant_type": "client_credentials", "client_id": "bench", "client_secret": SECRET}
    return {
        PACKAGES[0]: _node(folder, "oidc_provider.mjs", OIDC_PROVIDER, form),
        PACKAGES[1]: _node(folder, "mock_server.mjs", MOCK_SERVER, form | {"scope": "read"}),
    }


@contextlib.contextmanager
def _node(folder: Path, name: str, script: str, form: dict[str, str]) -> Iterator[Endpoint]:
    port = free_port()
    (folder / name).write_text(script)
    with running(["node", str(folder / name), str(port), SECRET], port):
        yield Endpoint(port, "/token", form)
