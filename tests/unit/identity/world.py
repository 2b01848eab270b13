"""Two tenants with applications and people, and the login surface over them, without a socket."""

import base64
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.login.routes import LoginSurface
from vedette.clock import ManualClock
from vedette.context import Tenant
from vedette.identity.directory.applications import Application, RedirectUris
from vedette.identity.directory.users import User
from vedette.identity.provisioning import Provisioning
from vedette.identity.services import IdentityServices, IdentitySettings
from vedette.ids import RandomIds
from vedette.store.engine import Store
from vedette.store.metadata import METADATA
from vedette.store.secrets import MasterKey, Secret

START = 1_800_000_000.0
BASE = "https://localhost:8443"
MTP = "https://api.security.microsoft.com"
PASSWORD = Secret("correct horse battery staple")
ADMINISTRATOR = "Global Administrator"
REQUEST_ID = "11111111-2222-3333-4444-555555555555"


class Seed(msgspec.Struct, frozen=True):
    """What the template database holds."""

    home: Tenant
    customer: Tenant
    app: Application
    secret: str
    partner: Application
    partner_secret: str
    native: Application
    user: User
    boss: User
    """An administrator of the home tenant."""
    customer_boss: User
    """An administrator of the customer tenant."""


class World:
    """One test's own copy of the two tenants."""

    def __init__(
        self, store: Store, master_key: MasterKey, seed: Seed, settings: IdentitySettings | None = None
    ) -> None:
        self.store = store
        self.clock = ManualClock(START)
        self.services = IdentityServices(store, master_key, clock=self.clock, ids=RandomIds(), settings=settings)
        self.seed = seed
        self.handlers = LoginSurface(self.services).handlers()

    def request(
        self,
        handler: str,
        *,
        tenant: str = "",
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        query: str = "",
        base_url: str = BASE,
        client_address: str = "192.0.2.7",
        method: str = "",
        **path: str,
    ) -> ApiResponse:
        """Call a handler as dispatch would."""
        return self.handlers[handler](
            ApiRequest(
                method=method or ("GET" if form is None and body is None else "POST"),
                path="/",
                path_parameters={"tenant": tenant or self.seed.home.tenant_id, **path},
                query=query,
                headers=headers or {},
                body=urlencode(form or {}).encode() if body is None else body,
                base_url=base_url,
                client_address=client_address,
                request_id=REQUEST_ID,
            )
        )

    def client_credentials(self, **changes: str | None) -> dict[str, str]:
        """A good v2 form of the home application; None leaves a field out."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.seed.app.app_id,
            "client_secret": self.seed.secret,
            "scope": f"{MTP}/.default",
        }
        return {name: value for name, value in (form | changes).items() if value is not None}

    def token(self, tenant: str = "", base_url: str = BASE, **changes: str | None) -> str:
        """An access token of the home application."""
        answer = self.request("token_v2", tenant=tenant, form=self.client_credentials(**changes), base_url=base_url)
        assert answer.status == 200, answer.body
        return str(json.loads(answer.body)["access_token"])

    def provisioning(self):
        """A context manager of one write transaction."""
        return _Transaction(self)


class _Transaction:
    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> Provisioning:
        self._begun = self._world.store.begin()
        return Provisioning(self._begun.__enter__(), self._world.services)

    def __exit__(self, *details: object) -> None:
        self._begun.__exit__(*details)  # type: ignore[arg-type]


def build_template(path: Path, master_key: MasterKey) -> Seed:
    """Fill a database once; tests copy it."""
    store = Store(f"sqlite:///{path}")
    METADATA.create_all(store.engine)
    services = IdentityServices(store, master_key, clock=ManualClock(START - 86_400), ids=RandomIds())
    with store.begin() as connection:
        admin = Provisioning(connection, services)
        home = admin.create_tenant("Contoso", "contoso.example", is_home=True).tenant
        customer = admin.create_tenant("Fabrikam", "fabrikam.example").tenant
        app = admin.create_application(home.tenant_id, "Hunter")
        admin.add_required_permissions(
            home.tenant_id, app.app_id, "mtp", application=["Incident.Read.All", "AdvancedHunting.Read.All"]
        )
        admin.add_required_permissions(home.tenant_id, app.app_id, "graph", application=["ThreatHunting.Read.All"])
        admin.add_required_permissions(home.tenant_id, app.app_id, "vedette", application=["Vedette.Ingest"])
        admin.grant_admin_consent(home.tenant_id, app.app_id)
        secret = admin.add_password(home.tenant_id, app.app_id, "first").secret.reveal()
        partner = admin.create_application(
            home.tenant_id,
            "Partner",
            kind="multitenant",
            redirect_uris=RedirectUris(web=("https://partner.example/callback",)),
        )
        admin.add_required_permissions(home.tenant_id, partner.app_id, "mtp", application=["Incident.Read.All"])
        admin.grant_admin_consent(customer.tenant_id, partner.app_id)
        partner_secret = admin.add_password(home.tenant_id, partner.app_id).secret.reveal()
        native = admin.create_application(
            home.tenant_id, "Desktop", kind="public", redirect_uris=RedirectUris(public_client=("http://localhost",))
        )
        admin.add_required_permissions(home.tenant_id, native.app_id, "mtp", delegated=["Incident.Read"])
        admin.grant_admin_consent(home.tenant_id, native.app_id)
        user = admin.create_user(home.tenant_id, "Ada@contoso.example", "Ada", PASSWORD, roles=["Security Reader"])
        boss = admin.create_user(home.tenant_id, "boss@contoso.example", "Boss", PASSWORD, roles=[ADMINISTRATOR])
        customer_boss = admin.create_user(
            customer.tenant_id, "boss@fabrikam.example", "Fay", PASSWORD, roles=[ADMINISTRATOR]
        )
    store.engine.dispose()
    return Seed(home, customer, app, secret, partner, partner_secret, native, user, boss, customer_boss)


def copy_world(
    template: Path, folder: Path, master_key: MasterKey, seed: Seed, settings: IdentitySettings | None = None
) -> World:
    """A world of its own for one test."""
    shutil.copy(template, folder / "control.db")
    return World(Store.in_folder(folder), master_key, seed, settings)


def claims_of(token: str) -> dict[str, object]:
    """The payload of a token, unverified."""
    return json.loads(_decode(token.split(".")[1]))


def header_of(token: str) -> dict[str, object]:
    """The header of a token."""
    return json.loads(_decode(token.split(".", maxsplit=1)[0]))


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
