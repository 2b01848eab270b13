"""Punycode (RFC 3492), of a label or of every label of a domain name. What is malformed is the empty text."""

from __future__ import annotations

_PREFIX = "xn--"


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
    """The domain name with the labels that are not ASCII encoded."""
    labels = [label if label.isascii() else _labelled(punycode_from_string(label)) for label in domain.split(".")]
    return _joined(labels)


def punycode_domain_to_string(domain: str) -> str | None:
    """The domain name with the labels that begin with `xn--` decoded."""
    return _joined(
        [
            punycode_to_string(label[len(_PREFIX) :]) if label.lower().startswith(_PREFIX) else label
            for label in domain.split(".")
        ]
    )


def _labelled(encoded: str | None) -> str | None:
    return None if encoded is None else _PREFIX + encoded


def _joined(labels: list[str | None]) -> str | None:
    return None if None in labels else ".".join(label for label in labels if label is not None)
