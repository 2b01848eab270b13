"""Functions over text. Most are macros of the same name; here stand those whose form depends on a constant argument."""

from __future__ import annotations

import json

from vedette.kql.plan import Call, Expression, Literal
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Family, Scalars, UnsupportedError, text_of
from vedette.kql.sql.conversions import converted
from vedette.kql.sql.literals import dynamic_members
from vedette.kql.sql.matching import regex_literal
from vedette.kql.sql.regex import groups
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

family = Family(
    simple={
        "tolower": "lower", "toupper": "upper", "strlen": "length", "string_size": "strlen", "reverse": "reverse",
        "hash_md5": "md5", "hash_sha1": "sha1", "hash_sha256": "sha256", "replace_string": "replace",
        "regex_quote": "regexp_escape",
    },
    unsupported={
        "hash_combine": "how the service combines hashes is not published",
    },
)  # fmt: skip


@family.rule("strcat")
def _strcat(scalars: Scalars, call: Call) -> Sql:
    return tree.concat(scalars.values(call.arguments))


@family.rule("strcat_delim")
def _strcat_delim(scalars: Scalars, call: Call) -> Sql:
    return tree.call("concat_ws", *scalars.values(call.arguments))


@family.rule("hash_md5", "hash_sha1", "hash_sha256")
def _digest(scalars: Scalars, call: Call) -> Sql:
    name = call.function.removeprefix("hash_")
    return tree.call(name, scalars.value(Call(ScalarType.STRING, "tostring", call.arguments[:1])))


@family.rule("hash", "hash_xxhash64")
def _hash(scalars: Scalars, call: Call) -> Sql:
    source, *modulus = call.arguments
    digest = tree.call(*_hashed(scalars, source))
    return tree.call("kql_modulo", digest, tree.cast(scalars.value(modulus[0]), "BIGINT")) if modulus else digest


def _hashed(scalars: Scalars, source: Expression) -> tuple[str, Sql]:
    """Whole numbers and times by their eight bytes, everything else by its text."""
    if source.type in {ScalarType.LONG, ScalarType.INT, ScalarType.DATETIME, ScalarType.TIMESPAN}:
        return "native_hash_long", tree.cast(scalars.value(source), "BIGINT")
    return "native_hash_text", scalars.value(Call(ScalarType.STRING, "tostring", (source,)))


@family.rule("hash_many")
def _hash_many(scalars: Scalars, call: Call) -> Sql:
    if len(call.arguments) > 1:
        raise UnsupportedError("hash_many", "how the service combines hashes is not published")
    return tree.call(*_hashed(scalars, call.arguments[0]))


@family.rule("indexof")
def _indexof(scalars: Scalars, call: Call) -> Sql:
    name = "kql_indexof_first" if len(call.arguments) == 2 else "kql_indexof"
    return tree.call(name, *scalars.values(call.arguments))


@family.rule("indexof_regex")
def _indexof_regex(scalars: Scalars, call: Call) -> Sql:
    source, pattern, *rest = call.arguments
    return tree.call("kql_indexof_regex", scalars.value(source), _pattern(pattern, call), *scalars.values(rest))


def _pattern(expression: Expression, call: Call) -> Sql:
    constant = text_of(expression)
    if constant is None:
        raise UnsupportedError(call.function, "the regular expression must be a constant")
    return regex_literal(constant, call.function)


@family.rule("extract")
def _extract(scalars: Scalars, call: Call) -> Sql:
    pattern, group, source = call.arguments[:3]
    if not isinstance(group, Literal) or not isinstance(group.value, int):
        raise UnsupportedError("extract", "the capture group must be a constant number")
    checked = _pattern(pattern, call)
    if not 0 <= group.value <= groups(text_of(pattern) or ""):
        return converted(tree.text(""), ScalarType.STRING, call.type)
    found = tree.call("regexp_extract", scalars.value(source), checked, tree.number(group.value))
    return converted(found, ScalarType.STRING, call.type)


@family.rule("extract_all")
def _extract_all(scalars: Scalars, call: Call) -> Sql:
    pattern, source = call.arguments[0], call.arguments[-1]
    checked = _pattern(pattern, call)
    wanted = _capture_groups(call, text_of(pattern) or "")
    each = [tree.call("regexp_extract_all", scalars.value(source), checked, tree.number(group)) for group in wanted]
    if len(each) == 1:
        return tree.call("kql_matches", each[0])
    return tree.call("kql_match_groups", tree.array(each))


