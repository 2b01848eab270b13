"""Statements, function declarations, and the query as a whole."""

from __future__ import annotations

from vedette.kql.syntax.expressions import RowSchema, TypeName
from vedette.kql.syntax.nodes import Expression, Name, Node, Statement, node


@node
class FunctionParameter(Node):
    """`name: type = default`; tabular parameters have a `RowSchema`."""

    name: Name
    type: TypeName | RowSchema
    default: Expression | None


@node
class FunctionBody(Node):
    """`{ let …; expression }`. The expression is None where the body has let statements only."""

    statements: tuple[Statement, ...]
    expression: Expression | None


@node
class FunctionDeclaration(Expression):
    """`(parameters) { body }`, `view () { body }`: the right side of a let statement, or a stored function's text."""

    is_view: bool
    parameters: tuple[FunctionParameter, ...]
    body: FunctionBody


@node
class LetStatement(Statement):
    """`let name = expression`."""

    name: Name
    expression: Expression


@node
class SetStatement(Statement):
    """`set name = value`, `set name`."""

    name: Name
    value: Expression | None


@node
class DeclareQueryParametersStatement(Statement):
    """`declare query_parameters (name: type = default, …)`."""

    parameters: tuple[FunctionParameter, ...]


@node
class PatternMatch(Node):
    """`(arguments).[path] = { body }` of declare pattern."""

    arguments: tuple[Expression, ...]
    path: Expression | None
    body: FunctionBody


@node
class DeclarePatternStatement(Statement):
    """`declare pattern name = (parameters)[path] { matches }`, or `declare pattern name` alone."""

    name: Name
    parameters: tuple[FunctionParameter, ...]
    path_parameter: FunctionParameter | None
    matches: tuple[PatternMatch, ...]


@node
class RestrictStatement(Statement):
    """`restrict access to (entities)`."""

    entities: tuple[Expression, ...]


@node
class AliasStatement(Statement):
    """`alias database name = cluster('c').database('d')`."""

    name: Name
    expression: Expression


@node
class ExpressionStatement(Statement):
    """A query proper: a tabular expression."""

    expression: Expression


@node
class Query(Node):
    """A whole query text: its statements in order. The result is that of its expression statements."""

    statements: tuple[Statement, ...]
