"""client_credentials on both endpoints: what it issues, and every refusal."""

import base64
import json
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from vedette.contracts.permissions import load_resources
from vedette.identity.directory.principal_credentials import with_password
from vedette.identity.directory.service_principals import ServicePrincipals
from vedette.identity.directory.tenants import Tenants
from vedette.identity.services import IdentitySettings

from .conftest import Template
from .world import BASE, MTP, START, World, claims_of, copy_world, header_of

ALIASES = [(resource.key, audience) for resource in load_resources().values() for audience in resource.audiences]


@pytest.mark.parametrize(("key", "audience"), ALIASES)
def test_every_alias_of_every_resource_on_both_endpoints(world: World, key: str, audience: str) -> None:
    v2 = claims_of(world.token(scope=f"{audience}/.default"))
    form = world.client_credentials(scope=None, resource=audience)
    v1 = claims_of(json.loads(world.request("token_v1", form=form).body)["access_token"])
    resource = load_resources()[key]
    expected = audience if resource.token_version == 1 else resource.app_id
    assert v1["aud"] == v2["aud"] == expected
    assert v1["ver"] == v2["ver"] == f"{resource.token_version}.0"


def test_claims_of_a_v1_token(world: World) -> None:
    token = world.token()
    claims = claims_of(token)
    home = world.seed.home.tenant_id
    assert claims["iss"] == claims["idp"] == f"{BASE}/{home}/"
    assert claims["iat"] == claims["nbf"] == START
    assert claims["exp"] == START + 3599
    assert claims["appid"] == world.seed.app.app_id
    assert claims["appidacr"] == "1"
    assert claims["app_displayname"] == "Hunter"
    assert claims["oid"] == claims["sub"]
    assert claims["roles"] == ["AdvancedHunting.Read.All", "Incident.Read.All"]
    assert claims["tid"] == home
    assert all(claims[name] for name in ("aio", "uti", "rh"))
    assert not {"scp", "idtyp", "upn", "azp"} & claims.keys()
    header = header_of(token)
    assert (header["typ"], header["alg"], header["kid"]) == ("JWT", "RS256", header["x5t"])


def test_graph_tokens_say_that_they_are_an_applications(world: World) -> None:
    claims = claims_of(world.token(scope="https://graph.microsoft.com/.default"))
    assert claims["idtyp"] == "app"
    assert claims["roles"] == ["ThreatHunting.Read.All"]


def test_claims_of_a_v2_token(world: World) -> None:
    token = world.token(scope="api://vedette/.default")
    claims = claims_of(token)
    assert claims["iss"] == f"{BASE}/{world.seed.home.tenant_id}/v2.0"
    assert claims["aud"] == load_resources()["vedette"].app_id
    assert (claims["azp"], claims["azpacr"], claims["idtyp"]) == (world.seed.app.app_id, "1", "app")
    assert not {"appid", "appidacr", "idp"} & claims.keys()
    assert "x5t" not in header_of(token)


def test_the_servers_own_host_name_means_graph(world: World) -> None:
    assert claims_of(world.token(scope="https://localhost/.default"))["aud"] == "https://graph.microsoft.com"
    assert claims_of(world.token(scope=f"{BASE}/.default"))["aud"] == "https://graph.microsoft.com"


def test_an_empty_path_segment_is_part_of_the_audience(world: World) -> None:
    assert claims_of(world.token(scope=f"{MTP}//.default"))["aud"] == f"{MTP}/"


@pytest.mark.parametrize("host", ["login.microsoftonline.com", "login.windows.net", "sts.windows.net"])
def test_the_real_hosts_give_the_real_issuers(world: World, host: str) -> None:
    home = world.seed.home.tenant_id
    v1 = claims_of(world.token(base_url=f"https://{host}"))
    v2 = claims_of(world.token(base_url=f"https://{host}", scope="api://vedette/.default"))
    assert v1["iss"] == f"https://sts.windows.net/{home}/"
    assert v2["iss"] == f"https://login.microsoftonline.com/{home}/v2.0"


def test_tenant_by_domain_or_id_in_any_case(world: World) -> None:
    home = world.seed.home.tenant_id
    for segment in (home.upper(), "contoso.example", "CONTOSO.Example"):
        assert claims_of(world.token(tenant=segment))["tid"] == home


