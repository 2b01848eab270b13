"""Functions written in KQL: those of let statements and those that the catalog has stored. Calls are inlined."""

from __future__ import annotations

from vedette.kql import plan, syntax
from vedette.kql.binder.context import MAXIMUM_CALL_DEPTH, Binder, Bound, unknown
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.scopes import FunctionVariable, ScalarVariable, Scope, Table, Variable
from vedette.kql.binder.statements import as_variable, bind_statements
from vedette.kql.errors import KqlError
from vedette.kql.functions.signature import NUMBERS
from vedette.kql.parser import parse
from vedette.kql.types import ScalarType

_DECLARATION = "let f = "


def stored_function(binder: Binder, name: str) -> FunctionVariable | None:
    """The catalog's function of that name. It sees tables and other stored functions, not the query's names."""
    text = binder.catalog.function(name)
    if text is None:
        return None
    try:
        statement = parse(f"{_DECLARATION}{text}").statements[0]
    except KqlError:
        return None
    if not isinstance(statement, syntax.LetStatement) or not isinstance(
        statement.expression, syntax.FunctionDeclaration
    ):
        return None
    return FunctionVariable(statement.expression, Scope(), binder.stored, stored=True)


def call_function(
    binder: Binder, function: FunctionVariable, call: syntax.FunctionCall, scope: Scope, subject: Table | None = None
) -> Bound:
    """Bind a call by binding the body anew, with arguments for parameters. `subject` is the input of `invoke`."""
    if not binder.spend(call.span):
        return unknown()
    if binder.call_depth >= MAXIMUM_CALL_DEPTH:
        return binder.fail("calls_too_deep", call.span, limit=MAXIMUM_CALL_DEPTH)
    variables = _bind_parameters(binder, function.declaration.parameters, call, scope, subject)
    if variables is None:
        return unknown()
    inner = Scope(variables, function.scope)
    body = function.declaration.body
    with binder.calling(call.span, stored=function.stored, catalog=function.catalog):
        bind_statements(binder, body.statements, inner)
        if body.expression is None:
            return binder.fail("function_without_result", call.span, name=call.name.text)
        return binder.anything(binder, body.expression, inner)


def _bind_parameters(
    binder: Binder,
    parameters: tuple[syntax.FunctionParameter, ...],
    call: syntax.FunctionCall,
    scope: Scope,
    subject: Table | None,
) -> dict[str, Variable] | None:
    variables: dict[str, Variable] = {}
    remaining = list(parameters)
    if subject is not None:
        if not remaining or not isinstance(remaining[0].type, syntax.RowSchema):
            binder.report("invoke_without_table_parameter", call.name.span, name=call.name.text)
            return None
        first = remaining.pop(0)
        variables[first.name.text] = as_variable(binder, _checked_table(binder, subject, first, call))
    given = _assign(binder, tuple(remaining), call)
    if given is None:
        return None
    for parameter in remaining:
        argument = given.get(parameter.name.text)
        if argument is None and parameter.default is None:
            count = len(call.arguments)
            binder.report("argument_count", call.span, name=call.name.text, count=count, hint=_usage(parameters))
            return None
        variables[parameter.name.text] = _bind_parameter(
            binder, parameter, argument, scope, call, invoked=subject is not None
        )
    return variables


def _usage(parameters: tuple[syntax.FunctionParameter, ...]) -> str:
    return f"it takes ({', '.join(each.name.text for each in parameters)})"


def _assign(
    binder: Binder, parameters: tuple[syntax.FunctionParameter, ...], call: syntax.FunctionCall
) -> dict[str, syntax.Expression] | None:
    """Arguments by parameter name: positional ones in order, named ones by name."""
    names = {each.name.text for each in parameters}
    given: dict[str, syntax.Expression] = {}
    positional = iter(parameters)
    for argument in call.arguments:
        if isinstance(argument, syntax.NamedExpression):
            if argument.name.text not in names:
                binder.report("unknown_argument", argument.name.span, name=argument.name.text, hint=_usage(parameters))
                return None
            given[argument.name.text] = argument.expression
            continue
        parameter = next((each for each in positional if each.name.text not in given), None)
        if parameter is None:
            count = len(call.arguments)
            binder.report("argument_count", call.span, name=call.name.text, count=count, hint=_usage(parameters))
            return None
        given[parameter.name.text] = argument
    return given


def _bind_parameter(
    binder: Binder,
    parameter: syntax.FunctionParameter,
    argument: syntax.Expression | None,
    scope: Scope,
    call: syntax.FunctionCall,
    *,
    invoked: bool,
) -> Variable:
    written = argument if argument is not None else parameter.default
    assert written is not None
    if isinstance(parameter.type, syntax.RowSchema):
        table = binder.table(binder, written, scope.lexical)
        return as_variable(binder, _checked_table(binder, table, parameter, call))
    type_ = parameter.type.type
    names_column = invoked and type_ is ScalarType.STRING and isinstance(written, syntax.NameReference)
    if names_column and isinstance(written, syntax.NameReference) and scope.variable(written.name) is None:
        # Defender's functions take a bare column name where their parameter is a column's name.
        return ScalarVariable(plan.Literal(ScalarType.STRING, written.name))
    value = binder.scalar(binder, written, scope)
    if value.type is not type_ and not _is_convertible(value.type, type_):
        binder.report("argument_types", written.span, name=call.name.text, types=value.type, hint=f"it takes {type_}")
    return ScalarVariable(convert(value, type_))


def _is_convertible(found: ScalarType, wanted: ScalarType) -> bool:
    return ScalarType.DYNAMIC in {found, wanted} or (found in NUMBERS and wanted in NUMBERS)


def _checked_table(
    binder: Binder, table: Table, parameter: syntax.FunctionParameter, call: syntax.FunctionCall
) -> Table:
    """The table argument, which must have the columns of the parameter's schema. Further ones are let through."""
    schema = parameter.type
    assert isinstance(schema, syntax.RowSchema)
    for declared in schema.columns:
        if table.find(declared.name.text) is None and not table.open:
            binder.report("table_lacks_column", call.span, name=declared.name.text, function=call.name.text)
    return table
