"""The one cookie of the login service: a random name for the browser."""

from http.cookies import CookieError, SimpleCookie

from vedette.api.http import ApiRequest
from vedette.identity.signin.sessions import new_browser
from vedette.store.secrets import Secret

NAME = "__Host-vedette-browser"
"""The prefix ties it to this host and to TLS: no other host can set it."""

LENGTHS = range(40, 65)
MAXIMUM_AGE = 90 * 86_400


def read_browser(request: ApiRequest) -> Secret[str] | None:
    """The browser's cookie, if it has one of ours."""
    try:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get(NAME)
    except CookieError:
        return None
    return Secret(cookie.value) if cookie is not None and len(cookie.value) in LENGTHS else None


def ensure_browser(request: ApiRequest) -> tuple[Secret[str], dict[str, str]]:
    """The browser's cookie, or a new one and the header that sets it."""
    known = read_browser(request)
    if known is not None:
        return known, {}
    created = new_browser()
    return created, set_browser(created, keep=False)


def set_browser(value: Secret[str], *, keep: bool) -> dict[str, str]:
    """The header that names the browser, until it closes or for as long as a kept session may last.

    SameSite=Lax: applications send people here by links, but no foreign form acts in their name.
    """
    age = f"; Max-Age={MAXIMUM_AGE}" if keep else ""
    return {"set-cookie": f"{NAME}={value.reveal()}; Path=/; Secure; HttpOnly; SameSite=Lax{age}"}
