"""Application registrations: what a developer owns in the home tenant, and what it asks for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Text, column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from vedette.identity.directory.pages import After, count_rows, read_page
from vedette.identity.directory.tables import APPLICATIONS, REQUIRED_RESOURCE_ACCESS
from vedette.identity.errors import ObjectNotFoundError
from vedette.odata.paging import Selection
from vedette.store.tenancy import TenantRepository

APPLICATION_FIELDS = APPLICATIONS.c
DELETED_AT = "deletedAt"
"""Property of a deleted registration: when that was, in Unix seconds."""

_IS_THERE = APPLICATIONS.c.properties[DELETED_AT].as_integer().is_(None)


class _texts(FunctionElement[str]):
    """The texts of a JSON array, as rows of one column `value`."""

    name = "texts"
    inherit_cache = True


@compiles(_texts)
def _texts_elsewhere(element: _texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements_text({compiler.process(element.clauses, **options)})"


@compiles(_texts, "sqlite")
def _texts_in_sqlite(element: _texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


IDENTIFIER_URI_ROWS = _texts(APPLICATIONS.c.identifier_uris).table_valued(column("value", Text), name="uris")
"""The identifier URIs of the registration at hand, as rows."""
"""What applications may be filtered and ordered by."""

SignInAudience = Literal["AzureADMyOrg", "AzureADMultipleOrgs"]
IMPLICIT_GRANT = "implicitGrantSettings"
PermissionType = Literal["Role", "Scope"]


class RedirectUris(msgspec.Struct, frozen=True):
    """Registered redirect URIs by platform; matched exactly."""

    web: tuple[str, ...] = ()
    spa: tuple[str, ...] = ()
    public_client: tuple[str, ...] = ()


class ImplicitGrant(msgspec.Struct, frozen=True, rename="camel"):
    """Which tokens the authorize endpoint may hand out itself: id_tokens only. `properties` names it as Graph does."""

    enable_id_token_issuance: bool = False
    enable_access_token_issuance: bool = False


class Application(msgspec.Struct, frozen=True):
    """An application registration. `id` is the object id, `app_id` the client id."""

    id: str
    app_id: str
    tenant_id: str
    display_name: str
    sign_in_audience: SignInAudience
    created_at: int
    is_fallback_public_client: bool = False
    is_disabled: bool = False
    requested_token_version: int | None = None
    identifier_uris: tuple[str, ...] = ()
    redirect_uris: RedirectUris = RedirectUris()
    implicit_grant: ImplicitGrant = ImplicitGrant()
    properties: Mapping[str, Any] = {}
    """What only the management API shows, by its wire names."""

    @property
    def is_multi_tenant(self) -> bool:
        """Whether other tenants may consent to it."""
        return self.sign_in_audience == "AzureADMultipleOrgs"


class ResourceAccess(msgspec.Struct, frozen=True):
    """One configured permission: a role or a scope of a resource application."""

    resource_app_id: str
    permission_id: str
    type: PermissionType


class Applications(TenantRepository):
    """The registrations of one tenant. Deleted ones are found only where a name says so."""

    def create(self, application: Application) -> None:
        """Store a new registration."""
        self.insert(
            APPLICATIONS,
            id=application.id,
            app_id=application.app_id,
            created_at=application.created_at,
            **_changeable(application),
        )

    def replace(self, application: Application) -> None:
        """Store the registration's present values. The caller advances the generations of its tenants."""
        statement = self.update(APPLICATIONS).where(APPLICATIONS.c.id == application.id)
        if self.connection.execute(statement.values(**_changeable(application))).rowcount == 0:
            raise ObjectNotFoundError("application", application.id)

    def remove(self, application: Application) -> None:
        """Delete the registration with its credentials. The caller advances the generations of its tenants."""
        self.connection.execute(self.delete(APPLICATIONS).where(APPLICATIONS.c.id == application.id))

    def get(self, app_id: str) -> Application:
        """The registration of this client id. Raises ObjectNotFoundError."""
        query = self.select(APPLICATIONS).where(APPLICATIONS.c.app_id == app_id, _IS_THERE)
        row = self.connection.execute(query).one_or_none()
        if row is None:
            raise ObjectNotFoundError("application", app_id)
        return _to_application(row)

    def by_object_id(self, object_id: str) -> Application:
        """The registration of this object id. Raises ObjectNotFoundError."""
        return self._by_object_id(object_id, _IS_THERE)

    def deleted_by_object_id(self, object_id: str) -> Application:
        """The deleted registration of this object id. Raises ObjectNotFoundError."""
        return self._by_object_id(object_id, ~_IS_THERE)

    def _by_object_id(self, object_id: str, condition: ColumnElement[bool]) -> Application:
        query = self.select(APPLICATIONS).where(APPLICATIONS.c.id == object_id, condition)
        row = self.connection.execute(query).one_or_none()
        if row is None:
            raise ObjectNotFoundError("application", object_id)
        return _to_application(row)

    def page(self, selection: Selection) -> tuple[Sequence[Application], After]:
        """The registrations of one page of a list."""
        condition = _IS_THERE if selection.condition is None else _IS_THERE & selection.condition
        selection = Selection(condition, selection.order, selection.limit, selection.offset, selection.after)
        rows, after = read_page(self, APPLICATIONS, selection)
        return [_to_application(row) for row in rows], after

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """How many registrations there are under `condition`."""
        return count_rows(self, APPLICATIONS, _IS_THERE if condition is None else _IS_THERE & condition)

    def all(self) -> list[Application]:
        """All registrations, oldest first."""
        return self._all(_IS_THERE)

    def deleted(self) -> list[Application]:
        """All deleted registrations, oldest first."""
        return self._all(~_IS_THERE)

    def _all(self, condition: ColumnElement[bool]) -> list[Application]:
        query = self.select(APPLICATIONS).where(condition)
        rows = self.connection.execute(query.order_by(APPLICATIONS.c.created_at, APPLICATIONS.c.id))
        return [_to_application(row) for row in rows]

    def set_disabled(self, app_id: str, disabled: bool) -> None:
        """Forbid or allow the application everywhere."""
        statement = self.update(APPLICATIONS).where(APPLICATIONS.c.app_id == app_id)
        if self.connection.execute(statement.values(is_disabled=disabled)).rowcount == 0:
            raise ObjectNotFoundError("application", app_id)

    def add_required(self, application: Application, access: ResourceAccess) -> None:
        """Configure one permission; it has no effect before consent. Configuring it again changes nothing."""
        if access not in self.required(application):
            self.insert(REQUIRED_RESOURCE_ACCESS, application_id=application.id, **msgspec.structs.asdict(access))

    def replace_required(self, application: Application, accesses: Iterable[ResourceAccess]) -> None:
        """Configure exactly these permissions; what was consented to before stays granted."""
        table = REQUIRED_RESOURCE_ACCESS
        self.connection.execute(self.delete(table).where(table.c.application_id == application.id))
        for access in dict.fromkeys(accesses):
            self.insert(table, application_id=application.id, **msgspec.structs.asdict(access))

    def required(self, application: Application) -> list[ResourceAccess]:
        """The configured permissions, in a stable order."""
        table = REQUIRED_RESOURCE_ACCESS
        query = self.select(table).where(table.c.application_id == application.id)
        rows = self.connection.execute(query.order_by(table.c.resource_app_id, table.c.type, table.c.permission_id))
        return [ResourceAccess(row.resource_app_id, row.permission_id, row.type) for row in rows]


