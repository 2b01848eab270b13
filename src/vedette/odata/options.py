"""System query options (`$filter`, `$orderby`, `$top` …) out of a request's raw query string."""

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from vedette.odata.errors import ODataError
from vedette.odata.parser import parse_filter, parse_order_by
from vedette.odata.syntax import QueryOptions

KNOWN = frozenset({"$filter", "$orderby", "$top", "$skip", "$select", "$expand", "$count", "$skiptoken"})


WITHIN_EXPAND = frozenset({"$filter", "$orderby", "$top", "$skip", "$select", "$count"})
MAX_EXPAND = 16_384
"""Characters of `$expand`."""


def decode_query(query: str) -> dict[str, str]:
    """Names and values of a raw query string, `+` and `%20` as blanks. Names of system options in lower case.

    Raises ODataError for an option given twice and for bytes that are not UTF-8.
    """
    pairs: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        raw_name, _, raw_value = part.partition("=")
        name, value = _decode(raw_name), _decode(raw_value)
        if name.startswith("$"):
            name = name.lower()
            if name in pairs:
                raise ODataError("RepeatedQueryOption", option=name)
        pairs[name] = value
    return pairs


def parse_options(pairs: Mapping[str, str], offered: frozenset[str] = KNOWN) -> QueryOptions:
    """The options among `pairs`. One outside `offered` is refused by name; names without `$` are the caller's."""
    for name in pairs:
        if name.startswith("$") and name not in offered:
            raise ODataError("UnsupportedQueryOption", option=name)
    expanded = _expanded(pairs.get("$expand", ""))
    return QueryOptions(
        filter=parse_filter(pairs["$filter"]) if pairs.get("$filter", "").strip() else None,
        order_by=parse_order_by(pairs["$orderby"]) if pairs.get("$orderby", "").strip() else (),
        top=_whole_number(pairs, "$top"),
        skip=_whole_number(pairs, "$skip"),
        select=_names(pairs.get("$select", "")),
        expand=tuple(name for name, _ in expanded),
        expand_options=tuple((name, options) for name, options in expanded if options is not None),
        count=_boolean(pairs, "$count"),
        skip_token=pairs.get("$skiptoken") or None,
    )


def _decode(text: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ODataError("QueryNotUtf8") from error


def _whole_number(pairs: Mapping[str, str], option: str) -> int | None:
    text = pairs.get(option)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ODataError("InvalidQueryOption", option=option, value=text)
    return int(text)


def _boolean(pairs: Mapping[str, str], option: str) -> bool:
    text = pairs.get(option, "false").lower()
    if text not in ("true", "false"):
        raise ODataError("InvalidQueryOption", option=option, value=text)
    return text == "true"


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _expanded(text: str) -> list[tuple[str, QueryOptions | None]]:
    """The properties of an `$expand`, each with its own options if it has any."""
    if len(text) > MAX_EXPAND:
        raise ODataError("FilterTooLong", limit=MAX_EXPAND)
    found: list[tuple[str, QueryOptions | None]] = []
    for part in filter(None, map(str.strip, _split(text, ","))):
        name, bracket, inner = part.partition("(")
        if not bracket:
            found.append((name, None))
            continue
        if not inner.endswith(")") or not name.strip():
            raise ODataError("InvalidQueryOption", option="$expand", value=part)
        pairs: dict[str, str] = {}
        for option in filter(None, map(str.strip, _split(inner[:-1], ";"))):
            key, _, value = option.partition("=")
            if key.strip().lower() in pairs or not key.strip().startswith("$"):
                raise ODataError("InvalidQueryOption", option="$expand", value=part)
            pairs[key.strip().lower()] = value
        found.append((name.strip(), parse_options(pairs, WITHIN_EXPAND)))
    return found


def _split(text: str, separator: str) -> list[str]:
    """`text` at separators that stand in no parentheses and no quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == separator and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    if depth != 0 or quoted:
        raise ODataError("InvalidQueryOption", option="$expand", value=text[:64])
    return [*parts, text[start:]]
