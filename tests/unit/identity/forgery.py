"""A world in order, the requests that it answers, and the means to forge them."""

import base64
import datetime
import hmac
import json
from collections.abc import Mapping
from hashlib import sha256

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from vedette.identity.assertions import ASSERTION_TYPE
from vedette.identity.directory.applications import Applications, RedirectUris, ResourceAccess
from vedette.identity.directory.credentials import thumbprint
from vedette.identity.directory.exposed_permissions import ExposedPermissions, PermissionScope
from vedette.identity.grants.authorization_codes import AuthorizationCodes, CodeRequest

from .test_assertions import private
from .test_msal import certificate
from .test_user_grants import REDIRECT, VERIFIER, challenge
from .world import BASE, MTP, PASSWORD, START, World, claims_of, header_of

DER = certificate().public_bytes(Encoding.DER)
X5T = thumbprint(DER, "sha1")
SCOPE = f"{MTP}/Incident.Read openid offline_access"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
STRANGER = "9d2d0b7e-5a4f-4e6f-8c7e-0b6f3d1f2a10"
SCOPE_ID = "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b"


class Sent(msgspec.Struct, frozen=True):
    """What goes over the wire in place of a good request."""

    handler: str = "token_v2"
    form: Mapping[str, str] | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = {}
    tenant: str = ""
    query: str = ""


