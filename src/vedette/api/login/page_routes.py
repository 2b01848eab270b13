"""The handlers of the endpoints that people's browsers visit."""

from collections.abc import Mapping

from vedette.api.http import ApiRequest, ApiResponse, PublicHandler
from vedette.api.login.admin_consent import AdminConsentPurpose
from vedette.api.login.authorize import AuthorizePurpose
from vedette.api.login.device import DevicePurpose
from vedette.api.login.forms import parse_form
from vedette.api.login.pages import refusal_page
from vedette.api.login.sign_out import sign_out
from vedette.api.login.signin import SignInFlow
from vedette.api.login.userinfo import userinfo
from vedette.api.login.visits import Visit
from vedette.identity.errors import OAuthError
from vedette.identity.services import IdentityServices
from vedette.identity.signin.interaction import Interaction, Purpose
from vedette.identity.token_request import EndpointVersion
from vedette.identity.tokens.verifier import Verifier


class PageSurface:
    """Sign-in pages and what leads to them."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services
        self._device = DevicePurpose(services)
        self._verifier = Verifier(services)
        self._flow = SignInFlow(
            services,
            {
                "authorize": AuthorizePurpose(services),
                "device": self._device,
                "admin_consent": AdminConsentPurpose(services),
            },
        )

    def handlers(self) -> Mapping[str, PublicHandler]:
        """Handlers by operation handler name."""
        return {
            "authorize_v1": self._entry("authorize", 1),
            "authorize_v1_form": self._entry("authorize", 1),
            "authorize_v2": self._entry("authorize", 2),
            "authorize_v2_form": self._entry("authorize", 2),
            "admin_consent_v1": self._entry("admin_consent", 1),
            "admin_consent_v2": self._entry("admin_consent", 2),
            "device_page": self._show_device_page,
            "device_page_short": self._show_device_page,
            "sign_in_step": self._flow.step,
            "sign_out_v1": self._sign_out,
            "sign_out_v1_form": self._sign_out,
            "sign_out_v2": self._sign_out,
            "sign_out_v2_form": self._sign_out,
            "userinfo": self._userinfo,
            "userinfo_form": self._userinfo,
        }

    def _show_device_page(self, request: ApiRequest) -> ApiResponse:
        visit = Visit(self._services, request, {})
        visit.begin(self._interaction(visit, "device", 2, {}))
        return self._flow.guarded(visit, lambda: self._device.show_entry(visit))

    def _sign_out(self, request: ApiRequest) -> ApiResponse:
        return sign_out(self._services, request)

    def _userinfo(self, request: ApiRequest) -> ApiResponse:
        return userinfo(self._services, self._verifier, request)

    def _entry(self, purpose: Purpose, version: EndpointVersion) -> PublicHandler:
        """The first request of an interaction: its parameters are kept for the whole way."""

        def handle(request: ApiRequest) -> ApiResponse:
            visit = Visit(self._services, request, {})
            try:
                parameters = dict(parse_form(request.body if request.method == "POST" else request.query.encode()))
            except OAuthError as error:
                return visit.finish(refusal_page(visit.frame(), error, visit.trace, self._services.clock.time()))
            visit.begin(self._interaction(visit, purpose, version, parameters))
            return self._flow.guarded(visit, lambda: self._flow.start(visit))

        return handle

    def _interaction(
        self, visit: Visit, purpose: Purpose, version: EndpointVersion, parameters: dict[str, str]
    ) -> Interaction:
        return Interaction(
            purpose=purpose,
            tenant=visit.request.path_parameters.get("tenant", "common"),
            parameters=parameters,
            browser=visit.browser,
            started_at=self._services.now(),
            version=version,
        )