def _capture_groups(call: Call, pattern: str) -> list[int]:
    count = groups(pattern)
    if count == 0:
        raise UnsupportedError("extract_all", "the regular expression must have a capture group")
    if len(call.arguments) == 2:
        return list(range(1, count + 1))
    chosen = call.arguments[1]
    if not isinstance(chosen, Literal) or chosen.value is None:
        raise UnsupportedError("extract_all", "the capture groups must be a constant array")
    wanted = [str(each.value) for each in dynamic_members(chosen, ScalarType.STRING)]
    return [int(each) if each.isdigit() else _group_number(pattern, each) for each in wanted]


def _group_number(pattern: str, name: str) -> int:
    import re2

    from vedette.kql.sql.regex import translate

    number = re2.compile(translate(pattern)).groupindex.get(name)
    if number is None:
        raise UnsupportedError("extract_all", f"no capture group named {name}")
    return int(number)


@family.rule("replace_regex")
def _replace_regex(scalars: Scalars, call: Call) -> Sql:
    source, pattern, rewrite = call.arguments
    return tree.call(
        "regexp_replace", scalars.value(source), _pattern(pattern, call), scalars.value(rewrite), tree.text("g")
    )


@family.rule("replace_strings")
def _replace_strings(scalars: Scalars, call: Call) -> Sql:
    source, lookups, rewrites = call.arguments
    lists = (tree.call("kql_texts_or_null", scalars.value(each)) for each in (lookups, rewrites))
    return tree.call("kql_replace_strings", scalars.value(source), *lists)


@family.rule("trim", "trim_start", "trim_end")
def _trim(scalars: Scalars, call: Call) -> Sql:
    pattern, source = call.arguments
    return tree.call(f"kql_{call.function}", _pattern(pattern, call), scalars.value(source))


@family.rule("countof")
def _countof(scalars: Scalars, call: Call) -> Sql:
    source, search, *kind = call.arguments
    if kind and text_of(kind[0]) == "regex":
        return tree.call("kql_countof_regex", scalars.value(source), _pattern(search, call))
    return tree.call("kql_countof", scalars.value(source), scalars.value(search))


@family.rule("has_any_index")
def _has_any_index(scalars: Scalars, call: Call) -> Sql:
    source, values = scalars.values(call.arguments)
    return tree.call("kql_has_any_index", source, tree.call("kql_strings", values))


@family.rule("unicode_codepoints_to_string")
def _codepoints(scalars: Scalars, call: Call) -> Sql:
    lists = [
        tree.call("json_transform", value, tree.text(json.dumps(["BIGINT"])))
        if each.type is ScalarType.DYNAMIC else tree.array([value])
        for each, value in zip(call.arguments, scalars.values(call.arguments), strict=True)
    ]  # fmt: skip
    return tree.call(
        "kql_unicode_codepoints_to_string", tree.call("list_concat", *lists) if len(lists) > 1 else lists[0]
    )


@family.rule("parse_command_line")
def _parse_command_line(scalars: Scalars, call: Call) -> Sql:
    command, parser = call.arguments
    if (text_of(parser) or "").lower() != "windows":
        raise UnsupportedError("parse_command_line", "the only parser is windows")
    return tree.call("kql_parse_command_line", scalars.value(command))


@family.rule("format_bytes")
def _format_bytes(scalars: Scalars, call: Call) -> Sql:
    size, *rest = call.arguments
    precision = scalars.value(rest[0]) if rest else tree.number(0)
    unit = scalars.value(rest[1]) if len(rest) > 1 else tree.text("")
    return tree.call("kql_format_bytes", tree.cast(scalars.value(size), "DOUBLE"), precision, unit)


@family.rule("strcat_array")
def _strcat_array(scalars: Scalars, call: Call) -> Sql:
    name = "kql_strcat_array" if text_of(call.arguments[1]) is not None else "kql_strcat_array_by"
    return tree.call(name, *scalars.values(call.arguments))


@family.rule("strrep")
def _strrep(scalars: Scalars, call: Call) -> Sql:
    varying = len(call.arguments) > 2 and text_of(call.arguments[2]) is None
    return tree.call("kql_strrep_by" if varying else "kql_strrep", *scalars.values(call.arguments))


@family.rule("parse_version")
def _parse_version(scalars: Scalars, call: Call) -> Sql:
    return decimals.of_text(tree.call("kql_parse_version", *scalars.values(call.arguments)))
