"""The logout endpoints: the browser's sessions end; then a page, or a registered address of an application."""

from urllib.parse import parse_qs

from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.login.authorize import redirect_to
from vedette.api.login.cookies import read_browser
from vedette.api.login.faults import Trace
from vedette.api.login.pages import ANY_PLACE
from vedette.api.login.rendering import PageFrame, render_message
from vedette.identity.services import IdentityServices
from vedette.identity.signin.sessions import browser_hash, end_sessions, sessions_of
from vedette.identity.signin.sign_out import is_registered_address


def sign_out(services: IdentityServices, request: ApiRequest) -> ApiResponse:
    """Sign every account out of this browser. An address that no application of theirs registered is not followed."""
    text = request.body.decode("utf-8", "replace") if request.method == "POST" else request.query
    query = {name: values[-1] for name, values in parse_qs(text).items()}
    tenant_ids: frozenset[str] = frozenset()
    cookie = read_browser(request)
    if cookie is not None:
        browser = browser_hash(services, cookie)
        with services.store.begin() as connection:
            tenant_ids = frozenset(session.user.tenant_id for session in sessions_of(connection, services, browser))
            end_sessions(connection, browser)
    address = query.get("post_logout_redirect_uri")
    if address is not None:
        with services.store.connect() as connection:
            if is_registered_address(connection, tenant_ids, address):
                return redirect_to(address, {"state": query["state"]} if "state" in query else {})
    frame = PageFrame(request.path_parameters["tenant"], ANY_PLACE, request.base_url)
    page = render_message(frame, "You are signed out", "Close this window, or sign in again from an application.")
    return ApiResponse(page.status, page.body, page.media_type, {**page.headers, **Trace.of(request).headers()})
