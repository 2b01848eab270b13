"""Errors of the lake. None carries text of a query engine: that goes to the log under `EngineError.incident_id`.

LakeError
├── InvalidBatchError            a batch that cannot be stored as it is: tenant id, batch id, table, column or value
├── LogWriteError                the write-ahead log could not be made durable; nothing was acknowledged
├── PublicationError             the manifest disagrees with the log about what was already published
└── QueryError                   a query that did not end well
    ├── QueryTimeoutError        the deadline passed
    ├── QueryCancelledError      somebody asked to stop it
    ├── QueryMemoryError         it needs more memory than its limit
    ├── ResultTooLargeError      its result is larger than the limit in bytes
    ├── QueryValueError          a value cannot be computed (conversion, range): the query's own data or arithmetic
    └── EngineError              anything else that the engine says; a defect of the emitted statement or of the engine
        └── StatementRefusedError    not exactly one SELECT
"""

from vedette.errors import VedetteError


class LakeError(VedetteError):
    """Base of the lake's errors."""


class InvalidBatchError(LakeError):
    """A batch that cannot be stored. `reason` is a word, the other fields say where."""

    def __init__(self, reason: str, *, table: str = "", column: str = "") -> None:
        self.reason = reason
        self.table = table
        self.column = column
        super().__init__(" ".join(part for part in (reason, table, column) if part))


class LogWriteError(LakeError):
    """The write-ahead log could not be written or synchronised."""


class PublicationError(LakeError):
    """A batch was published by somebody else in between."""


class QueryError(LakeError):
    """A query that did not end well."""


class QueryTimeoutError(QueryError):
    """The deadline passed."""


class QueryCancelledError(QueryError):
    """Somebody asked to stop the query."""


class QueryMemoryError(QueryError):
    """The query needs more memory than its limit."""


class ResultTooLargeError(QueryError):
    """The result is larger than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"result larger than {limit} bytes")


class QueryValueError(QueryError):
    """A value cannot be computed. The engine's words are in the log under `incident_id`."""

    def __init__(self, incident_id: str) -> None:
        self.incident_id = incident_id
        super().__init__(incident_id)


class EngineError(QueryError):
    """The engine failed. Its words are in the log under `incident_id` and nowhere else."""

    def __init__(self, incident_id: str) -> None:
        self.incident_id = incident_id
        super().__init__(incident_id)


class StatementRefusedError(EngineError):
    """The text is not exactly one SELECT: it was not executed."""
