"""Comments and tags that people put on incidents and alerts: what may be stored of them."""

from collections.abc import Iterable

from vedette.errors import InvalidRequestError

MAX_COMMENT = 30_000
"""Characters of a comment (MicrosoftDocs/defender-docs defender-xdr/manage-incidents.md)."""


def checked_comment(text: str) -> str:
    """A comment that may be stored. Raises InvalidRequestError."""
    if len(text) > MAX_COMMENT:
        raise InvalidRequestError("InvalidBodyValue", property="comment")
    return text


def own_tags(tags: Iterable[str], system_tags: Iterable[str]) -> list[str]:
    """Custom tags among `tags`, each once: who writes back what was read gives the system's as well."""
    return [tag for tag in dict.fromkeys(tags) if tag not in set(system_tags)]
