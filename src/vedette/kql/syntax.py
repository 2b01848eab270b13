"""The syntax tree of KQL: what was written, before any name is looked up.

Nodes carry the documented names of KQL's statements and operators. Every node has the span of text it was read from;
parentheses leave no node of their own but widen the span of the expression around them. Legacy spellings of operators
(`filter`, `order by`, `limit`, `mvexpand`) give the same node as the current one. Literal values are exact and in the
representation of `vedette.kql.types`.
"""

from __future__ import annotations

import dataclasses
from typing import TypeVar, dataclass_transform

from vedette.kql.errors import Span
from vedette.kql.types import ScalarType

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def node(cls: type[_T]) -> type[_T]:
    """A frozen dataclass with slots."""
    return dataclasses.dataclass(frozen=True, slots=True)(cls)


@node
class Node:
    """Anything read from query text."""

    span: Span


@node
class Name(Node):
    """A name that is introduced here (a column, variable, parameter or step), without brackets and quotes."""

    text: str


# --- scalar and tabular expressions -------------------------------------------------------------------------------


@node
class Expression(Node):
    """Anything that yields a value: scalar, dynamic, or a table."""


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


# --- tabular operators --------------------------------------------------------------------------------------------


@node
class OperatorParameter(Node):
    """`name = value` before an operator's operands (`kind=inner`, `hint.strategy=shuffle`) or in `with (…)`.

    A bare word as value is a `NameReference`.
    """

    name: Name
    value: Expression


@node
class TabularOperator(Node):
    """An operator of a pipeline. `parameters` in order of writing."""

    parameters: tuple[OperatorParameter, ...]

    def parameter(self, name: str) -> Expression | None:
        """The value of the parameter of that name, or None."""
        return next((each.value for each in self.parameters if each.name.text == name), None)


@node
class WhereOperator(TabularOperator):
    """`where condition`, `filter condition`.

    A condition written `name = expression` is a `NamedExpression`, as in Microsoft's parser: its value is that of the
    expression, and the parser warns.
    """

    condition: Expression


@node
class ProjectOperator(TabularOperator):
    """`project a, b = f(c)`."""

    expressions: tuple[Expression, ...]


@node
class ProjectAwayOperator(TabularOperator):
    """`project-away a, b*`."""

    columns: tuple[Expression, ...]


@node
class ProjectKeepOperator(TabularOperator):
    """`project-keep a, b*`."""

    columns: tuple[Expression, ...]


@node
class ProjectRenameOperator(TabularOperator):
    """`project-rename new = old`: each is a `NamedExpression` over a `NameReference`."""

    expressions: tuple[Expression, ...]


@node
class ProjectReorderOperator(TabularOperator):
    """`project-reorder a, b* asc`: each is a name, a pattern, `*`, or an `OrderedExpression` over one."""

    columns: tuple[Expression, ...]


@node
class ProjectByNamesOperator(TabularOperator):
    """`project-by-names expression, …`."""

    columns: tuple[Expression, ...]


@node
class ExtendOperator(TabularOperator):
    """`extend a = f(b)`."""

    expressions: tuple[Expression, ...]


@node
class SummarizeOperator(TabularOperator):
    """`summarize aggregates by keys`. Both may be empty, not at once."""

    aggregates: tuple[Expression, ...]
    keys: tuple[Expression, ...]


@node
class DistinctOperator(TabularOperator):
    """`distinct a, b`, or `distinct *`."""

    columns: tuple[Expression, ...]


@node
class CountOperator(TabularOperator):
    """`count`, `count as name`."""

    name: Name | None


@node
class JoinOperator(TabularOperator):
    """`join kind=… (right) on …`. `on` is empty for the `where` form, whose condition is then given."""

    right: Expression
    on: tuple[Expression, ...]
    where: Expression | None = None


@node
class LookupOperator(TabularOperator):
    """`lookup kind=… (right) on …`."""

    right: Expression
    on: tuple[Expression, ...]


@node
class UnionOperator(TabularOperator):
    """`union A, (B | …), C*`; in a pipeline the piped rows come first."""

    tables: tuple[Expression, ...]


@node
class SortOperator(TabularOperator):
    """`sort by a asc nulls last, b`, `order by …`."""

    keys: tuple[OrderedExpression, ...]


@node
class TopOperator(TabularOperator):
    """`top count by key`."""

    count: Expression
    keys: tuple[OrderedExpression, ...]


@node
class TopNestedClause(Node):
    """One level of top-nested. `by` may be a `NamedExpression` or an `OrderedExpression` over one."""

    count: Expression | None
    of: Expression
    others: Expression | None
    by: Expression


