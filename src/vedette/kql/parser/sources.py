"""Schemas, and the expressions that bring rows of their own or change scalar into tabular: datatable, toscalar, …"""

from collections.abc import Callable
from typing import TypeVar

from vedette.kql import syntax
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.lexer import BOOLEAN, GUID, INTEGER, REAL, STRING, TIMESPAN, TYPED, Tokens
from vedette.kql.parser.cursor import WORDS
from vedette.kql.parser.expressions import ExpressionParser
from vedette.kql.parser.literals import TYPE_NAMES
from vedette.kql.syntax import Expression, Name, NameReference, OperatorParameter
from vedette.kql.types import ScalarType

_T = TypeVar("_T")

_NO_PARAMETERS: frozenset[str] = frozenset()
_DATUM_KINDS = frozenset([STRING, INTEGER, REAL, TIMESPAN, BOOLEAN, TYPED, GUID, "dynamic", "-", "+"])
_SUBQUERY_PARAMETERS = frozenset(["kind"])


class SourceParser(ExpressionParser):
    """Parses row schemas, operator parameters, and the calls that take a whole query."""

    def __init__(self, tokens: Tokens, diagnostics: Diagnostics) -> None:
        super().__init__(tokens, diagnostics)
        self.primaries |= {
            "toscalar": self._to_scalar,
            "totable": self._to_table,
            "materialize": self._materialize,
            "datatable": self._datatable,
            "externaldata": self._externaldata,
            "external_data": self._externaldata,
            "inline_external_table": self._inline_external_table_or_name,
            "typeof": self._typeof_or_name,
            "entity_group": self._entity_group_or_name,
        }

    # --- operator parameters ---

    def parameters(self, known: frozenset[str] = _NO_PARAMETERS) -> tuple[OperatorParameter, ...]:
        """`name = value` pairs for as long as the name is known, or begins with `hint.`."""
        found: list[OperatorParameter] = []
        while self.kinds[self.index] in WORDS and self._at_parameter(known):
            found.append(self.parameter())
        return tuple(found)

    def _at_parameter(self, known: frozenset[str]) -> bool:
        following = self.kinds[self.index + 1]
        return (following == "=" and self.word() in known) or (following == "." and self.word() == "hint")

    def parameter(self) -> OperatorParameter:
        """One `name = value`, whatever the name; dotted names as they stand."""
        first = self.index
        if self.kinds[first] not in WORDS:
            self.fail_name("a property name")
        self.index += 1
        while self.accept("."):
            if self.kinds[self.index] not in WORDS:
                self.fail_name("a property name")
            self.index += 1
        span = self.span_since(first)
        name = Name(span, self.text[span.start : span.end])
        self.expect("=")
        value = self.parameter_value()
        return OperatorParameter(self.span_since(first), name, value)

    def parameter_value(self) -> Expression:
        """A literal, or a bare word whether or not it is a keyword."""
        at = self.index
        if self.kinds[at] in WORDS and self.kinds[at] != "dynamic":
            self.index += 1
            return NameReference(self.token_span(at), self.word(at))
        return self.operand()

    def properties(self) -> tuple[OperatorParameter, ...]:
        """`with (name = value, …)`, or nothing."""
        if not self.accept("with"):
            return ()
        self.expect("(")
        found = () if self.kinds[self.index] == ")" else self.list_of(self.parameter)
        self.expect(")")
        return found

    # --- expressions over a whole query ---

    def _to_scalar(self) -> Expression:
        first, parameters, query = self._query_argument()
        return syntax.ToScalar(self.span_since(first), parameters, query)

    def _to_table(self) -> Expression:
        first, parameters, query = self._query_argument()
        return syntax.ToTable(self.span_since(first), parameters, query)

    def _materialize(self) -> Expression:
        first, parameters, query = self._query_argument()
        return syntax.Materialize(self.span_since(first), parameters, query)

    def _query_argument(self) -> tuple[int, tuple[OperatorParameter, ...], Expression]:
        first = self.index
        self.enter()
        self.index += 1
        self.expect("(")
        parameters = self.parameters(_SUBQUERY_PARAMETERS)
        query = self.pipe_expression()
        self.expect(")")
        self.depth -= 1
        return first, parameters, query

    # --- literal and external tables ---

    def _datatable(self) -> Expression:
        first = self.index
        self.index += 1
        parameters = self.parameters()
        schema = self.row_schema()
        values = self._bracketed_list(self._datum)
        return syntax.DataTable(self.span_since(first), parameters, schema, values)

    def _datum(self) -> Expression:
        if self.kinds[self.index] not in _DATUM_KINDS:
            self.fail("literal_expected", found=self.found())
        return self.operand()

    def _externaldata(self) -> Expression:
        first = self.index
        self.index += 1
        parameters = self.parameters()
        schema = self.row_schema()
        uris = self._bracketed_list(self.operand)
        properties = self.properties()
        return syntax.ExternalData(self.span_since(first), parameters, schema, uris, properties)

    def _inline_external_table_or_name(self) -> Expression:
        first = self.index
        if self.kinds[first + 1] not in {"(", "kind"}:
            self.index += 1
            return NameReference(self.token_span(first), self.word(first))
        self.index += 1
        schema = self.row_schema() if self.kinds[self.index] == "(" else None
        self.expect("kind")
        self.expect("=")
        kind = self.declared_name("kind")
        partitions: tuple[syntax.PartitionColumn, ...] = ()
        if self.accept("partition"):
            self.expect("by")
            partitions = self._in_parentheses(self._partition_column)
        path_format: tuple[Expression, ...] = ()
        if self.accept("pathformat"):
            self.expect("=")
            path_format = self._path_format()
        data_format = None
        if self.accept("dataformat"):
            self.expect("=")
            data_format = self.declared_name("data format")
        uris = self._in_parentheses(self.operand)
        properties = self.properties()
        return syntax.InlineExternalTable(
            self.span_since(first), schema, kind, partitions, path_format, data_format, uris, properties
        )

    def _partition_column(self) -> syntax.PartitionColumn:
        first = self.index
        name = self.declared_name("column name")
        self.expect(":")
        type_ = self.type_name()
        expression = self.operand() if self.accept("=") else None
        return syntax.PartitionColumn(self.span_since(first), name, type_, expression)

    def _path_format(self) -> tuple[Expression, ...]:
        """Literal segments, columns and datetime_pattern calls, one behind another."""
        self.expect("(")
        parts: list[Expression] = []
        while self.kinds[self.index] != ")":
            parts.append(self.operand())
        self.index += 1
        return tuple(parts)

    def _in_parentheses(self, item: Callable[[], _T]) -> tuple[_T, ...]:
        self.expect("(")
        items = self.list_of(item)
        self.expect(")")
        return items

    def _bracketed_list(self, item: Callable[[], Expression]) -> tuple[Expression, ...]:
        """`[item, …]`; a comma may trail, as in Microsoft's parser."""
        self.expect("[")
        items: list[Expression] = []
        while self.kinds[self.index] != "]":
            items.append(item())
            if self.kinds[self.index] != "]" and not self.accept(","):
                self.fail_expected("',' or ']'")
        self.index += 1
        return tuple(items)

    def _entity_group_or_name(self) -> Expression:
        first = self.index
        if self.kinds[first + 1] == "(":
            return self.function_call()
        self.index += 1
        if self.kinds[self.index] != "[":
            return NameReference(self.token_span(first), self.word(first))
        return syntax.EntityGroup(self.span_since(first), self._bracketed_list(self.operand))

    def _typeof_or_name(self) -> Expression:
        if self.kinds[self.index + 1] == "(":
            return self.typeof()
        self.index += 1
        return NameReference(self.token_span(self.index - 1), self.word(self.index - 1))

    # --- types ---

    def type_name(self) -> syntax.TypeName:
        """The name of a scalar type."""
        type_ = TYPE_NAMES.get(self.word())
        if type_ is None:
            if self.kinds[self.index] in WORDS:
                self.fail("invalid_type_name", name=self.word(), hint=f"types are {', '.join(ScalarType)}")
            self.fail("missing", what="a type name", found=self.found())
        self.index += 1
        return syntax.TypeName(self.token_span(self.index - 1), type_)

    def typeof(self) -> syntax.TypeofLiteral:
        """`typeof(long)`, `typeof(a: long, *)`."""
        first = self.index
        self.index += 1
        self.expect("(")
        inner: syntax.TypeName | syntax.RowSchema
        if self.word() in TYPE_NAMES and self.kind_after(1) == ")":
            inner = self.type_name()
        else:
            inner = self._columns(self.index)
        self.expect(")")
        return syntax.TypeofLiteral(self.span_since(first), inner)

    def row_schema(self) -> syntax.RowSchema:
        """`(a: string, b: long)`, `(*)`, `()`."""
        first = self.index
        self.expect("(")
        inner = self._columns(self.index)
        self.expect(")")
        return syntax.RowSchema(self.span_since(first), inner.columns, inner.open)

    def _columns(self, first: int) -> syntax.RowSchema:
        columns: list[syntax.ColumnDeclaration] = []
        is_open = False
        while self.kinds[self.index] != ")":
            if self.accept("*"):
                is_open = True
            else:
                columns.append(self._column_declaration())
            if not self.accept(","):
                break
        return syntax.RowSchema(self.span_since(first), tuple(columns), is_open)

    def _column_declaration(self) -> syntax.ColumnDeclaration:
        first = self.index
        name = self.declared_name("column name")
        self.expect(":")
        type_ = self.type_name()
        default = self.operand() if self.accept("=") else None
        return syntax.ColumnDeclaration(self.span_since(first), name, type_, default)
