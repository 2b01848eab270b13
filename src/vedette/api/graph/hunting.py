"""Graph's runHuntingQuery."""

from vedette.api.graph.entities import to_hunting_answer
from vedette.api.graph.surface import graph_answer, metadata_url
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.hunting import HuntingRunner, run_query
from vedette.context import RequestContext


class GraphHunting:
    """Handler."""

    def __init__(self, service: HuntingRunner) -> None:
        self._service = service

    def run(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /security/runHuntingQuery."""
        results = run_query(self._service, context, request)
        context_url = metadata_url(request, "microsoft.graph.security.huntingQueryResults")
        return graph_answer(to_hunting_answer(results, context_url))
