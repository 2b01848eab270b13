"""The typed plan: relational algebra between the binder and the SQL emitters.

Every node is a frozen dataclass. A `Column` is an identity: the binder makes a fresh one wherever a value is computed
and every later reference names that object, so no pass below the binder resolves names again. Two columns of one
relation may have names that differ only in case; emitters must not rely on names being distinct identifiers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from vedette.kql.types import ScalarType

node = dataclasses.dataclass(frozen=True, slots=True, eq=False)


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
class ColumnReference(Expression):
    """The value of a column of the input relation."""

    column: Column


@node
class Call(Expression):
    """A scalar function or operator by its registry name (`strcat`, `add`, `equal`, `has`, `in`, `not`, …).

    Operators carry the registry's names for them, see `kql/functions/functions.toml`.
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
    """`prev next row_number row_cumsum row_rank_* row_window_session`: only inside `Window`."""

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

    `time_range` is half-open in ticks, None is unbounded; rewrites narrow it from filters on the time column so that
    the lake opens only the segments that can hold matching rows. The filters themselves stay in the plan.
    """

    table: str
    physical: tuple[str, ...]
    time_range: tuple[int | None, int | None] = (None, None)


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
    `sources[i]` is the input column behind `columns[i]`.
    """

    left: Relation
    right: Relation
    kind: str
    on: tuple[tuple[Expression, Expression], ...]
    sources: tuple[Column, ...]


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
    """A tabular `let` or `materialize`: every reference with the same `id` is the same rows."""

    id: int
    input: Relation
