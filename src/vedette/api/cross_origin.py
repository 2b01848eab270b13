"""Pages of other origins: what a browser has to be told before it lets one call the API and read the answer.

Only for surfaces that say so in their operations document. They take tokens and no cookies, so any origin may.
"""

import re
from collections.abc import Mapping, Sequence

PREFLIGHT_SECONDS = 600
"""How long a browser may remember what it was allowed."""

ANSWER: Mapping[str, str] = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "ETag, Location, Preference-Applied, Retry-After, WWW-Authenticate, "
    "request-id, client-request-id",
}
_HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,4096}")


def cross_origin_headers(headers: Mapping[str, str], allowed: Sequence[str]) -> Mapping[str, str]:
    """What goes with the answer to a request from a page; `allowed` are the methods if it asks for them first."""
    if "origin" not in headers:
        return {}
    if not allowed or "access-control-request-method" not in headers:
        return ANSWER
    asked = headers.get("access-control-request-headers", "")
    return {
        **ANSWER,
        "access-control-allow-methods": ", ".join(allowed),
        "access-control-allow-headers": asked if _HEADER_NAMES.fullmatch(asked) else "authorization, content-type",
        "access-control-max-age": str(PREFLIGHT_SECONDS),
        "vary": "Access-Control-Request-Headers",
    }
