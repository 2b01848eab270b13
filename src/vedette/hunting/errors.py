"""Errors of hunting queries beside KqlError: codes of `contracts/data/faults`, which word them per surface."""

from vedette.errors import ApiError, InvalidRequestError


class HuntingError(ApiError):
    """A query that was understood and did not end well."""

    code = "QueryFailed"


class HuntingTimeoutError(HuntingError):
    """The deadline passed."""

    code = "QueryTimeout"


class HuntingCancelledError(HuntingError):
    """The client has gone or asked to stop."""

    code = "QueryCancelled"


class HuntingMemoryError(HuntingError):
    """The query needs more memory than one query may have."""

    code = "QueryTooExpensive"


class HuntingResultTooLargeError(HuntingError):
    """The result is larger than allowed. Field `limit`: bytes."""

    code = "ResultTooLarge"


class HuntingValueError(HuntingError):
    """A value cannot be converted or computed as the query asks. Field `incident_id`: where the log tells more."""

    code = "QueryValueInvalid"


class InvalidTimespanError(InvalidRequestError):
    """Not an ISO 8601 duration or interval. Field `value`."""

    code = "InvalidTimespan"


class ExternalDataError(HuntingError):
    """An `externaldata` source cannot be had. Fields `uri` and `reason`."""

    code = "ExternalDataUnavailable"
