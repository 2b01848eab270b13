"""Operators that take values apart (mv-expand, parse), call something, or only leave a note in the pipeline."""

import abc

from vedette.kql import syntax
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.lexer import STRING, Tokens
from vedette.kql.parser.cursor import DECLARABLE
from vedette.kql.parser.operators import OperatorParser
from vedette.kql.syntax import Expression, TabularOperator
from vedette.kql.types import ScalarType

_EXPAND = frozenset(["kind", "bagexpansion", "with_itemindex"])
_LEGACY_ROWS = 128
"""Rows of one record that `mvexpand` yields where no limit is given (mv-expand-operator)."""
_PARSE = frozenset(["kind", "flags"])
_KIND = frozenset(["kind"])
_CONSUME = frozenset(["decodeblocks"])


class ExpansionParser(OperatorParser, abc.ABC):
    """Parses the operators over dynamic values, text, functions and plugins."""

    def __init__(self, tokens: Tokens, diagnostics: Diagnostics) -> None:
        super().__init__(tokens, diagnostics)
        self.operators |= {
            "mv-expand": self._mv_expand,
            "mvexpand": self._mv_expand,
            "mv-apply": self._mv_apply,
            "mvapply": self._mv_apply,
            "parse": self._parse,
            "parse-where": self._parse_where,
            "parse-kv": self._parse_kv,
            "invoke": self._invoke,
            "evaluate": self._evaluate,
            "as": self._as,
            "consume": self._consume,
            "getschema": self._getschema,
            "__executeAndCache": self._execute_and_cache,
            "assert-schema": self._assert_schema,
        }

    @abc.abstractmethod
    def subquery(self) -> Expression:
        """`( … )` or `{ … }`: operators over the rows at hand, or a whole query."""

    # --- dynamic values ---

    def _mv_expand(self, first: int) -> TabularOperator:
        legacy = self.word(first) == "mvexpand"
        parameters = self.parameters(_EXPAND)
        columns = self.list_of(self._expanded_column)
        limit = self.expression() if self.accept("limit") else None
        if limit is None and legacy:
            limit = syntax.Literal(self.span_since(first), ScalarType.LONG, _LEGACY_ROWS)
        return syntax.MvExpandOperator(self.span_since(first), parameters, columns, limit)

    def _expanded_column(self) -> syntax.ExpandedColumn:
        first = self.index
        expression = self.column_expression()
        to = None
        if self.accept("to"):
            self.expect("typeof")
            self.expect("(")
            to = self.type_name()
            self.expect(")")
        return syntax.ExpandedColumn(self.span_since(first), expression, to)

    def _mv_apply(self, first: int) -> TabularOperator:
        parameters = self.parameters(_EXPAND)
        columns = self.list_of(self._expanded_column)
        limit = self.expression() if self.accept("limit") else None
        context_id = self.operand() if self.accept("id") else None
        self.expect("on")
        subquery = self.subquery()
        return syntax.MvApplyOperator(self.span_since(first), parameters, columns, limit, context_id, subquery)

    # --- text ---

    def _parse(self, first: int) -> TabularOperator:
        parameters = self.parameters(_PARSE)
        expression = self.expression()
        self.expect("with")
        pattern = self._parse_pattern()
        return syntax.ParseOperator(self.span_since(first), parameters, expression, pattern)

    def _parse_where(self, first: int) -> TabularOperator:
        parameters = self.parameters(_PARSE)
        expression = self.expression()
        self.expect("with")
        pattern = self._parse_pattern()
        return syntax.ParseWhereOperator(self.span_since(first), parameters, expression, pattern)

    def _parse_pattern(self) -> syntax.ParsePattern:
        parts: list[syntax.ParseText | syntax.ParseStar | syntax.ParseColumn] = []
        while not self.at_operator_end():
            first = self.index
            if self.kinds[first] == STRING:
                literal = self.string()
                parts.append(syntax.ParseText(literal.span, str(literal.value)))
            elif self.accept("*"):
                parts.append(syntax.ParseStar(self.span_since(first)))
            elif self.kinds[first] in DECLARABLE or self.at_bracketed_name():
                name = self.declared_name()
                type_ = self.type_name() if self.accept(":") else None
                parts.append(syntax.ParseColumn(self.span_since(first), name, type_))
            else:
                self.fail("invalid_pattern_part", found=self.found())
        if not parts:
            self.fail("missing", what="a pattern", found=self.found())
        return tuple(parts)

    def _parse_kv(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        expression = self.expression()
        self.expect("as")
        schema = self.row_schema()
        properties = self.properties()
        return syntax.ParseKvOperator(self.span_since(first), parameters, expression, schema, properties)

    # --- calls and notes ---

    def _invoke(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        at = self.index
        function = self.operand()
        if not isinstance(function, syntax.FunctionCall | syntax.PathExpression):
            self.diagnostics.report("missing", self.token_span(at), what="a function call", found=self.word(at))
            self.index = max(self.index, at + 1)
            span = self.span_since(at)
            function = syntax.FunctionCall(span, syntax.Name(span, self.word(at)), ())
        return syntax.InvokeOperator(self.span_since(first), parameters, function)

    def _evaluate(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        if self.kinds[self.index] not in DECLARABLE or self.kind_after(1) != "(":
            self.fail("missing", what="a plugin call", found=self.found())
        call = self.function_call()
        schema = self.row_schema() if self.accept(":") else None
        return syntax.EvaluateOperator(self.span_since(first), parameters, call, schema)

    def _as(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        name = self.declared_name()
        return syntax.AsOperator(self.span_since(first), parameters, name)

    def _consume(self, first: int) -> TabularOperator:
        parameters = self.parameters(_CONSUME)
        return syntax.ConsumeOperator(self.span_since(first), parameters)

    def _getschema(self, first: int) -> TabularOperator:
        parameters = self.parameters(_KIND)
        return syntax.GetSchemaOperator(self.span_since(first), parameters)

    def _execute_and_cache(self, first: int) -> TabularOperator:
        return syntax.ExecuteAndCacheOperator(self.span_since(first), ())

    def _assert_schema(self, first: int) -> TabularOperator:
        schema = self.row_schema()
        return syntax.AssertSchemaOperator(self.span_since(first), (), schema)
