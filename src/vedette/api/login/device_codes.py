"""The devicecode endpoints: a client without a browser begins a sign-in."""

from collections.abc import Mapping

from vedette.api.http import ApiRequest
from vedette.api.login.forms import parse_form
from vedette.identity.directory.applications import Application, find_application
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.errors import OAuthError
from vedette.identity.grants.device_codes import DeviceCodes
from vedette.identity.grants.dispatch import TENANTLESS, resolve_tenant
from vedette.identity.scopes import parse_scope
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import EndpointVersion
from vedette.ids import is_guid

PAGE = "devicelogin"


def start_device_code(services: IdentityServices, request: ApiRequest, version: EndpointVersion) -> object:
    """The answer of RFC 8628 §3.2 in the version's own names. Raises OAuthError."""
    form = parse_form(request.body)
    scope = _scope(form, version)
    application = _application(services, request.path_parameters["tenant"], form.get("client_id", ""))
    with services.store.begin() as connection:
        started = DeviceCodes(connection, services).start(application, scope)
    address = f"{request.base_url}/{PAGE}"
    message = (
        f"To sign in, use a web browser to open the page {address} and enter the code {started.user_code} "
        "to authenticate."
    )
    common = {"user_code": started.user_code, "device_code": started.device_code.reveal()}
    if version == 2:
        times: dict[str, object] = {"expires_in": started.expires_in, "interval": started.interval}
        return {**common, "verification_uri": address, **times, "message": message}
    texts = {"expires_in": str(started.expires_in), "interval": str(started.interval)}
    return {**common, "verification_url": address, **texts, "message": message}


def _scope(form: Mapping[str, str], version: EndpointVersion) -> str:
    if version == 1:
        if not form.get("resource"):
            raise OAuthError("parameter_missing", parameter="resource")
        return f"{form['resource']}/.default openid offline_access"
    if not form.get("scope"):
        raise OAuthError("parameter_missing", parameter="scope")
    parse_scope(form["scope"])
    return form["scope"]


def _application(services: IdentityServices, segment: str, app_id: str) -> Application:
    if not app_id:
        raise OAuthError("parameter_missing", parameter="client_id")
    with services.store.connect() as connection:
        application = find_application(connection, app_id.lower()) if is_guid(app_id) else None
        if segment.lower() in TENANTLESS:
            if application is None:
                raise OAuthError("application_unknown", app_id=app_id)
            if not application.is_multi_tenant:
                raise OAuthError("application_not_multi_tenant", app_id=app_id, app_name=application.display_name)
            return application
        tenant = resolve_tenant(connection, segment)
        principal = ServicePrincipals(connection, tenant.tenant.tenant_id).find(app_id.lower())
    if application is None or principal is None:
        raise OAuthError("application_not_found", app_id=app_id, tenant=tenant.tenant.display_name)
    return application
