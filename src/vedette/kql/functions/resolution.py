"""Overload resolution: which signature given argument types select, what the arguments become, what comes out."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable

from vedette.kql.functions.registry import Function, Kind, find
from vedette.kql.functions.signature import NUMBERS, SUMMABLE, TYPE_CLASSES, WIDTH, Parameter, Signature
from vedette.kql.types import ScalarType

_T = ScalarType

_COMMON = frozenset({"common", "common_orderable", "comparable", "ordered"})
_ORDERED = SUMMABLE | {_T.BOOL, _T.DYNAMIC}
_SCALAR_NAMES = frozenset(each.value for each in ScalarType)


@dataclasses.dataclass(frozen=True, slots=True)
class Resolution:
    """The chosen overload: `types` that the arguments are to have, `result` of the call (None: by type argument)."""

    signature: Signature
    types: tuple[ScalarType, ...]
    result: ScalarType | None


@functools.lru_cache(maxsize=8192)
def resolve(kind: Kind, name: str, types: tuple[ScalarType | None, ...]) -> Resolution | None:
    """The overload of function `name` that fits best, None if none does. A type of None is a `typeof` argument."""
    function = find(kind, name)
    if function is None:
        return None
    best: Resolution | None = None
    best_cost: int | None = None
    for signature in function.signatures:
        if not signature.accepts_count(len(types)):
            continue
        found = _match(signature, types)
        if found is not None and (best_cost is None or found[1] < best_cost):
            best, best_cost = found
    return best


def accepts_count(function: Function, count: int) -> bool:
    """Whether some overload takes that many arguments."""
    return any(signature.accepts_count(count) for signature in function.signatures)


def _match(signature: Signature, types: tuple[ScalarType | None, ...]) -> tuple[Resolution, int] | None:
    parameters = [signature.parameter_at(index, len(types)) for index in range(len(types))]
    common = _common_of(parameters, types)
    if common is None and any(_COMMON.intersection(each.types) for each in parameters):
        return None
    converted: list[ScalarType] = []
    cost = 0
    for parameter, type_ in zip(parameters, types, strict=True):
        if type_ is None:
            if "type" not in parameter.types:
                return None
            converted.append(_T.STRING)
            continue
        target, price = _fit(parameter, type_, common, types)
        if target is None:
            return None
        converted.append(target)
        cost += price
    return Resolution(signature, tuple(converted), _result(signature.result, tuple(converted), common)), cost


def _common_of(parameters: list[Parameter], types: tuple[ScalarType | None, ...]) -> ScalarType | None:
    involved = [
        type_
        for parameter, type_ in zip(parameters, types, strict=True)
        if type_ is not None and _COMMON.intersection(parameter.types)
    ]
    if not involved:
        return None
    if any("comparable" in each.types for each in parameters):
        found: ScalarType | None = involved[0]
        for each in involved[1:]:
            found = None if found is None else comparable_type(found, each)
        return found
    return common_type(tuple(involved))


def common_type(types: tuple[ScalarType, ...]) -> ScalarType | None:
    """The one type that values of all `types` are converted to: the widest number, what is not dynamic, else None."""
    distinct = dict.fromkeys(types)
    if len(distinct) == 1:
        return types[0]
    static = [each for each in distinct if each is not _T.DYNAMIC]
    if len(static) == 1:
        return static[0]
    return _widest(static) if all(each in NUMBERS for each in static) else None


def _widest(types: Iterable[ScalarType]) -> ScalarType:
    return max(types, key=WIDTH.index)


def comparable_type(left: ScalarType, right: ScalarType) -> ScalarType | None:
    """The type in which values of two types are compared: as `common_type`, and text is read as the other's type."""
    found = common_type((left, right))
    if found is None and left in WIDTH and right in WIDTH:
        return _widest((left, right))
    if found is None and _T.STRING in {left, right}:
        return right if left is _T.STRING else left
    return found


def _fit(
    parameter: Parameter, type_: ScalarType, common: ScalarType | None, types: tuple[ScalarType | None, ...]
) -> tuple[ScalarType | None, int]:
    best: tuple[ScalarType | None, int] = (None, 0)
    for wanted in parameter.types:
        found = _fit_class(wanted, type_, common, types)
        if parameter.convert is not None and found[0] is not None:
            found = (parameter.convert, found[1])
        if found[0] is not None and (best[0] is None or found[1] < best[1]):
            best = found
    return best


def _fit_class(  # noqa: PLR0911 - one line a rule
    wanted: str, type_: ScalarType, common: ScalarType | None, types: tuple[ScalarType | None, ...]
) -> tuple[ScalarType | None, int]:
    if wanted == "ordered" and not _is_ordered(common, types):
        return None, 0
    if wanted in _COMMON and type_ not in TYPE_CLASSES[wanted]:
        return None, 0
    if wanted in _COMMON:
        return common, 0 if common is type_ else 1
    if wanted == "paired":
        other = next((each for each in types if each is not None and each is not _T.DYNAMIC), _T.DYNAMIC)
        return (_T.LONG if other is _T.INT else other, 1) if type_ is _T.DYNAMIC else (None, 0)
    if wanted == "textual" and type_ not in TYPE_CLASSES[wanted]:
        return None, 0
    if wanted in {"text", "textual"}:
        return _T.STRING, 0 if type_ is _T.STRING else 1
    if wanted == "same":
        first = types[0] or _T.STRING
        return (first, 0) if first is type_ else (_widened(type_, first), 2)
    if type_ in TYPE_CLASSES[wanted]:
        # A class asks less of the argument than the type itself does.
        return type_, 0 if wanted in _SCALAR_NAMES else 1
    if type_ is _T.DYNAMIC:
        return (_T.STRING if wanted == _T.STRING.value else None), 8
    if wanted in _SCALAR_NAMES:
        return _widened(type_, ScalarType(wanted)), 3
    return None, 0


def _is_ordered(common: ScalarType | None, types: tuple[ScalarType | None, ...]) -> bool:
    """Whether values of these types have an order: text and guid have none; a dynamic value beside a number has."""
    return common in _ORDERED and (_T.DYNAMIC not in types or common in NUMBERS | {_T.DYNAMIC})


def _widened(type_: ScalarType, wanted: ScalarType) -> ScalarType | None:
    """`wanted` if numbers of `type_` are converted to it silently, which only widens them."""
    if type_ in NUMBERS and wanted in NUMBERS and WIDTH.index(type_) <= WIDTH.index(wanted):
        return wanted
    return None


def _result(rule: str, types: tuple[ScalarType, ...], common: ScalarType | None) -> ScalarType | None:
    if rule == "type_argument":
        return None
    if rule == "common":
        return common
    if rule in {"widest", "promoted"}:
        numbers = [each for each in types if each in WIDTH] if rule == "widest" else []
        widest = _widest(numbers) if numbers else types[0]
        return _T.LONG if widest in {_T.INT, _T.BOOL} else widest
    if rule.startswith("$"):
        return types[int(rule[1:])]
    return ScalarType(rule)
