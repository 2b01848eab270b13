"""Errors of detection rules."""

from vedette.errors import UsageError


class RuleError(UsageError):
    """A rule cannot be used. `source` is its file or id, `place` the key inside it."""

    def __init__(self, source: str, place: str, reason: str) -> None:
        self.source = source
        self.place = place
        self.reason = reason
        super().__init__(f"{source}: {place}: {reason}" if place else f"{source}: {reason}")
