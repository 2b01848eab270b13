"""What can be wrong with OData query options. The wording is the surface's: `contracts/data/faults`."""

from vedette.errors import InvalidRequestError


class ODataError(InvalidRequestError):
    """A query option that cannot be understood or is not offered. `code` names the fault, `fields` fill its text."""

    code = "InvalidQueryOption"
