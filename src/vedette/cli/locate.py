"""Finds the data folder and the credentials that a command works with."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vedette.errors import UsageError

if TYPE_CHECKING:
    from vedette.client.credentials import ClientSecret


def data_path(data: Path | None) -> Path:
    """The data folder of a command: `--data`, else `VEDETTE_DATA`, else the platform's."""
    from vedette.settings import load_settings

    return load_settings({"data": data}, os.environ).data


def credentials(data: Path | None) -> "ClientSecret":
    """Credentials of a command that talks to a server: of the folder that was named, the environment, the default."""
    from vedette.client.credentials import from_demo_file, from_environment

    found = None
    if data is None:
        found = from_environment(os.environ)
    if found is None:
        found = from_demo_file(data_path(data) / "demo.json")
    if found is None:
        raise UsageError(
            "No server and no credentials: name a demo's folder with --data, or set AZURE_AUTHORITY_HOST, "
            "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET."
        )
    return found
