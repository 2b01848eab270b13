"""`vedette seed`: incidents, alerts, machines and events for tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vedette.cli.administration import running
from vedette.cli.locate import data_path
from vedette.cli.output import DONE, print_json
from vedette.cli.parameters import ServerFolder, Tenant
from vedette.errors import UsageError


def seed(file: Path, /, *, tenant: Tenant = None, data: ServerFolder = None) -> int:
    """Put what a JSON or YAML file describes into a tenant, all of it or nothing, and print the ids.

    Parameters
    ----------
    file
        An object with "incidents" (each with its "alerts") and "alerts" in the shape of Microsoft Graph, "machines" in
        that of Defender for Endpoint, "events" (lists of rows by the name of their hunting table).
    """
    import msgspec

    if not file.is_file():
        raise UsageError(f"There is no file {file}.")
    path = data_path(data)
    with running(path) as server:
        if server is not None:
            print_json(_named(file, lambda: server.seed(file.read_bytes(), tenant)))
            return DONE
    from vedette.server.seed import seed_file

    print_json(msgspec.to_builtins(seed_file(path, file, tenant)))
    return DONE


def _named(file: Path, send: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What was made; a fault of the document is told with the name of its file."""
    from vedette.client.errors import ResponseError

    try:
        return send()
    except ResponseError as error:
        if error.status != 400:
            raise
        raise UsageError(f"{file}: {error.message}") from error
