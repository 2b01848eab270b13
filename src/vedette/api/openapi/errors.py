"""The error bodies of the surfaces, as `api.faults` writes them, and the statuses that every operation may answer."""

from collections.abc import Mapping

from vedette.api.openapi.schemas import Schema

_TEXT: Schema = {"type": "string"}

STATUSES: Mapping[str, str] = {
    "400": "The request is not understood, or not allowed as it is.",
    "401": "There is no token, or none that is good here.",
    "403": "The token lacks every permission that would do; the message lists them.",
    "404": "There is no such object in the caller's tenant.",
    "405": "The path takes other methods; the header Allow lists them.",
    "429": "Too many requests; the header Retry-After says when to come back.",
    "501": "The operation is known and not built.",
    "default": "Any other failure.",
}


def error_responses() -> Schema:
    """Components: responses by status."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": text, "content": content} for status, text in STATUSES.items()}


def _error(members: Mapping[str, Schema], required: tuple[str, ...]) -> Schema:
    error = {
        "type": "object",
        "properties": {"code": _TEXT, "message": _TEXT, **members},
        "required": ["code", "message", *required],
        "additionalProperties": False,
    }
    return {"type": "object", "properties": {"error": error}, "required": ["error"], "additionalProperties": False}


_DETAILS: Schema = {
    "type": "array",
    "items": {"type": "object", "properties": {"code": _TEXT, "message": _TEXT, "target": _TEXT}},
}
_INNER: Schema = {
    "type": "object",
    "properties": {"date": _TEXT, "request-id": _TEXT, "client-request-id": _TEXT},
    "required": ["date", "request-id", "client-request-id"],
    "additionalProperties": False,
}

ERRORS: Mapping[str, Schema] = {
    "graph": _error({"details": _DETAILS, "innerError": _INNER}, ("innerError",)),
    "defender": _error({"target": _TEXT}, ("target",)),
}
"""By surface."""
