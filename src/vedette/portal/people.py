"""Users: create, reset passwords and second factors, give roles, disable, delete."""

import secrets
from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from vedette.api.http import ApiResponse
from vedette.contracts.permissions import directory_role, load_directory_roles
from vedette.identity.accounts import Accounts
from vedette.identity.change_log import ChangeLog
from vedette.identity.directory.second_factors import SecondFactors
from vedette.identity.directory.tenants import Tenants
from vedette.identity.directory.users import User, Users
from vedette.identity.errors import InvalidValueError
from vedette.identity.services import IdentityServices
from vedette.odata.paging import Selection
from vedette.portal.rendering import see
from vedette.portal.visit import Page, Visit
from vedette.store.secrets import Secret

SECTION = "users"
PASSWORD_BYTES = 15


class PeoplePages:
    """Handlers of the section."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def pages(self) -> Mapping[str, Page]:
        """Pages by operation handler name."""
        return {
            "list_users": self.list,
            "new_user": self.new,
            "create_user": self.create,
            "show_user": self.show,
            "change_user": self.change,
        }

    def list(self, visit: Visit) -> ApiResponse:
        """Everybody, with their roles."""
        with self._services.store.connect() as connection:
            users = Users(connection, visit.tenant_id)
            found, _ = users.page(Selection(None, ()))
            rows = [
                (user, [role.display_name for role_id in users.role_ids(user) if (role := directory_role(role_id))])
                for user in sorted(found, key=lambda each: each.user_principal_name)
            ]
        return visit.show("users", "Users", section=SECTION, rows=rows)

    def new(self, visit: Visit) -> ApiResponse:
        """The form."""
        with self._services.store.connect() as connection:
            domains = [name for name, _ in Tenants(connection).domains(visit.tenant_id)]
        return visit.show("user_new", "New user", section=SECTION, domains=domains)

    def create(self, visit: Visit) -> ApiResponse:
        """Make the account; its first password is shown once and has to be changed."""
        password = Secret(secrets.token_urlsafe(PASSWORD_BYTES))
        user = User(
            self._services.ids.guid(),
            visit.tenant_id,
            f"{visit.field('alias')}@{visit.field('domain')}".lower(),
            visit.field("name"),
            self._services.now(),
        )
        with self._services.store.begin() as connection:
            Accounts(connection, self._services, visit.tenant_id).create(user, password, must_change=True)
            ChangeLog(connection, self._services, visit.author).tell("add_user", user)
        return self._show(visit, user.id, new_password=password.reveal())

    def show(self, visit: Visit) -> ApiResponse:
        """One person."""
        return self._show(visit, visit.path("user"))

    def change(self, visit: Visit) -> ApiResponse:
        """Whatever the page's forms offer."""
        action = visit.field("action")
        new_password = ""
        with self._services.store.begin() as connection:
            user = Users(connection, visit.tenant_id).get(visit.path("user"))
            if not _may_change(connection, visit, user, action):
                return visit.show("message", "Not allowed", status=403, text="Your roles do not allow this.")
            accounts = Accounts(connection, self._services, visit.tenant_id)
            log = ChangeLog(connection, self._services, visit.author)
            if action == "reset-password":
                new_password = secrets.token_urlsafe(PASSWORD_BYTES)
                accounts.reset_password(user, Secret(new_password), must_change=True)
                log.tell("reset_password", user)
            elif action == "reset-factor":
                accounts.reset_second_factor(user)
                log.tell("reset_second_factor", user)
            elif action in ("disable", "enable"):
                accounts.change(msgspec.structs.replace(user, account_enabled=action == "enable"))
                log.tell(f"{action}_user", user)
            elif action == "roles":
                self._set_roles(connection, accounts, log, user, set(visit.form.get("role", [])))
            elif action == "delete" and user.id != visit.session.user.id:
                accounts.remove(user)
                log.tell("delete_user", user)
                return see("/portal/users")
            else:
                raise InvalidValueError("action", action)
        if new_password:
            return self._show(visit, user.id, new_password=new_password)
        return see(f"/portal/users/{user.id}")

    def _set_roles(
        self, connection: Connection, accounts: Accounts, log: ChangeLog, user: User, wanted: set[str]
    ) -> None:
        users = Users(connection, user.tenant_id)
        held = users.role_ids(user)
        for role_id in sorted(wanted - held):
            accounts.give_role(user, role_id)
            log.tell("add_role_member", user, role=_name_of(role_id))
        for role_id in sorted(held - wanted):
            accounts.take_role(user, role_id)
            log.tell("remove_role_member", user, role=_name_of(role_id))
        if not any(True for role in load_directory_roles().values() if "*" in role.rights and users.with_role(role.id)):
            raise InvalidValueError("roles", "the tenant would be left without a Global Administrator")

    def _show(self, visit: Visit, user_id: str, *, new_password: str = "") -> ApiResponse:
        with self._services.store.connect() as connection:
            users = Users(connection, visit.tenant_id)
            user = users.get(user_id)
            role_ids = users.role_ids(user)
            factors = SecondFactors(connection, visit.tenant_id, self._services.factor_sealer)
            return visit.show(
                "user",
                user.display_name,
                section=SECTION,
                user=user,
                roles=[(role, role.id in role_ids) for role in load_directory_roles().values()],
                has_factor=factors.is_enrolled(user),
                may_change=_may_change(connection, visit, user, ""),
                may_give_roles=visit.session.may("manage_roles"),
                is_self=user.id == visit.session.user.id,
                new_password=new_password,
            )


def _name_of(role_id: str) -> str:
    role = directory_role(role_id)
    return role_id if role is None else role.display_name


def _may_change(connection: Connection, visit: Visit, user: User, action: str) -> bool:
    """Roles need a right of their own; only who may do everything changes the account of somebody with a role."""
    if action == "roles":
        return visit.session.may("manage_roles")
    return visit.session.is_global or not Users(connection, visit.tenant_id).role_ids(user)
