"""Graph's runHuntingQuery."""

from vedette.api.graph.entities import to_hunting_answer
from vedette.api.graph.surface import graph_answer, metadata_url
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.hunting import HuntingRunner, run_query
from vedette.context import RequestContext
from vedette.errors import InvalidRequestError


class GraphHunting:
    """Handler."""

    def __init__(self, service: HuntingRunner) -> None:
        self._service = service

    def run_by_address(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """GET /security/getRunHuntingQuery(query='…',timespan='…',workspaceId='…'): beta. Workspaces are not built."""
        asked = request.path_parameters
        if asked.get("workspace"):
            raise InvalidRequestError("InvalidParameter", parameter="workspaceId")
        if not asked["query"].strip():
            raise InvalidRequestError("MissingParameter", parameter="query")
        results = self._service.run(context, asked["query"], asked.get("timespan") or None)
        context_url = metadata_url(request, "microsoft.graph.security.huntingQueryResults")
        return graph_answer(to_hunting_answer(results, context_url))

    def run(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /security/runHuntingQuery."""
        results = run_query(self._service, context, request)
        context_url = metadata_url(request, "microsoft.graph.security.huntingQueryResults")
        return graph_answer(to_hunting_answer(results, context_url))
