"""The typed plan: relational algebra between the binder and the SQL emitters.

Every node is a frozen dataclass. A `Column` is an identity: the binder makes a fresh one wherever a value is computed
and every later reference names that object, so no pass below the binder resolves names again. Two columns of one
relation may have names that differ only in case; emitters must not rely on names being distinct identifiers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TypeVar, dataclass_transform

from vedette.kql.moments import ALWAYS, Moment, TimeRange
from vedette.kql.types import ScalarType

T = TypeVar("T")


@dataclass_transform(frozen_default=True, eq_default=False)
def node(cls: type[T]) -> type[T]:
    """Make a class a node: frozen, without copying or comparing what hangs below it."""
    return dataclasses.dataclass(frozen=True, slots=True, eq=False)(cls)


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column of some relation. Equal only to itself: `id` is unique within one compilation."""

    id: int
    name: str
    type: ScalarType


# --- scalar expressions -------------------------------------------------------------------------------------------


@node
class Expression:
    """Any scalar expression. `type` is its KQL type."""

    type: ScalarType


@node
class Literal(Expression):
    """A constant; representation of `value` per type as in `vedette.kql.types`. None is a typed null."""

    value: object


@node
class QueryTime(Expression):
    """A datetime reckoned from the time of the query: a constant of each execution, not of the compiled query."""

    moment: Moment


@node
class ColumnReference(Expression):
    """The value of a column of the input relation."""

    column: Column


@node
class Call(Expression):
    """A scalar function or operator by its registry name (`strcat`, `add`, `equal`, `has`, `in`, `not`, …).

    Operators carry the registry's names for them, see `kql/functions/operators.toml`. Arguments already have the types
    that the function's signature asks for: the binder inserts conversion Calls (`tostring`, `tolong`, `todouble`,
    `todecimal`, …) wherever KQL converts by itself. `and`, `or` and `strcat` take any number of arguments.
    Access to dynamic values: `property(bag, name literal)` and `element(array or bag, index)`, both dynamic;
    `name`s that have no function of their own: `negate`, `between(x, low, high)`, `not_between`,
    `in(x, a, b, …)` / `in_ci` / `not_in` / `not_in_ci`; an item of type dynamic is an array of values.
    """

    function: str
    arguments: tuple[Expression, ...]


@node
class ScalarSubquery(Expression):
    """`toscalar(...)`: first column of the first row, null where there is none."""

    plan: Relation


@node
class InSubquery(Expression):
    """`x in (T)`, `x has_any (T)`, … : `function` is the registry name, the first column of `plan` the set."""

    function: str
    operand: Expression
    plan: Relation


@node
class Aggregate(Expression):
    """An aggregate function over a group. Only inside `Summarize`."""

    function: str
    arguments: tuple[Expression, ...]


@node
class WindowCall(Expression):
    """`prev next row_number row_cumsum row_rank_* row_window_session`: only inside `Window`.

    `prev`/`next`: (value, offset literal, default). `row_number`: (start, restart). `row_cumsum`: (term, restart).
    """

    function: str
    arguments: tuple[Expression, ...]


# --- relations ----------------------------------------------------------------------------------------------------


@node
class Relation:
    """Any tabular expression. `columns` are its output columns in order.

    `open` relations have further columns that only the data knows (`evaluate bag_unpack` without a schema).
    """

    columns: tuple[Column, ...]


@node
class Scan(Relation):
    """Rows of a catalog table. `physical[i]` is the stored name of `columns[i]`.

    Rewrites narrow `time_range` from filters on the time column so that the lake opens only the segments that can hold
    matching rows. The filters themselves stay in the plan.
    """

    table: str
    physical: tuple[str, ...]
    time_range: TimeRange = ALWAYS


@node
class Values(Relation):
    """`datatable` and `print`: literal rows, each as long as `columns`."""

    rows: tuple[tuple[Expression, ...], ...]


@node
class Series(Relation):
    """`range x from start to stop step step`: one column."""

    start: Expression
    stop: Expression
    step: Expression


@node
class ExternalData(Relation):
    """`externaldata`: fetched by the host before execution; `source` is the index in `CompiledQuery.externals`."""

    uris: tuple[str, ...]
    format: str
    properties: Mapping[str, str]


@node
class Filter(Relation):
    """Rows for which `predicate` is true (null drops)."""

    input: Relation
    predicate: Expression


@node
class Project(Relation):
    """One expression per output column, all over the input row: `extend` and the `project` family."""

    input: Relation
    expressions: tuple[Expression, ...]


