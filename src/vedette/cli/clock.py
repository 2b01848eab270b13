"""`vedette clock`: the time of a server under test."""

from typing import Annotated

from cyclopts import Parameter

from vedette.cli.administration import administration
from vedette.cli.locate import data_path
from vedette.cli.output import DONE, say
from vedette.cli.parameters import ServerFolder
from vedette.errors import UsageError


def clock(
    *,
    advance: float | None = None,
    to: str | None = None,
    reset: Annotated[bool, Parameter(negative=())] = False,
    data: ServerFolder = None,
) -> int:
    """Tell or move the clock of a running demo; tokens, schedules, quotas and retention obey it. It outlives a restart.

    Parameters
    ----------
    advance
        Seconds to move it forward.
    to
        The time to set it to (ISO 8601).
    reset
        Go back to the system's time.
    """
    if sum(given is not None for given in (advance, to)) + reset > 1:
        raise UsageError("Only one of --advance, --to and --reset at a time.")
    with administration(data_path(data)) as server:
        if reset:
            found = server.reset_clock()
        elif to is not None:
            found = server.set_clock(to)
        elif advance is not None:
            found = server.advance_clock(advance)
        else:
            found = server.clock()
    say(f"it is {found['now']}")
    return DONE
