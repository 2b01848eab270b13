"""Values as KQL literals, for queries that the server itself makes."""

import re

_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\\u2028\u2029]')


def quote_string(text: str) -> str:
    """A string literal whose value is `text`, whatever it holds."""
    return '"' + _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + '"'
