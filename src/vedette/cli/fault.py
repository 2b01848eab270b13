"""Commands that order faulty answers of a running server."""

from pathlib import Path
from typing import Literal

from vedette.cli.locate import data_path
from vedette.cli.output import DONE, print_table, say


def add(
    kind: Literal["429", "500", "503", "504", "slow", "cut-off", "expired-token", "claims-challenge"],
    /,
    *,
    operation: str = "*",
    share: float = 1.0,
    count: int | None = None,
    seconds: float = 5.0,
    data: Path | None = None,
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
    data
        The server's data folder.
    """
    from vedette.server.faults import order_fault

    say(f"fault {order_fault(data_path(data), kind, operation, (share, count, seconds))} ordered")
    return DONE


def list_(*, data: Path | None = None) -> int:
    """List the faults that were ordered.

    Parameters
    ----------
    data
        The server's data folder.
    """
    from vedette.server.faults import ordered_faults

    rows = [(each.id, each.kind, each.operation, each.share, each.count) for each in ordered_faults(data_path(data))]
    print_table(("id", "kind", "operation", "share", "count"), rows)
    return DONE


def clear(*, data: Path | None = None) -> int:
    """Let everything succeed again.

    Parameters
    ----------
    data
        The server's data folder.
    """
    from vedette.server.faults import clear_faults

    clear_faults(data_path(data))
    return DONE
