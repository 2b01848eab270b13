"""`vedette clock`: the time of a server under test."""

import datetime
from pathlib import Path

from vedette.cli.locate import data_path
from vedette.cli.output import DONE, say


def clock(*, advance: float = 0.0, to: str | None = None, reset: bool = False, data: Path | None = None) -> int:
    """Move the clock of a running demo; tokens, schedules and retention obey it.

    Parameters
    ----------
    advance
        Seconds to move it forward.
    to
        The time to set it to (ISO 8601).
    reset
        Go back to the system's time.
    data
        The server's data folder.
    """
    from vedette.server.shifted_clock import move_clock

    now = move_clock(data_path(data), advance, to, reset=reset)
    say(f"it is {datetime.datetime.fromtimestamp(now, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}")
    return DONE
