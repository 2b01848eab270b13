"""The handlers of the endpoints that people's browsers visit."""

from collections.abc import Mapping

from vedette.api.http import ApiRequest, ApiResponse, PublicHandler
from vedette.api.login.authorize import AuthorizePurpose
from vedette.api.login.forms import parse_form
from vedette.api.login.pages import refusal_page
from vedette.api.login.signin import SignInFlow
from vedette.api.login.visits import Visit
from vedette.identity.errors import OAuthError
from vedette.identity.services import IdentityServices
from vedette.identity.signin.interaction import Interaction, Purpose
from vedette.identity.token_request import EndpointVersion


class PageSurface:
    """Sign-in pages and what leads to them."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services
        self._flow = SignInFlow(services, {"authorize": AuthorizePurpose(services)})

    def handlers(self) -> Mapping[str, PublicHandler]:
        """Handlers by operation handler name."""
        return {
            "authorize_v1": self._entry("authorize", 1),
            "authorize_v1_form": self._entry("authorize", 1),
            "authorize_v2": self._entry("authorize", 2),
            "authorize_v2_form": self._entry("authorize", 2),
            "sign_in_step": self._flow.step,
        }

    def _entry(self, purpose: Purpose, version: EndpointVersion) -> PublicHandler:
        """The first request of an interaction: its parameters are kept for the whole way."""

        def handle(request: ApiRequest) -> ApiResponse:
            visit = Visit(self._services, request, {})
            try:
                parameters = dict(parse_form(request.body if request.method == "POST" else request.query.encode()))
            except OAuthError as error:
                return visit.finish(refusal_page(visit.frame(), error, visit.trace, self._services.clock.time()))
            visit.begin(
                Interaction(
                    purpose=purpose,
                    tenant=request.path_parameters.get("tenant", "common"),
                    parameters=parameters,
                    browser=visit.browser,
                    started_at=self._services.now(),
                    version=version,
                )
            )
            return self._flow.guarded(visit, lambda: self._flow.start(visit))

        return handle
