"""Verification of bearer tokens: good ones, a table of forged ones, expiry, revocation, rotation."""

import base64
import hmac
import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from vedette.contracts.permissions import load_resources
from vedette.identity import errors
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.directory.tenants import Tenants
from vedette.identity.minting import MintOrder, mint
from vedette.identity.tokens.verifier import Verifier
from vedette.store.engine import Reading
from vedette.store.secrets import Secret

from .world import BASE, World, claims_of, header_of

Claims = dict[str, object]


@pytest.fixture
def verifier(world: World) -> Verifier:
    return Verifier(world.services)


def resign(world: World, claims: Claims, tenant_id: str | None = None) -> str:
    """A token with these claims, signed by the tenant's own key."""
    with world.store.connect() as connection:
        tenant = Tenants(connection).get(tenant_id or world.seed.home.tenant_id)
        return world.services.keyring.signing_key(Reading.over(connection), tenant).sign(claims, with_x5t=True)


def encoded(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def test_a_good_token_names_its_principal(world: World, verifier: Verifier) -> None:
    token = world.token()
    principal = verifier.verify(token)
    claims = claims_of(token)
    assert principal.kind == "application"
    assert (principal.tenant_id, principal.app_id) == (world.seed.home.tenant_id, world.seed.app.app_id)
    assert principal.object_id == claims["oid"]
    assert principal.audience == "mtp"
    assert principal.roles == {"Incident.Read.All", "AdvancedHunting.Read.All"}
    assert principal.scopes == frozenset()
    assert principal.token_id == claims["uti"]
    assert verifier.verify(token) == principal


@pytest.mark.parametrize("resource", load_resources().values(), ids=lambda resource: resource.key)
def test_every_audience_alias_leads_to_its_resource(world: World, verifier: Verifier, resource) -> None:
    for audience in resource.audiences:
        token = world.token(scope=f"{audience}/.default")
        assert verifier.verify(token).audience == resource.key


@pytest.mark.parametrize(
    "base_url", ["https://login.microsoftonline.com", "https://login.windows.net", BASE, "https://127.0.0.1"]
)
def test_issuers_of_all_accepted_hosts(world: World, verifier: Verifier, base_url: str) -> None:
    assert verifier.verify(world.token(base_url=base_url)).tenant_id == world.seed.home.tenant_id
    assert verifier.verify(world.token(base_url=base_url, scope="api://vedette/.default")).audience == "vedette"


def test_a_user_token(world: World, verifier: Verifier) -> None:
    order = MintOrder(
        tenant="contoso.example", app_id=world.seed.native.app_id, user="ada@contoso.example", scopes=("Incident.Read",)
    )
    principal = verifier.verify(mint(world.services, order).value.reveal())
    assert (principal.kind, principal.object_id) == ("user", world.seed.user.id)
    assert principal.display_name == "ada@contoso.example"  # not the client's
    assert principal.scopes == {"Incident.Read"}
    assert principal.roles == frozenset()


def alter(**changes: object) -> Callable[[World, str], str]:
    """The same token with other claims and the old signature."""

    def forge(_world: World, token: str) -> str:
        header, _, signature = token.split(".")
        return f"{header}.{encoded(claims_of(token) | changes)}.{signature}"

    return forge


def signed(**changes: object) -> Callable[[World, str], str]:
    """A token of the tenant's real key with other claims: what a defect of our own issuer would make."""

    def forge(world: World, token: str) -> str:
        claims = claims_of(token) | changes
        return resign(world, {name: value for name, value in claims.items() if value is not None})

    return forge


def without_signature(_world: World, token: str) -> str:
    return f"{encoded({'typ': 'JWT', 'alg': 'none'})}.{token.split('.')[1]}."


def none_with_kid(_world: World, token: str) -> str:
    return f"{encoded(header_of(token) | {'alg': 'none'})}.{token.split('.')[1]}."


def hmac_with_public_key(world: World, token: str) -> str:
    with world.store.connect() as connection:
        [published] = world.services.keyring.published(connection, world.seed.home.tenant_id)
    certificate = x509.load_der_x509_certificate(published.certificate)
    pem = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed_part = f"{encoded({'alg': 'HS256', 'kid': published.kid})}.{encoded(claims_of(token))}"
    signature = hmac.new(pem, signed_part.encode(), sha256).digest()
    return f"{signed_part}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def foreign_key_with_our_kid(_world: World, token: str) -> str:
    key = RSAKey.generate_key(2048)
    return jwt.encode(header_of(token), claims_of(token), key, algorithms=["RS256"])


def other_tenants_key(world: World, token: str) -> str:
    return resign(world, claims_of(token), world.seed.customer.tenant_id)


def unknown_kid(world: World, token: str) -> str:
    return foreign_key_with_our_kid(world, token).replace(
        token.split(".", maxsplit=1)[0], encoded(header_of(token) | {"kid": "nobody"})
    )


def key_in_header(_world: World, token: str) -> str:
    key = RSAKey.generate_key(2048)
    header = header_of(token) | {"jwk": key.as_dict(private=False), "kid": key.thumbprint()}
    registry = JWSRegistry(algorithms=["RS256"])
    registry.max_header_length = 4096
    return jwt.encode(header, claims_of(token), key, algorithms=["RS256"], registry=registry)


def key_elsewhere(_world: World, token: str) -> str:
    header = header_of(token) | {"jku": "https://evil.example/keys", "kid": "theirs"}
    return jwt.encode(header, claims_of(token), RSAKey.generate_key(2048), algorithms=["RS256"])


def cut_signature(_world: World, token: str) -> str:
    return token.rpartition(".")[0] + "."


OTHER = "9d2d0b7e-5a4f-4e6f-8c7e-0b6f3d1f2a10"

FORGED = [
    ("no signature, alg none", without_signature, errors.BadSignatureError),
    ("alg none with kid", none_with_kid, errors.BadSignatureError),
    ("HS256 with the public key", hmac_with_public_key, errors.BadSignatureError),
    ("own key under our kid", foreign_key_with_our_kid, errors.BadSignatureError),
    ("another tenant's key", other_tenants_key, errors.BadSignatureError),
    ("unknown kid", unknown_kid, errors.BadSignatureError),
    ("key in the header", key_in_header, errors.MalformedTokenError),
    ("key at an address", key_elsewhere, errors.BadSignatureError),
    ("signature cut off", cut_signature, errors.BadSignatureError),
    ("roles added", alter(roles=["Incident.ReadWrite.All"]), errors.BadSignatureError),
    ("expiry moved", alter(exp=4_000_000_000), errors.BadSignatureError),
    ("tenant changed, issuer not", alter(tid=OTHER), errors.WrongIssuerError),
    ("issuer elsewhere", signed(iss=f"https://evil.example/{OTHER}/"), errors.WrongIssuerError),
    ("issuer of an unknown tenant", signed(tid=OTHER, iss=f"{BASE}/{OTHER}/"), errors.WrongIssuerError),
    ("issuer on plain HTTP", signed(iss=f"http://localhost/{OTHER}/"), errors.WrongIssuerError),
    ("issuer of the other version", signed(ver="2.0"), errors.WrongIssuerError),
    ("audience elsewhere", signed(aud="https://management.azure.com"), errors.WrongAudienceError),
    ("audience is a client", signed(aud=OTHER), errors.WrongAudienceError),
    ("expired", signed(exp=1_700_000_000), errors.ExpiredTokenError),
    ("not yet valid", signed(nbf=1_900_000_000), errors.NotYetValidError),
    ("client unknown", signed(appid=OTHER), errors.RevokedTokenError),
    ("client missing", signed(appid=None), errors.RevokedTokenError),
    ("another object", signed(oid=OTHER, sub=OTHER), errors.RevokedTokenError),
    ("an application with scopes", signed(idtyp="app", scp="Incident.Read"), errors.RevokedTokenError),
    ("a user that is none", signed(idtyp="user", scp="Incident.Read"), errors.RevokedTokenError),
    ("expiry is text", signed(exp="4000000000"), errors.MalformedTokenError),
    ("expiry is missing", signed(exp=None), errors.MalformedTokenError),
    ("audience is a list", signed(aud=["https://api.security.microsoft.com"]), errors.MalformedTokenError),
    ("tenant missing", signed(tid=None), errors.MalformedTokenError),
    ("not a token", lambda _world, _token: "opaque", errors.MalformedTokenError),
    ("two parts", lambda _world, token: token.rpartition(".")[0], errors.MalformedTokenError),
    ("empty", lambda _world, _token: "", errors.MalformedTokenError),
    ("not ASCII", lambda _world, token: token + "ü", errors.MalformedTokenError),
    ("huge", lambda _world, token: token + "A" * 20_000, errors.MalformedTokenError),
]


@pytest.mark.parametrize(("forge", "error"), [pytest.param(*row[1:], id=row[0]) for row in FORGED])
def test_forged_tokens(
    world: World, verifier: Verifier, forge: Callable[[World, str], str], error: type[errors.TokenError]
) -> None:
    token = world.token()
    verifier.verify(token)
    with pytest.raises(error):
        verifier.verify(forge(world, token))


def test_a_remembered_token_still_expires(world: World, verifier: Verifier) -> None:
    token = world.token()
    verifier.verify(token)
    world.clock.advance(3598)
    verifier.verify(token)
    world.clock.advance(1)
    with pytest.raises(errors.ExpiredTokenError):
        verifier.verify(token)


def test_revocation_holds_within_a_second_in_another_process(world: World, verifier: Verifier) -> None:
    token = world.token()
    verifier.verify(token)
    with world.provisioning() as admin:
        admin.revoke_tokens(world.seed.home.tenant_id)
    world.clock.advance(1)
    with pytest.raises(errors.RevokedTokenError):
        verifier.verify(token)
    world.clock.advance(1)
    verifier.verify(world.token())


def test_revocation_is_one_tenants(world: World, verifier: Verifier) -> None:
    token = world.token()
    with world.provisioning() as admin:
        admin.revoke_tokens(world.seed.customer.tenant_id)
    world.clock.advance(1)
    verifier.verify(token)


def test_a_disabled_client_loses_its_tokens(world: World, verifier: Verifier) -> None:
    token = world.token()
    verifier.verify(token)
    with world.provisioning() as admin:
        admin.set_principal_enabled(world.seed.home.tenant_id, world.seed.app.app_id, False)
    world.clock.advance(1)
    with pytest.raises(errors.RevokedTokenError):
        verifier.verify(token)


def test_a_disabled_user_loses_their_tokens(world: World, verifier: Verifier) -> None:
    home = world.seed.home.tenant_id
    order = MintOrder(tenant=home, app_id=world.seed.native.app_id, user=world.seed.user.id, scopes=("Incident.Read",))
    token = mint(world.services, order).value.reveal()
    verifier.verify(token)
    with world.provisioning() as admin:
        admin.set_user_enabled(home, world.seed.user.user_principal_name, False)
    world.clock.advance(1)
    with pytest.raises(errors.RevokedTokenError):
        verifier.verify(token)


def test_a_new_password_ends_the_users_tokens(world: World, verifier: Verifier) -> None:
    home = world.seed.home.tenant_id
    order = MintOrder(tenant=home, app_id=world.seed.native.app_id, user=world.seed.user.id, scopes=("Incident.Read",))
    token = mint(world.services, order).value.reveal()
    verifier.verify(token)
    with world.provisioning() as admin:
        admin.set_user_password(home, world.seed.user.id, Secret("another one"))
    world.clock.advance(1)
    with pytest.raises(errors.RevokedTokenError):
        verifier.verify(token)


def test_a_disabled_application_loses_its_tokens_in_every_tenant(world: World, verifier: Verifier) -> None:
    partner = {"client_id": world.seed.partner.app_id, "client_secret": world.seed.partner_secret}
    tokens = [world.token(tenant=tenant.tenant_id, **partner) for tenant in (world.seed.home, world.seed.customer)]
    for token in tokens:
        verifier.verify(token)
    with world.provisioning() as admin:
        admin.set_application_disabled(world.seed.home.tenant_id, world.seed.partner.app_id, True)
    world.clock.advance(1)
    for token in tokens:
        with pytest.raises(errors.RevokedTokenError):
            verifier.verify(token)


def test_rotation_keeps_old_tokens_until_the_last_has_expired(world: World, verifier: Verifier) -> None:
    home = world.seed.home.tenant_id
    order = MintOrder(tenant=home, app_id=world.seed.app.app_id, lifetime=86_400)
    old = mint(world.services, order).value.reveal()
    with world.provisioning() as admin:
        kid = admin.rotate_signing_key(home)
    new = world.token()
    assert header_of(new)["kid"] == kid != header_of(old)["kid"]
    verifier.verify(old)
    verifier.verify(new)
    world.clock.advance(86_399)
    verifier.verify(old)
    assert len(published_kids(world)) == 2
    world.clock.advance(1)
    assert published_kids(world) == [kid]
    with pytest.raises(errors.TokenError):
        verifier.verify(old)


def published_kids(world: World) -> list[object]:
    keys = json.loads(world.request("keys_v2").body)["keys"]
    return [key["kid"] for key in keys]


def test_rotating_twice_never_signs_with_two_keys(world: World) -> None:
    home = world.seed.home.tenant_id
    with world.provisioning() as admin:
        admin.rotate_signing_key(home)
        kid = admin.rotate_signing_key(home)
    assert header_of(world.token())["kid"] == kid
    assert published_kids(world)[0] == kid


def test_the_tenant_of_a_principal(world: World, verifier: Verifier) -> None:
    assert verifier.tenant(world.seed.home.tenant_id) == world.seed.home
    assert verifier.tenant(OTHER) is None


def test_the_memory_of_tokens_is_bounded(world: World, verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = [world.token() for _ in range(4)]
    monkeypatch.setattr("vedette.identity.tokens.verifier.REMEMBERED_TOKENS", 2)
    for token in tokens:
        verifier.verify(token)
    assert len(verifier._remembered) == 2


def test_a_principal_of_one_tenant_is_not_found_in_another(world: World) -> None:
    with world.store.connect() as connection:
        home = ServicePrincipals(connection, world.seed.home.tenant_id).find(world.seed.app.app_id)
        assert home is not None
        elsewhere = ServicePrincipals(connection, world.seed.customer.tenant_id)
        assert elsewhere.find(world.seed.app.app_id) is None
        with pytest.raises(errors.ObjectNotFoundError):
            elsewhere.get(home.id)


def test_a_restored_database_is_never_mistaken_for_a_later_one(world: World) -> None:
    home = world.seed.home.tenant_id
    seen = set()
    for _ in range(3):
        with world.store.begin() as connection:
            tenants = Tenants(connection)
            tenants.advance_generation(home)
            seen.add(tenants.generation(home))
    assert len(seen) == 3
    with world.provisioning() as admin:
        made = admin.create_application(home, "New")
        assert Tenants(admin._connection).generation(home) not in seen
        assert made.tenant_id == home
