"""Functions over the variables of a graph pattern: all, any, map, inner_nodes, labels, node_id and -degrees."""

from __future__ import annotations

from vedette.kql import syntax
from vedette.kql.binder.context import Binder, similar
from vedette.kql.binder.conversions import convert
from vedette.kql.binder.expressions import bind_boolean
from vedette.kql.binder.graph_patterns import INWARD, OUTWARD, PatternNode, PatternPath, PatternScope
from vedette.kql.binder.scopes import Scope, reference
from vedette.kql.plan import Expression, Literal
from vedette.kql.types import ScalarType

_FOLDS = {"all": "all", "any": "any", "map": "list"}
_DEGREES = {"node_degree_in": INWARD, "node_degree_out": OUTWARD}


def bind_graph_function(binder: Binder, call: syntax.FunctionCall, scope: Scope) -> Expression | None:
    """The call if its name is that of a graph function, else None. Inside graph patterns these come first."""
    name = call.name.text
    assert isinstance(scope.pattern, PatternScope)
    if name in _FOLDS:
        return _along_path(binder, call, scope, scope.pattern)
    if name in _DEGREES or name == "node_id":
        return _of_node(binder, call, scope.pattern)
    if name == "labels":
        return Literal(ScalarType.DYNAMIC, "[]")  # only graph models have labels; make-graph's graphs have none
    if name == "inner_nodes":
        return binder.fail("graph_inner_nodes", call.span)
    return None


def _along_path(binder: Binder, call: syntax.FunctionCall, scope: Scope, pattern: PatternScope) -> Expression:
    if len(call.arguments) != 2:
        return binder.fail("argument_count", call.span, name=call.name.text, count=len(call.arguments))
    where, written = call.arguments
    inner = isinstance(where, syntax.FunctionCall) and where.name.text == "inner_nodes"
    if isinstance(where, syntax.FunctionCall) and inner and len(where.arguments) == 1:
        where = where.arguments[0]
    path = pattern.pattern.element(where.name) if isinstance(where, syntax.NameReference) else None
    if not isinstance(path, PatternPath):
        hint = similar(getattr(where, "name", ""), [each.name or "" for each in pattern.pattern.paths()])
        return binder.fail("graph_path_expected", where.span, name=call.name.text, hint=hint)
    within = pattern.within(path, scope, inner=inner)
    fold = _FOLDS[call.name.text]
    value = binder.scalar(binder, written, within) if fold == "list" else bind_boolean(binder, written, within)
    return reference(path.carry(value, fold, inner=inner))


def _of_node(binder: Binder, call: syntax.FunctionCall, scope: PatternScope) -> Expression:
    """A function of the node that is named, or of each inner node where none is."""
    node: object = scope.inner
    if call.arguments:
        argument = call.arguments[0]
        node = scope.pattern.element(argument.name) if isinstance(argument, syntax.NameReference) else None
    if not isinstance(node, PatternNode) or len(call.arguments) > 1:
        return binder.fail("graph_node_expected", call.span, name=call.name.text)
    if call.name.text == "node_id":
        return convert(reference(node.rows.node_id), ScalarType.STRING)
    return reference(node.degree(_DEGREES[call.name.text]))
