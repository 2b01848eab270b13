"""HTML pages of the portal: templates, the login pages' style and some rules more, a policy that lets nothing in."""

import base64
import datetime
import functools
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from markupsafe import Markup

from vedette.api.http import ApiResponse
from vedette.contracts.operations import load_operations
from vedette.portal.session import PortalSession

if TYPE_CHECKING:
    import jinja2

SECTIONS = (
    ("incidents", "Incidents", "view_data"),
    ("apps", "App registrations", "manage_applications"),
    ("enterprise", "Enterprise applications", "manage_applications"),
    ("users", "Users", "manage_users"),
    ("permissions", "Permissions", "manage_permissions"),
    ("hunting", "Hunting", "view_data"),
)
"""Path below /portal, name, and the right that shows it."""


@functools.cache
def _environment() -> "jinja2.Environment":
    import jinja2  # not before the first page is asked for

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vedette.portal"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["day"] = _day
    environment.filters["moment"] = _moment
    return environment


def _day(seconds: int) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M} UTC"


def _moment(time: str) -> str:
    """A time of the wire to the second; it can break between date and clock."""
    return f"{time[:10]} {time[11:19]} UTC"


@functools.cache
def _style() -> Markup:
    shared = resources.files("vedette.api.login") / "templates" / "style.css"
    own = resources.files("vedette.portal") / "templates" / "portal.css"
    return Markup(shared.read_text("utf-8") + own.read_text("utf-8"))  # noqa: S704 — our own files


@functools.cache
def _headers() -> dict[str, str]:
    style = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{style}'",
        "img-src data:",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        # Browsers hold redirects against it too: the form that asks for an account leads to the login service.
        f"form-action 'self' https://{load_operations()['login'].hosts[0]}",
    )
    return {
        "content-security-policy": "; ".join(policy),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cache-control": "no-store",
    }


def render(
    template: str,
    title: str,
    values: Mapping[str, object],
    *,
    base_url: str,
    session: PortalSession | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> ApiResponse:
    """One page. Every value is escaped."""
    sections = [section for section in SECTIONS if session is not None and session.may(section[2])]
    text = (
        _environment()
        .get_template(f"{template}.html")
        .render(
            {
                "problem": "",
                "done": "",
                "section": "",
                **values,
                "title": title,
                "session": session,
                "sections": sections,
                "place": session.tenant.tenant.display_name if session else "Portal",
                "host": urlsplit(base_url).netloc,
                "style": _style(),
            }
        )
    )
    return ApiResponse(
        status, text.encode(), media_type="text/html; charset=utf-8", headers={**_headers(), **(headers or {})}
    )


def see(location: str, headers: Mapping[str, str] | None = None) -> ApiResponse:
    """Where to look next: after a form was done, so that going back does not do it again."""
    return ApiResponse(303, headers={"location": location, "cache-control": "no-store", **(headers or {})})
