"""Errors of outbound connections: the address and a word for the reason, no text of the other side."""

from vedette.errors import VedetteError


class EgressError(VedetteError):
    """An outbound request that brought nothing. `reason` is a word."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"{reason}: {url}")


class EgressRefusedError(EgressError):
    """The policy forbids it; nothing was sent."""


class EgressFailedError(EgressError):
    """The other side did not answer as hoped: name, connection, time, size or status."""
