"""The syntax tree of `$filter` and the parsed query options. Positions are offsets into the option's decoded text.

Nodes carry the names that OData's ABNF and existing libraries use.
"""

import dataclasses
from typing import Literal, TypeAlias

ComparisonOperator = Literal["eq", "ne", "gt", "ge", "lt", "le"]
Quantifier = Literal["any", "all"]


@dataclasses.dataclass(frozen=True, slots=True)
class Null:
    """`null`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Boolean:
    """`true`, `false`."""

    value: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Number:
    """An integer or a decimal fraction."""

    value: int | float


@dataclasses.dataclass(frozen=True, slots=True)
class String:
    """`'text'`, with doubled quotes undone; also a GUID without quotes."""

    value: str


@dataclasses.dataclass(frozen=True, slots=True)
class DateTime:
    """A point in time as ticks of 100 ns since year 1, UTC; `text` as written."""

    ticks: int
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class EnumValue:
    """`Namespace.Type'member'`."""

    type_name: str
    member: str


LiteralValue: TypeAlias = Null | Boolean | Number | String | DateTime | EnumValue


@dataclasses.dataclass(frozen=True, slots=True)
class ListLiteral:
    """`('a', 'b')`, right side of `in`."""

    items: tuple[LiteralValue, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Path:
    """A property path: `status`, `t/serviceSource`, `tags/$count`."""

    segments: tuple[str, ...]
    position: int

    @property
    def text(self) -> str:
        """The path as written."""
        return "/".join(self.segments)


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A function call: `startswith(title,'x')`. The name is in lower case."""

    name: str
    arguments: "tuple[Expression, ...]"
    position: int


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`."""

    operator: ComparisonOperator
    left: "Expression"
    right: "Expression"
    position: int


@dataclasses.dataclass(frozen=True, slots=True)
class Membership:
    """`left in (…)`."""

    left: "Expression"
    right: ListLiteral
    position: int


@dataclasses.dataclass(frozen=True, slots=True)
class And:
    """Conjunction of two or more operands."""

    operands: "tuple[Expression, ...]"


@dataclasses.dataclass(frozen=True, slots=True)
class Or:
    """Disjunction of two or more operands."""

    operands: "tuple[Expression, ...]"


@dataclasses.dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    operand: "Expression"


@dataclasses.dataclass(frozen=True, slots=True)
class CollectionLambda:
    """`collection/any(variable: predicate)`; without variable and predicate: whether there is any element."""

    collection: Path
    quantifier: Quantifier
    variable: str | None
    predicate: "Expression | None"


Expression: TypeAlias = LiteralValue | Path | Call | Comparison | Membership | And | Or | Not | CollectionLambda


@dataclasses.dataclass(frozen=True, slots=True)
class OrderBy:
    """One sort key."""

    path: Path
    descending: bool


@dataclasses.dataclass(frozen=True, slots=True)
class QueryOptions:
    """The system query options of one request. None means that the option was not given."""

    filter: Expression | None = None
    order_by: tuple[OrderBy, ...] = ()
    top: int | None = None
    skip: int | None = None
    select: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    expand_options: "tuple[tuple[str, QueryOptions], ...]" = ()
    """Options within `$expand`, by the property that they are for: `alerts($select=id;$top=5)`."""
    count: bool = False
    skip_token: str | None = None
