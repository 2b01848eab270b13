"""The way in: to the login service and back, with state, nonce and PKCE in a sealed cookie of ten minutes."""

import base64
import hashlib
import hmac
import re
import secrets
from urllib.parse import parse_qs, urlencode

import msgspec
from joserfc import jws

from vedette.api.hosts import host_name
from vedette.api.http import ApiRequest, ApiResponse
from vedette.contracts.operations import load_operations
from vedette.identity.directory.tenants import TenantRecord, Tenants
from vedette.identity.directory.users import Users
from vedette.identity.errors import OAuthError
from vedette.identity.grants import dispatch
from vedette.identity.services import IdentityServices
from vedette.identity.token_request import ClientCredential, TokenRequest
from vedette.portal.application import APP_ID, CALLBACK, ensure_portal_application, is_ready
from vedette.portal.rendering import see
from vedette.portal.session import new_session, read_cookie, seal, unseal
from vedette.portal.visit import HOME

COOKIE = "__Host-vedette-portal-sign-in"
LIFETIME = 600
LOGIN_SERVICE = f"https://{load_operations()['login'].hosts[0]}"
CONTEXT = "portal-sign-in"

_PAGE = re.compile(r"/portal(?:/[A-Za-z0-9._~%-]+)*(?:\?[A-Za-z0-9._~%=&+:-]*)?")


class Journey(msgspec.Struct, frozen=True, array_like=True):
    """A sign-in under way."""

    tenant_id: str
    state: str
    nonce: str
    verifier: str
    started_at: int
    target: str = HOME
    """The page to show in the end."""


class SignInFailedError(Exception):
    """The way back does not fit the way out. `str(error)` is one sentence for the person."""


class SigningIn:
    """Both ends of the way."""

    def __init__(self, services: IdentityServices) -> None:
        self._services = services

    def find_tenant(self, name: str) -> TenantRecord | None:
        """The tenant of a domain, an id, or an account's name."""
        with self._services.store.connect() as connection:
            return Tenants(connection).find(name.strip().rpartition("@")[2])

    def tenant_of_page(self, target: str) -> TenantRecord | None:
        """The tenant that a link names, or the only one there is; where there are several, people have to say which."""
        named = parse_qs(target.partition("?")[2]).get("tid", [""])[0]
        with self._services.store.connect() as connection:
            tenants = Tenants(connection)
            if named:
                return tenants.find(named)
            everyone = tenants.all()
        return everyone[0] if len(everyone) == 1 else None

    def start(self, request: ApiRequest, tenant: TenantRecord, hint: str, target: str) -> ApiResponse:
        """Send the browser to the login service, and to the page `target` afterwards."""
        with self._services.store.connect() as connection:
            ready = is_ready(connection, tenant, request.base_url)
        if not ready:
            with self._services.store.begin() as connection:
                ensure_portal_application(connection, self._services, tenant, request.base_url)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        journey = Journey(tenant.tenant.tenant_id, state, nonce, verifier, self._services.now(), target)
        parameters = {
            "client_id": APP_ID,
            "response_type": "code",
            "redirect_uri": request.base_url + CALLBACK,
            "scope": "openid profile",
            "state": journey.state,
            "nonce": journey.nonce,
            "code_challenge": _challenge(journey.verifier),
            "code_challenge_method": "S256",
            **({"login_hint": hint} if "@" in hint else {}),
        }
        path = f"/{tenant.tenant.tenant_id}/oauth2/v2.0/authorize?{urlencode(parameters)}"
        location = f"{_login_service(request.base_url)}{path}"
        return ApiResponse(
            303, headers={"location": location, **_cookie(seal(self._services, CONTEXT, journey), LIFETIME)}
        )

    def finish(self, request: ApiRequest) -> ApiResponse:
        """Redeem the code, sign the browser in and send it to its page. Raises SignInFailedError."""
        journey = unseal(self._services, CONTEXT, read_cookie(request, COOKIE), Journey)
        answer = {name: values[0] for name, values in parse_qs(request.query).items()}
        if journey is None or self._services.now() >= journey.started_at + LIFETIME:
            raise SignInFailedError("The sign-in took too long, or this browser did not begin it.")
        if not hmac.compare_digest(answer.get("state", ""), journey.state):
            raise SignInFailedError("The answer belongs to another sign-in.")
        if "code" not in answer:
            raise SignInFailedError(answer.get("error_description", "The login service gave no code.").splitlines()[0])
        claims = self._redeem(request, journey, answer["code"])
        if not hmac.compare_digest(str(claims.get("nonce", "")), journey.nonce):
            raise SignInFailedError("The answer belongs to another sign-in.")
        with self._services.store.connect() as connection:
            user = Users(connection, journey.tenant_id).get(str(claims["oid"]))
        return see(journey.target, new_session(self._services, journey.tenant_id, user.id))

    def _redeem(self, request: ApiRequest, journey: Journey, code: str) -> dict[str, object]:
        token_request = TokenRequest(
            endpoint=2,
            tenant=journey.tenant_id,
            parameters={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": request.base_url + CALLBACK,
                "code_verifier": journey.verifier,
                "scope": "openid profile",
            },
            client=ClientCredential(APP_ID),
            base_url=request.base_url,
            client_address=request.client_address,
        )
        try:
            result = dispatch.handle(self._services, token_request)
        except OAuthError as error:
            raise SignInFailedError(f"The login service refused the code ({error.key}).") from error
        if result.id_token is None:
            raise SignInFailedError("The login service gave no id_token.")
        # Straight from the issuer, in this process: nothing stands between it and us that a signature would exclude.
        payload = jws.extract_compact(result.id_token.reveal().encode()).payload
        return msgspec.json.decode(payload, type=dict[str, object])


def page_of(text: str) -> str:
    """The page of the portal that `text` names, else the first one: nobody is led anywhere else."""
    return text if _PAGE.fullmatch(text) else HOME


def _login_service(base_url: str) -> str:
    """Where people sign in: here, unless this is a name of the real service that leads to another surface alone."""
    documents = load_operations()
    taken = {host for name, document in documents.items() if name != "login" for host in document.hosts}
    return LOGIN_SERVICE if host_name(base_url.partition("://")[2]) in taken else ""


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _cookie(value: str, age: int) -> dict[str, str]:
    return {"set-cookie": f"{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age}"}
