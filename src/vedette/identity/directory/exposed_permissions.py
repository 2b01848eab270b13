"""What an API that was registered here offers: its app roles and its permission scopes."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from vedette.identity.directory.applications import Application
from vedette.identity.directory.tables import APP_ROLES, PERMISSION_SCOPES
from vedette.store.tenancy import TenantRepository


class AppRole(msgspec.Struct, frozen=True):
    """An app role: an application permission, or a role given to people."""

    id: str
    value: str
    display_name: str
    allowed_member_types: tuple[str, ...] = ("Application",)
    is_enabled: bool = True


class PermissionScope(msgspec.Struct, frozen=True):
    """A delegated permission."""

    id: str
    value: str
    display_name: str
    admin_only: bool = False
    is_enabled: bool = True


class ExposedPermissions(TenantRepository):
    """The permissions of one registration, in its home tenant."""

    def __init__(self, connection: Connection, application: Application) -> None:
        super().__init__(connection, application.tenant_id)
        self._application_id = application.id

    def add_role(self, role: AppRole) -> None:
        """Offer an app role."""
        fields = msgspec.structs.asdict(role) | {"allowed_member_types": list(role.allowed_member_types)}
        self.insert(APP_ROLES, application_id=self._application_id, **fields)

    def add_scope(self, scope: PermissionScope) -> None:
        """Offer a delegated permission."""
        fields = msgspec.structs.asdict(scope)
        fields["admin_consent_display_name"] = fields.pop("display_name")
        self.insert(PERMISSION_SCOPES, application_id=self._application_id, **fields)

    def clear(self) -> None:
        """Offer nothing any more."""
        for table in (APP_ROLES, PERMISSION_SCOPES):
            self.connection.execute(self.delete(table).where(table.c.application_id == self._application_id))

    def roles(self, *, with_disabled: bool = False) -> Sequence[AppRole]:
        """The app roles that may be given, or all that are declared."""
        table = APP_ROLES
        query = self.select(table).where(table.c.application_id == self._application_id)
        query = query if with_disabled else query.where(table.c.is_enabled)
        return [
            AppRole(row.id, row.value, row.display_name, tuple(row.allowed_member_types), row.is_enabled)
            for row in self.connection.execute(query.order_by(table.c.value))
        ]

    def scopes(self, *, with_disabled: bool = False) -> Sequence[PermissionScope]:
        """The delegated permissions that may be granted, or all that are declared."""
        table = PERMISSION_SCOPES
        query = self.select(table).where(table.c.application_id == self._application_id)
        query = query if with_disabled else query.where(table.c.is_enabled)
        return [
            PermissionScope(row.id, row.value, row.admin_consent_display_name, row.admin_only, row.is_enabled)
            for row in self.connection.execute(query.order_by(table.c.value))
        ]