def test_a_secret_may_come_in_the_authorization_header(world: World) -> None:
    pair = f"{quote_plus(world.seed.app.app_id)}:{quote_plus(world.seed.secret)}"
    headers = {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    form = world.client_credentials(client_id=None, client_secret=None)
    assert world.request("token_v2", form=form, headers=headers).status == 200


def test_extra_form_fields_and_a_missing_content_type_do_not_matter(world: World) -> None:
    claims = '{"access_token":{"xms_cc":{"values":["CP1"]}}}'
    form = world.client_credentials(client_info="1", claims=claims, anything="x")
    assert world.request("token_v2", form=form).status == 200


@pytest.mark.parametrize("scope", [f"openid profile offline_access {MTP}/.default", f"{MTP}/.default offline_access"])
def test_oidc_scopes_say_nothing_of_an_application(world: World, scope: str) -> None:
    answer = world.request("token_v2", form=world.client_credentials(scope=scope))
    assert answer.status == 200
    assert not {"id_token", "refresh_token"} & json.loads(answer.body).keys()


def test_a_token_without_any_granted_role_has_no_roles_claim(world: World) -> None:
    assert "roles" not in claims_of(world.token(scope="https://api.securitycenter.microsoft.com/.default"))


def test_a_permission_added_later_waits_for_consent(world: World) -> None:
    home, app_id = world.seed.home.tenant_id, world.seed.app.app_id
    with world.provisioning() as admin:
        admin.add_required_permissions(home, app_id, "mtp", application=["Incident.ReadWrite.All"])
    assert "Incident.ReadWrite.All" not in claims_of(world.token())["roles"]
    with world.provisioning() as admin:
        admin.grant_admin_consent(home, app_id)
    assert "Incident.ReadWrite.All" in claims_of(world.token())["roles"]


def test_a_partner_gets_tokens_of_the_consenting_customer_only(world: World) -> None:
    partner = {"client_id": world.seed.partner.app_id, "client_secret": world.seed.partner_secret}
    customer = world.seed.customer.tenant_id
    claims = claims_of(world.token(tenant=customer, **partner))
    assert (claims["tid"], claims["roles"]) == (customer, ["Incident.Read.All"])
    home_claims = claims_of(world.token(**partner))
    assert home_claims["oid"] != claims["oid"]
    assert "roles" not in home_claims


def test_lifetimes_down_to_a_second(template: Template, tmp_path: Path) -> None:
    path, master_key, seed = template
    world = copy_world(path, tmp_path, master_key, seed, IdentitySettings(access_token_lifetime=1))
    claims = claims_of(world.token())
    assert claims["exp"] - claims["iat"] == 1
    world.store.close()


def test_an_old_and_a_new_secret_both_work_until_one_is_removed(world: World) -> None:
    with world.provisioning() as admin:
        second = admin.add_password(world.seed.home.tenant_id, world.seed.app.app_id, "second")
    world.token()
    world.token(client_secret=second.secret.reveal())


def refused(world: World, handler: str = "token_v2", tenant: str = "", **changes: str | None) -> tuple[int, str, int]:
    answer = world.request(handler, tenant=tenant, form=world.client_credentials(**changes))
    body = json.loads(answer.body)
    assert answer.status >= 400, body
    [code] = body["error_codes"]
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    return answer.status, body["error"], code


NOWHERE = "9d2d0b7e-5a4f-4e6f-8c7e-0b6f3d1f2a10"


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ((401, "invalid_client", 7000215), {"client_secret": "wrong"}),
        ((401, "invalid_client", 7000216), {"client_secret": None}),
        ((401, "invalid_client", 7000216), {"client_secret": ""}),
        ((400, "unauthorized_client", 700016), {"client_id": NOWHERE}),
        ((400, "unauthorized_client", 700016), {"client_id": "not-a-guid"}),
        ((400, "invalid_request", 900144), {"client_id": None}),
        ((400, "invalid_request", 900144), {"grant_type": None}),
        ((400, "invalid_request", 900144), {"scope": None}),
        ((400, "unsupported_grant_type", 70003), {"grant_type": "magic"}),
        ((400, "invalid_request", 90002), {"tenant": NOWHERE}),
        ((400, "invalid_request", 90002), {"tenant": "nobody.example"}),
        ((400, "invalid_request", 900023), {"tenant": "nobody"}),
        ((400, "invalid_request", 50194), {"tenant": "common"}),
        ((400, "invalid_scope", 1002012), {"scope": f"{MTP}/Incident.Read.All"}),
        ((400, "invalid_scope", 1002012), {"scope": "User.Read"}),
        ((400, "invalid_scope", 1002012), {"scope": ".default"}),
        ((400, "invalid_scope", 1002012), {"scope": "openid offline_access"}),
        ((400, "invalid_scope", 700022), {"scope": f"{MTP}/.default https://graph.microsoft.com/.default"}),
        ((400, "invalid_resource", 500011), {"scope": "https://nobody.example/.default"}),
        ((400, "invalid_request", 901002), {"resource": MTP}),
        ((400, "invalid_request", 900144), {"handler": "token_v1", "scope": f"{MTP}/.default"}),
        ((400, "invalid_resource", 500011), {"handler": "token_v1", "resource": "https://nobody.example"}),
    ],
)
def test_refusals(world: World, expected: tuple[int, str, int], changes: dict[str, str | None]) -> None:
    assert refused(world, **changes) == expected  # type: ignore[arg-type]


def test_an_expired_secret_is_told_apart_from_a_wrong_one(world: World) -> None:
    with world.provisioning() as admin:
        old = admin.add_password(world.seed.home.tenant_id, world.seed.app.app_id, lifetime=10).secret.reveal()
    world.token(client_secret=old)
    world.clock.advance(10)
    assert refused(world, client_secret=old) == (401, "invalid_client", 7000222)
    assert refused(world, client_secret=old + "x") == (401, "invalid_client", 7000215)


