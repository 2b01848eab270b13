"""Commands about the functions that tenants store for their queries."""

from pathlib import Path

import msgspec
from cyclopts import App

from vedette.cli.directory import show_list, show_one
from vedette.cli.hunt import say_diagnostics, sentence
from vedette.cli.locate import data_path
from vedette.cli.output import DONE, FAILED, say
from vedette.cli.parameters import Output, ServerFolder, Tenant
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
    tenant: Tenant = None,
    data: ServerFolder = None,
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


def list_(*, tenant: Tenant = None, output: Output = "table", data: ServerFolder = None) -> int:
    """List the functions of a tenant."""
    from vedette.server.hunting import list_functions

    found = [msgspec.structs.asdict(each) for each in list_functions(data_path(data), tenant)]
    show_list(found, COLUMNS, output)
    return DONE


def show(name: str, /, *, tenant: Tenant = None, output: Output = "table", data: ServerFolder = None) -> int:
    """Show a function with its query.

    Parameters
    ----------
    name
        Name of the function.
    """
    from vedette.server.hunting import show_function

    try:
        function = show_function(data_path(data), tenant, name)
    except ApiError as error:
        return _refused(error)
    show_one(msgspec.structs.asdict(function), output)
    return DONE


def delete(name: str, /, *, tenant: Tenant = None, data: ServerFolder = None) -> int:
    """Delete a function. What still names it is refused when it runs next.

    Parameters
    ----------
    name
        Name of the function.
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
