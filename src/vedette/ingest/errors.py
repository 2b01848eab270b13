"""What can go wrong while telemetry is taken in. Bad records are no errors: they are quarantined and counted.

IngestError
├── RuleError                a mapping rule cannot be compiled: a defect of the contract data
├── UnknownFormatError       the caller named a format that does not exist or is not read yet
├── BatchIdError             the caller's batch id cannot be a batch id
├── BatchTooLargeError       the batch, unpacked, is larger than one batch may be
└── DamagedSourceError       a file is cut off or damaged: its readable part is kept
"""

from vedette.errors import VedetteError


class IngestError(VedetteError):
    """Base of the errors of this package."""


class RuleError(IngestError):
    """A mapping rule cannot be compiled. `where` names rule and column."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(f"{where}: {reason}")


class UnknownFormatError(IngestError):
    """The format is unknown, or known and not read yet (`recognised`)."""

    def __init__(self, name: str, *, recognised: bool = False) -> None:
        self.name = name
        self.recognised = recognised
        super().__init__(name)


class BatchIdError(IngestError):
    """A batch id has 1 to 128 letters, digits, `.`, `_`, `-`, and starts with a letter or digit."""


class BatchTooLargeError(IngestError):
    """The unpacked batch exceeds `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(str(limit))


class DamagedSourceError(IngestError):
    """A file ends early or is damaged. Everything readable before that point was handed over. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
