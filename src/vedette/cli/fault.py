"""Commands that order faulty answers of a running server. They end with it."""

from typing import Literal

from vedette.cli.administration import administration
from vedette.cli.locate import data_path
from vedette.cli.output import DONE, print_table, say
from vedette.cli.parameters import ServerFolder


def add(
    kind: Literal["429", "500", "503", "504", "slow", "cut-off", "expired-token", "claims-challenge"],
    /,
    *,
    operation: str = "*",
    share: float = 1.0,
    count: int | None = None,
    seconds: float = 5.0,
    data: ServerFolder = None,
) -> int:
    """Let calls of an operation fail in one way.

    Parameters
    ----------
    kind
        What happens. `claims-challenge`: clients that declared the capability (`cp1`) are told to come back with a
        token from after this moment, as continuous access evaluation does it.
    operation
        Name or pattern of operations: graph.list_incidents, defender.*
    share
        Share of the calls that are struck, from 0 to 1.
    count
        How many calls at most (default: until the faults are cleared).
    seconds
        For slow: how long; for 429 and 503: Retry-After.
    """
    order = {"kind": kind, "operation": operation, "share": share, "count": count, "seconds": seconds}
    with administration(data_path(data)) as server:
        say(f"fault {server.add_fault(order)['id']} ordered")
    return DONE


def list_(*, data: ServerFolder = None) -> int:
    """List the faults that were ordered, and how often they struck."""
    with administration(data_path(data)) as server:
        faults = server.faults()
    columns = ("id", "kind", "operation", "share", "count", "struck")
    print_table(columns, [[each[name] for name in columns] for each in faults])
    return DONE


def remove(fault: str, /, *, data: ServerFolder = None) -> int:
    """Take one fault back.

    Parameters
    ----------
    fault
        Its id.
    """
    with administration(data_path(data)) as server:
        server.remove_fault(fault)
    return DONE


def clear(*, data: ServerFolder = None) -> int:
    """Let everything succeed again."""
    with administration(data_path(data)) as server:
        server.clear_faults()
    return DONE
