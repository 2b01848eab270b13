"""Commands that save and restore the whole state of a server, running or not."""

from vedette.cli.administration import running
from vedette.cli.locate import data_path
from vedette.cli.output import DONE, print_table, say
from vedette.cli.parameters import ServerFolder


def save(name: str, /, *, data: ServerFolder = None) -> int:
    """Save the state under a name.

    Parameters
    ----------
    name
        Name of the snapshot; one of the same name is replaced.
    """
    path = data_path(data)
    with running(path) as server:
        if server is not None:
            server.save(name)
        else:
            from vedette.server.stored_state import save_snapshot

            save_snapshot(path, name)
    say(f"saved {name}")
    return DONE


def restore(name: str, /, *, data: ServerFolder = None) -> int:
    """Bring the state of a snapshot back. A running server goes on with it at once.

    Parameters
    ----------
    name
        Name of the snapshot.
    """
    path = data_path(data)
    with running(path) as server:
        if server is not None:
            server.restore(name)
        else:
            from vedette.server.stored_state import restore_snapshot

            restore_snapshot(path, name)
    say(f"restored {name}")
    return DONE


def delete(name: str, /, *, data: ServerFolder = None) -> int:
    """Delete a snapshot.

    Parameters
    ----------
    name
        Name of the snapshot.
    """
    path = data_path(data)
    with running(path) as server:
        if server is not None:
            server.delete_snapshot(name)
        else:
            from vedette.server.stored_state import delete_snapshot

            delete_snapshot(path, name)
    return DONE


def list_(*, data: ServerFolder = None) -> int:
    """List the snapshots."""
    from vedette.server.stored_state import list_snapshots

    print_table(("name", "MiB"), [(each.name, each.size // 2**20) for each in list_snapshots(data_path(data))])
    return DONE
