"""Walking over plans: what hangs below a node, and the node again with something else below it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from vedette.kql.plan import (
    Apply,
    ColumnReference,
    CorrelatedRows,
    Expression,
    InSubquery,
    Literal,
    Partition,
    QueryTime,
    Relation,
    ScalarSubquery,
    ScanStep,
    SortKey,
)

_STRUCT_TYPES = frozenset({SortKey, ScanStep})
_LEAVES = frozenset({ColumnReference, Literal, QueryTime})
"""Expressions below which there is nothing. Rows are wide, and most of what a node holds are these."""

_FIELDS: dict[tuple[type, type], tuple[str, ...]] = {}
_HOLDERS: dict[type, tuple[str, ...]] = {Relation: ("Relation",), Expression: ("Expression", "SortKey", "ScanStep")}


def _fields(kind: type, held: type) -> tuple[str, ...]:
    """Names of the fields that may hold relations or expressions, by declared type; others are never looked at."""
    names = _FIELDS.get((kind, held))
    if names is None:
        declared = ((each.name, str(each.type)) for each in dataclasses.fields(kind))
        names = tuple(name for name, type_ in declared if any(holder in type_ for holder in _HOLDERS[held]))
        _FIELDS[kind, held] = names
    return names


def _flatten(value: object, found: list[object]) -> None:
    if isinstance(value, tuple):
        for each in value:
            if type(each) in _LEAVES:
                found.append(each)
            else:
                _flatten(each, found)
    elif isinstance(value, (Expression, Relation)):
        found.append(value)
    elif type(value) in _STRUCT_TYPES:
        for name in _fields(type(value), Expression):
            _flatten(getattr(value, name), found)


def _below(node: object, held: type) -> list[object]:
    found: list[object] = []
    for name in _fields(type(node), held):
        _flatten(getattr(node, name), found)
    return found


def children_of(expression: Expression) -> tuple[Expression, ...]:
    """The expressions directly below an expression; plans of subqueries are not among them."""
    if type(expression) in _LEAVES:
        return ()
    return tuple(each for each in _below(expression, Expression) if isinstance(each, Expression))


def expressions_of(relation: Relation) -> tuple[Expression, ...]:
    """The expressions that a relational node holds."""
    return tuple(each for each in _below(relation, Expression) if isinstance(each, Expression))


def inputs_of(relation: Relation) -> tuple[Relation, ...]:
    """The relations that a relational node reads."""
    return tuple(each for each in _below(relation, Relation) if isinstance(each, Relation))


def subqueries_of(expression: Expression) -> Iterator[Relation]:
    """Plans of the subqueries anywhere in an expression."""
    stack = [expression]
    while stack:
        node = stack.pop()
        if type(node) in _LEAVES:
            continue
        if isinstance(node, (ScalarSubquery, InSubquery)):
            yield node.plan
        stack.extend(children_of(node))


def relations(root: Relation) -> Iterator[Relation]:
    """All relations of a plan, subqueries included, each node once even where several read it. Without recursion."""
    stack = [root]
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        stack.extend(inputs_of(node))
        for expression in expressions_of(node):
            if type(expression) not in _LEAVES:
                stack.extend(subqueries_of(expression))


def reads_outer_rows(root: Relation) -> bool:
    """Whether a plan reads the rows of an Apply or Partition that it is the inside of."""
    leaves = {node.scope for node in relations(root) if isinstance(node, CorrelatedRows)}
    return bool(leaves - {node.scope for node in relations(root) if isinstance(node, (Apply, Partition))})


def _mapped(value: object, change: Callable[[object], object], held: type) -> object:
    if isinstance(value, tuple):
        items = tuple(each if type(each) in _LEAVES else _mapped(each, change, held) for each in value)
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, held):
        return value if type(value) in _LEAVES else change(value)
    return _rebuilt(value, change, held) if type(value) in _STRUCT_TYPES else value


def _rebuilt(node: object, change: Callable[[object], object], held: type) -> object:
    changed: dict[str, object] = {}
    for name in _fields(type(node), held):
        old = getattr(node, name)
        new = _mapped(old, change, held)
        if new is not old:
            changed[name] = new
    return dataclasses.replace(node, **changed) if changed else node  # type: ignore[type-var]


def map_expressions(relation: Relation, change: Callable[[Expression], Expression]) -> Relation:
    """The node with each expression it holds changed; the relations it reads stay, and so do names and constants."""
    result = _rebuilt(relation, change, Expression)  # type: ignore[arg-type]
    assert isinstance(result, Relation)
    return result


def map_inputs(relation: Relation, change: Callable[[Relation], Relation]) -> Relation:
    """The node over changed inputs."""
    result = _rebuilt(relation, change, Relation)  # type: ignore[arg-type]
    assert isinstance(result, Relation)
    return result


def map_children(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression over changed children; plans of subqueries, names and constants stay."""
    result = _rebuilt(expression, change, Expression)  # type: ignore[arg-type]
    assert isinstance(result, Expression)
    return result


def rebuild(root: Relation, change: Callable[[Relation, Relation], Relation]) -> Relation:
    """Bottom up: every node replaced by `change(original, node over changed inputs)`. Shared nodes stay shared."""
    done: dict[int, Relation] = {}
    stack: list[tuple[Relation, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if id(node) in done:
            continue
        if not ready:
            stack.append((node, True))
            stack.extend((each, False) for each in inputs_of(node))
            continue
        done[id(node)] = change(node, map_inputs(node, lambda each: done[id(each)]))
    return done[id(root)]


def transform(root: Relation, change: Callable[[Relation], Relation]) -> Relation:
    """As `rebuild`, for changes that need not see the original."""
    return rebuild(root, lambda _, renewed: change(renewed))


def map_plans(expression: Expression, change: Callable[[Relation], Relation]) -> Expression:
    """The expression with the plans of all subqueries in it changed."""
    if type(expression) in _LEAVES:
        return expression
    if isinstance(expression, ScalarSubquery):
        return ScalarSubquery(expression.type, change(expression.plan))
    if isinstance(expression, InSubquery):
        return InSubquery(
            expression.type, expression.function, map_plans(expression.operand, change), change(expression.plan)
        )
    return map_children(expression, lambda each: map_plans(each, change))
