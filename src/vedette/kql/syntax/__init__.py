"""The syntax tree of KQL: what was written, before any name is looked up.

Nodes carry the documented names of KQL's statements and operators. Every node has the span of text it was read from;
parentheses leave no node of their own but widen the span of the expression around them. Legacy spellings of operators
(`filter`, `order by`, `limit`, `mvexpand`) give the same node as the current one. Literal values are exact and in the
representation of `vedette.kql.types`.
"""

# ruff: noqa: F403  # one name space for a hundred nodes; the modules only keep the files short
from vedette.kql.syntax.expressions import *
from vedette.kql.syntax.graph import *
from vedette.kql.syntax.nodes import *
from vedette.kql.syntax.operators import *
from vedette.kql.syntax.statements import *
