"""What a caller sees of a tenant's machines, and of what is about them: conditions that go into every statement.

Where a scope narrows, only what is known to be inside is seen: a device that no machine stands for is out of sight.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, not_, select, true

from vedette.context import EVERYTHING, DataScope, RequestContext
from vedette.contracts.data_sources import load_data_sources
from vedette.incidents.visibility import from_services, of_seen_alerts, only_about
from vedette.machines.tables import MACHINES
from vedette.store.engine import Store
from vedette.store.tenancy import TenantRepository


def in_scope(scope: DataScope) -> ColumnElement[bool]:
    """The condition that a row of the machines table is inside a scope."""
    group, conditions = MACHINES.c.rbac_group_id, list[ColumnElement[bool]]()
    if scope.device_groups is not None:
        conditions.append(group.in_(sorted(scope.device_groups)))
    if scope.hidden_device_groups:
        conditions.append(group.not_in(sorted(scope.hidden_device_groups)))
    return and_(true(), *conditions)


def seen_machine_ids(tenant_id: str, scope: DataScope) -> Select[Any]:
    """The ids of the machines inside a scope."""
    return select(MACHINES.c.machine_id).where(MACHINES.c.tenant_id == tenant_id, in_scope(scope))


class SeenMachines:
    """Who sees which machine, for those who are below the control plane's connections."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, tenant_id: str, scope: DataScope) -> frozenset[str]:
        """The ids, in lower case, of the machines inside a scope."""
        with self._store.connect() as connection:
            return frozenset(connection.scalars(seen_machine_ids(tenant_id, scope)))

    def hidden_names(self, tenant_id: str, scope: DataScope) -> frozenset[str]:
        """What else the machines outside a scope are called: host names and directory ids, in lower case."""
        names = select(MACHINES.c.dns_name, MACHINES.c.aad_device_id)
        outside = names.where(MACHINES.c.tenant_id == tenant_id, not_(in_scope(scope)))
        with self._store.connect() as connection:
            rows = connection.execute(outside).all()
        return frozenset(name for row in rows for name in (_host_name(row.dns_name), row.aad_device_id) if name)


def _host_name(dns_name: str) -> str:
    return str(dns_name.lower().partition(".")[0])


def alerts_within(tenant_id: str, scope: DataScope) -> ColumnElement[bool] | None:
    """The alerts inside a scope: those about no machine out of sight. None: all of them."""
    conditions: list[ColumnElement[bool]] = []
    if scope.narrows_devices:
        conditions.append(only_about(tenant_id, seen_machine_ids(tenant_id, scope)))
    if scope.sources is not None:
        conditions.append(from_services(load_data_sources().services(scope.sources)))
    return and_(*conditions) if conditions else None


def incidents_within(tenant_id: str, scope: DataScope) -> ColumnElement[bool] | None:
    """The incidents inside a scope: those with an alert inside it. None: all of them."""
    alerts = alerts_within(tenant_id, scope)
    return None if alerts is None else of_seen_alerts(tenant_id, alerts)


def seen_alerts(context: RequestContext) -> ColumnElement[bool] | None:
    """The alerts that a caller sees. None: all of them."""
    return alerts_within(context.tenant.tenant_id, context.scope)


def seen_incidents(context: RequestContext) -> ColumnElement[bool] | None:
    """The incidents that a caller sees. None: all of them."""
    return incidents_within(context.tenant.tenant_id, context.scope)


class MachineRepository(TenantRepository):
    """Base of repositories of machines and of what is on them; its statements cannot leave the scope either."""

    def __init__(self, connection: Connection, tenant_id: str, scope: DataScope = EVERYTHING) -> None:
        super().__init__(connection, tenant_id)
        self.scope = scope

    def own(self, table: Table) -> ColumnElement[bool]:
        """The condition that a row of `table` is the tenant's, and about a machine inside the scope."""
        condition = super().own(table)
        if not self.scope.narrows_devices or "machine_id" not in table.c:
            return condition
        if table is MACHINES:
            return and_(condition, in_scope(self.scope))
        return and_(condition, table.c.machine_id.in_(seen_machine_ids(self.tenant_id, self.scope)))
