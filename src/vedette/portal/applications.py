"""App registrations: register, permissions, consent, certificates and secrets, overview."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec
from sqlalchemy import Connection

from vedette.api.http import ApiResponse
from vedette.identity.change_log import ChangeLog
from vedette.identity.directory.applications import Application, Applications, RedirectUris
from vedette.identity.directory.credentials import KeyCredentials, PasswordCredentials
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.directory.tenants import Tenants
from vedette.identity.errors import InvalidValueError
from vedette.identity.provisioning import ApplicationKind, Provisioning
from vedette.identity.registrations import NewCertificate, Registrations, check_redirect_uris, read_certificate
from vedette.identity.services import IdentityServices
from vedette.portal.claims import ClaimsViews
from vedette.portal.permissions import (
    PermissionTable,
    configured_of,
    find_apis,
    offered_by,
    read_key,
)
from vedette.portal.rendering import see
from vedette.portal.visit import Page, Visit

SECTION = "apps"
KINDS: Mapping[str, ApplicationKind] = {"web": "confidential", "native": "public", "partner": "multitenant"}
MONTH = 30 * 86_400
LIFETIMES = (6, 12, 24)
"""Months a new secret may live."""


class ApplicationPages:
    """Handlers of the section."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def pages(self) -> Mapping[str, Page]:
        """Pages by operation handler name."""
        return {
            "list_apps": self.list,
            "new_app": self.new,
            "register_app": self.register,
            "show_app": self.overview,
            "change_app": self.change,
            "show_permissions": self.permissions,
            "change_permissions": self.change_permissions,
            "show_credentials": self.credentials,
            "change_credentials": self.change_credentials,
        }

    def list(self, visit: Visit) -> ApiResponse:
        """All registrations of the tenant."""
        with self._services.store.connect() as connection:
            applications = Applications(connection, visit.tenant_id).all()
        return visit.show("apps", "App registrations", section=SECTION, applications=applications)

    def new(self, visit: Visit) -> ApiResponse:
        """The form."""
        return visit.show("app_new", "Register an application", section=SECTION)

    def register(self, visit: Visit) -> ApiResponse:
        """Make the registration, with its service principal."""
        name, kind = visit.field("name"), KINDS.get(visit.field("kind"))
        if not 1 <= len(name) <= 256:
            raise InvalidValueError("name", "1 to 256 characters")
        if kind is None:
            raise InvalidValueError("kind of application", visit.field("kind"))
        uris = _redirect_uris(kind, visit.field("redirect_uri"))
        check_redirect_uris(uris)
        with self._services.store.begin() as connection:
            provisioning = Provisioning(connection, self._services)
            application = provisioning.create_application(visit.tenant_id, name, kind=kind, redirect_uris=uris)
            ChangeLog(connection, self._services, visit.author).tell(
                "add_application", application, appId=application.app_id
            )
        return see(f"/portal/apps/{application.app_id}")

    def overview(self, visit: Visit) -> ApiResponse:
        """Ids, addresses, and the claims that tokens would have."""
        with self._services.store.connect() as connection:
            application = self._application(connection, visit)
            principal = ServicePrincipals(connection, visit.tenant_id).find(application.app_id)
            views = ClaimsViews(connection, self._services, visit.session.tenant, visit.request.base_url)
            claims = views.all(application, principal, visit.session.user) if principal else []
            lines = PermissionTable(connection, visit.tenant_id).lines(
                configured_of(connection, application), principal
            )
        return self._show(
            visit,
            application,
            "app_overview",
            tab="overview",
            claims=claims,
            consent_link=_consent_link(visit.request.base_url, application),
            waiting=sum(1 for line in lines if not line.is_granted),
            redirect_uris=[
                (platform, uri)
                for platform, uris in msgspec.structs.asdict(application.redirect_uris).items()
                for uri in uris
            ],
        )

    def change(self, visit: Visit) -> ApiResponse:
        """Add or remove a redirect URI, or delete the registration."""
        action = visit.field("action")
        with self._services.store.begin() as connection:
            application = self._application(connection, visit)
            registrations = Registrations(connection, self._services, visit.tenant_id)
            if action == "delete":
                if visit.field("confirm") != application.display_name:
                    raise InvalidValueError("name to confirm", visit.field("confirm"))
                registrations.remove(application)
                ChangeLog(connection, self._services, visit.author).tell(
                    "delete_application", application, appId=application.app_id
                )
                return see("/portal/apps")
            if action not in ("add-uri", "remove-uri"):
                raise InvalidValueError("action", action)
            changed = _with_uri(application, visit.field("platform"), visit.field("uri"), action == "add-uri")
            registrations.change(msgspec.structs.replace(application, redirect_uris=changed))
            ChangeLog(connection, self._services, visit.author).tell(
                "update_application", application, changed="redirectUris"
            )
        return see(f"/portal/apps/{application.app_id}")

    def permissions(self, visit: Visit) -> ApiResponse:
        """Configured permissions, whether they are granted, and the picker."""
        api, typed = visit.asked("api"), visit.asked("q")
        with self._services.store.connect() as connection:
            application = self._application(connection, visit)
            principal = ServicePrincipals(connection, visit.tenant_id).find(application.app_id)
            lines = PermissionTable(connection, visit.tenant_id).lines(
                configured_of(connection, application), principal
            )
            apis = find_apis(connection, visit.tenant_id, typed)
            offered = offered_by(connection, visit.tenant_id, api) if api else []
        taken = {(line.kind, line.permission_id) for line in lines if line.is_configured}
        return self._show(
            visit,
            application,
            "app_permissions",
            tab="permissions",
            lines=lines,
            apis=apis,
            api=api,
            typed=typed,
            offered=[each for each in offered if (each.kind, each.id) not in taken],
            may_consent=visit.session.may("grant_consent"),
            done=_DONE.get(visit.asked("done"), ""),
        )

    def change_permissions(self, visit: Visit) -> ApiResponse:
        """Add, remove, or grant admin consent."""
        action = visit.field("action")
        named = [access for text in visit.form.get("permission", []) if (access := read_key(text)) is not None]
        with self._services.store.begin() as connection:
            application = self._application(connection, visit)
            configured = configured_of(connection, application)
            log = ChangeLog(connection, self._services, visit.author)
            registrations = Registrations(connection, self._services, visit.tenant_id)
            if action == "add":
                registrations.configure(application, [*configured, *named])
            elif action == "remove":
                registrations.configure(application, [access for access in configured if access not in named])
            elif action == "consent":
                if not visit.session.may("grant_consent"):
                    return visit.show("message", "Not allowed", status=403, text="Your roles do not allow this.")
                Provisioning(connection, self._services).grant_admin_consent(visit.tenant_id, application.app_id)
            else:
                raise InvalidValueError("action", action)
            if action == "consent":
                log.tell("consent", application, appId=application.app_id, consentType="AllPrincipals")
            else:
                log.tell("update_application", application, changed="requiredResourceAccess")
        return see(f"/portal/apps/{application.app_id}/permissions?done={action}")

    def credentials(self, visit: Visit, *, new_secret: str = "", new_name: str = "") -> ApiResponse:
        """Secrets, of which no value is ever shown again, and certificates."""
        with self._services.store.connect() as connection:
            application = self._application(connection, visit)
            secrets = PasswordCredentials(connection, application, self._services.secret_hasher).all()
            certificates = KeyCredentials(connection, application).all()
        return self._show(
            visit,
            application,
            "app_credentials",
            tab="credentials",
            secrets=secrets,
            certificates=certificates,
            now=self._services.now(),
            lifetimes=LIFETIMES,
            new_secret=new_secret,
            new_name=new_name,
        )

    def change_credentials(self, visit: Visit) -> ApiResponse:
        """Add or remove a secret or a certificate. A new secret is in this one answer and nowhere else."""
        action, key_id = visit.field("action"), visit.field("key_id")
        secret = ""
        with self._services.store.begin() as connection:
            application = self._application(connection, visit)
            if action == "add-secret":
                lifetime = _months(visit.field("months")) * MONTH
                provisioning = Provisioning(connection, self._services)
                new = provisioning.add_password(
                    visit.tenant_id, application.app_id, visit.field("name")[:120], lifetime=lifetime
                )
                secret = new.secret.reveal()
            elif action == "remove-secret":
                PasswordCredentials(connection, application, self._services.secret_hasher).remove(key_id)
            elif action == "add-certificate":
                certificate = read_certificate(visit.field("certificate"))
                kept = [each.key_id for each in KeyCredentials(connection, application).all()]
                Registrations(connection, self._services, visit.tenant_id).replace_certificates(
                    application, kept, [NewCertificate(certificate, visit.field("name")[:120])]
                )
            elif action == "remove-certificate":
                KeyCredentials(connection, application).remove(key_id)
            else:
                raise InvalidValueError("action", action)
            Tenants(connection).advance_generation_of_application(application.app_id)
            ChangeLog(connection, self._services, visit.author).tell(
                "update_application_credentials", application, change=action
            )
        if secret:
            return self.credentials(visit, new_secret=secret, new_name=visit.field("name"))
        return see(f"/portal/apps/{application.app_id}/credentials")

    def _application(self, connection: Connection, visit: Visit) -> Application:
        return Applications(connection, visit.tenant_id).get(visit.path("app"))

    def _show(self, visit: Visit, application: Application, template: str, **values: object) -> ApiResponse:
        shown = {"section": SECTION, "application": application, **values}
        return visit.page(template, application.display_name, shown)


