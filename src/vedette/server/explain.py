"""`vedette explain`: what an error code means, and what a token says."""

import base64
import binascii
import json
import re
from typing import Any

from vedette.contracts.faults import load_faults
from vedette.contracts.login_faults import load_login_faults
from vedette.kql.diagnostics import diagnostic_facts

Row = tuple[str, str, str, str]

_SURFACES = ("graph", "defender", "ingest")
_AADSTS = re.compile(r"(?:AADSTS)?(\d{4,8})", re.IGNORECASE)
_AADSTS_INSIDE = re.compile(r"AADSTS(\d{4,8})")


def explain_code(code: str) -> list[Row] | None:
    """Where a code appears and what it means; None if nobody here uses it."""
    if match := _AADSTS.fullmatch(code.strip()):
        fault = load_login_faults().get(int(match[1]))
        if fault is not None:
            return [("login", f"AADSTS{fault.code}", str(fault.status or ""), f"{fault.when}. {fault.text}")]
    return _api_rows(code.strip()) or _kql_rows(code.strip()) or None


def explain_text(text: str) -> list[Row] | dict[str, Any] | None:
    """A token's header and claims, or what an error body means."""
    text = text.strip().removeprefix("Bearer ").strip()
    if text.startswith("{"):
        return _explain_body(text)
    return decode_token(text)


def decode_token(text: str) -> dict[str, Any] | None:
    """Header and claims of a token, not verified; None if it is none."""
    parts = text.split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(_unpadded(part)) for part in parts[:2])
    except (ValueError, binascii.Error):
        return None
    return {"note": "decoded, not verified", "header": header, "claims": claims}


def _explain_body(text: str) -> list[Row] | None:
    if match := _AADSTS_INSIDE.search(text):
        return explain_code(match[0])
    try:
        error = json.loads(text).get("error")
    except ValueError:
        return None
    return explain_code(str(error.get("code"))) if isinstance(error, dict) else None


def _api_rows(code: str) -> list[Row]:
    rows = {
        (surface, fault.code, str(fault.status), fault.message)
        for surface in _SURFACES
        for name, fault in load_faults(surface).items()
        if code.lower() in (name.lower(), fault.code.lower())
    }
    return sorted(rows)


def _kql_rows(code: str) -> list[Row]:
    return [("kql", fact.code, "400", fact.message) for fact in diagnostic_facts().values() if fact.code == code]


def _unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