class Stage(msgspec.Struct, frozen=True):
    """A world in which everything that the rows abuse is in order."""

    world: World
    refresh_token: str
    access_token: str
    """Of a person, for Defender."""
    id_token: str
    for_api: str
    """Of a person, for the home application."""
    other_native: str
    """Client id of another public client of the tenant."""

    def ask(self, **changes: str | None) -> dict[str, str]:
        """Client credentials."""
        return self.world.client_credentials(**changes)

    def native(self, grant_type: str, **fields: str | None) -> Sent:
        """A request of the public client."""
        good = {"grant_type": grant_type, "client_id": self.world.seed.native.app_id}
        return Sent(form={name: value for name, value in (good | fields).items() if value is not None})

    def password(self, **changes: str | None) -> Sent:
        """A sign-in by name and password."""
        good = {"username": "ada@contoso.example", "password": PASSWORD.reveal(), "scope": SCOPE}
        return self.native("password", **(good | changes))

    def refresh(self, **changes: str | None) -> Sent:
        """Use of a refresh token."""
        return self.native("refresh_token", **({"refresh_token": self.refresh_token} | changes))

    def code(self, **changes: object) -> str:
        """A fresh authorization code."""
        seed, services = self.world.seed, self.world.services
        request = {
            "app_id": seed.native.app_id,
            "user_id": seed.user.id,
            "redirect_uri": REDIRECT,
            "scope": SCOPE,
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
        } | changes
        with self.world.store.begin() as connection:
            return AuthorizationCodes(connection, seed.home.tenant_id, services).add(CodeRequest(**request)).reveal()

    def redeem(self, code: str | None, **changes: str | None) -> Sent:
        """Redemption of a code."""
        good = {"code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return self.native("authorization_code", **(good | changes))

    def device_code(self, field: str = "device_code") -> str:
        """A device's code that nobody has approved."""
        form = {"client_id": self.world.seed.native.app_id, "scope": SCOPE}
        return str(json.loads(self.world.request("device_code_v2", form=form).body)[field])

    def behalf(self, assertion: str | None, **changes: str | None) -> Sent:
        """An exchange of a caller's token."""
        good = {
            "grant_type": JWT_BEARER,
            "requested_token_use": "on_behalf_of",
            "client_id": self.world.seed.app.app_id,
            "client_secret": self.world.seed.secret,
            "assertion": assertion,
            "scope": f"{MTP}/Incident.Read",
        }
        return Sent(form={name: value for name, value in (good | changes).items() if value is not None})

    def assertion(self, *, alg: str = "RS256", header: Mapping[str, object] | None = None, key=None, **claims) -> str:
        """A client assertion of the home application."""
        app_id = self.world.seed.app.app_id
        body = {"aud": self.endpoint(), "iss": app_id, "sub": app_id, "exp": START + 600, "jti": "x"} | claims
        registry = JWSRegistry(algorithms=[alg])
        registry.max_header_length = 8192
        head = {"alg": alg} | ({"x5t": X5T} if header is None else dict(header))
        body = {name: value for name, value in body.items() if value is not None}
        return jwt.encode(head, body, key or private(), algorithms=[alg], registry=registry)

    def endpoint(self, tenant_id: str = "") -> str:
        """The token endpoint's address."""
        return f"{BASE}/{tenant_id or self.world.seed.home.tenant_id}/oauth2/v2.0/token"

    def asserted(self, value: str, **changes: str | None) -> Sent:
        """Client credentials with an assertion."""
        given = {"client_secret": None, "client_assertion": value, "client_assertion_type": ASSERTION_TYPE}
        return Sent(form=self.ask(**(given | changes)))


def prepared(world: World) -> Stage:
    """Make everything that the rows abuse: permissions, a certificate, a second client, a person's tokens."""
    seed, home = world.seed, world.seed.home.tenant_id
    with world.provisioning() as admin:
        connection = admin._connection  # the fixture's own transaction
        admin.add_certificate(home, seed.app.app_id, certificate())
        ExposedPermissions(connection, seed.app).add_scope(PermissionScope(SCOPE_ID, "access", "Use the hunter"))
        Applications(connection, home).add_required(seed.native, ResourceAccess(seed.app.app_id, SCOPE_ID, "Scope"))
        admin.add_required_permissions(home, seed.app.app_id, "mtp", delegated=["Incident.Read"])
        uris = RedirectUris(public_client=("http://localhost",))
        other = admin.create_application(home, "Other desktop", kind="public", redirect_uris=uris)
        admin.add_required_permissions(home, other.app_id, "mtp", delegated=["Incident.Read"])
        for app_id in (seed.native.app_id, seed.app.app_id, other.app_id):
            admin.grant_admin_consent(home, app_id)
    form = {"grant_type": "password", "client_id": seed.native.app_id, "username": "ada@contoso.example"}
    form |= {"password": PASSWORD.reveal()}
    signed_in = json.loads(world.request("token_v2", form=form | {"scope": SCOPE}).body)
    to_api = json.loads(world.request("token_v2", form=form | {"scope": f"{seed.app.app_id}/access"}).body)
    return Stage(
        world=world,
        refresh_token=signed_in["refresh_token"],
        access_token=signed_in["access_token"],
        id_token=signed_in["id_token"],
        for_api=to_api["access_token"],
        other_native=other.app_id,
    )


def encoded(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def basic(text: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def raw(text: str) -> bytes:
    return text.encode()


def unsigned(token: str) -> str:
    """The same claims under the algorithm `none`."""
    return f"{encoded(header_of(token) | {'alg': 'none'})}.{token.split('.')[1]}."


def keyed_with_the_certificate(token: str) -> str:
    """The same claims, signed by HMAC with what everybody can read."""
    public = certificate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encoded(header_of(token) | {'alg': 'HS256'})}.{token.split('.')[1]}"
    digest = hmac.new(public, signed.encode(), sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def altered(token: str, **claims: object) -> str:
    """Other claims under the old signature."""
    header, _, signature = token.split(".")
    return f"{header}.{encoded(claims_of(token) | claims)}.{signature}"


def cut(token: str) -> str:
    return token.rpartition(".")[0] + "."


STRANGERS_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
STRANGERS = private(STRANGERS_KEY)
CURVE = ECKey.generate_key("P-256")


def strangers_certificate() -> bytes:
    """Self-issued, by the same name as the registered one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    begins = datetime.datetime.fromtimestamp(START - 1, datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(STRANGERS_KEY.public_key())
    builder = builder.serial_number(1).not_valid_before(begins)
    return (
        builder.not_valid_after(begins + datetime.timedelta(days=9))
        .sign(STRANGERS_KEY, SHA256())
        .public_bytes(Encoding.DER)
    )


STRANGERS_DER = strangers_certificate()
STRANGERS_CHAIN = [base64.b64encode(STRANGERS_DER).decode()]


def signed_by_the_customer(stage: Stage) -> str:
    """A token of the partner in the customer tenant."""
    world = stage.world
    return world.token(
        world.seed.customer.tenant_id, client_id=world.seed.partner.app_id, client_secret=world.seed.partner_secret
    )


def used_code(stage: Stage) -> str:
    code = stage.code()
    assert stage.world.request("token_v2", form=stage.redeem(code).form).status == 200
    return code
