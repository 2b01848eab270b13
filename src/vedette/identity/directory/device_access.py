"""User access of device groups: which groups of people may see their machines. One that names none is open to all."""

from collections.abc import Collection, Mapping

from sqlalchemy import select

from vedette.identity.directory.groups import Groups
from vedette.identity.directory.security_role_tables import DEVICE_GROUP_ACCESS
from vedette.identity.directory.tenants import Tenants
from vedette.store.tenancy import TenantRepository


class DeviceGroupAccess(TenantRepository):
    """Who may see which device group of one tenant. Device groups are known by number here."""

    def put(self, device_group_id: int, group_ids: Collection[str]) -> None:
        """Give a device group to the members of these groups and to nobody else. Raises ObjectNotFoundError."""
        groups = Groups(self.connection, self.tenant_id)
        wanted = sorted({groups.get(group_id.lower()).id for group_id in group_ids})
        self.remove(device_group_id)
        for group_id in wanted:
            self.insert(DEVICE_GROUP_ACCESS, device_group_id=device_group_id, group_id=group_id)

    def remove(self, device_group_id: int) -> None:
        """Open a device group to everybody, or forget it."""
        table = DEVICE_GROUP_ACCESS
        self.connection.execute(self.delete(table).where(table.c.device_group_id == device_group_id))
        Tenants(self.connection).advance_generation(self.tenant_id)

    def all(self) -> Mapping[int, frozenset[str]]:
        """The groups of people by device group; those open to everybody are not in it."""
        found: dict[int, frozenset[str]] = {}
        for row in self.connection.execute(self.select(DEVICE_GROUP_ACCESS)):
            found[row.device_group_id] = found.get(row.device_group_id, frozenset()) | {row.group_id}
        return found

    def hidden_from(self, group_ids: Collection[str]) -> frozenset[int]:
        """The device groups that members of these groups of people do not see."""
        table = DEVICE_GROUP_ACCESS
        open_to_them = select(table.c.device_group_id).where(self.own(table), table.c.group_id.in_(sorted(group_ids)))
        hidden = select(table.c.device_group_id).where(self.own(table), table.c.device_group_id.not_in(open_to_them))
        return frozenset(self.connection.scalars(hidden))
