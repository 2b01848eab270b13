"""Calls of macros within calls of macros. A macro is written out by the engine, and what it is given with it, as often
as it names it: calls within each other would be planned, and run, in the product of that. Here the inner one is
computed first, and the outer one is given its value. What comes to too much even so is refused.
"""

from __future__ import annotations

from collections import Counter

from sqlglot import exp

from vedette.kql.functions.registry import functions
from vedette.kql.sql import tree
from vedette.kql.sql.base import UnsupportedError
from vedette.kql.sql.macros import macros
from vedette.kql.sql.macros.uses import uses
from vedette.kql.sql.tree import Sql

_TOLERATED = 2_000
"""Tokens that calls within the arguments of a call may come to by being repeated."""

LIMIT = 2_000_000
"""Tokens that the calls of a statement may come to: the largest published query has 70 thousand, in half a second."""

_PLAIN = (exp.Literal, exp.Boolean, exp.Null, exp.Cast, exp.DataType, exp.Array, exp.Neg, exp.Paren)


_NOWHERE = (0, 0)


def bind_nested(root: Sql) -> None:
    """Have the arguments of a call below `root` computed once where to repeat the calls in them takes too much.

    Raises UnsupportedError where the calls come to too much nevertheless.
    """
    calls = [each for each in root.find_all(exp.Anonymous, bfs=False) if each.name in macros()]
    inside = Counter[tuple[int, int]]()  # the size of the calls within an argument of a call, by call and position
    shares = Counter[str]()
    for call in reversed(calls):  # what stands within a call comes behind it
        outer = _surrounding(call)  # looked up first: where the call is bound, it stands elsewhere
        arguments = [inside[id(call), position] for position in range(len(call.expressions))]
        size = _bind(call, arguments)
        inside[outer] += size
        shares[call.name] += size - sum(arguments)
    if inside[_NOWHERE] > LIMIT:
        name = _function(shares.most_common(1)[0][0])
        raise UnsupportedError(name, f"the calls of functions in this query come to more than {LIMIT} parts")


def _function(macro: str) -> str:
    """The function that a macro stands for: `kql_tostring_real` for `tostring`."""
    name = macro.removeprefix("kql_")
    while name not in functions("scalar") and "_" in name:
        name = name.rpartition("_")[0]
    return name


def _surrounding(call: Sql) -> tuple[int, int]:
    """The call around another one, and which of its arguments that one is in."""
    within, around = call, call.parent
    while isinstance(around, exp.Expression):
        if isinstance(around, exp.Anonymous) and around.name in macros():
            return id(around), next(at for at, each in enumerate(around.expressions) if each is within)
        within, around = around, around.parent
    return _NOWHERE


def _bind(call: exp.Anonymous, inside: list[int]) -> int:
    """How much a call comes to. Where that would be too much its arguments are bound first."""
    counted = uses(call.name, len(inside))
    repeated = sum(size * (times - 1) for size, times in zip(inside, counted.parameters, strict=False))
    if repeated <= _TOLERATED:
        return counted.size + sum(inside) + repeated
    call.replace(place := exp.Null())
    arguments = dict(enumerate(call.expressions))
    varying = [at for at, each in arguments.items() if not _is_constant(each)]

    def given(*values: Sql) -> Sql:
        return tree.call(call.name, *(arguments | dict(zip(varying, values, strict=True))).values())

    place.replace(tree.computed_once([arguments[at].pop() for at in varying], given))
    return counted.size + sum(inside)


def _is_constant(node: Sql) -> bool:
    """Whether a value stands there as such: some macros need to see it, and it costs nothing to repeat."""
    return all(isinstance(each, _PLAIN) for each in node.walk())
