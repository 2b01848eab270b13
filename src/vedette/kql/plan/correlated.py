"""Relations with a correlated or ordered inside."""

from __future__ import annotations

from vedette.kql.plan.nodes import Column, Expression, Relation, node
from vedette.kql.plan.relations import SortKey


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
