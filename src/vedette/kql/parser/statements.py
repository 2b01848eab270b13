"""Statements and pipelines: where the parser begins, and where it begins again after an error."""

import difflib
from collections.abc import Callable
from typing import NoReturn

from vedette.kql import syntax
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.errors import Span
from vedette.kql.lexer import END, Tokens
from vedette.kql.parser.cursor import DECLARABLE, PIPELINE_ENDS, WORDS, ParseFailure
from vedette.kql.parser.graph import GraphParser
from vedette.kql.syntax import Expression, Statement, TabularOperator

_LEADING_OPERATORS = frozenset(["print", "range", "union", "search", "find", "evaluate", "macro-expand"])
# Names too: an operator only if a name stands behind them.
_LEADING_NAMES = frozenset(["range", "evaluate"])
_AFTER_PIPELINE = PIPELINE_ENDS | {"|"}
_PIPE_OR_STATEMENT = frozenset(["|", ";"])
_STATEMENT = frozenset([";"])


class StatementParser(GraphParser):
    """Parses statements, pipelines and function declarations."""

    def __init__(self, tokens: Tokens, diagnostics: Diagnostics) -> None:
        super().__init__(tokens, diagnostics)
        self._statement_parsers: dict[tuple[str, str], Callable[[], Statement]] = {
            ("declare", "query_parameters"): self._declare_query_parameters,
            ("declare", "pattern"): self._declare_pattern,
            ("restrict", "access"): self._restrict,
            ("alias", "database"): self._alias,
        }

    # --- pipelines ---

    def pipe_expression(self) -> Expression:
        """An expression, or an operator that begins a query, and the operators behind it."""
        first = self.index
        source = self._source()
        if self.kinds[self.index] == "|":
            operators = self._piped_operators()
        elif isinstance(source, TabularOperator):
            operators = ()
        else:
            return source
        return syntax.PipeExpression(self.span_since(first), source, operators)

    def _source(self) -> Expression | TabularOperator:
        kind = self.kinds[self.index]
        if kind == "|":
            self.fail("missing", what="a table", found="|", hint="a query begins with the name of a table")
        if kind not in self.operators:
            return self.expression()
        if kind in _LEADING_OPERATORS and self._at_leading_operator(kind):
            return self._operator_at_start(kind)
        if self._at_misplaced_operator(kind):
            self.diagnostics.report("operator_cannot_be_first", self.token_span(), operator=kind)
            return self._operator_at_start(kind)
        return self.expression()

    def _at_leading_operator(self, kind: str) -> bool:
        return kind not in _LEADING_NAMES or self.kind_after(1) in DECLARABLE

    def _at_misplaced_operator(self, kind: str) -> bool:
        """Whether an operator's keyword is meant as such: no name, or with an operand right behind it."""
        return kind not in DECLARABLE or (self.kind_after(1) not in {"(", "."} and self.kind_after(1) in DECLARABLE)

    def _operator_at_start(self, kind: str) -> TabularOperator:
        first = self.index
        self.index += 1
        return self.operators[kind](first)

    def _piped_operators(self) -> tuple[TabularOperator, ...]:
        """`| operator` as long as there are pipes. A broken operator is left out, and the next ones are read."""
        operators: list[TabularOperator] = []
        depth = self.depth
        while self.accept("|"):
            try:
                operators.append(self.operator())
                if self.kinds[self.index] not in _AFTER_PIPELINE and not self._at_let():
                    self._fail_after_operator()
            except ParseFailure:
                self.depth = depth
                self.skip_to(_PIPE_OR_STATEMENT)
        return tuple(operators)

    def operator(self) -> TabularOperator:
        """One operator; its keyword is next."""
        first = self.index
        parse = self.operators.get(self.kinds[first])
        if parse is None:
            self._fail_operator()
        self.index = first + 1
        return parse(first)

    def _fail_operator(self) -> NoReturn:
        close = difflib.get_close_matches(self.word().lower(), [*self.operators], n=1, cutoff=0.7)
        hint = None
        if self.kinds[self.index] == "|":
            hint = "write or"
        elif close:
            hint = f"did you mean {close[0]}?"
        self.fail("operator_expected", found=self.found(), hint=hint)

    def _fail_after_operator(self) -> NoReturn:
        kind = self.kinds[self.index]
        hint = None
        if kind == "=":
            hint = "write == to compare"
        elif kind in self.operators:
            hint = f"put a | before {kind}"
        elif self.word().lower() in {"and", "or"}:
            hint = f"write {self.word().lower()} in lower case"
        self.fail_expected("'|' or ';'", hint=hint)

    # --- subqueries ---

    def subquery(self) -> Expression:
        """`( … )` or `{ … }`: operators over the rows at hand, or a whole query."""
        if self.kinds[self.index] != "{" and self.kind_after(1) in self.operators:
            return self.contextual_subquery()
        closer = "}" if self.kinds[self.index] == "{" else ")"
        self.enter()
        self.expect("{" if closer == "}" else "(")
        query = self.pipe_expression()
        self.expect(closer)
        self.depth -= 1
        return query

    def contextual_subquery(self) -> syntax.ContextualSubquery:
        """`( operator | operator … )` over the rows at hand; one operator may do without the parentheses."""
        first = self.index
        self.enter()
        bracketed = self.accept("(")
        begin = self.index
        operators = [self.operator()]
        operators += self._piped_operators() if bracketed else ()
        span = self.span_since(begin)
        if bracketed:
            self.expect(")")
            span = self.span_since(first)
        self.depth -= 1
        return syntax.ContextualSubquery(span, tuple(operators))

    # --- statements ---

    def query(self) -> syntax.Query:
        """The whole text."""
        statements = self.statements(END)
        return syntax.Query(self.whole_span(), statements)

    def whole_span(self) -> Span:
        """The text from its first to its last token."""
        return Span(self.starts[0], self.ends[-3] - self.starts[0] if len(self.ends) > 2 else 0)

    def statements(self, closer: str) -> tuple[Statement, ...]:
        """Statements up to `closer`, which is not taken. After a broken one, reading goes on behind its semicolon."""
        found: list[Statement] = []
        depth = self.depth
        while self.kinds[self.index] not in {closer, END}:
            if self._at_empty_statement():
                continue
            try:
                found.append(self._statement())
                if self.accept(";"):
                    continue
                if self._at_let():
                    self._report_missing_semicolon()
                elif self.kinds[self.index] not in {";", closer}:
                    self._fail_after_statement(closer)
            except ParseFailure:
                self.depth = depth
                self._recover(closer)
                self.accept(";")
        return tuple(found)

    def _at_empty_statement(self) -> bool:
        """Take a semicolon that ends nothing: Microsoft's parser refuses it too."""
        if self.kinds[self.index] != ";":
            return False
        self.diagnostics.report("unfinished", self.token_span(), found=self.found(), hint="leave out this ;")
        self.index += 1
        return True

    def _at_let(self) -> bool:
        """Whether a let statement begins here, perhaps without the semicolon it needs in front."""
        return self.kinds[self.index] == "let" and self.kind_after(1) in DECLARABLE and self.kind_after(2) == "="

    def _report_missing_semicolon(self) -> None:
        hint = "a statement ends with ;"
        self.diagnostics.report("expected", self.gap_span(), expected="';'", found=self.found(), hint=hint)

    def _recover(self, closer: str) -> None:
        """Read the pipeline that may follow, for its errors only, up to the end of the statement."""
        while True:
            before = self.index
            self.skip_to(_PIPE_OR_STATEMENT)
            if self.kinds[self.index] == "|":
                self._piped_operators()
            if self.kinds[self.index] in {";", closer, END}:
                return
            if self.index == before:
                self.index += 1

    def _fail_after_statement(self, closer: str) -> NoReturn:
        kind = self.kinds[self.index]
        if kind in {")", "]", "}", ","}:
            self.fail("unfinished", found=self.found())
        hint = f"put a | before {kind}" if kind in self.operators else None
        self.fail_expected("';'" if closer == END else f"';' or '{closer}'", hint=hint)

    def _statement(self) -> Statement:
        kind = self.kinds[self.index]
        parse = self._statement_parsers.get((kind, self.kind_after(1)))
        if parse is None and kind == "let" and self.kind_after(1) not in _AFTER_PIPELINE | {"(", "."}:
            parse = self._let
        elif parse is None and kind == "set" and self.kind_after(1) in WORDS:
            parse = self._set
        if parse is not None:
            return parse()
        if kind == ".":
            self.fail("management_command", hint="only queries can be run here")
        first = self.index
        expression = self.pipe_expression()
        return syntax.ExpressionStatement(self.span_since(first), expression)

    def _let(self) -> Statement:
        first = self.index
        self.index += 1
        name = self.declared_name("variable name")
        self.expect("=")
        expression = self._function_or_expression()
        return syntax.LetStatement(self.span_since(first), name, expression)

    def _set(self) -> Statement:
        first = self.index
        self.index += 1
        name = self.declared_name("option name")
        value = self.parameter_value() if self.accept("=") else None
        return syntax.SetStatement(self.span_since(first), name, value)

    def _declare_query_parameters(self) -> Statement:
        first = self.index
        self.index += 2
        parameters = self.function_parameters()
        return syntax.DeclareQueryParametersStatement(self.span_since(first), parameters)

    def _restrict(self) -> Statement:
        first = self.index
        self.index += 2
        self.expect("to")
        self.expect("(")
        entities = self.list_of(self.table_operand)
        self.expect(")")
        return syntax.RestrictStatement(self.span_since(first), entities)

    def _alias(self) -> Statement:
        first = self.index
        self.index += 2
        name = self.declared_name("alias")
        self.expect("=")
        expression = self.operand()
        return syntax.AliasStatement(self.span_since(first), name, expression)

    # --- functions ---

    def _function_or_expression(self) -> Expression:
        if self.kinds[self.index] == "view" and self.kind_after(1) == "(":
            return self.function_declaration()
        return self.function_declaration() if self._at_function() else self.pipe_expression()

    def _at_function(self) -> bool:
        """Whether `(name: …`, `(['name']: …` or `() {` stands next."""
        if self.kinds[self.index] != "(":
            return False
        if self.kind_after(1) == ")":
            return True
        if self.at_bracketed_name(1):
            return self.kind_after(4) == ":"
        return self.kind_after(1) in DECLARABLE and self.kind_after(2) == ":"

    def function_declaration(self) -> syntax.FunctionDeclaration:
        """`(parameters) { body }`, perhaps with `view` in front."""
        first = self.index
        is_view = self.accept("view")
        parameters = self.function_parameters()
        body = self._function_body()
        return syntax.FunctionDeclaration(self.span_since(first), is_view, parameters, body)

    def function_parameters(self) -> tuple[syntax.FunctionParameter, ...]:
        """`(name: type = default, …)`."""
        self.expect("(")
        found = () if self.kinds[self.index] == ")" else self.list_of(self._function_parameter)
        self.expect(")")
        return found

    def _function_parameter(self) -> syntax.FunctionParameter:
        first = self.index
        name = self.declared_name("parameter name")
        self.expect(":")
        type_ = self.row_schema() if self.kinds[self.index] == "(" else self.type_name()
        default = self.operand() if self.accept("=") else None
        return syntax.FunctionParameter(self.span_since(first), name, type_, default)

    def _function_body(self) -> syntax.FunctionBody:
        first = self.index
        self.enter()
        self.expect("{")
        statements = self.statements("}")
        self.expect("}")
        self.depth -= 1
        expression = None
        if statements and isinstance(statements[-1], syntax.ExpressionStatement):
            expression = statements[-1].expression
            statements = statements[:-1]
        return syntax.FunctionBody(self.span_since(first), statements, expression)

    # --- patterns ---

    def _declare_pattern(self) -> Statement:
        first = self.index
        self.index += 2
        name = self.declared_name("pattern name")
        if not self.accept("="):
            return syntax.DeclarePatternStatement(self.span_since(first), name, (), None, ())
        parameters = self.function_parameters()
        path_parameter = None
        if self.accept("["):
            path_parameter = self._function_parameter()
            self.expect("]")
        self.expect("{")
        matches: list[syntax.PatternMatch] = []
        while self.kinds[self.index] == "(":
            matches.append(self._pattern_match())
            self.accept(";")
        self.expect("}")
        return syntax.DeclarePatternStatement(self.span_since(first), name, parameters, path_parameter, tuple(matches))

    def _pattern_match(self) -> syntax.PatternMatch:
        first = self.index
        self.expect("(")
        arguments = self.list_of(self.operand)
        self.expect(")")
        path = None
        if self.accept("."):
            self.expect("[")
            path = self.operand()
            self.expect("]")
        self.expect("=")
        body = self._function_body()
        return syntax.PatternMatch(self.span_since(first), arguments, path, body)
