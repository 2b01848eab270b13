"""Relations over whole rows: where they come from, and the operators that need no order and nothing around them."""

from __future__ import annotations

from collections.abc import Mapping

from vedette.kql.moments import ALWAYS, TimeRange
from vedette.kql.plan.nodes import Column, Expression, Relation, node


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
