"""One request of a signed-in administrator, and the rules every page shares: session, right, CSRF, plain problems."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlencode

import msgspec

from vedette.api.http import ApiRequest, ApiResponse, PublicHandler
from vedette.errors import InvalidRequestError
from vedette.identity.change_log import Author
from vedette.identity.errors import DirectoryError
from vedette.identity.services import IdentityServices
from vedette.portal.application import APP_ID, NAME
from vedette.portal.rendering import render, see
from vedette.portal.session import PortalSession, is_csrf_good, read_session

MAXIMUM_FIELDS = 500
HOME, SIGN_IN = "/portal", "/portal/sign-in"


class Visit(msgspec.Struct, frozen=True):
    """The request as pages read it."""

    request: ApiRequest
    session: PortalSession
    form: Mapping[str, list[str]]
    query: Mapping[str, list[str]]

    @property
    def tenant_id(self) -> str:
        """The only tenant that pages work in: the session's."""
        return self.session.tenant_id

    @property
    def author(self) -> Author:
        """Who makes the changes of this visit, for the audit."""
        return Author(
            tenant_id=self.tenant_id,
            kind="user",
            object_id=self.session.user.id,
            app_id=APP_ID,
            app_name=NAME,
            address=self.request.client_address,
            user_agent=self.request.headers.get("user-agent", ""),
        )

    def path(self, name: str) -> str:
        """A parameter of the path, in lower case."""
        return self.request.path_parameters[name].lower()

    def field(self, name: str) -> str:
        """A field of the form, empty if it was not sent."""
        return self.form.get(name, [""])[0].strip()

    def asked(self, name: str) -> str:
        """A parameter of the query, empty if there is none."""
        return self.query.get(name, [""])[0].strip()

    def show(self, template: str, title: str, *, status: int = 200, **values: object) -> ApiResponse:
        """A page of this visit."""
        return self.page(template, title, values, status=status)

    def page(self, template: str, title: str, values: Mapping[str, object], *, status: int = 200) -> ApiResponse:
        """The same, with the values in a mapping."""
        return render(template, title, values, base_url=self.request.base_url, session=self.session, status=status)


Page = Callable[[Visit], ApiResponse]


def guarded(services: IdentityServices, page: Page, right: str) -> PublicHandler:
    """A page that needs a signed-in person with `right`, and a form's CSRF token where something is sent."""

    def handle(request: ApiRequest) -> ApiResponse:
        with services.store.connect() as connection:
            session = read_session(connection, services, request)
        if session is None:
            return see(_way_in(request))
        visit = Visit(request, session, read_form(request), parse_qs(request.query, max_num_fields=MAXIMUM_FIELDS))
        if right and not session.may(right):
            return visit.show("message", "Not allowed", status=403, text="Your roles do not allow this.")
        if request.method == "POST" and not is_csrf_good(session, {"csrf": visit.field("csrf")}):
            return visit.show("message", "Form out of date", status=403, text="Open the page again and repeat.")
        return _answered(page, visit)

    return handle


def _way_in(request: ApiRequest) -> str:
    """To the sign-in, and from there to the page that was asked for; what a form sent is not repeated."""
    if request.method != "GET" or request.path == HOME:
        return SIGN_IN
    asked = request.path + (f"?{request.query}" if request.query else "")
    return f"{SIGN_IN}?{urlencode({'to': asked})}"


def _answered(page: Page, visit: Visit) -> ApiResponse:
    try:
        return page(visit)
    except DirectoryError as error:
        text = f"{error.kind}: {error.problem} ({error.key})."
        return visit.show("message", "That cannot be done", status=400, text=text, problem="")
    except InvalidRequestError as error:
        return visit.show("message", "That cannot be done", status=400, text=f"{error.code} {error.fields}")


def read_form(request: ApiRequest) -> dict[str, list[str]]:
    """The fields of a form that a page of ours sends."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind != "application/x-www-form-urlencoded":
        return {}
    try:
        return parse_qs(request.body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAXIMUM_FIELDS)
    except ValueError:
        return {}
