"""Pages about refusals: what an AADSTS number means, and what went wrong just now."""

import datetime

from vedette.api.http import ApiRequest, ApiResponse
from vedette.api.login.faults import Trace, fault_text
from vedette.api.login.rendering import PageFrame, render_message
from vedette.contracts.login_faults import load_login_faults, login_faults_by_key
from vedette.identity.errors import OAuthError

ANY_PLACE = "any tenant"


def error_page(request: ApiRequest, code: str) -> ApiResponse:
    """What an AADSTS number means; the `error_uri` of refusals leads here."""
    frame = PageFrame("common", ANY_PLACE, request.base_url)
    faults = load_login_faults()
    fault = faults.get(int(code)) if code.isascii() and code.isdigit() and len(code) < 10 else None
    if fault is None:
        return render_message(frame, "Unknown error code", "No refusal of this server has this number.", status=404)
    details = [("OAuth error", fault.error), *([("Name", fault.name)] if fault.name else [])]
    return render_message(frame, f"AADSTS{fault.code}", f"Answered when: {fault.when}.", details=details)


def refusal_page(frame: PageFrame, error: OAuthError, trace: Trace, now: float) -> ApiResponse:
    """A refusal that must not, or cannot, be sent back to the application."""
    fault = login_faults_by_key()[error.key]
    details = (
        ("Error", f"AADSTS{fault.code}"),
        ("Correlation id", trace.correlation_id),
        ("Trace id", trace.trace_id),
        ("Time", f"{datetime.datetime.fromtimestamp(int(now), datetime.UTC):%Y-%m-%d %H:%M:%SZ}"),
    )
    return render_message(frame, "Sign-in cannot go on", fault_text(error), status=fault.status or 400, details=details)
