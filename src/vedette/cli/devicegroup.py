"""Commands about device groups. They are the installation's owner's: they work on the data folder."""

from cyclopts import App

from vedette.cli.directory import show_list, show_one
from vedette.cli.locate import data_path
from vedette.cli.output import DONE, say
from vedette.cli.parameters import OptionalTexts, Output, ServerFolder, Tenant

COLUMNS = {"rank": "rank", "name": "name", "rule": "rule", "machines": "machines", "access": "access", "id": "id"}


def commands() -> App:
    """`vedette devicegroup …`."""
    app = App(name="devicegroup", help="Device groups: which machines belong together, and who sees them.")
    app.command(list_, name="list")
    app.command(create)
    app.command(change)
    app.command(delete)
    return app


def list_(*, tenant: Tenant = None, output: Output = "table", data: ServerFolder = None) -> int:
    """List the device groups in order of rank."""
    from vedette.server.device_groups import list_device_groups

    show_list(list_device_groups(data_path(data), tenant), COLUMNS, output)
    return DONE


def create(
    name: str,
    /,
    *,
    rule: OptionalTexts = None,
    access: OptionalTexts = None,
    rank: int | None = None,
    description: str | None = None,
    level: str | None = None,
    tenant: Tenant = None,
    output: Output = "table",
    data: ServerFolder = None,
) -> int:
    """Make a device group. A machine belongs to the first group, in order of rank, whose rule it meets.

    Parameters
    ----------
    name
        Name of the group.
    rule
        Conditions such as "name startsWith ws-": property (name, domain, tag, osPlatform), operator (equals,
        startsWith, endsWith, contains), value. Values of one property and operator are alternatives, the rest adds up.
    access
        Security groups, by name or id, whose members alone see its machines (default: everybody).
    rank
        Its rank, 1 being the highest (default: behind the groups that there are).
    description
        What it is for.
    level
        Remediation level, such as "Full remediation".
    """
    from vedette.server.device_groups import GroupChange, create_device_group

    wanted = GroupChange(rules=rule, access=access, rank=rank, description=description, level=level)
    show_one(create_device_group(data_path(data), tenant, name, wanted), output)
    return DONE


def change(
    name: str,
    /,
    *,
    rule: OptionalTexts = None,
    access: OptionalTexts = None,
    rank: int | None = None,
    description: str | None = None,
    level: str | None = None,
    tenant: Tenant = None,
    output: Output = "table",
    data: ServerFolder = None,
) -> int:
    """Change a device group; what is not given stays. Of the default group, 0, only the access can be changed.

    Parameters
    ----------
    name
        Name or number of the group.
    rule
        Conditions that take the place of all that were.
    access
        Security groups that take the place of all that were; an empty one opens the group to everybody.
    rank
        Its new rank.
    description
        What it is for.
    level
        Remediation level.
    """
    from vedette.server.device_groups import GroupChange, change_device_group

    wanted = GroupChange(rules=rule, access=access, rank=rank, description=description, level=level)
    show_one(change_device_group(data_path(data), tenant, name, wanted), output)
    return DONE


def delete(name: str, /, *, tenant: Tenant = None, data: ServerFolder = None) -> int:
    """Delete a device group; its machines go to the next whose rule they meet.

    Parameters
    ----------
    name
        Name or number of the group.
    """
    from vedette.server.device_groups import delete_device_group

    delete_device_group(data_path(data), tenant, name)
    say(f"deleted {name}")
    return DONE
