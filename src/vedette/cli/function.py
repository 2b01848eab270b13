"""Commands about the functions that tenants store for their queries."""

from pathlib import Path

import msgspec
from cyclopts import App

from vedette.cli.directory import Output, show_list, show_one
from vedette.cli.hunt import say_diagnostics, sentence
from vedette.cli.locate import data_path
from vedette.cli.output import DONE, FAILED, say
from vedette.errors import ApiError

COLUMNS = {"name": "name", "parameters": "parameters", "description": "description", "by": "last_modified_by"}


def commands() -> App:
    """`vedette function …`."""
    app = App(name="function", help="Functions that a tenant stores for its hunting queries and rules.")
    app.command(create)
    app.command(list_, name="list")
    app.command(show)
    app.command(delete)
    return app


def create(
    name: str,
    query: Path,
    /,
    *,
    parameters: str = "",
    description: str = "",
    tenant: str | None = None,
    data: Path | None = None,
) -> int:
    """Store a function; every query and rule of the tenant can name it then.

    Parameters
    ----------
    name
        What queries call it.
    query
        File with its query.
    parameters
        Its parameters, as in KQL: `account: string, days: int = 7`.
    description
        What it is for.
    tenant
        GUID or domain of the tenant (default: the home tenant).
    data
        The server's data folder.
    """
    from vedette.hunting.stored_functions import StoredFunction
    from vedette.kql.errors import KqlError
    from vedette.server.hunting import create_function

    try:
        function = StoredFunction(name, parameters, query.read_text("utf-8"), description)
        create_function(data_path(data), tenant, function)
    except KqlError as error:
        say_diagnostics(error)
        return FAILED
    except OSError as error:
        say(f"vedette: {query}: {error.strerror}")
        return FAILED
    except ApiError as error:
        return _refused(error)
    return DONE


def list_(*, tenant: str | None = None, output: Output = "table", data: Path | None = None) -> int:
    """List the functions of a tenant.

    Parameters
    ----------
    tenant
        GUID or domain of the tenant (default: the home tenant).
    output
        Form of the result.
    data
        The server's data folder.
    """
    from vedette.server.hunting import list_functions

    found = [msgspec.structs.asdict(each) for each in list_functions(data_path(data), tenant)]
    show_list(found, COLUMNS, output)
    return DONE


def show(name: str, /, *, tenant: str | None = None, output: Output = "table", data: Path | None = None) -> int:
    """Show a function with its query.

    Parameters
    ----------
    name
        Name of the function.
    tenant
        GUID or domain of the tenant (default: the home tenant).
    output
        Form of the result.
    data
        The server's data folder.
    """
    from vedette.server.hunting import show_function

    try:
        function = show_function(data_path(data), tenant, name)
    except ApiError as error:
        return _refused(error)
    show_one(msgspec.structs.asdict(function), output)
    return DONE


def delete(name: str, /, *, tenant: str | None = None, data: Path | None = None) -> int:
    """Delete a function. What still names it is refused when it runs next.

    Parameters
    ----------
    name
        Name of the function.
    tenant
        GUID or domain of the tenant (default: the home tenant).
    data
        The server's data folder.
    """
    from vedette.server.hunting import delete_function

    try:
        delete_function(data_path(data), tenant, name)
    except ApiError as error:
        return _refused(error)
    return DONE


def _refused(error: ApiError) -> int:
    say(f"vedette: {sentence(error)}")
    return FAILED
