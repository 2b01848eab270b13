"""The typed plan: relational algebra between the binder and the SQL emitters.

Every node is a frozen dataclass. A `Column` is an identity: the binder makes a fresh one wherever a value is computed
and every later reference names that object, so no pass below the binder resolves names again. Two columns of one
relation may have names that differ only in case; emitters must not rely on names being distinct identifiers.
"""

# ruff: noqa: F403  # one name space for all nodes; the modules only keep the files short
from vedette.kql.plan.correlated import *
from vedette.kql.plan.expressions import *
from vedette.kql.plan.graph import *
from vedette.kql.plan.nodes import *
from vedette.kql.plan.query import *
from vedette.kql.plan.relations import *
