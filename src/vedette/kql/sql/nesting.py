"""Calls of macros within calls of macros. A macro is written out by the engine, and what it is given with it, as often
as it names it: calls within each other would be planned, and run, in the product of that. Here the inner one is
computed first, and the outer one is given its value.
"""

from __future__ import annotations

from collections import Counter

from sqlglot import exp

from vedette.kql.sql import tree
from vedette.kql.sql.macros import macros
from vedette.kql.sql.macros.uses import uses
from vedette.kql.sql.tree import Sql

_TOLERATED = 2_000
"""Tokens that calls within the arguments of a call may come to by being repeated."""

_PLAIN = (exp.Literal, exp.Boolean, exp.Null, exp.Cast, exp.DataType, exp.Array, exp.Neg, exp.Paren)


def bind_nested(root: Sql) -> None:
    """Have the arguments of a call below `root` computed once where to repeat the calls in them takes too much."""
    calls = [each for each in root.find_all(exp.Anonymous, bfs=False) if each.name in macros()]
    inside = Counter[tuple[int, int]]()  # the size of the calls within an argument of a call, by call and position
    for call in reversed(calls):  # what stands within a call comes behind it
        outer = _surrounding(call)  # looked up first: where the call is bound, it stands elsewhere
        if size := _bind(call, [inside[id(call), position] for position in range(len(call.expressions))]):
            inside[outer] += size


def _surrounding(call: Sql) -> tuple[int, int]:
    """The call around another one, and which of its arguments that one is in."""
    within, around = call, call.parent
    while isinstance(around, exp.Expression):
        if isinstance(around, exp.Anonymous) and around.name in macros():
            return id(around), next(at for at, each in enumerate(around.expressions) if each is within)
        within, around = around, around.parent
    return 0, 0


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
