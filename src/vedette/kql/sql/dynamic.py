"""Dynamic values: paths into JSON text, construction, conversion in and out, arrays, bags and sets."""

from __future__ import annotations

import json

from sqlglot import exp

from vedette.kql.plan import Call, Expression, Literal
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Family, Scalars, UnsupportedError, text_of
from vedette.kql.sql.literals import dynamic_members
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

family = Family()

_PARSE = "kql_parse_json"


# --- paths ----------------------------------------------------------------------------------------------------------


def _step(call: Call) -> str | None:
    """The constant step of a property or element access as JSON path text, None where it is computed."""
    key = call.arguments[1]
    if not isinstance(key, Literal) or key.value is None:
        return None
    if key.value == "":  # paths cannot say it
        return None
    if isinstance(key.value, str):
        quoted = key.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'."{quoted}"'
    return f"[{key.value}]"


def _path(expression: Expression) -> tuple[Expression, str]:
    """The value that a chain of constant accesses starts from, and the chain as a JSON path without `$`."""
    steps: list[str] = []
    while isinstance(expression, Call) and expression.function in {"property", "element"}:
        step = _step(expression)
        if step is None:
            break
        steps.append(step)
        expression = expression.arguments[0]
    return expression, "".join(reversed(steps))


def _source(scalars: Scalars, base: Expression) -> tuple[Sql, bool]:
    """The text to extract from, and whether it may be no JSON at all: extraction needs no parse_json before it."""
    value = scalars.value(base)
    if isinstance(value, exp.Anonymous) and value.name == _PARSE:
        return value.expressions[0], True
    return value, False


def _extraction(scalars: Scalars, call: Call, function: str) -> Sql | None:
    base, path = _path(call)
    if not path:
        return None
    source, uncertain = _source(scalars, base)
    if isinstance(source, exp.Anonymous) and source.name == "kql_item" and not uncertain:
        inner = source.expressions[0]
        if isinstance(inner, exp.Anonymous) and inner.name == "json_extract":
            return tree.call(function, inner.expressions[0], tree.text(inner.expressions[1].name + path))
    return tree.attempt(tree.call(function, source, tree.text("$" + path)))


@family.rule("property", "element")
def _access(scalars: Scalars, call: Call) -> Sql:
    extracted = _extraction(scalars, call, "json_extract")
    if extracted is not None:
        return tree.call("kql_item", extracted)
    base, key = call.arguments
    if key.type is ScalarType.STRING:
        return tree.call("kql_property", scalars.value(base), scalars.value(key))
    if key.type is ScalarType.DYNAMIC:
        return tree.call("kql_access", scalars.value(base), scalars.value(key))
    return tree.call("kql_element", scalars.value(base), scalars.value(key))


def text_of_dynamic(scalars: Scalars, expression: Expression) -> Sql:
    """`tostring` of a dynamic value: where it is a path, the text is extracted at once."""
    if isinstance(expression, Call) and expression.function in {"property", "element"}:
        extracted = _extraction(scalars, expression, "json_extract_string")
        if extracted is not None:
            return tree.coalesce(extracted, tree.text(""))
    value = scalars.value(expression)
    if isinstance(value, exp.Anonymous) and value.name == "kql_item":
        inner = value.expressions[0]
        attempted = isinstance(inner, exp.Anonymous) and inner.name == "try"
        extraction = inner.expressions[0] if attempted else inner
        if isinstance(extraction, exp.Anonymous) and extraction.name == "json_extract":
            direct = tree.call("json_extract_string", *extraction.expressions)
            return tree.coalesce(tree.attempt(direct) if attempted else direct, tree.text(""))
    if isinstance(value, exp.Anonymous) and value.name == _PARSE:
        return tree.call("kql_tostring_parsed", value.expressions[0])
    return tree.call("kql_tostring_dynamic", value)


# --- construction ---------------------------------------------------------------------------------------------------

_EMBED = {
    ScalarType.REAL: "kql_embed_real",
    ScalarType.DATETIME: "kql_embed_datetime",
    ScalarType.TIMESPAN: "kql_embed_timespan",
    ScalarType.GUID: "kql_embed_text",
}


def embedded(scalars: Scalars, expression: Expression) -> Sql:
    """A value of any type as the JSON that stands for it inside a dynamic value."""
    return embed(scalars.value(expression), expression.type)


def embed(value: Sql, type_: ScalarType) -> Sql:
    """As `embedded`, for a value that is SQL already."""
    if type_ is ScalarType.DYNAMIC:
        return tree.cast(value, "JSON")
    if type_ is ScalarType.DECIMAL:
        return tree.call("to_json", decimals.as_text(value))
    return tree.call(_EMBED.get(type_, "to_json"), value)


