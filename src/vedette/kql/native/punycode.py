"""Punycode (RFC 3492), of a label or of every label of a domain name. What is malformed is the empty text."""

from __future__ import annotations

_PREFIX = "xn--"
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
"""Full stops that RFC 3490 takes for the dot between labels."""


def punycode_from_string(text: str) -> str | None:
    """The text as Punycode, without `xn--`."""
    try:
        return text.encode("punycode").decode("ascii")
    except UnicodeError:
        return None


def punycode_to_string(text: str) -> str | None:
    """The text that Punycode without `xn--` stands for."""
    try:
        return text.encode("ascii").decode("punycode")
    except UnicodeError:
        return None


def punycode_domain_from_string(domain: str) -> str | None:
    """The domain name with its labels that begin with `xn--` decoded: the direction that the page's example shows."""
    return _joined(
        [
            punycode_to_string(label[len(_PREFIX) :]) if label.lower().startswith(_PREFIX) else label
            for label in domain.split(".")
        ]
    )


def punycode_domain_to_string(domain: str) -> str | None:
    """The domain name with its labels that are not ASCII encoded."""
    return _joined(
        [
            label if label.isascii() else _labelled(punycode_from_string(label))
            for label in domain.translate(_DOTS).split(".")
        ]
    )


def _labelled(encoded: str | None) -> str | None:
    return None if encoded is None else _PREFIX + encoded


def _joined(labels: list[str | None]) -> str | None:
    return None if None in labels else ".".join(label for label in labels if label is not None)
