"""Calls of native functions, and the series and geospatial functions that SQL does express."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from vedette.kql.native.registry import Native, NativeUse, natives
from vedette.kql.plan import Call, Expression, Literal
from vedette.kql.sql import decimals, tree
from vedette.kql.sql.base import Family, Scalars, UnsupportedError
from vedette.kql.sql.dynamic import embedded
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

family = Family()

_TEXT = "VARCHAR"
_USE = "native"
_LONG = 64
"""Texts longer than this are bound: passing them would copy them for every row."""


def require(native: Native, function: str, is_installed: Callable[[str], bool] | None = None) -> None:
    """Refuse `function` by name where the native function needs packages that are not installed."""
    if (extra := native.missing_extra(is_installed)) is not None:
        raise UnsupportedError(function, f"needs the extra vedette[{extra}], which is not installed")


def _native_call(native: Native, call: Call, arguments: list[Sql]) -> Sql:
    require(native, call.function)
    arguments = [*arguments, *_defaults(native, len(arguments))]
    constants = _constants(native, arguments)
    use = NativeUse(native.name, tuple(constants.items()))
    found = tree.call(use.sql_name, *(each for place, each in enumerate(arguments) if place not in constants))
    found.meta[_USE] = use
    if native.dynamic:
        return tree.cast(found, "JSON")
    return tree.coalesce(found, tree.text("")) if call.type is ScalarType.STRING else found


def _defaults(native: Native, given: int) -> list[Sql]:
    """What stands for the parameters behind the first `given` ones."""
    missing = len(native.parameters) - given
    values = native.defaults[len(native.defaults) - missing :] if missing else ()
    return [_default(value, type_) for value, type_ in zip(values, native.parameters[given:], strict=True)]


def _constants(native: Native, arguments: list[Sql]) -> dict[int, str]:
    """Long texts that are the same in every row, by place. Something has to be left to pass."""
    if native.takes_nulls:
        return {}
    texts = {place: text for place, each in enumerate(arguments) if (text := _literal_text(each)) is not None}
    long = {place: text for place, text in texts.items() if len(text) > _LONG}
    return long if len(texts) < len(arguments) else {}


def _literal_text(node: Sql) -> str | None:
    """The value of a text literal, through casts between text and JSON."""
    while isinstance(node, exp.Cast):
        node = node.this
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def uses_in_tree(root: Sql) -> tuple[NativeUse, ...]:
    """The calls of native functions below a node that have constants bound."""
    found = {node.meta[_USE]: None for node in root.find_all(exp.Anonymous) if _USE in node.meta}
    return tuple(use for use in found if use.constants)


def _default(value: str | float | bool, type_: str) -> Sql:
    if type_ == _TEXT:
        return tree.text(str(value))
    if value == "null":
        return tree.null(type_)
    return tree.boolean(value) if isinstance(value, bool) else tree.cast(tree.number(str(value)), type_)


def _arguments(scalars: Scalars, native: Native, arguments: tuple[Expression, ...]) -> list[Sql]:
    return [_argument(scalars, each, type_) for each, type_ in zip(arguments, native.parameters, strict=False)]


def _argument(scalars: Scalars, argument: Expression, type_: str) -> Sql:
    value = scalars.value(argument)
    if argument.type is ScalarType.DECIMAL:
        value = decimals.as_text(value)
    if type_ == _TEXT:
        return value if argument.type is ScalarType.STRING else tree.cast(value, _TEXT)
    return tree.try_cast(value, type_)


def _declare(native: Native) -> None:
    @family.rule(native.name)
    def lower(scalars: Scalars, call: Call) -> Sql:
        return _native_call(native, call, _arguments(scalars, native, call.arguments))


_ALIASES = {"series_fit_line_dynamic": "series_fit_line", "series_stats_dynamic": "series_stats"}
"""Functions that give as a bag what others give as columns."""

for _native in natives().values():
    _declare(_native)


@family.rule(*_ALIASES)
def _alias(scalars: Scalars, call: Call) -> Sql:
    native = natives()[_ALIASES[call.function]]
    return _native_call(native, call, _arguments(scalars, native, call.arguments))


@family.rule("dynamic_to_json")
def _dynamic_to_json(scalars: Scalars, call: Call) -> Sql:
    """A value of another type goes in as the JSON that stands for it."""
    text = tree.cast(embedded(scalars, call.arguments[0]), _TEXT)
    return _native_call(natives()[call.function], call, [text])


@family.rule("series_periods_validate")
def _series_periods_validate(scalars: Scalars, call: Call) -> Sql:
    """Any number of periods, handed on as one array."""
    series, *periods = call.arguments
    lengths = tree.array([tree.try_cast(scalars.value(each), "DOUBLE") for each in periods])
    texts = [tree.cast(scalars.value(series), _TEXT), tree.cast(tree.call("to_json", lengths), _TEXT)]
    return _native_call(natives()[call.function], call, texts)


# --- in SQL ---------------------------------------------------------------------------------------------------------

_OF_TWO_SERIES = (
    "series_add", "series_subtract", "series_multiply", "series_divide", "series_pow", "series_dot_product",
    "series_greater", "series_greater_equals", "series_less", "series_less_equals", "series_equals",
    "series_not_equals",
)  # fmt: skip
_OF_POINTS = ("geo_azimuth", "geo_angle", "geo_point_in_circle")


@family.rule(*_OF_TWO_SERIES)
def _of_two_series(scalars: Scalars, call: Call) -> Sql:
    """Either side may be a number, which goes in as JSON."""
    return tree.call(f"kql_{call.function}", *(embedded(scalars, each) for each in call.arguments))


@family.rule("series_fill_const")
def _series_fill_const(scalars: Scalars, call: Call) -> Sql:
    series, *rest = call.arguments
    filler = embedded(scalars, rest[0]) if rest else tree.call("to_json", tree.number(0))
    placeholder = [tree.cast(scalars.value(each), "DOUBLE") for each in rest[1:]]
    return tree.call("kql_series_fill_const", scalars.value(series), filler, *placeholder)


def _reals(scalars: Scalars, arguments: tuple[Expression, ...]) -> list[Sql]:
    return [tree.cast(scalars.value(each), "DOUBLE") for each in arguments]


@family.rule(*_OF_POINTS)
def _of_points(scalars: Scalars, call: Call) -> Sql:
    return tree.call(f"kql_{call.function}", *_reals(scalars, call.arguments))


@family.rule("geo_distance_2points")
def _geo_distance_2points(scalars: Scalars, call: Call) -> Sql:
    """On the sphere in SQL, on the spheroid by a native function. Only what is asked for is computed."""
    points, rest = call.arguments[:4], call.arguments[4:]
    plain: Callable[[], Sql] = lambda: tree.call("kql_geo_distance_2points", *_reals(scalars, points))  # noqa: E731
    if not rest or (isinstance(rest[0], Literal) and rest[0].value is False):
        return plain()
    exact = _native_call(natives()["geo_distance_2points_spheroid"], call, _reals(scalars, points))
    flag = tree.try_cast(scalars.value(rest[0]), "BOOLEAN")
    return tree.when([(flag, exact), (tree.negation(flag), plain())])


@family.rule("geo_point_to_geohash")
def _geo_point_to_geohash(scalars: Scalars, call: Call) -> Sql:
    accuracy = scalars.value(call.arguments[2]) if len(call.arguments) > 2 else tree.number(5)
    return tree.call("kql_geo_point_to_geohash", *_reals(scalars, call.arguments[:2]), accuracy)
