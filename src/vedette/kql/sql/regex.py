"""User patterns: from the regular expressions of KQL to RE2's, with a refusal by name of what RE2 cannot do."""

from __future__ import annotations

import functools
import re

import re2

from vedette.errors import VedetteError

_ESCAPES = {"d": r"\p{Nd}", "D": r"\P{Nd}"}
_REFUSED = (
    ("(?=", "lookahead"), ("(?!", "negative lookahead"), ("(?<=", "lookbehind"), ("(?<!", "negative lookbehind"),
    ("(?>", "atomic group"), ("(?(", "conditional group"),
)  # fmt: skip
_BACKREFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:[1-9]|k[<{'])")


class RegexError(VedetteError):
    """A pattern that cannot be run in linear time, or is malformed. `reason` names the construct."""

    def __init__(self, pattern: str, reason: str) -> None:
        self.pattern, self.reason = pattern, reason
        super().__init__(reason)


@functools.lru_cache(maxsize=2048)
def translate(pattern: str) -> str:
    """The RE2 pattern that means the same. Raises RegexError where there is none."""
    for opening, name in _REFUSED:
        if opening in pattern:
            raise RegexError(pattern, f"{name} is not supported")
    if _BACKREFERENCE.search(pattern):
        raise RegexError(pattern, "a reference to a group is not supported")
    translated = _rewrite(pattern)
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(translated, options)
    except re2.error as error:
        detail = error.args[0] if error.args else "malformed"
        reason = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise RegexError(pattern, reason) from error
    return translated


def groups(pattern: str) -> int:
    """How many capture groups a pattern has."""
    return int(re2.compile(translate(pattern)).groups)


def _rewrite(pattern: str) -> str:
    """Same escapes, same meaning: digits are Unicode, hexadecimal `\\uXXXX` becomes RE2's form, named groups too."""
    result = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        following = pattern[position + 1 : position + 2]
        if character == "\\" and following:
            digits = pattern[position + 2 : position + 6]
            if following == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", digits):
                result.append(rf"\x{{{digits}}}")
                position += 6
                continue
            if following == "/" or (not following.isalnum() and not following.isascii()):
                result.append(following)
            elif following == "Z":
                result.append(r"\n?\z")
            else:
                result.append(_ESCAPES.get(following, character + following))
            position += 2
            continue
        if pattern.startswith("(?<", position) and not pattern.startswith(("(?<=", "(?<!"), position):
            result.append("(?P<")
            position += 3
            continue
        result.append(character)
        position += 1
    return "".join(result)
