"""Provides the demo: two tenants, people, applications with permissions, the attack, its incidents, and `demo.json`."""

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from vedette.clock import TICKS_PER_SECOND, now_ticks
from vedette.contracts.permissions import load_resources
from vedette.detections.evaluate import Window
from vedette.detections.rules import packaged_rules
from vedette.identity.directory.tenants import Tenants
from vedette.identity.provisioning import ApplicationKind, Provisioning
from vedette.ids import derived_guid
from vedette.observability.logs import get_logger
from vedette.server.data_folder import write_private
from vedette.server.demo.generate import DAYS
from vedette.server.demo.intake import ensure_telemetry
from vedette.server.directory import Permissions, every_application_permission, make_application, resource_uri
from vedette.server.wiring import Services
from vedette.store.secrets import Secret

LOG = get_logger(__name__)

HOME = (derived_guid("demo", "home"), "northquay.example", "Northquay Logistics")
CUSTOMER = (derived_guid("demo", "customer"), "fellmoor.example", "Fellmoor Clinics")

PEOPLE = (
    (HOME, "admin", "Ada Okafor", ("Global Administrator",)),
    (HOME, "analyst", "Ines Duarte", ("Security Reader",)),
    (HOME, "operator", "Tomas Vrana", ("Security Operator",)),
    (CUSTOMER, "admin", "Noor Haddad", ("Global Administrator",)),
)

_PARTNER_PERMISSIONS: Permissions = {
    "mtp": ("Incident.Read.All", "AdvancedHunting.Read.All"),
    "wdatp": ("AdvancedQuery.Read.All",),
    "graph": ("SecurityIncident.Read.All", "SecurityAlert.Read.All", "ThreatHunting.Read.All"),
}
_PERSONAL_PERMISSIONS: Permissions = {
    "mtp": ("Incident.Read", "AdvancedHunting.Read"),
    "wdatp": ("AdvancedQuery.Read",),
    "graph": ("SecurityIncident.Read.All", "ThreatHunting.Read.All"),
}

TenantSpec = tuple[str, str, str]


class DemoTenant(msgspec.Struct, frozen=True):
    """A tenant of `demo.json`."""

    tenant_id: str
    domain: str
    name: str
    home: bool


class DemoApp(msgspec.Struct, frozen=True):
    """An application of `demo.json`."""

    name: str
    kind: ApplicationKind
    tenant_id: str
    client_id: str
    client_secret: str | None
    permissions: Mapping[str, tuple[str, ...]]


class DemoUser(msgspec.Struct, frozen=True):
    """A person of `demo.json`."""

    upn: str
    password: str
    tenant_id: str
    roles: tuple[str, ...]


class DemoDocument(msgspec.Struct, frozen=True):
    """The content of `demo.json`."""

    base_url: str
    ca_file: str | None
    tenants: tuple[DemoTenant, ...]
    apps: tuple[DemoApp, ...]
    users: tuple[DemoUser, ...]


def ensure_demo(services: Services, base_url: str, ca_file: Path | None) -> None:
    """Everything of the demo that is not there yet. `demo.json` always tells the address of this run."""
    path = services.folder.demo_file
    document = _read(path)
    is_provided = document is not None and _is_provided(services, document)
    tenants = tuple(_tenant(services, spec, is_home=spec is HOME) for spec in (HOME, CUSTOMER))
    with ThreadPoolExecutor(
        1, thread_name_prefix="demo"
    ) as beside:  # neither needs the other, and both take their time
        telemetry = beside.submit(ensure_telemetry, services, HOME[0])
        if document is None or not is_provided:
            document = _provide(services, tenants)
        placed = msgspec.structs.replace(document, base_url=base_url, ca_file=str(ca_file) if ca_file else None)
        if placed != _read(path):
            write_private(path, placed)
        if telemetry.result():
            _detect(services)


def _read(path: Path) -> DemoDocument | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=DemoDocument)
    except FileNotFoundError:
        return None


def _is_provided(services: Services, document: DemoDocument) -> bool:
    known = {tenant.tenant_id for tenant in services.tenants()}
    return {tenant.tenant_id for tenant in document.tenants} <= known


def _provide(services: Services, tenants: tuple[DemoTenant, ...]) -> DemoDocument:
    users = tuple(_user(services, *person) for person in PEOPLE)
    apps = (
        _app(services, "Vedette demo client", "confidential", application=every_application_permission()),
        _app(services, "Vedette demo sign-in", "public", delegated=_PERSONAL_PERMISSIONS),
        _app(services, "Vedette demo partner", "multitenant", application=_PARTNER_PERMISSIONS),
    )
    with services.store.begin() as connection:
        Provisioning(connection, services.identity).grant_admin_consent(CUSTOMER[0], apps[2].client_id)
    return DemoDocument("", None, tenants, apps, users)


def _tenant(services: Services, spec: TenantSpec, *, is_home: bool) -> DemoTenant:
    tenant_id, domain, name = spec
    with services.store.begin() as connection:
        if Tenants(connection).find(tenant_id) is None:
            provisioning = Provisioning(connection, services.identity)
            provisioning.create_tenant(name, domain, tenant_id=tenant_id, is_home=is_home)
    return DemoTenant(tenant_id, domain, name, is_home)


def _user(services: Services, spec: TenantSpec, alias: str, name: str, roles: tuple[str, ...]) -> DemoUser:
    tenant_id, domain, _ = spec
    user = DemoUser(f"{alias}@{domain}", secrets.token_urlsafe(15), tenant_id, roles)
    with services.store.begin() as connection:
        Provisioning(connection, services.identity).create_user(
            tenant_id, user.upn, name, Secret(user.password), roles=roles
        )
    return user


def _app(
    services: Services,
    name: str,
    kind: ApplicationKind,
    application: Permissions | None = None,
    delegated: Permissions | None = None,
) -> DemoApp:
    new = make_application(services, HOME[0], name, kind, application=application or {}, delegated=delegated or {})
    granted = {**(application or {}), **(delegated or {})}
    permissions = {resource_uri(key): granted[key] for key in load_resources() if key in granted}
    return DemoApp(name, kind, HOME[0], new.app_id, new.client_secret, permissions)


def _detect(services: Services) -> None:
    """Let every rule look at the whole week once; from now on their schedules do."""
    tenant: Any = services.tenant(HOME[0])
    now = now_ticks(services.clock)
    window = Window(now - (DAYS + 1) * 86_400 * TICKS_PER_SECOND, now + 1)
    for rule in packaged_rules().values():
        outcome = services.evaluator.evaluate(tenant, rule, window)
        if outcome.error:
            LOG.error("a demo rule failed", rule=rule.id, error=outcome.error)
