"""The `convert_*` functions: a factor where both units are constants, a choice among all units where they are not."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Mapping

from sqlglot import exp

from vedette.kql.plan import Call
from vedette.kql.sql import tree
from vedette.kql.sql.base import Family, Scalars
from vedette.kql.sql.tree import Sql

family = Family()

_TILT = "Tilt"
QUANTITIES = ("angle", "energy", "force", "length", "mass", "speed", "temperature", "volume")


@functools.cache
def units() -> Mapping[str, Mapping[str, tuple[float, float]]]:
    """Scale and offset of every unit in its quantity's base unit, by quantity and name."""
    text = (importlib.resources.files("vedette.kql.functions") / "units.toml").read_text("utf-8")
    return {
        quantity: {name: _scale(value) for name, value in members.items()}
        for quantity, members in tomllib.loads(text).items()
    }


def _scale(value: float | list[float]) -> tuple[float, float]:
    return (value[0], value[1]) if isinstance(value, list) else (value, 0.0)


def _convert(quantity: str) -> None:
    @family.rule(f"convert_{quantity}")
    def lower(scalars: Scalars, call: Call) -> Sql:
        value, *units_ = scalars.values(call.arguments)
        given = [tree.cast(value, "DOUBLE"), *units_]
        varying = [at for at, each in enumerate(given) if not isinstance(each, exp.Literal)]

        def form(*values: Sql) -> Sql:
            amount, source, target = (dict(enumerate(given)) | dict(zip(varying, values, strict=True))).values()
            return _from_base(quantity, _to_base(quantity, amount, source), target)

        values = [given[at] for at in varying]
        return tree.computed_once(values, form) if _is_repeated(quantity, *given) else form(*values)


def _is_repeated(quantity: str, value: Sql, *units_: Sql) -> bool:
    """Whether something is named several times that is more than a column or a constant."""
    if any(not isinstance(each, (exp.Literal, exp.Column)) for each in units_):
        return True
    return quantity == "angle" and value.find(exp.Anonymous, exp.Case) is not None


def _real(value: float) -> Sql:
    return tree.cast(tree.text(repr(value)), "DOUBLE")


def _scaled(value: Sql, scale: Sql, offset: Sql | None) -> Sql:
    product = tree.binary(exp.Mul, value, scale)
    return product if offset is None else tree.binary(exp.Add, product, offset)


def _to_base(quantity: str, value: Sql, unit: Sql) -> Sql:
    scale, offset, tilted = _unit(quantity, unit)
    based = _scaled(value, scale, offset)
    if tilted is None:
        return based
    return tree.when([(tilted, tree.call("degrees", tree.attempt(tree.call("asin", value))))], based)


def _from_base(quantity: str, value: Sql, unit: Sql) -> Sql:
    scale, offset, tilted = _unit(quantity, unit)
    moved = value if offset is None else tree.binary(exp.Sub, value, offset)
    divided = tree.binary(exp.Div, moved, scale)
    return divided if tilted is None else tree.when([(tilted, tree.call("sin", tree.call("radians", value)))], divided)


def _unit(quantity: str, unit: Sql) -> tuple[Sql, Sql | None, Sql | None]:
    """Scale and offset of a unit, null where it is none, and the condition under which it is the tilt."""
    known = units()[quantity]
    has_offsets = quantity == "temperature"
    if isinstance(unit, exp.Literal):
        name = unit.name
        if quantity == "angle" and name == _TILT:
            return tree.null("DOUBLE"), None, tree.boolean(True)
        scale, offset = known.get(name, (None, 0.0))
        return (
            tree.null("DOUBLE") if scale is None else _real(scale),
            _real(offset) if has_offsets else None,
            None,
        )

    def choice(position: int) -> Sql:
        return tree.when([(tree.equal(unit, tree.text(each)), _real(known[each][position])) for each in known])

    tilted = tree.equal(unit, tree.text(_TILT)) if quantity == "angle" else None
    return choice(0), choice(1) if has_offsets else None, tilted


for _quantity in QUANTITIES:
    _convert(_quantity)
