"""The two hunting operations of the Defender hosts: one for Defender XDR, one for Defender for Endpoint; one answer."""

from vedette.api.defender.entities import to_hunting_answer
from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.hunting import HuntingRunner, run_query
from vedette.api.render import json_answer
from vedette.context import RequestContext


class DefenderHunting:
    """Handler."""

    def __init__(self, service: HuntingRunner) -> None:
        self._service = service

    def run(self, context: RequestContext, request: ApiRequest) -> ApiResponse:
        """POST /api/advancedhunting/run and /api/advancedqueries/run."""
        return json_answer(to_hunting_answer(run_query(self._service, context, request)))