@node
class TopNestedOperator(TabularOperator):
    """`top-nested n of a with others = x by f(b) desc, top-nested …`."""

    clauses: tuple[TopNestedClause, ...]


@node
class TopHittersOperator(TabularOperator):
    """`top-hitters n of a by b`."""

    count: Expression
    of: Expression
    by: Expression | None


@node
class TakeOperator(TabularOperator):
    """`take n`, `limit n`."""

    count: Expression


@node
class SampleOperator(TabularOperator):
    """`sample n`."""

    count: Expression


@node
class SampleDistinctOperator(TabularOperator):
    """`sample-distinct n of a`."""

    count: Expression
    of: Expression


@node
class ExpandedColumn(Node):
    """One operand of mv-expand or mv-apply: `a`, `b = expression`, each perhaps `to typeof(…)`."""

    expression: Expression
    to: TypeName | None


@node
class MvExpandOperator(TabularOperator):
    """`mv-expand kind=… with_itemindex=i a, b to typeof(long) limit n`."""

    columns: tuple[ExpandedColumn, ...]
    limit: Expression | None


@node
class MvApplyOperator(TabularOperator):
    """`mv-apply a, b limit n on (subquery)`."""

    columns: tuple[ExpandedColumn, ...]
    limit: Expression | None
    context_id: Expression | None
    subquery: Expression


@node
class ParseText(Node):
    """A text of a parse pattern that has to occur as written (a regular expression with kind=regex)."""

    text: str


@node
class ParseStar(Node):
    """`*` of a parse pattern: skips to the next text."""


@node
class ParseColumn(Node):
    """A column of a parse pattern, string unless typed."""

    name: Name
    type: TypeName | None


ParsePattern = tuple[ParseText | ParseStar | ParseColumn, ...]


@node
class ParseOperator(TabularOperator):
    """`parse kind=… flags=… expression with pattern`."""

    expression: Expression
    pattern: ParsePattern


@node
class ParseWhereOperator(TabularOperator):
    """`parse-where kind=… expression with pattern`."""

    expression: Expression
    pattern: ParsePattern


@node
class ParseKvOperator(TabularOperator):
    """`parse-kv expression as (schema) with (properties)`."""

    expression: Expression
    schema: RowSchema
    properties: tuple[OperatorParameter, ...]


@node
class SeriesAggregate(Node):
    """One aggregate of make-series, perhaps with the value of empty bins."""

    expression: Expression
    default: Expression | None


@node
class MakeSeriesOperator(TabularOperator):
    """`make-series aggregates on axis from start to stop step step by keys`; `in range(…)` gives the same fields."""

    aggregates: tuple[SeriesAggregate, ...]
    axis: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression
    keys: tuple[Expression, ...]


@node
class RangeOperator(TabularOperator):
    """`range name from start to stop step step`."""

    name: Name
    start: Expression
    stop: Expression
    step: Expression


@node
class PrintOperator(TabularOperator):
    """`print a = 1, 2`."""

    expressions: tuple[Expression, ...]


@node
class SerializeOperator(TabularOperator):
    """`serialize`, `serialize a = f(b)`."""

    expressions: tuple[Expression, ...]


@node
class InvokeOperator(TabularOperator):
    """`invoke f(arguments)`; a path where the function is of another database."""

    function: FunctionCall | PathExpression


@node
class EvaluateOperator(TabularOperator):
    """`evaluate plugin(arguments) : (schema)`."""

    call: FunctionCall
    schema: RowSchema | None


@node
class ScanAssignment(Node):
    """`name = expression` behind the `=>` of a step."""

    name: Name
    expression: Expression


@node
class ScanStep(Node):
    """`step name optional output=all|last|none : condition => assignments;`."""

    name: Name
    optional: bool
    output: str | None
    condition: Expression
    assignments: tuple[ScanAssignment, ...]


@node
class ScanOperator(TabularOperator):
    """`scan with_match_id=m declare (…) order by … partition by … with (steps)`."""

    order_by: tuple[OrderedExpression, ...]
    partition_by: tuple[Expression, ...]
    declarations: tuple[ColumnDeclaration, ...]
    steps: tuple[ScanStep, ...]


@node
class PartitionOperator(TabularOperator):
    """`partition by column (subquery)`, or `{ query }`, whose subquery is a whole expression."""

    by: Expression
    scope: Expression | None
    subquery: Expression


@node
class RenderOperator(TabularOperator):
    """`render chart with (properties)`: instructions for whoever shows the answer.

    A property's value may be a `ListExpression` (`ycolumns = a, b`).
    """

    chart: str
    properties: tuple[OperatorParameter, ...]


@node
class AsOperator(TabularOperator):
    """`as name`."""

    name: Name


