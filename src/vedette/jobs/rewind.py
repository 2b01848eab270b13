"""What waits for a time that was taken back: a test clock moved to an earlier time must not bring work to a stop."""

from sqlalchemy import Connection, case, update

from vedette.jobs.queue import PENDING
from vedette.jobs.tables import JOBS, SCHEDULES

SHORT_DELAY = 3600.0
"""Seconds up to which a job waits for a while, and not for a date."""


def heed_earlier_time(connection: Connection, now: float) -> None:
    """Let schedules go on from `now`, and jobs that were made later than that wait as long as they were meant to."""
    too_far = SCHEDULES.c.next_at > now + SCHEDULES.c.every_seconds
    connection.execute(update(SCHEDULES).where(too_far).values(next_at=now))
    delay = JOBS.c.run_at - JOBS.c.created_at
    made_later = (JOBS.c.state == PENDING) & (JOBS.c.created_at > now) & (delay <= SHORT_DELAY)
    waits = case((delay > 0, delay), else_=0.0)
    connection.execute(update(JOBS).where(made_later).values(run_at=now + waits, created_at=now))