@node
class Summarize(Relation):
    """Groups by `keys` (input expressions), then one expression over keys' columns and Aggregates per remaining output.

    `columns` = key columns, then aggregate columns. Without keys exactly one row comes out, even of no input.
    """

    input: Relation
    keys: tuple[Expression, ...]
    aggregates: tuple[Expression, ...]


@node
class Distinct(Relation):
    """Distinct rows over all columns of the input, in no particular order."""

    input: Relation


@node
class Join(Relation):
    """`kind` is KQL's: innerunique inner leftouter rightouter fullouter leftsemi leftanti rightsemi rightanti.

    `on` are equality pairs (left expression, right expression). Null keys match null keys. `columns` are columns of
    `left` followed by those of `right` where the kind outputs them, renamed copies of the inputs' columns:
    `sources[i]` is the input column behind `columns[i]`. `residual` (over columns of both inputs) narrows the match.
    """

    left: Relation
    right: Relation
    kind: str
    on: tuple[tuple[Expression, Expression], ...]
    sources: tuple[Column, ...]
    residual: Expression | None = None


@node
class Union(Relation):
    """All rows of `inputs`. `sources[k][i]` is the column of input k behind `columns[i]`, None where it has none."""

    inputs: tuple[Relation, ...]
    sources: tuple[tuple[Column | None, ...], ...]


@node
class SortKey:
    """One key of an order. NaN is grouped with nulls."""

    expression: Expression
    descending: bool
    nulls_first: bool


@node
class Sort(Relation):
    """Order by `keys`; with `limit`, the first `limit` rows of that order (`top`)."""

    input: Relation
    keys: tuple[SortKey, ...]
    limit: Expression | None = None


@node
class Limit(Relation):
    """`take`: any `count` rows, the first ones if the input is ordered."""

    input: Relation
    count: Expression


@node
class Unnest(Relation):
    """`mv-expand`: `columns` are the input's, expanded ones replaced by fresh columns, new ones appended.

    `items` pairs each output column with the dynamic expression it is expanded from. Several zip to the longest.
    """

    input: Relation
    items: tuple[tuple[Column, Expression], ...]
    kind: str = "bag"
    index: Column | None = None
    limit: int | None = None


@node
class Shared(Relation):
    """A tabular `let` or `materialize`: every reference with the same `id` is the same rows.

    `once`: they must not be computed anew for each reference, because that would number them differently.
    """

    id: int
    input: Relation
    once: bool = False


# --- relations with a correlated or ordered inside ------------------------------------------------------------------


@node
class Window(Relation):
    """Like `Project`, but over an input whose row order counts, and expressions may hold `WindowCall`s anywhere.

    The binder guarantees that the input is serialized: it comes (through order-keeping nodes) from a `Sort`, `Series`,
    `Values` or an explicit `serialize`. Output keeps the order.
    """

    input: Relation
    expressions: tuple[Expression, ...]


@node
class CorrelatedRows(Relation):
    """The leaf of the body of the `Apply` or `Partition` with the same `scope`: the rows of the current record or part.

    In an `Apply` its columns are those of `Apply.expanded`; in a `Partition` they are the columns of the input.
    """

    scope: int


@node
class Apply(Relation):
    """`mv-apply`: for each input row, `items` are expanded as in `Unnest` and `body` runs over the expanded rows alone.

    `expanded` are the columns of the expanded rows, which is what the leaf `CorrelatedRows(scope)` of `body` yields:
    the input's columns with expanded ones replaced by fresh columns, new ones appended, `index` among them if given.
    `columns` are `outer` (columns of the input, kept as they are) followed by the columns of `body`, in this order.
    A row whose body yields nothing disappears. Aggregates inside `body` are per input row.
    """

    input: Relation
    scope: int
    items: tuple[tuple[Column, Expression], ...]
    expanded: tuple[Column, ...]
    outer: tuple[Column, ...]
    body: Relation
    index: Column | None = None
    limit: int | None = None


@node
class Partition(Relation):
    """`partition by key (body)`: `body` runs once per value of `key`, results concatenated. `columns` are body's."""

    input: Relation
    scope: int
    key: Expression
    body: Relation


