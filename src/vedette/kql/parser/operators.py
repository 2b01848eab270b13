"""Operators that filter, shape, combine and order rows: one method each, found by the operator's keyword."""

import abc
from collections.abc import Callable

from vedette.kql import syntax
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.lexer import Tokens
from vedette.kql.parser.cursor import DECLARABLE, PIPELINE_ENDS
from vedette.kql.parser.sources import SourceParser
from vedette.kql.syntax import Expression, TabularOperator

_UNION = frozenset(["kind", "withsource", "with_source", "isfuzzy", "force_remote"])
_JOIN = frozenset(["kind"])
_DIRECTIONS = frozenset(["asc", "desc"])
_REORDER_DIRECTIONS = frozenset(["asc", "desc", "granny-asc", "granny-desc"])


class OperatorParser(SourceParser, abc.ABC):
    """Parses the operators that filter, shape, combine and order rows."""

    def __init__(self, tokens: Tokens, diagnostics: Diagnostics) -> None:
        super().__init__(tokens, diagnostics)
        self.operators: dict[str, Callable[[int], TabularOperator]] = {
            "where": self._where,
            "filter": self._where,
            "project": self._project,
            "project-away": self._project_away,
            "project-keep": self._project_keep,
            "project-rename": self._project_rename,
            "project-reorder": self._project_reorder,
            "project-by-names": self._project_by_names,
            "extend": self._extend,
            "summarize": self._summarize,
            "distinct": self._distinct,
            "count": self._count,
            "join": self._join,
            "lookup": self._lookup,
            "union": self._union,
            "sort": self._sort,
            "order": self._sort,
            "top": self._top,
            "top-nested": self._top_nested,
            "top-hitters": self._top_hitters,
            "take": self._take,
            "limit": self._take,
            "sample": self._sample,
            "sample-distinct": self._sample_distinct,
            "print": self._print,
            "range": self._range,
            "serialize": self._serialize,
        }

    # --- filtering and shaping ---

    def _where(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        condition = self.column_expression()
        if isinstance(condition, syntax.NamedExpression):
            hint = f"write {condition.name.text} == … to compare"
            self.diagnostics.report("named_condition", condition.span, hint=hint, name=condition.name.text)
        return syntax.WhereOperator(self.span_since(first), parameters, condition)

    def _project(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        expressions = self.optional_columns()
        return syntax.ProjectOperator(self.span_since(first), parameters, expressions)

    def optional_columns(self) -> tuple[Expression, ...]:
        """Column expressions, or none where the operator ends at once."""
        if self.at_operator_end():
            return ()
        return self.list_of(self.column_expression)

    def at_operator_end(self) -> bool:
        """Whether the operator has no more operands."""
        kind = self.kinds[self.index]
        return kind == "|" or kind in PIPELINE_ENDS

    def column_pattern(self) -> Expression:
        """A column name or a pattern of names."""
        if self.at_wildcard():
            return self.wildcard_name()
        return self.operand()

    def _project_away(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        columns = () if self.at_operator_end() else self.list_of(self.column_pattern)
        return syntax.ProjectAwayOperator(self.span_since(first), parameters, columns)

    def _project_keep(self, first: int) -> TabularOperator:
        parameters, columns = self.parameters(), self.list_of(self.column_pattern)
        return syntax.ProjectKeepOperator(self.span_since(first), parameters, columns)

    def _project_rename(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        expressions = () if self.at_operator_end() else self.list_of(self._renaming)
        return syntax.ProjectRenameOperator(self.span_since(first), parameters, expressions)

    def _renaming(self) -> Expression:
        first = self.index
        expression = self.named_expression(self.operand)
        if not isinstance(expression, syntax.NamedExpression):
            self.diagnostics.report("rename_expected", self.span_since(first))
        return expression

    def _project_reorder(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        columns = () if self.at_operator_end() else self.list_of(self._reordered_column)
        return syntax.ProjectReorderOperator(self.span_since(first), parameters, columns)

    def _reordered_column(self) -> Expression:
        first = self.index
        column = self.column_pattern()
        if self.kinds[self.index] not in _REORDER_DIRECTIONS:
            return column
        self.index += 1
        return syntax.OrderedExpression(self.span_since(first), column, self.word(self.index - 1), None)

    def _project_by_names(self, first: int) -> TabularOperator:
        parameters, columns = self.parameters(), self.list_of(self.column_pattern)
        return syntax.ProjectByNamesOperator(self.span_since(first), parameters, columns)

    def _extend(self, first: int) -> TabularOperator:
        parameters, expressions = self.parameters(), self.list_of(self.column_expression)
        return syntax.ExtendOperator(self.span_since(first), parameters, expressions)

    def _serialize(self, first: int) -> TabularOperator:
        parameters, expressions = self.parameters(), self.optional_columns()
        return syntax.SerializeOperator(self.span_since(first), parameters, expressions)

    def _print(self, first: int) -> TabularOperator:
        parameters, expressions = self.parameters(), self.list_of(self.column_expression)
        return syntax.PrintOperator(self.span_since(first), parameters, expressions)

    def _distinct(self, first: int) -> TabularOperator:
        parameters, columns = self.parameters(), self.list_of(self._distinct_column)
        return syntax.DistinctOperator(self.span_since(first), parameters, columns)

    def _distinct_column(self) -> Expression:
        return self.star() if self.kinds[self.index] == "*" else self.column_expression()

    def _range(self, first: int) -> TabularOperator:
        name = self.declared_name()
        self.expect("from")
        start = self.expression()
        self.expect("to")
        stop = self.expression()
        self.expect("step")
        step = self.expression()
        return syntax.RangeOperator(self.span_since(first), (), name, start, stop, step)

    # --- grouping ---

    def _summarize(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        aggregates = () if self.kinds[self.index] == "by" else self.optional_columns()
        keys = self.optional_by()
        return syntax.SummarizeOperator(self.span_since(first), parameters, aggregates, keys)

    def optional_by(self) -> tuple[Expression, ...]:
        """`by` and column expressions, or nothing."""
        return self.list_of(self.column_expression) if self.accept("by") else ()

    def _count(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        name = self.declared_name() if self.accept("as") else None
        return syntax.CountOperator(self.span_since(first), parameters, name)

    # --- combining ---

    def table_operand(self) -> Expression:
        """A table, path, call or parenthesised query, where names may be patterns."""
        return self.wildcard_name() if self.at_wildcard() else self.operand(wildcards=True)

    def _join(self, first: int) -> TabularOperator:
        parameters = self.parameters(_JOIN)
        right = self._right_side("join")
        if self.accept("where"):
            return syntax.JoinOperator(self.span_since(first), parameters, right, (), self.expression())
        on = self.list_of(self.expression) if self.accept("on") else ()
        return syntax.JoinOperator(self.span_since(first), parameters, right, on)

    def _lookup(self, first: int) -> TabularOperator:
        parameters = self.parameters(_JOIN)
        right = self._right_side("lookup")
        if not self.accept("on"):
            self.fail("missing", what="an 'on' clause", found=self.found())
        on = self.list_of(self.expression)
        return syntax.LookupOperator(self.span_since(first), parameters, right, on)

    def _right_side(self, operator: str) -> Expression:
        """The right table, once nothing that looks like a parameter is left in front of it."""
        if self.kinds[self.index + 1] == "=" and self.kinds[self.index] in DECLARABLE:
            self.fail("unknown_parameter", name=self.word(), operator=operator)
        return self.operand()

    def _union(self, first: int) -> TabularOperator:
        parameters = self.parameters(_UNION)
        tables = self.list_of(self.table_operand)
        return syntax.UnionOperator(self.span_since(first), parameters, tables)

    # --- ordering and sampling ---

    def _sort(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        self.expect("by")
        keys = self.list_of(self.sort_key)
        return syntax.SortOperator(self.span_since(first), parameters, keys)

    def sort_key(self) -> syntax.OrderedExpression:
        """An expression with its direction and its place for nulls, both perhaps unwritten."""
        first = self.index
        expression = self.column_expression()
        direction = nulls = None
        if self.kinds[self.index] in _DIRECTIONS:
            direction = self.kinds[self.index]
            self.index += 1
        if self.accept("nulls"):
            nulls = self.kinds[self.index]
            if nulls not in {"first", "last"}:
                self.fail("missing", what="first or last", found=self.found())
            self.index += 1
        return syntax.OrderedExpression(self.span_since(first), expression, direction, nulls)

    def _top(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        count = self.expression()
        self.expect("by")
        keys = self.list_of(self.sort_key)
        return syntax.TopOperator(self.span_since(first), parameters, count, keys)

    def _top_nested(self, first: int) -> TabularOperator:
        clauses = [self._top_nested_clause(first)]
        while self.accept(","):
            begin = self.index
            self.expect("top-nested")
            clauses.append(self._top_nested_clause(begin))
        return syntax.TopNestedOperator(self.span_since(first), (), tuple(clauses))

    def _top_nested_clause(self, first: int) -> syntax.TopNestedClause:
        count = None if self.kinds[self.index] == "of" else self.expression()
        self.expect("of")
        of = self.column_expression()
        others = None
        if self.accept("with"):
            self.expect("others")
            self.expect("=")
            others = self.expression()
        self.expect("by")
        by = self.sort_key()
        return syntax.TopNestedClause(self.span_since(first), count, of, others, by if by.direction else by.expression)

    def _top_hitters(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        count = self.expression()
        self.expect("of")
        of = self.column_expression()
        by = self.expression() if self.accept("by") else None
        return syntax.TopHittersOperator(self.span_since(first), parameters, count, of, by)

    def _take(self, first: int) -> TabularOperator:
        parameters, count = self.parameters(), self.expression()
        return syntax.TakeOperator(self.span_since(first), parameters, count)

    def _sample(self, first: int) -> TabularOperator:
        parameters, count = self.parameters(), self.expression()
        return syntax.SampleOperator(self.span_since(first), parameters, count)

    def _sample_distinct(self, first: int) -> TabularOperator:
        parameters, count = self.parameters(), self.expression()
        self.expect("of")
        of = self.column_expression()
        return syntax.SampleDistinctOperator(self.span_since(first), parameters, count, of)