def find_application(connection: Connection, app_id: str) -> Application | None:
    """The registration of a client id wherever its home is: client ids are unique across tenants."""
    row = connection.execute(select(APPLICATIONS).where(APPLICATIONS.c.app_id == app_id)).one_or_none()
    return None if row is None or DELETED_AT in row.properties else _to_application(row)


def _changeable(application: Application) -> dict[str, Any]:
    implicit_grant = msgspec.to_builtins(application.implicit_grant)
    return {
        "display_name": application.display_name,
        "sign_in_audience": application.sign_in_audience,
        "is_fallback_public_client": application.is_fallback_public_client,
        "is_disabled": application.is_disabled,
        "requested_token_version": application.requested_token_version,
        "identifier_uris": list(application.identifier_uris),
        "redirect_uris": msgspec.to_builtins(application.redirect_uris),
        "properties": {**application.properties, IMPLICIT_GRANT: implicit_grant},
    }


def _to_application(row: Row[Any]) -> Application:
    return Application(
        id=row.id,
        app_id=row.app_id,
        tenant_id=row.tenant_id,
        display_name=row.display_name,
        sign_in_audience=row.sign_in_audience,
        created_at=row.created_at,
        is_fallback_public_client=row.is_fallback_public_client,
        is_disabled=row.is_disabled,
        requested_token_version=row.requested_token_version,
        identifier_uris=tuple(row.identifier_uris),
        redirect_uris=msgspec.convert(row.redirect_uris, RedirectUris),
        implicit_grant=msgspec.convert(row.properties.get(IMPLICIT_GRANT, {}), ImplicitGrant),
        properties={name: value for name, value in row.properties.items() if name != IMPLICIT_GRANT},
    )
