"""`vedette seed`: incidents and alerts for tests, written as Graph shows them."""

from pathlib import Path

from vedette.cli.locate import data_path
from vedette.cli.output import DONE, print_json


def seed(file: Path, /, *, tenant: str | None = None, data: Path | None = None) -> int:
    """Put the incidents and alerts of a JSON file into a tenant, all of them or none, and print their ids.

    Parameters
    ----------
    file
        A JSON object with "incidents" (each with its "alerts") and "alerts", in the shape of Microsoft Graph.
    tenant
        GUID or domain (default: the home tenant).
    data
        The server's data folder.
    """
    from vedette.server.seed import seed_file

    made = seed_file(data_path(data), file, tenant)
    print_json({"incidents": list(made.incidents), "alerts": list(made.alerts)})
    return DONE