@node
class MakeSeries(Relation):
    """`make-series`: groups by `keys`, buckets `axis` from `start` (inclusive) to `stop` (exclusive) by `step`.

    Output columns: the key columns, then one dynamic array per aggregate, then the dynamic array of bucket starts.
    `aggregates[i]` may hold `Aggregate` nodes, `defaults[i]` fills its empty buckets. `start`/`stop` None: the bounds
    of the data (stop then includes the last bucket). `nonempty`: with both given and no keys, no input gives one row of
    defaults instead of none.
    """

    input: Relation
    aggregates: tuple[Expression, ...]
    defaults: tuple[Expression, ...]
    axis: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression
    keys: tuple[Expression, ...]
    nonempty: bool = False


@node
class Sample(Relation):
    """`sample`: `count` random rows."""

    input: Relation
    count: Expression


@node
class ScanStep:
    """A step of `scan`: `condition` and `assignments` (state column, expression) read input columns and state columns.

    A state column of another step is referenced by that step's own Column in `ScanSteps.states`.
    """

    name: str
    condition: Expression
    assignments: tuple[tuple[Column, Expression], ...]
    optional: bool = False
    output: str = "all"


@node
class ScanSteps(Relation):
    """`scan`: matches sequences of rows over an ordered input. Output: input's columns, declared columns, match id.

    `declared` are the declared columns with their default; `states[s]` holds, per step, the Columns under which the
    expressions of any step refer to step s's copy of (input columns + declared columns). `match_id` is a long column.
    With `partition` the rows of each combination of its values are matched by themselves.
    """

    input: Relation
    declared: tuple[tuple[Column, Expression], ...]
    states: tuple[tuple[Column, ...], ...]
    steps: tuple[ScanStep, ...]
    match_id: Column | None = None
    partition: tuple[Expression, ...] = ()


@node
class RowNumbers(Relation):
    """The input with the number of each row in front, from 1, in the order of the rows where they have one."""

    input: Relation
    number: Column


@node
class Least(Relation):
    """Of each group of rows with equal `keys`, those with the least `measure`; `single`: any one of them."""

    input: Relation
    keys: tuple[Expression, ...]
    measure: Expression
    single: bool


@node
class FirstOfGroups(Relation):
    """Of each group of rows with equal `keys`, the first `count` rows by `order`, or by the input's order without."""

    input: Relation
    keys: tuple[Expression, ...]
    order: tuple[SortKey, ...]
    count: Expression


@node
class Neighbours(Relation):
    """Rows of an ordered input at most `before` rows before, or `after` behind, one that fulfils `condition`."""

    input: Relation
    condition: Expression
    before: int
    after: int


# --- graphs: nodes and edges are relations of their own, whose rows have numbers ------------------------------------


@node
class Carried:
    """A value collected along a path: of each step or, if `inner`, of each node between two steps.

    `source` is a column of `GraphPaths.steps`: with fold `list` any value, with `all` and `any` a condition.
    """

    output: Column
    source: Column
    fold: str
    inner: bool


@node
class GraphPaths(Relation):
    """Walks of `low` to `high` steps from each node in `seeds` (one column of node numbers).

    `steps` are edges as they can be walked, from `origin` to `target`. Columns: first node, last node, the edges'
    numbers, the inner nodes' numbers (two lists that only `path_*` functions read), then one per `carried`.
    `distinct` forbids repeating `edges`, `nodes` or nothing (`""`). `passable`, a condition among the columns of
    `steps`, must hold where a step begins at an inner node. `backwards`: lists are in the reverse order of the walk.
    `shortest` keeps, for each pair of first and last node, the shortest walks: `any` one of them, or `all`.
    """

    seeds: Relation
    steps: Relation
    origin: Column
    target: Column
    number: Column
    low: int
    high: int
    distinct: str
    carried: tuple[Carried, ...] = ()
    passable: Column | None = None
    backwards: bool = False
    shortest: str | None = None


@node
class GraphComponents(Relation):
    """Node number and number of the connected component, from 0 within each `partition`, in order of the edges.

    `nodes` has the node numbers first, `edges` edge number, source and target. `strong`: along the edges' direction.
    """

    nodes: Relation
    edges: Relation
    partition: Column | None
    strong: bool


# --- the whole ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class BoundQuery:
    """What the binder hands on: the plan of the query's result and what `render` asks of the caller.

    `open` is true when the result has columns that only the data knows (analysis only: compilation discovers them).
    `further` are results besides the first, with their names: those of fork, facet and of earlier statements.
    """

    relation: Relation
    render: Mapping[str, str] | None = None
    open: bool = False
    further: tuple[tuple[str | None, Relation], ...] = ()