@family.rule("untexted")
def _untexted(scalars: Scalars, call: Call) -> Sql:
    return tree.call("kql_untexted", scalars.value(call.arguments[0]))


@family.rule("as_dynamic")
def _as_dynamic(scalars: Scalars, call: Call) -> Sql:
    return embedded(scalars, call.arguments[0])


@family.rule("parse_json", "todynamic", "parsejson")
def _parse_json(scalars: Scalars, call: Call) -> Sql:
    (only,) = call.arguments[:1]
    return embedded(scalars, only) if only.type is not ScalarType.STRING else tree.call(_PARSE, scalars.value(only))


@family.rule("pack_array")
def _pack_array(scalars: Scalars, call: Call) -> Sql:
    return tree.call("json_array", *(embedded(scalars, each) for each in call.arguments))


@family.rule("bag_pack")
def _bag_pack(scalars: Scalars, call: Call) -> Sql:
    pairs: list[Sql] = []
    for position, argument in enumerate(call.arguments):
        pairs.append(embedded(scalars, argument) if position % 2 else scalars.value(argument))
    return tree.call("json_object", *pairs)


@family.rule("range")
def _range(scalars: Scalars, call: Call) -> Sql:
    start, stop, *rest = call.arguments
    element = start.type
    step: Sql = scalars.value(rest[0]) if rest else tree.number(1)
    if not rest and ScalarType.TIMESPAN in {start.type, stop.type}:
        step = tree.number(36_000_000_000)
    macro = (
        "kql_range_real" if ScalarType.REAL in {start.type, stop.type, *(each.type for each in rest)} else "kql_range"
    )
    if macro == "kql_range_real":
        element = ScalarType.REAL
    numbers = tree.call(macro, scalars.value(start), scalars.value(stop), step)
    by_element = {ScalarType.DATETIME: "kql_texts_of_datetimes", ScalarType.TIMESPAN: "kql_texts_of_timespans"}
    if element in by_element:
        numbers = tree.call(by_element[element], numbers)
    return tree.call("to_json", numbers)


@family.rule("repeat")
def _repeat(scalars: Scalars, call: Call) -> Sql:
    return tree.call("kql_repeat", embedded(scalars, call.arguments[0]), scalars.value(call.arguments[1]))


# --- arrays, bags, sets ---------------------------------------------------------------------------------------------


@family.rule("array_concat")
def _array_concat(scalars: Scalars, call: Call) -> Sql:
    lists = (tree.call("kql_elements_or_empty", value) for value in scalars.values(call.arguments))
    return tree.call("to_json", tree.call("list_concat", *lists))


def _with_embedded(name: str, *positions: int) -> None:
    """Functions that take values of any type into an array: those arguments go in as JSON."""

    @family.rule(name)
    def lower(scalars: Scalars, call: Call) -> Sql:
        arguments = [
            embedded(scalars, each) if position in positions else scalars.value(each)
            for position, each in enumerate(call.arguments)
        ]
        return tree.call(f"kql_{name}", *arguments)


_with_embedded("array_index_of", 1)
_with_embedded("array_iff", 1, 2)
_with_embedded("array_shift_left", 2)
_with_embedded("array_shift_right", 2)
_with_embedded("set_has_element", 1)
_with_embedded("array_split", 1)


def _folding(name: str, macro: str) -> None:
    """Functions of two or more arguments that fold from the left."""

    @family.rule(name)
    def lower(scalars: Scalars, call: Call) -> Sql:
        result, *rest = scalars.values(call.arguments)
        for each in rest:
            result = tree.call(macro, result, each)
        return result


_folding("set_union", "kql_set_union_two")
_folding("set_intersect", "kql_set_intersect_two")
_folding("set_difference", "kql_set_difference_two")
_folding("bag_merge", "kql_bag_merge_two")


@family.rule("bag_remove_keys")
def _bag_remove_keys(scalars: Scalars, call: Call) -> Sql:
    """Constant keys, which may be paths into nested bags, become a merge patch of nulls."""
    bag, keys = call.arguments
    if not isinstance(keys, Literal):
        return tree.call("kql_bag_remove_keys", *scalars.values(call.arguments))
    patch: dict[str, object] = {}
    for key in dynamic_members(keys, ScalarType.STRING):
        names = str(key.value).removeprefix("$.").split(".") if str(key.value).startswith("$.") else [str(key.value)]
        place = patch
        for name in names[:-1]:
            place = place.setdefault(name, {})  # type: ignore[assignment]
        place[names[-1]] = None
    return tree.call("kql_bag_patched", scalars.value(bag), tree.cast(tree.text(json.dumps(patch)), "JSON"))