_DONE = {
    "add": "Added. A permission has no effect until admin consent is granted.",
    "remove": "Removed from the configuration. What was granted stays granted until it is revoked.",
    "consent": "Admin consent is granted to everything that is configured now.",
}


def _redirect_uris(kind: ApplicationKind, uri: str) -> RedirectUris:
    if not uri:
        return RedirectUris()
    return RedirectUris(public_client=(uri,)) if kind == "public" else RedirectUris(web=(uri,))


def _with_uri(application: Application, platform: str, uri: str, add: bool) -> RedirectUris:
    if platform not in ("web", "spa", "public_client") or not uri:
        raise InvalidValueError("redirect URI", uri)
    others = tuple(each for each in getattr(application.redirect_uris, platform) if each != uri)
    return msgspec.structs.replace(application.redirect_uris, **{platform: (*others, uri) if add else others})


def _consent_link(base_url: str, application: Application) -> str:
    """The address that a customer's administrator opens."""
    if not application.is_multi_tenant:
        return ""
    query = {"prompt": "consent", "client_id": application.app_id, "response_type": "code", "sso_reload": "true"}
    return f"{base_url}/common/oauth2/authorize?{urlencode(query, quote_via=quote)}"


def _months(text: str) -> int:
    if text not in map(str, LIFETIMES):
        raise InvalidValueError("months", text)
    return int(text)
