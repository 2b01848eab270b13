"""Signatures of functions and operators: their text form, the classes of types in it, and what matches what.

Text form: `(name: type flags, optional?: type, repeated...: type min 2) -> result`.
"""

from __future__ import annotations

import dataclasses
import functools
import re

from vedette.errors import ContractError
from vedette.kql.types import ScalarType

_T = ScalarType
ALL = frozenset(ScalarType)
INTEGERS = frozenset({_T.INT, _T.LONG})
NUMBERS = INTEGERS | {_T.REAL, _T.DECIMAL}
SUMMABLE = NUMBERS | {_T.DATETIME, _T.TIMESPAN}

TYPE_CLASSES: dict[str, frozenset[ScalarType]] = {
    **{each.value: frozenset({each}) for each in ScalarType},
    "scalar": ALL,
    "any": ALL,
    "common": ALL,  # all arguments of the class are converted to one type
    "common_orderable": SUMMABLE | {_T.STRING, _T.BOOL},  # as common, of a type that has an order
    "ordered": ALL,  # as common, of a type that < and between compare
    "comparable": ALL,  # as common, and text is read as the other's type
    "paired": frozenset({_T.DYNAMIC}),  # dynamic, converted to the type of the other operand
    "same": ALL,  # the type of the first argument
    "text": ALL,  # converted to string
    "textual": frozenset({_T.STRING, _T.DYNAMIC}),  # text or dynamic, converted to string
    "json": ALL,  # string or dynamic, as it is
    "integer": INTEGERS,
    "number": NUMBERS,
    "real_or_decimal": frozenset({_T.REAL, _T.DECIMAL}),
    "number_or_bool": NUMBERS | {_T.BOOL},
    "summable": SUMMABLE,
    "orderable": SUMMABLE | {_T.STRING, _T.BOOL},
    "not_real_or_bool": ALL - {_T.REAL, _T.BOOL},
    "not_dynamic": ALL - {_T.DYNAMIC},
    "not_bool": ALL - {_T.BOOL},
    "array": frozenset({_T.DYNAMIC}),
    "bag": frozenset({_T.DYNAMIC}),
    "string_or_array": frozenset({_T.STRING, _T.DYNAMIC}),
    "integer_or_array": INTEGERS | {_T.DYNAMIC},
    "tabular": frozenset(),
    "type": frozenset(),
}
"""Types that a parameter of that class takes as they are."""

WIDTH = (_T.BOOL, _T.INT, _T.LONG, _T.REAL, _T.DECIMAL)
"""Numbers, narrow to wide: a narrower argument is widened where a wider one is asked for."""

FLAGS = frozenset({"const", "column", "star", "or_star", "aggregate", "lookup_column", "common_column", "element"})


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `types` are its alternatives; `convert` is the type a dynamic argument is read as."""

    name: str
    types: tuple[str, ...]
    flags: frozenset[str] = frozenset()
    optional: bool = False
    repeated: bool = False
    minimum: int = 1
    convert: ScalarType | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """One overload. `result` is a type, `$n` (type of that argument), or one of the rules of `resolution`."""

    parameters: tuple[Parameter, ...]
    result: str

    def accepts_count(self, count: int) -> bool:
        """Whether that many arguments can be given."""
        least = sum(each.minimum for each in self.parameters if not each.optional)
        if repeated := sum(each.repeated for each in self.parameters):
            return count >= least and (count - len(self.parameters)) % repeated == 0
        return least <= count <= len(self.parameters)

    def parameter_at(self, index: int, count: int) -> Parameter:
        """The parameter that argument `index` of `count` goes to. Repeated parameters take turns (`pack`, `case`)."""
        repeated = [position for position, each in enumerate(self.parameters) if each.repeated]
        if not repeated or index < repeated[0]:
            return self.parameters[index]
        trailing = len(self.parameters) - repeated[-1] - 1
        if index >= count - trailing:
            return self.parameters[len(self.parameters) - (count - index)]
        return self.parameters[repeated[0] + (index - repeated[0]) % len(repeated)]


_PARAMETER = re.compile(r"(?P<name>\w+)(?P<mark>\?|\.\.\.|\*|)\s*:\s*(?P<types>[\w|]+)(?P<rest>.*)")


def _parse_parameter(text: str) -> Parameter:
    match = _PARAMETER.fullmatch(text.strip())
    if match is None:
        raise ContractError(f"not a parameter: {text!r}")
    words = match["rest"].split()
    minimum, convert, flags = 1, None, set()
    while words:
        word = words.pop(0)
        if word == "min":
            minimum = int(words.pop(0))
        elif word == "as":
            convert = ScalarType(words.pop(0))
        else:
            flags.add(word)
    types = tuple(match["types"].split("|"))
    if unknown := (set(types) - TYPE_CLASSES.keys()) | (flags - FLAGS):
        raise ContractError(f"unknown words {sorted(unknown)} in parameter {text!r}")
    mark = match["mark"]
    return Parameter(match["name"], types, frozenset(flags), mark in {"?", "*"}, mark in {"...", "*"}, minimum, convert)


@functools.cache
def parse_signature(text: str) -> Signature:
    """The signature that a text describes. Raises ContractError where it is malformed."""
    inside, arrow, result = text.rpartition("->")
    inside = inside.strip()
    if not arrow or not inside.startswith("(") or not inside.endswith(")"):
        raise ContractError(f"not a signature: {text!r}")
    parts = [part for part in inside[1:-1].split(",") if part.strip()]
    return Signature(tuple(_parse_parameter(part) for part in parts), result.strip())
