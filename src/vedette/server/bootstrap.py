"""`vedette bootstrap`: a first application for somebody who has the data folder, and no demo."""

import os
from pathlib import Path

from vedette.identity.change_log import Target
from vedette.identity.directory.applications import Applications
from vedette.identity.directory.tenants import Tenants
from vedette.portal.first_run import FirstRun
from vedette.server.addresses import base_url
from vedette.server.data_folder import open_data_folder, read_state
from vedette.server.directory import HOME_NAME, ensure_home_tenant, every_application_permission, make_application
from vedette.server.tenants import owner_log
from vedette.server.wiring import Services
from vedette.settings import load_settings
from vedette.store.migrate import upgrade


def bootstrap_link(data: Path) -> str:
    """A one-time link to the page that makes the first tenant and its administrator."""
    settings = load_settings({"data": data}, os.environ)
    folder = open_data_folder(data)
    services = Services(settings, folder)
    try:
        upgrade(services.store)
        code = FirstRun(folder.root).issue(services.identity.now())
    finally:
        services.close()
    state = read_state(folder)
    address = state.base_url if state is not None else base_url(settings)
    return f"{address}/portal/first-run?code={code}"


def bootstrap_client(data: Path, name: str, domain: str) -> dict[str, object]:
    """Make an application with every permission in the home tenant; what its owner needs to sign in."""
    settings = load_settings({"data": data}, os.environ)
    folder = open_data_folder(data)
    services = Services(settings, folder)
    try:
        upgrade(services.store)
        with services.store.connect() as connection:
            is_new = not Tenants(connection).all()
        tenant = ensure_home_tenant(services, HOME_NAME, domain)
        application = make_application(
            services,
            tenant.tenant_id,
            name,
            "confidential",
            application=every_application_permission(),
            delegated={},
        )
        with services.store.begin() as connection:
            log = owner_log(connection, services, tenant.tenant_id)
            if is_new:
                log.tell("add_tenant", Target(tenant.tenant_id, tenant.display_name), domain=tenant.domain)
            registration = Applications(connection, tenant.tenant_id).get(application.app_id)
            log.tell("add_application", registration)
            log.tell("update_application_credentials", registration)
    finally:
        services.close()
    state = read_state(folder)
    return {
        "base_url": state.base_url if state else None,
        "ca_file": state.ca_file if state else None,
        "tenant_id": tenant.tenant_id,
        "domain": tenant.domain,
        "client_id": application.app_id,
        "client_secret": application.client_secret,
    }
