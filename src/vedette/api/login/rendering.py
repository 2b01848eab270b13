"""HTML pages of the login service: templates, style, and headers that let nothing else in.

A page loads nothing: its style and its one script (which only presses the button of `form_post`) stand in it, named in
the policy by their hashes.
"""

import base64
import functools
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import msgspec
from markupsafe import Markup

from vedette.api.http import ApiResponse

if TYPE_CHECKING:
    import jinja2

SUBMIT_SCRIPT = "document.forms[0].submit()"


class PageFrame(msgspec.Struct, frozen=True):
    """What every page of one interaction shows and needs."""

    tenant: str
    """The path segment that its forms are sent to."""
    place: str
    """Name of the tenant, as the banner gives it."""
    base_url: str
    context: str = ""
    """The sealed interaction."""
    form_targets: tuple[str, ...] = ()
    """Origins beside our own where a form of the page may end."""

    def action(self, step: str) -> str:
        """Where the form of a step goes."""
        return f"/{quote(self.tenant, safe='')}/signin/{step}"


@functools.cache
def _environment() -> "jinja2.Environment":
    import jinja2  # costs a tenth of a second, and most servers are never asked for a page

    return jinja2.Environment(
        loader=jinja2.PackageLoader("vedette.api.login"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@functools.cache
def _style() -> Markup:
    text = (resources.files("vedette.api.login") / "templates" / "style.css").read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 — our own file


def _source_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@functools.cache
def _policy(form_targets: tuple[str, ...]) -> str:
    targets = " ".join(("'self'", *form_targets))
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_source_hash(_style())}",
            f"script-src {_source_hash(SUBMIT_SCRIPT)}",
            "img-src data:",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            f"form-action {targets}",
        )
    )


def page_headers(form_targets: tuple[str, ...] = ()) -> dict[str, str]:
    """Headers of every page."""
    return {
        "content-security-policy": _policy(form_targets),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "cross-origin-opener-policy": "same-origin-allow-popups",
    }


def render(frame: PageFrame, template: str, title: str, *, status: int = 200, **values: object) -> ApiResponse:
    """One page. Values are escaped; only a `picture` made here is markup."""
    defaults: Mapping[str, object] = {"problem": "", "username": "", "client": ""}
    text = (
        _environment()
        .get_template(f"{template}.html")
        .render(
            {
                **defaults,
                **values,
                "title": title,
                "page": frame,
                "place": frame.place,
                "host": urlsplit(frame.base_url).netloc,
                "style": _style(),
            }
        )
    )
    headers = page_headers(frame.form_targets)
    return ApiResponse(status, text.encode(), media_type="text/html; charset=utf-8", headers=headers)


def render_form_post(frame: PageFrame, target: str, fields: Mapping[str, str]) -> ApiResponse:
    """OAuth 2.0 Form Post Response Mode: the answer as a form that sends itself, or is sent by its button."""
    script = Markup(SUBMIT_SCRIPT)  # noqa: S704 — our own constant
    return render(frame, "form_post", "Going back", target=target, fields=fields.items(), script=script)


def render_message(frame: PageFrame, title: str, *texts: str, status: int = 200, **values: object) -> ApiResponse:
    """A page without a form."""
    return render(frame, "message", title, status=status, **{"texts": texts, "link": "", "details": (), **values})
