"""Commands about people, over the Graph endpoints of a running server."""

import secrets
from typing import Annotated

from cyclopts import App

from vedette.cli.directory import directory, show_list, show_one
from vedette.cli.output import DONE
from vedette.cli.parameters import DemoFolder, Output, Switch, Texts

COLUMNS = {"account": "userPrincipalName", "name": "displayName", "enabled": "accountEnabled", "id": "id"}
PASSWORD_BYTES = 15


def commands() -> App:
    """`vedette user …`."""
    app = App(name="user", help="People's accounts.")
    app.command(list_, name="list")
    app.command(show)
    app.command(create)
    app.command(reset_password, name="reset-password")
    app.command(enable)
    app.command(disable)
    app.command(delete)
    return app


def list_(*, output: Output = "table", data: DemoFolder = None) -> int:
    """List the tenant's accounts."""
    with directory(data) as found:
        show_list(found.users(), COLUMNS, output)
    return DONE


def show(user: str, /, *, output: Output = "table", data: DemoFolder = None) -> int:
    """Show one account with its roles and groups.

    Parameters
    ----------
    user
        User principal name or object id.
    """
    with directory(data) as found:
        show_one(found.user(user), output)
    return DONE


def create(
    user: str,
    /,
    *,
    name: str,
    roles: Texts = (),
    keep_password: Annotated[bool, Switch] = False,
    output: Output = "table",
    data: DemoFolder = None,
) -> int:
    """Make an account with a random password, and print that once.

    Parameters
    ----------
    user
        User principal name, in a domain of the tenant.
    name
        Display name.
    roles
        Directory roles by name, such as "Security Reader".
    keep_password
        Do not ask for a new password at the first sign-in.
    """
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with directory(data) as found:
        created = found.create_user(user, name, password, roles, not keep_password)
    show_one({"userPrincipalName": created["userPrincipalName"], "id": created["id"], "password": password}, output)
    return DONE


def reset_password(
    user: str,
    /,
    *,
    keep_password: Annotated[bool, Switch] = False,
    output: Output = "table",
    data: DemoFolder = None,
) -> int:
    """Give an account a new random password, and print it once. Sessions and tokens of the person end.

    Parameters
    ----------
    user
        User principal name or object id.
    keep_password
        Do not ask for a new password at the next sign-in.
    """
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with directory(data) as found:
        found.reset_password(user, password, not keep_password)
    show_one({"user": user, "password": password}, output)
    return DONE


def enable(user: str, /, *, data: DemoFolder = None) -> int:
    """Let a person sign in again.

    Parameters
    ----------
    user
        User principal name or object id.
    """
    with directory(data) as found:
        found.set_user_enabled(user, enabled=True)
    return DONE


def disable(user: str, /, *, data: DemoFolder = None) -> int:
    """Let a person sign in no more; tokens they have fail.

    Parameters
    ----------
    user
        User principal name or object id.
    """
    with directory(data) as found:
        found.set_user_enabled(user, enabled=False)
    return DONE


def delete(user: str, /, *, yes: Annotated[bool, Switch] = False, data: DemoFolder = None) -> int:
    """Delete an account with everything that was given to it.

    Parameters
    ----------
    user
        User principal name or object id.
    yes
        Do it without asking.
    """
    from vedette.errors import UsageError

    if not yes:
        raise UsageError(f"This deletes the account {user} for good; say so with --yes.")
    with directory(data) as found:
        found.delete_user(user)
    return DONE
