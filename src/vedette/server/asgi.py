"""The application for any ASGI server: `create_app` takes its settings from the environment and the settings file.

`vedette up` does not need it; a container that brings its own server does, beside a `vedette worker`.
"""

import os

from vedette.api.dispatch import Dispatcher
from vedette.observability.logs import configure_logs
from vedette.server.data_folder import open_data_folder
from vedette.server.plan import ServerPlan
from vedette.server.web import build_application
from vedette.server.wiring import Services
from vedette.settings import load_settings
from vedette.store.migrate import upgrade


def create_app() -> Dispatcher:
    """Build the application of this process. The data folder is migrated if need be."""
    settings = load_settings({}, os.environ)
    configure_logs(settings.log_level, settings.log_format)
    folder = open_data_folder(settings.data)
    services = Services(settings, folder)
    upgrade(services.store)
    services.writer.start()
    return build_application(services, ServerPlan(settings, folder, None))
