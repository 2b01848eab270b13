"""Operators with a scope of their own: several tables (search, find), steps (scan), subqueries (partition, fork)."""

import abc

from vedette.kql import syntax
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.lexer import Tokens
from vedette.kql.parser.cursor import WORDS
from vedette.kql.parser.expansion import ExpansionParser
from vedette.kql.syntax import Expression, OperatorParameter, TabularOperator

_KIND = frozenset(["kind"])
_FIND = frozenset(["withsource", "with_source", "datascope"])
_SCAN = frozenset(["with_match_id", "with_step_name"])
_MACRO = frozenset(["kind", "isfuzzy"])
_STEP_OUTPUTS = frozenset(["all", "last", "none"])


class ScopeParser(ExpansionParser, abc.ABC):
    """Parses the operators whose operands are tables, steps, branches or series."""

    def __init__(self, tokens: Tokens, diagnostics: Diagnostics) -> None:
        super().__init__(tokens, diagnostics)
        self.operators |= {
            "make-series": self._make_series,
            "scan": self._scan,
            "partition": self._partition,
            "__partitionby": self._partition,
            "render": self._render,
            "facet": self._facet,
            "fork": self._fork,
            "reduce": self._reduce,
            "search": self._search,
            "find": self._find,
            "macro-expand": self._macro_expand,
        }

    @abc.abstractmethod
    def contextual_subquery(self) -> syntax.ContextualSubquery:
        """`( operator | operator … )` over the rows at hand."""

    @abc.abstractmethod
    def statements(self, closer: str) -> tuple[syntax.Statement, ...]:
        """Statements up to `closer`, which is not taken."""

    # --- series ---

    def _make_series(self, first: int) -> TabularOperator:
        parameters = self.parameters(_KIND)
        aggregates = self.list_of(self._series_aggregate)
        self.expect("on")
        axis = self.named_expression(self.sum_expression)
        start = stop = None
        in_range = self.accept("in")
        if in_range:
            self.expect("range")
            self.expect("(")
            start = self.expression()
            self.expect(",")
            stop = self.expression()
            self.expect(",")
            step = self.expression()
            self.expect(")")
        else:
            start = self.expression() if self.accept("from") else None
            stop = self.expression() if self.accept("to") else None
            self.expect("step")
            step = self.expression()
        keys = self.optional_by()
        span = self.span_since(first)
        return syntax.MakeSeriesOperator(span, parameters, aggregates, axis, start, stop, step, keys, in_range)

    def _series_aggregate(self) -> syntax.SeriesAggregate:
        first = self.index
        expression = self.column_expression()
        default = None
        if self.accept("default"):
            self.expect("=")
            default = self.expression()
        return syntax.SeriesAggregate(self.span_since(first), expression, default)

    # --- scan ---

    def _scan(self, first: int) -> TabularOperator:
        parameters = self.parameters(_SCAN)
        order_by: tuple[syntax.OrderedExpression, ...] = ()
        if self.accept("order"):
            self.expect("by")
            order_by = self.list_of(self.sort_key)
        partition_by: tuple[Expression, ...] = ()
        if self.accept("partition"):
            self.expect("by")
            partition_by = self.list_of(self.expression)
        declarations = self.row_schema().columns if self.accept("declare") else ()
        self.expect("with")
        self.expect("(")
        steps = [self._scan_step()]
        while self.kinds[self.index] == "step":
            steps.append(self._scan_step())
        self.expect(")")
        span = self.span_since(first)
        return syntax.ScanOperator(span, parameters, order_by, partition_by, declarations, tuple(steps))

    def _scan_step(self) -> syntax.ScanStep:
        first = self.index
        self.expect("step")
        name = self.declared_name("step name")
        optional = self.accept("optional")
        output = None
        if self.accept("output"):
            self.expect("=")
            output = self.word()
            if output not in _STEP_OUTPUTS:
                self.fail("missing", what="all, last or none", found=self.found())
            self.index += 1
        self.expect(":")
        condition = self.expression()
        assignments = self.list_of(self._scan_assignment) if self.accept("=>") else ()
        self.expect(";")
        return syntax.ScanStep(self.span_since(first), name, optional, output, condition, assignments)

    def _scan_assignment(self) -> syntax.ScanAssignment:
        first = self.index
        name = self.declared_name()
        self.expect("=")
        expression = self.expression()
        return syntax.ScanAssignment(self.span_since(first), name, expression)

    # --- subqueries ---

    def _partition(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        self.accept("by")
        by = self.column_reference()
        scope = self.operand() if self.accept("in") else None
        subquery = self.subquery()
        return syntax.PartitionOperator(self.span_since(first), parameters, by, scope, subquery)

    def _facet(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        self.expect("by")
        by = self.list_of(self.operand)
        subquery = self.contextual_subquery() if self.accept("with") else None
        return syntax.FacetOperator(self.span_since(first), parameters, by, subquery)

    def _fork(self, first: int) -> TabularOperator:
        parameters = self.parameters()
        branches = [self._fork_branch()]
        while not self.at_operator_end():
            branches.append(self._fork_branch())
        return syntax.ForkOperator(self.span_since(first), parameters, tuple(branches))

    def _fork_branch(self) -> syntax.ForkBranch:
        first = self.index
        name = None
        if self.kinds[first] != "(":
            name = self.declared_name("branch name")
            self.expect("=")
        if self.kinds[self.index] != "(":
            self.fail_expected("'('")
        subquery = self.contextual_subquery()
        return syntax.ForkBranch(self.span_since(first), name, subquery)

    def _macro_expand(self, first: int) -> TabularOperator:
        parameters = self.parameters(_MACRO)
        group = self.operand()
        self.expect("as")
        scope = self.declared_name("scope name")
        self.enter()
        self.expect("(")
        statements = self.statements(")")
        self.expect(")")
        self.depth -= 1
        return syntax.MacroExpandOperator(self.span_since(first), parameters, group, scope, statements)

    # --- several tables ---

    def _optional_tables(self) -> tuple[Expression, ...]:
        """`in (T, U*)`, or nothing."""
        if self.kinds[self.index] != "in":
            return ()
        self.index += 1
        self.expect("(")
        tables = self.list_of(self.table_operand)
        self.expect(")")
        return tables

    def _search(self, first: int) -> TabularOperator:
        parameters = self.parameters(_KIND)
        tables = self._optional_tables()
        at_lone_star = self.kinds[self.index] == "*" and self.kind_after(1) not in self._search_operators
        predicate = self.star() if at_lone_star else self.expression()
        return syntax.SearchOperator(self.span_since(first), parameters, tables, predicate)

    _search_operators = frozenset([":", "==", "!=", "<>", "=~", "!~", "has", "contains", "startswith", "matches"])

    def _find(self, first: int) -> TabularOperator:
        parameters = self.parameters(_FIND)
        tables = self._optional_tables()
        if not self.accept("where") and tables:
            self.fail_expected("'where'")
        predicate = self.expression()
        smart = self.accept("project-smart")
        projection = self.list_of(self._find_column) if not smart and self.accept("project") else None
        away: tuple[Expression, ...] = ()
        if self.accept("project-away"):
            away = self.list_of(self.column_pattern)
        span = self.span_since(first)
        return syntax.FindOperator(span, parameters, tables, predicate, projection, smart, away)

    def _find_column(self) -> syntax.FindColumn:
        first = self.index
        if self.word() in {"pack", "pack_all"} and self.kind_after(1) == "(":
            self.function_call()
            return syntax.FindColumn(self.span_since(first), None, None)
        name = self.declared_name("column name")
        type_ = self.type_name() if self.accept(":") else None
        return syntax.FindColumn(self.span_since(first), name, type_)

    # --- presentation ---

    def _reduce(self, first: int) -> TabularOperator:
        parameters = self.parameters(_KIND)
        self.expect("by")
        expression = self.column_expression()
        properties: tuple[OperatorParameter, ...] = ()
        if self.accept("with"):
            properties = self.list_of(self.parameter)
        return syntax.ReduceOperator(self.span_since(first), parameters, expression, properties)

    def _render(self, first: int) -> TabularOperator:
        if self.kinds[self.index] not in WORDS:
            self.fail("missing", what="a chart", found=self.found())
        chart = self.word()
        self.index += 1
        if self.kinds[self.index] == "with":
            return self._render_with(first, chart)
        return self._render_legacy(first, chart)

    def _render_with(self, first: int, chart: str) -> TabularOperator:
        self.index += 1
        self.expect("(")
        found: list[OperatorParameter] = []
        while self.kinds[self.index] != ")":
            found.append(self._render_property())
            if self.kinds[self.index] != ")":
                self.expect(",")
        self.index += 1
        return syntax.RenderOperator(self.span_since(first), (), chart, tuple(found))

    def _render_property(self) -> OperatorParameter:
        first = self.index
        parameter = self.parameter()
        members = [parameter.value]
        while self.kinds[self.index] == "," and self.kind_after(2) != "=" and self.kind_after(1) in {*WORDS, "["}:
            self.index += 1
            members.append(self.parameter_value())
        if len(members) == 1:
            return parameter
        value = syntax.ListExpression(self.span_since(first), tuple(members))
        return OperatorParameter(self.span_since(first), parameter.name, value)

    def _render_legacy(self, first: int, chart: str) -> TabularOperator:
        """`render chart kind=stacked title='…' by a, b`: properties without `with`, as old queries have them."""
        found: list[OperatorParameter] = []
        while not self.at_operator_end():
            begin = self.index
            if self.accept("by"):
                columns = self.list_of(self.operand)
                name = syntax.Name(self.token_span(begin), "by")
                value = syntax.ListExpression(self.span_since(begin), columns)
                found.append(OperatorParameter(self.span_since(begin), name, value))
            else:
                found.append(self._render_property())
        return syntax.RenderOperator(self.span_since(first), (), chart, tuple(found))
