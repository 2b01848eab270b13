"""Expressions, scalar and tabular, and the schemas and types that stand in them."""

from __future__ import annotations

from vedette.kql.syntax.nodes import Expression, Name, Node, OperatorParameter, TabularOperator, node
from vedette.kql.types import ScalarType


@node
class Literal(Expression):
    """A constant of a scalar type other than dynamic; None is a typed null. `hidden` marks `h"…"` strings."""

    type: ScalarType
    value: object
    hidden: bool = False


@node
class DynamicLiteral(Expression):
    """`dynamic(…)`: the value as JSON text, None for `dynamic(null)`."""

    json: str | None


@node
class NameReference(Expression):
    """A column, variable, table or function without arguments; also a keyword-like value of an operator parameter."""

    name: str


@node
class WildcardName(Expression):
    """A name pattern such as `Device*`."""

    pattern: str


@node
class StarExpression(Expression):
    """`*`: all columns, as the function or operator around it understands that."""


@node
class PathExpression(Expression):
    """`source.selector`. The selector is a call in `cluster('c').database('d').T`, where it binds to the left."""

    source: Expression
    selector: NameReference | FunctionCall | WildcardName


@node
class ElementExpression(Expression):
    """`source[index]`. `d['a b']` is an element expression too, with a string literal as index."""

    source: Expression
    index: Expression


@node
class FunctionCall(Expression):
    """`name(arguments)`. Arguments may be `NamedExpression` (by name), `StarExpression` or tabular."""

    name: Name
    arguments: tuple[Expression, ...]


@node
class UnaryExpression(Expression):
    """`-x` or `+x`. (`not(x)` is a function call.)"""

    operator: str
    operand: Expression


@node
class BinaryExpression(Expression):
    """Two operands. Operators: `+ - * / % < <= > >= == != =~ !~ :` and the string operators (`has`, `!has_cs`, …,
    `matches regex`). `<>` is given as `!=`. Chains of arithmetic lean to the left: walk them in a loop.
    """

    operator: str
    left: Expression
    right: Expression


@node
class LogicalExpression(Expression):
    """A whole chain of `and` or of `or`: two or more operands."""

    operator: str
    operands: tuple[Expression, ...]


@node
class InExpression(Expression):
    """`in`, `!in`, `in~`, `!in~`, `has_any`, `has_all`: an operand and the list of the right side.

    A single member of the list may be tabular or dynamic: the binder knows.
    """

    operator: str
    operand: Expression
    members: tuple[Expression, ...]


@node
class BetweenExpression(Expression):
    """`operand between (low .. high)`, or `!between`."""

    negated: bool
    operand: Expression
    low: Expression
    high: Expression


@node
class NamedExpression(Expression):
    """`name = expression`."""

    name: Name
    expression: Expression


@node
class CompoundNamedExpression(Expression):
    """`(name, name, …) = expression`."""

    names: tuple[Name, ...]
    expression: Expression


@node
class OrderedExpression(Expression):
    """A sort key. None where the direction or the place of nulls is not written.

    `direction` is asc, desc, granny-asc or granny-desc (the latter two in project-reorder only).
    """

    expression: Expression
    direction: str | None
    nulls: str | None


@node
class ListExpression(Expression):
    """A parenthesised list of expressions where the grammar asks for one value: `search in (A, B)`."""

    members: tuple[Expression, ...]


@node
class TypeName(Node):
    """A scalar type as written, resolved to its type (`typeof(double)` is real)."""

    type: ScalarType


@node
class ColumnDeclaration(Node):
    """`name: type` in a schema. `default` only in scan and in function parameters' schemas."""

    name: Name
    type: TypeName
    default: Expression | None = None


@node
class RowSchema(Node):
    """`(a: string, b: long)`. `open` where it has a `*`: further columns are let through."""

    columns: tuple[ColumnDeclaration, ...]
    open: bool = False


@node
class TypeofLiteral(Expression):
    """`typeof(long)`, or `typeof(a: long, *)` with a schema."""

    type: TypeName | RowSchema


@node
class ToScalar(Expression):
    """`toscalar(…)`: first column of the first row."""

    parameters: tuple[OperatorParameter, ...]
    query: Expression


@node
class ToTable(Expression):
    """`totable(…)`."""

    parameters: tuple[OperatorParameter, ...]
    query: Expression


@node
class Materialize(Expression):
    """`materialize(…)`, with `hint.` parameters if any."""

    parameters: tuple[OperatorParameter, ...]
    query: Expression


@node
class DataTable(Expression):
    """`datatable (schema) [values]`: values row by row."""

    parameters: tuple[OperatorParameter, ...]
    schema: RowSchema
    values: tuple[Expression, ...]


@node
class ExternalData(Expression):
    """`externaldata (schema) [uris] with (properties)`."""

    parameters: tuple[OperatorParameter, ...]
    schema: RowSchema
    uris: tuple[Expression, ...]
    properties: tuple[OperatorParameter, ...]


@node
class PartitionColumn(Node):
    """`name: type = expression` in `partition by` of inline_external_table."""

    name: Name
    type: TypeName
    expression: Expression | None


@node
class InlineExternalTable(Expression):
    """`inline_external_table (schema) kind=… partition by (…) pathformat=(…) dataformat=… (uris) with (…)`."""

    schema: RowSchema | None
    kind: Name
    partitions: tuple[PartitionColumn, ...]
    path_format: tuple[Expression, ...]
    data_format: Name | None
    uris: tuple[Expression, ...]
    properties: tuple[OperatorParameter, ...]


@node
class EntityGroup(Expression):
    """`entity_group [cluster('c').database('d'), …]`."""

    entities: tuple[Expression, ...]


@node
class PipeExpression(Expression):
    """`source | operator | operator …`.

    `source` is an operator in queries that begin with one: print, range, union, search, find, evaluate, …
    An expression without pipes that begins with no operator stands bare (a `NameReference`, a `FunctionCall`, …).
    """

    source: Expression | TabularOperator
    operators: tuple[TabularOperator, ...]


@node
class ContextualSubquery(Expression):
    """Operators applied to the rows that the operator around them hands in: mv-apply, partition, fork, facet."""

    operators: tuple[TabularOperator, ...]
