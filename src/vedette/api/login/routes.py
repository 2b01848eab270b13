"""The handlers of the login service, by the names that its operation records give them."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

import msgspec

from vedette.api.http import ApiRequest, ApiResponse, PublicHandler
from vedette.api.login import discovery
from vedette.api.login.device_codes import start_device_code
from vedette.api.login.faults import NO_STORE, Trace, login_error
from vedette.api.login.forms import encode, parse_token_request, token_response
from vedette.api.login.page_routes import PageSurface
from vedette.api.login.pages import error_page
from vedette.identity.errors import OAuthError
from vedette.identity.grants import dispatch
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import EndpointVersion

PUBLIC_DOCUMENT = {"cache-control": "max-age=86400, private", "access-control-allow-origin": "*"}

Answer = Callable[[ApiRequest], object]


class LoginSurface:
    """Token endpoints and discovery documents."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def handlers(self) -> Mapping[str, PublicHandler]:
        """Handlers by operation handler name."""
        return {
            "token_v1": self._token(1),
            "token_v2": self._token(2),
            "device_code_v1": self._device_code(1),
            "device_code_v2": self._device_code(2),
            "token_v1_get": self._handler(self._form_by_get, NO_STORE, discovery=False),
            "token_get": self._handler(_refuse_get, NO_STORE, discovery=False),
            "discovery_v1": self._document(lambda request: self._metadata(request, 1)),
            "discovery_v2": self._document(lambda request: self._metadata(request, 2)),
            "keys_v1": self._document(lambda request: self._keys(request, 1)),
            "keys_v2": self._document(lambda request: self._keys(request, 2)),
            "instance_discovery": self._document(self._instance),
            "user_realm": self._document(self._user_realm),
            "error_page": lambda request: error_page(request, parse_qs(request.query).get("code", [""])[0]),
            **PageSurface(self._services).handlers(),
        }

    def _token(self, endpoint: EndpointVersion) -> PublicHandler:
        def answer(request: ApiRequest) -> object:
            return token_response(dispatch.handle(self._services, parse_token_request(request, endpoint)), endpoint)

        return self._handler(answer, NO_STORE, discovery=False)

    def _form_by_get(self, request: ApiRequest) -> object:
        """A form is a form whichever verb carries it: vendors' connectors get their tokens so. A query never is one."""
        if not request.body:
            return _refuse_get(request)
        return token_response(dispatch.handle(self._services, parse_token_request(request, 1)), 1)

    def _device_code(self, version: EndpointVersion) -> PublicHandler:
        return self._handler(
            lambda request: start_device_code(self._services, request, version), NO_STORE, discovery=False
        )

    def _document(self, answer: Answer) -> PublicHandler:
        return self._handler(answer, PUBLIC_DOCUMENT, discovery=True)

    def _handler(self, answer: Answer, headers: Mapping[str, str], *, discovery: bool) -> PublicHandler:
        """Wrap `answer` so that a refusal becomes its error body and every answer names the exchange."""

        def handle(request: ApiRequest) -> ApiResponse:
            trace = Trace.of(request)
            try:
                document = answer(request)
            except OAuthError as error:
                refused = login_error(error, request, trace, self._services.clock.time(), discovery=discovery)
                return msgspec.structs.replace(refused, headers={**refused.headers, **_cross_origin(request)})
            return ApiResponse(200, encode(document), headers={**headers, **_cross_origin(request), **trace.headers()})

        return handle

    def _metadata(self, request: ApiRequest, version: EndpointVersion) -> object:
        return discovery.metadata(self._services, request.path_parameters["tenant"], request.base_url, version)

    def _keys(self, request: ApiRequest, version: EndpointVersion) -> object:
        return discovery.keys(self._services, request.path_parameters["tenant"], request.base_url, version)

    def _instance(self, request: ApiRequest) -> object:
        query = parse_qs(request.query)
        endpoint = query.get("authorization_endpoint", [None])[0]
        api_version = query.get("api-version", ["1.1"])[0]
        return discovery.instance(self._services, request.path_parameters["tenant"], endpoint, api_version)

    def _user_realm(self, request: ApiRequest) -> object:
        return discovery.user_realm(self._services, request.path_parameters["upn"], request.base_url)


def _cross_origin(request: ApiRequest) -> dict[str, str]:
    """Pages of browser applications may read the answers: they are made without cookies, from what the page sent."""
    return {"access-control-allow-origin": "*"} if "origin" in request.headers else {}


def _refuse_get(request: ApiRequest) -> object:
    raise OAuthError("method_not_accepted", accepted="POST", received=request.method)
