"""Tabular operators and their parts."""

from __future__ import annotations

from vedette.kql.syntax.expressions import (
    ColumnDeclaration,
    ContextualSubquery,
    FunctionCall,
    OrderedExpression,
    PathExpression,
    RowSchema,
    TypeName,
)
from vedette.kql.syntax.nodes import Expression, Name, Node, OperatorParameter, Statement, TabularOperator, node


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
    """`make-series aggregates on axis from start to stop step step by keys`.

    `in_range` for `on axis in range(start, stop, step)`, which includes the stop and bins from zero.
    """

    aggregates: tuple[SeriesAggregate, ...]
    axis: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression
    keys: tuple[Expression, ...]
    in_range: bool = False


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
