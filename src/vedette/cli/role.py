"""Commands about custom roles. They are the installation's owner's: they work on the data folder."""

from cyclopts import App

from vedette.cli.directory import show_list, show_one
from vedette.cli.locate import data_path
from vedette.cli.output import DONE, say
from vedette.cli.parameters import Output, ServerFolder, Tenant, Texts

PERMISSIONS = {"key": "key", "group": "group", "name": "name", "rights": "rights"}
ROLES = {"name": "name", "permissions": "permissions", "id": "id"}
ASSIGNMENTS = {
    "role": "role", "who": "who", "data sources": "data sources", "device groups": "device groups", "id": "id",
}  # fmt: skip


def commands() -> App:
    """`vedette role …`."""
    app = App(name="role", help="Custom roles: sets of permissions, and who has them over which data.")
    app.command(permissions)
    app.command(list_, name="list")
    app.command(create)
    app.command(delete)
    app.command(assign)
    app.command(assignments)
    app.command(unassign)
    return app


def permissions(*, output: Output = "table") -> int:
    """List the permissions that roles are made of."""
    from vedette.server.security_roles import list_permissions

    show_list(list_permissions(), PERMISSIONS, output)
    return DONE


def list_(*, tenant: Tenant = None, output: Output = "table", data: ServerFolder = None) -> int:
    """List the custom roles."""
    from vedette.server.security_roles import list_roles

    show_list(list_roles(data_path(data), tenant), ROLES, output)
    return DONE


def create(
    name: str,
    /,
    *,
    permission: Texts,
    description: str = "",
    tenant: Tenant = None,
    output: Output = "table",
    data: ServerFolder = None,
) -> int:
    """Make a role.

    Parameters
    ----------
    name
        Name of the role.
    permission
        Keys of its permissions, as `vedette role permissions` lists them.
    description
        What it is for.
    """
    from vedette.server.security_roles import create_role

    show_one(create_role(data_path(data), tenant, name, permission, description), output)
    return DONE


def delete(name: str, /, *, tenant: Tenant = None, data: ServerFolder = None) -> int:
    """Delete a role with its assignments.

    Parameters
    ----------
    name
        Name or id of the role.
    """
    from vedette.server.security_roles import delete_role

    delete_role(data_path(data), tenant, name)
    say(f"deleted {name}")
    return DONE


def assign(
    role: str,
    who: str,
    /,
    *,
    source: Texts = (),
    device_group: Texts = (),
    tenant: Tenant = None,
    output: Output = "table",
    data: ServerFolder = None,
) -> int:
    """Give a role to a user or to the members of a group.

    Parameters
    ----------
    role
        Name or id of the role.
    who
        User principal name, name of a group, or an id.
    source
        Data sources that it is limited to: endpoint, office, identity, cloud_apps, cloud (default: all).
    device_group
        Device groups, by name or number, that it is limited to (default: all).
    """
    from vedette.server.security_roles import assign_role

    made = assign_role(data_path(data), tenant, role, who, sources=source, device_groups=device_group)
    show_one(made, output)
    return DONE


def assignments(*, tenant: Tenant = None, output: Output = "table", data: ServerFolder = None) -> int:
    """List who has which role over what."""
    from vedette.server.security_roles import list_assignments

    show_list(list_assignments(data_path(data), tenant), ASSIGNMENTS, output)
    return DONE


def unassign(assignment: str, /, *, tenant: Tenant = None, data: ServerFolder = None) -> int:
    """Take an assignment back.

    Parameters
    ----------
    assignment
        Its id, as `vedette role assignments` lists it.
    """
    from vedette.server.security_roles import unassign_role

    unassign_role(data_path(data), tenant, assignment)
    say("taken back")
    return DONE
