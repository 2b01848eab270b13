"""What the hunting operations of all surfaces share: the request body, and the service they call."""

from typing import Protocol

import msgspec

from vedette.api.bodies import read_object
from vedette.api.http import ApiRequest
from vedette.api.query_errors import RefusedQueryError
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError
from vedette.hunting.results import Results
from vedette.kql.errors import KqlError


class HuntingRunner(Protocol):
    """Runs hunting queries (`hunting.service`)."""

    def run(self, context: RequestContext, query: str, timespan: str | None, /) -> Results:
        """The results of a query over the caller's tenant."""
        ...


class HuntingRequest(msgspec.Struct, frozen=True, rename="camel"):
    """The body: `Query` or `query`, `Timespan` or `timespan`."""

    query: str = ""
    timespan: str | None = None


def run_query(service: HuntingRunner, context: RequestContext, request: ApiRequest) -> Results:
    """Read the body and run its query. Members of the body that hunting does not know are ignored."""
    asked = read_object(request.body, HuntingRequest, ignore_unknown=True)
    if not asked.query.strip():
        raise InvalidRequestError("MissingParameter", parameter="Query")
    try:
        return service.run(context, asked.query, asked.timespan or None)
    except KqlError as error:
        raise RefusedQueryError(error.diagnostics, asked.query) from error