def test_a_secret_of_another_application_is_wrong(world: World) -> None:
    assert refused(world, client_secret=world.seed.partner_secret)[2] == 7000215


def test_a_public_client_must_not_present_a_credential(world: World) -> None:
    assert refused(world, client_id=world.seed.native.app_id) == (401, "invalid_client", 700025)
    assert refused(world, client_id=world.seed.native.app_id, client_secret=None)[2] == 7000216


def test_a_single_tenant_application_is_unknown_elsewhere(world: World) -> None:
    assert refused(world, tenant=world.seed.customer.tenant_id) == (400, "unauthorized_client", 700016)


def test_withdrawn_consent_and_a_disabled_principal_are_refused_at_the_token(world: World) -> None:
    partner = {"client_id": world.seed.partner.app_id, "client_secret": world.seed.partner_secret}
    customer = world.seed.customer.tenant_id
    with world.provisioning() as admin:
        admin.set_principal_enabled(customer, world.seed.partner.app_id, False)
    assert refused(world, tenant=customer, **partner) == (400, "unauthorized_client", 7000112)
    with world.provisioning() as admin:
        admin.withdraw_consent(customer, world.seed.partner.app_id)
    assert refused(world, tenant=customer, **partner)[2] == 700016


def test_a_disabled_resource_is_refused(world: World) -> None:
    mtp = load_resources()["mtp"].app_id
    with world.provisioning() as admin:
        admin.set_principal_enabled(world.seed.home.tenant_id, mtp, False)
    assert refused(world) == (400, "invalid_resource", 50001)


def test_common_needs_a_tenant_even_for_a_multi_tenant_application(world: World) -> None:
    partner = {"client_id": world.seed.partner.app_id, "client_secret": world.seed.partner_secret}
    assert refused(world, tenant="common", **partner)[2] == 9001023
    assert refused(world, tenant="organizations", **partner)[2] == 90019


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe", b"grant_type=client_credentials&client_id=a&client_id=b", b"grant_type=%ff", b"a=1&" * 200],
)
def test_malformed_forms(world: World, body: bytes) -> None:
    answer = world.request("token_v2", body=body)
    assert (answer.status, json.loads(answer.body)["error_codes"]) == (400, [9002313])


@pytest.mark.parametrize("value", ["Basic", "Basic !!", "Basic YQ==", "Basic " + base64.b64encode(b"a:").decode()])
def test_malformed_basic_authentication(world: World, value: str) -> None:
    answer = world.request("token_v2", form=world.client_credentials(), headers={"authorization": value})
    expected = 200 if value == "Basic" else 400
    assert answer.status == expected


def test_two_ways_of_authentication_at_once_are_refused(world: World) -> None:
    pair = base64.b64encode(f"{world.seed.app.app_id}:{world.seed.secret}".encode()).decode()
    answer = world.request("token_v2", form=world.client_credentials(), headers={"authorization": f"Basic {pair}"})
    assert json.loads(answer.body)["error_codes"] == [9002313]


def test_no_secret_in_any_repr_or_refusal(world: World) -> None:
    answer = world.request("token_v2", form=world.client_credentials(client_secret="S3CRET-value"))
    assert b"S3CRET" not in answer.body
    with world.provisioning() as admin:
        made = admin.add_password(world.seed.home.tenant_id, world.seed.app.app_id)
    assert made.secret.reveal() not in repr(made)
    assert made.credential.hint == made.secret.reveal()[:3]


def test_the_database_holds_no_secret_in_the_clear(world: World) -> None:
    world.store.engine.dispose()
    file = Path(str(world.store.engine.url.database))
    stored = b"".join(path.read_bytes() for path in file.parent.glob("control.db*"))
    for secret in (world.seed.secret, world.seed.partner_secret, "correct horse"):
        assert secret.encode() not in stored
    assert b"BEGIN PRIVATE KEY" not in stored


def test_a_secret_of_the_service_principal_is_good_in_its_tenant_alone(world: World) -> None:
    partner, customer = world.seed.partner, world.seed.customer.tenant_id
    with world.store.begin() as connection:
        principals = ServicePrincipals(connection, customer)
        principal = principals.find(partner.app_id)
        assert principal is not None
        times = (int(START), int(START) + 60)
        changed, new = with_password(principal, world.services.secret_hasher, world.services.ids, "theirs", times)
        principals.replace(changed)
        Tenants(connection).advance_generation(customer)
    form = world.client_credentials(client_id=partner.app_id, client_secret=new.secret.reveal())
    assert world.request("token_v2", tenant=customer, form=form).status == 200
    at_home = json.loads(world.request("token_v2", form=form).body)
    assert at_home["error_codes"] in ([7000215], [700016])
    world.clock.advance(60)
    late = json.loads(world.request("token_v2", tenant=customer, form=form).body)
    assert late["error_codes"] == [7000222]