@node
class ConsumeOperator(TabularOperator):
    """`consume`."""


@node
class FacetOperator(TabularOperator):
    """`facet by a, b with (subquery)`."""

    by: tuple[Expression, ...]
    subquery: ContextualSubquery | None


@node
class ForkBranch(Node):
    """`name = (subquery)` or `(subquery)`."""

    name: Name | None
    subquery: ContextualSubquery


@node
class ForkOperator(TabularOperator):
    """`fork (…) name = (…)`."""

    branches: tuple[ForkBranch, ...]


@node
class ReduceOperator(TabularOperator):
    """`reduce by expression with threshold=…, characters=…`."""

    expression: Expression
    properties: tuple[OperatorParameter, ...]


@node
class GetSchemaOperator(TabularOperator):
    """`getschema`."""


@node
class SearchOperator(TabularOperator):
    """`search kind=… in (tables) predicate`. In the predicate a bare string literal is a search term."""

    tables: tuple[Expression, ...]
    predicate: Expression


@node
class FindColumn(Node):
    """One projected column of find: `name`, `name: type`, or `pack(*)` (`pack_all()`) with no name."""

    name: Name | None
    type: TypeName | None


@node
class FindOperator(TabularOperator):
    """`find withsource=… in (tables) where predicate project a, b: long, pack(*)`, `project-smart`, `project-away`.

    `projection` is None when nothing is written, `away` has the patterns (or `*`) of project-away.
    """

    tables: tuple[Expression, ...]
    predicate: Expression
    projection: tuple[FindColumn, ...] | None
    smart: bool
    away: tuple[Expression, ...]


@node
class ExecuteAndCacheOperator(TabularOperator):
    """`execute_and_cache`: a hint."""


@node
class AssertSchemaOperator(TabularOperator):
    """`assert-schema (schema)`."""

    schema: RowSchema


@node
class MacroExpandOperator(TabularOperator):
    """`macro-expand kind=… entity_group as scope (statements)`."""

    entity_group: Expression
    scope: Name
    statements: tuple[Statement, ...]


# --- graph operators ----------------------------------------------------------------------------------------------


@node
class GraphNodesTable(Node):
    """`with table on key` of make-graph."""

    table: Expression
    key: NameReference


@node
class MakeGraphOperator(TabularOperator):
    """`make-graph source --> target with nodes on id, …`; `node_id` for `with_node_id=`.

    `partitioned_by` and `subquery` belong to the form that runs a subquery per partition.
    """

    source: NameReference
    direction: str
    target: NameReference
    nodes: tuple[GraphNodesTable, ...]
    node_id: Name | None
    partitioned_by: NameReference | None
    subquery: ContextualSubquery | None


@node
class GraphNode(Node):
    """`(name)` or `()` in a graph pattern."""

    name: Name | None


@node
class GraphEdge(Node):
    """An edge in a graph pattern. `direction` is `-->`, `<--` or `--` (either way).

    With `*low..high` the edge has variable length, `high` None where open.
    """

    name: Name | None
    direction: str
    variable: bool
    low: Expression | None
    high: Expression | None


@node
class GraphPattern(Node):
    """Nodes and edges in turn, beginning and ending with a node."""

    elements: tuple[GraphNode | GraphEdge, ...]


@node
class GraphMatchOperator(TabularOperator):
    """`graph-match cycles=… patterns where condition project columns`."""

    patterns: tuple[GraphPattern, ...]
    where: Expression | None
    project: tuple[Expression, ...]


@node
class GraphShortestPathsOperator(TabularOperator):
    """`graph-shortest-paths output=… pattern where condition project columns`."""

    patterns: tuple[GraphPattern, ...]
    where: Expression | None
    project: tuple[Expression, ...]


@node
class GraphTableOutput(Node):
    """`nodes as name with_node_id=x`, `edges as name with_source_id=s with_target_id=t` of graph-to-table."""

    kind: str
    name: Name | None
    parameters: tuple[OperatorParameter, ...]


@node
class GraphToTableOperator(TabularOperator):
    """`graph-to-table nodes …, edges …`."""

    outputs: tuple[GraphTableOutput, ...]


@node
class GraphMarkComponentsOperator(TabularOperator):
    """`graph-mark-components kind=weak with_component_id=c`."""


@node
class GraphWhereNodesOperator(TabularOperator):
    """`graph-where-nodes condition`."""

    condition: Expression


@node
class GraphWhereEdgesOperator(TabularOperator):
    """`graph-where-edges condition`."""

    condition: Expression


# --- statements ---------------------------------------------------------------------------------------------------


@node
class Statement(Node):
    """A statement of a query; a semicolon ends it."""


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
