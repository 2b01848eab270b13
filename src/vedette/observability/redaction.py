"""Keeps secrets out of logs: by the name of a field, and by the shape of a value. The last processor before output."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

REDACTED = "[redacted]"

_SECRET_NAMES = re.compile(
    r"secret|password|passwd|authorization|assertion|refresh_?token|access_?token|id_?token|^token$|^code$|cookie"
    r"|private|credential|api_?key",
    re.IGNORECASE,
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_FORM_FIELD = re.compile(
    r"(?i)\b(client_secret|client_assertion|password|refresh_token|access_token|id_token|device_code|code|assertion)"
    r"=[^&\s\"']+"
)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def redact_text(text: str) -> str:
    """`text` without tokens, bearer headers, secret form fields and private keys."""
    text = _PEM.sub(REDACTED, text)
    text = _JWT.sub(REDACTED, text)
    text = _BEARER.sub(lambda match: f"{match[1]} {REDACTED}", text)
    return _FORM_FIELD.sub(lambda match: f"{match[1]}={REDACTED}", text)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor."""
    for name, value in event.items():
        event[name] = _redacted(name, value)
    return event


def _redacted(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if name != "event" and _SECRET_NAMES.search(name):
        return REDACTED
    if isinstance(value, Mapping):
        return {key: _redacted(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted("", item) for item in value]
    return redact_text(value if isinstance(value, str) else str(value))