@family.rule("bag_pack_nonempty")
def _bag_pack_nonempty(scalars: Scalars, call: Call) -> Sql:
    """Keys whose values are null or empty text are left out."""
    keys = [scalars.value(each) for each in call.arguments[::2]]
    values = []
    for each in call.arguments[1::2]:
        value = embedded(scalars, each)
        empty = tree.equal(scalars.value(each), tree.text("")) if each.type is ScalarType.STRING else None
        values.append(value if empty is None else tree.when([(tree.negation(empty), value)]))
    return tree.call("kql_bag_of_present", tree.array(keys), tree.array(values))


@family.rule("zip")
def _zip(scalars: Scalars, call: Call) -> Sql:
    return tree.call("kql_zip", tree.array(scalars.values(call.arguments)))


@family.rule("array_sort_asc", "array_sort_desc")
def _array_sort(scalars: Scalars, call: Call) -> Sql:
    arrays = [each for each in call.arguments if each.type is ScalarType.DYNAMIC]
    flags = [each for each in call.arguments if each.type is not ScalarType.DYNAMIC]
    if len(arrays) == 1:
        return tree.call(f"kql_{call.function}", *scalars.values(call.arguments))
    nulls_last = scalars.value(flags[0]) if flags else tree.boolean(True)
    return tree.call(f"kql_{call.function}_many", tree.array(scalars.values(arrays)), nulls_last)


@family.rule("extract_json")
def _extract_json(scalars: Scalars, call: Call) -> Sql:
    path, source = call.arguments[:2]
    constant = text_of(path)
    if constant is None or not constant.startswith("$"):
        raise UnsupportedError("extract_json", "the path must be a constant that begins with $")
    if "*" in constant or ".." in constant:
        raise UnsupportedError("extract_json", "the path must name one element: no wildcards")
    dollar = tree.text(constant.replace("['", '."').replace("']", '"'))
    text = tree.coalesce(tree.attempt(tree.call("json_extract_string", scalars.value(source), dollar)), tree.text(""))
    if call.type is ScalarType.STRING:
        return text
    item = tree.call("kql_item", tree.attempt(tree.call("json_extract", scalars.value(source), dollar)))
    return item if call.type is ScalarType.DYNAMIC else convert_dynamic(item, call.type)


def convert_dynamic(value: Sql, type_: ScalarType) -> Sql:
    """A dynamic value that is SQL already, converted to a type."""
    if type_ is ScalarType.DYNAMIC:
        return value
    text = tree.call("kql_tostring_dynamic", value)
    if type_ is ScalarType.STRING:
        return text
    by_value = {
        ScalarType.INT: "kql_toint_dynamic", ScalarType.LONG: "kql_tolong_dynamic",
        ScalarType.REAL: "kql_todouble_dynamic", ScalarType.BOOL: "kql_tobool_dynamic",
    }  # fmt: skip
    if type_ in by_value:
        return tree.call(by_value[type_], _unwrapped(value))
    if type_ is ScalarType.DECIMAL:
        return decimals.of_text(text)
    by_text = {
        ScalarType.DATETIME: "kql_todatetime_string", ScalarType.TIMESPAN: "kql_totimespan_string",
        ScalarType.GUID: "kql_toguid_string",
    }  # fmt: skip
    return tree.call(by_text[type_], text)


def _unwrapped(value: Sql) -> Sql:
    """JSON null as it is, for those who take it for null anyway."""
    if isinstance(value, exp.Anonymous) and value.name == "kql_item":
        inner: Sql = value.expressions[0]
        return inner
    return value


@family.rule("gettype")
def _gettype(scalars: Scalars, call: Call) -> Sql:
    (only,) = call.arguments
    if only.type is ScalarType.DYNAMIC:
        return tree.call("kql_gettype_dynamic", scalars.value(only))
    return tree.text(only.type.value)


@family.rule("bag_set_key")
def _bag_set_key(scalars: Scalars, call: Call) -> Sql:
    """A key that begins with `$` is a path into nested bags."""
    bag, key, value = call.arguments
    path = text_of(key)
    if path is None or not path.startswith("$"):
        return tree.call("kql_bag_set_key", scalars.value(bag), scalars.value(key), embedded(scalars, value))
    item = tree.coalesce(tree.cast(embedded(scalars, value), "VARCHAR"), tree.text("null"))
    whole = tree.cast(scalars.value(bag), "VARCHAR")
    return tree.cast(tree.call("native_bag_set_path", whole, tree.text(path), item), "JSON")
