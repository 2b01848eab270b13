"""Pages of the login service that need no sign-in. They bear Vedette's own look and say what they are."""

import html

from vedette.api.http import ApiResponse
from vedette.contracts.login_faults import LoginFaultContract, load_login_faults

PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} – Vedette</title></head>
<body><main><h1>{title}</h1>{body}<p>This is the login service of a Vedette server.</p></main></body></html>
"""


def error_page(code: str) -> ApiResponse:
    """What an AADSTS number means; the `error_uri` of refusals leads here."""
    faults = load_login_faults()
    fault = faults.get(int(code)) if code.isascii() and code.isdigit() and len(code) < 10 else None
    if fault is None:
        return _page(404, "Unknown error code", "")
    return _page(200, f"AADSTS{fault.code}", _explained(fault))


def _explained(fault: LoginFaultContract) -> str:
    name = f"<p>{html.escape(fault.name)}</p>" if fault.name else ""
    return f"{name}<p>Answered when: {html.escape(fault.when)}.</p><p>OAuth error: {html.escape(fault.error)}.</p>"


def _page(status: int, title: str, body: str) -> ApiResponse:
    text = PAGE.format(title=html.escape(title), body=body)
    return ApiResponse(status, text.encode(), media_type="text/html; charset=utf-8", headers=PAGE_HEADERS)
