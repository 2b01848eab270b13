"""parse-kv: the pairs of a text as a bag of texts, by one regular expression made from the operator's options."""

from __future__ import annotations

import json

import re2

from vedette.kql.plan import Call
from vedette.kql.sql import tree
from vedette.kql.sql.base import Family, Scalars, UnsupportedError, text_of
from vedette.kql.sql.matching import regex_literal
from vedette.kql.sql.tree import Sql

family = Family()


@family.rule("parse_kv")
def _parse_kv(scalars: Scalars, call: Call) -> Sql:
    source, written = call.arguments
    options: dict[str, str] = json.loads(text_of(written) or "{}")
    value = scalars.value(source)
    if "regex" in options:
        return _pairs(value, regex_literal(options["regex"], "parse-kv"), options)
    if "pair_delimiter" not in options:
        tokens = tree.call("regexp_extract_all", value, tree.text(_token(options)))
        return tree.call("kql_kv_of_tokens", _unquoted(tokens, options))
    if "kv_delimiter" not in options:
        raise UnsupportedError("parse-kv", "pair_delimiter needs kv_delimiter")
    if options.get("greedy") == "true":
        return tree.call(
            "kql_kv_greedy", value, tree.text(options["pair_delimiter"]), tree.text(options["kv_delimiter"])
        )
    return _pairs(value, tree.text(_delimited(options)), options)


def _pairs(value: Sql, pattern: Sql, options: dict[str, str]) -> Sql:
    keys = tree.call("regexp_extract_all", value, pattern, tree.number(1))
    values = tree.call("regexp_extract_all", value, pattern, tree.number(2))
    return tree.call("kql_kv_bag", _unquoted(keys, options), _unquoted(values, options))


def _quotes(options: dict[str, str]) -> tuple[str, str] | None:
    quote = options.get("quote")
    return (quote[0], quote[-1]) if quote else None


def _quoted(options: dict[str, str]) -> list[str]:
    """The pattern of a quoted text, if there are quotes; an escaped character never ends it."""
    quotes = _quotes(options)
    if quotes is None:
        return []
    opening, closing = (re2.escape(each) for each in quotes)
    escape = options.get("escape")
    inside = f"(?:{re2.escape(escape)}.|[^{closing}])*" if escape else f"[^{closing}]*"
    return [f"{opening}{inside}{closing}"]


def _delimited(options: dict[str, str]) -> str:
    pair, between = re2.escape(options["pair_delimiter"]), re2.escape(options["kv_delimiter"])
    outside = re2.escape(options["pair_delimiter"][0]) + re2.escape(options["kv_delimiter"][0])
    key = "|".join([*_quoted(options), f"[^{outside}]+?"])
    value = "|".join([*_quoted(options), r".*?"])
    return rf"(?s)\s*({key})\s*{between}\s*({value})\s*(?:{pair}|$)"


def _token(options: dict[str, str]) -> str:
    return "|".join([*_quoted(options), r"[\p{L}\p{N}]+"])


def _unquoted(texts: Sql, options: dict[str, str]) -> Sql:
    quotes = _quotes(options)
    if quotes is None:
        return texts
    return tree.call("kql_unquoted", texts, *(tree.text(each) for each in (*quotes, options.get("escape", ""))))
