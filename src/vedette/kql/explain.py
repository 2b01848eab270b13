"""A plan as indented text: for tests, logs and people. Columns are written with their number, their identity."""

from __future__ import annotations

import dataclasses

from vedette.kql.moments import Moment, TimeRange
from vedette.kql.plan import Call, Column, ColumnReference, Expression, Literal, QueryTime, Relation
from vedette.kql.traversal import inputs_of


def explain(relation: Relation) -> str:
    """One line a node, inputs indented below it."""
    lines: list[str] = []
    stack: list[tuple[Relation, int]] = [(relation, 0)]
    while stack:
        node, depth = stack.pop()
        columns = ", ".join(_text(column) for column in node.columns)
        details = " ".join(_details(node))
        lines.append(f"{'  ' * depth}{type(node).__name__} [{columns}]{f' {details}' if details else ''}")
        stack.extend((each, depth + 1) for each in reversed(inputs_of(node)))
    return "\n".join(lines)


def _details(node: Relation) -> list[str]:
    found = []
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if field.name == "columns" or isinstance(value, Relation) or value == field.default or value is None:
            continue
        if isinstance(value, tuple) and value and all(isinstance(each, Relation) for each in value):
            continue
        found.append(f"{field.name}={_text(value)}")
    return found


def _text(value: object) -> str:  # noqa: PLR0911 - one line a kind of node
    if isinstance(value, Column):
        return f"{value.name}#{value.id}"
    if isinstance(value, ColumnReference):
        return _text(value.column)
    if isinstance(value, Literal):
        return repr(value.value)
    if isinstance(value, QueryTime):
        return str(value.moment)
    if isinstance(value, (Moment, TimeRange)):
        return str(value)
    if isinstance(value, Call):
        return f"{value.function}({', '.join(_text(each) for each in value.arguments)})"
    if isinstance(value, Relation):
        return type(value).__name__
    if isinstance(value, tuple):
        return f"({', '.join(_text(each) for each in value)})"
    if dataclasses.is_dataclass(value) and isinstance(value, Expression):
        parts = [getattr(value, field.name) for field in dataclasses.fields(value) if field.name != "type"]
        return f"{type(value).__name__}({', '.join(_text(each) for each in parts)})"
    if dataclasses.is_dataclass(value):
        return f"({', '.join(_text(getattr(value, field.name)) for field in dataclasses.fields(value))})"
    return repr(value)
