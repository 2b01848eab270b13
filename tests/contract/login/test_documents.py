"""Discovery documents, key sets, instances and user realms as clients read them."""

import base64
import json

import pytest
from cryptography import x509
from inline_snapshot import snapshot
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.unit.identity.world import BASE, World

PUBLIC = "https://login.microsoftonline.com"


def document(world: World, handler: str, **request: str) -> dict[str, object]:
    answer = world.request(handler, **request)
    assert answer.status == 200, answer.body
    text = answer.body.decode().replace(world.seed.home.tenant_id, "{home}")
    return json.loads(text)


def test_v2_metadata_of_a_tenant_on_an_own_host(world: World) -> None:
    assert document(world, "discovery_v2", tenant="Contoso.Example") == snapshot(
        {
            "token_endpoint": "https://localhost:8443/{home}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": "https://localhost:8443/{home}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": "https://localhost:8443/{home}/v2.0",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": "https://localhost:8443/oidc/userinfo",
            "authorization_endpoint": "https://localhost:8443/{home}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": "https://localhost:8443/{home}/oauth2/v2.0/devicecode",
            "http_logout_supported": True,
            "frontchannel_logout_supported": True,
            "end_session_endpoint": "https://localhost:8443/{home}/oauth2/v2.0/logout",
            "claims_supported": [
                "sub",
                "iss",
                "cloud_instance_name",
                "cloud_instance_host_name",
                "cloud_graph_host_name",
                "msgraph_host",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "acr",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "at_hash",
                "c_hash",
                "email",
            ],
            "kerberos_endpoint": "https://localhost:8443/{home}/kerberos",
            "tenant_region_scope": "WW",
            "cloud_instance_name": "localhost:8443",
            "cloud_graph_host_name": "localhost:8443",
            "msgraph_host": "localhost:8443",
            "rbac_url": "https://localhost:8443",
        }
    )


def test_v2_metadata_of_common_on_the_real_host(world: World) -> None:
    assert document(world, "discovery_v2", tenant="common", base_url=PUBLIC) == snapshot(
        {
            "token_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": "https://login.microsoftonline.com/common/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "authorization_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
            "device_authorization_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
            "http_logout_supported": True,
            "frontchannel_logout_supported": True,
            "end_session_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/logout",
            "claims_supported": [
                "sub",
                "iss",
                "cloud_instance_name",
                "cloud_instance_host_name",
                "cloud_graph_host_name",
                "msgraph_host",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "acr",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "at_hash",
                "c_hash",
                "email",
            ],
            "kerberos_endpoint": "https://login.microsoftonline.com/common/kerberos",
            "tenant_region_scope": None,
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
            "rbac_url": "https://pas.windows.net",
        }
    )


def test_v1_metadata_of_a_tenant_on_the_real_host(world: World) -> None:
    assert document(world, "discovery_v1", base_url=PUBLIC) == snapshot(
        {
            "token_endpoint": "https://login.microsoftonline.com/{home}/oauth2/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": "https://login.microsoftonline.com/common/discovery/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
            "scopes_supported": ["openid"],
            "microsoft_multi_refresh_token": True,
            "issuer": "https://sts.windows.net/{home}/",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "authorization_endpoint": "https://login.microsoftonline.com/{home}/oauth2/authorize",
            "device_authorization_endpoint": "https://login.microsoftonline.com/{home}/oauth2/devicecode",
            "http_logout_supported": True,
            "frontchannel_logout_supported": True,
            "end_session_endpoint": "https://login.microsoftonline.com/{home}/oauth2/logout",
            "claims_supported": [
                "sub",
                "iss",
                "cloud_instance_name",
                "cloud_instance_host_name",
                "cloud_graph_host_name",
                "msgraph_host",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "acr",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "at_hash",
                "c_hash",
                "email",
            ],
            "kerberos_endpoint": "https://login.microsoftonline.com/{home}/kerberos",
            "tenant_region_scope": "WW",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
            "rbac_url": "https://pas.windows.net",
        }
    )


def test_v1_metadata_of_common(world: World) -> None:
    assert document(world, "discovery_v1", tenant="common", base_url=PUBLIC)["issuer"] == snapshot(
        "https://sts.windows.net/{tenantid}/"
    )


def test_organizations_is_answered_under_its_own_name(world: World) -> None:
    metadata = document(world, "discovery_v2", tenant="Organizations")
    assert (metadata["token_endpoint"], metadata["issuer"]) == snapshot(
        ("https://localhost:8443/organizations/oauth2/v2.0/token", "https://localhost:8443/{tenantid}/v2.0")
    )


@pytest.mark.parametrize("handler", ["keys_v1", "keys_v2"])
def test_keys_verify_the_tenants_tokens(world: World, handler: str) -> None:
    keys = json.loads(world.request(handler).body)
    [key] = keys["keys"]
    fields = {"kty", "use", "kid", "x5t", "n", "e", "x5c"}
    assert key.keys() == (fields | {"issuer"} if handler == "keys_v2" else fields)
    assert (key["kty"], key["use"], key["x5t"], key["e"]) == ("RSA", "sig", key["kid"], "AQAB")
    [encoded] = key["x5c"]
    certificate = x509.load_der_x509_certificate(base64.b64decode(encoded))
    assert certificate.public_key().key_size == 2048
    token = jwt.decode(world.token(), KeySet.import_key_set(keys), algorithms=["RS256"])
    assert token.claims["tid"] == world.seed.home.tenant_id


def test_v2_keys_name_their_issuer(world: World) -> None:
    [key] = json.loads(world.request("keys_v2").body)["keys"]
    assert key["issuer"] == f"{BASE}/{world.seed.home.tenant_id}/v2.0"


def test_common_keys_are_every_tenants(world: World) -> None:
    common = json.loads(world.request("keys_v1", tenant="common").body)["keys"]
    own = [
        json.loads(world.request("keys_v1", tenant=domain).body)["keys"][0]
        for domain in ("contoso.example", "fabrikam.example")
    ]
    assert common == own


@pytest.mark.parametrize("handler", ["discovery_v1", "discovery_v2", "keys_v1", "keys_v2"])
@pytest.mark.parametrize(
    ("tenant", "code"), [("nobody.example", 90002), ("consumers", 90002), ("nobody", 900023), ("a b", 900023)]
)
def test_unknown_tenants(world: World, handler: str, tenant: str, code: int) -> None:
    answer = world.request(handler, tenant=tenant)
    body = json.loads(answer.body)
    assert (answer.status, body["error_codes"]) == (400, [code])
    assert body["error"] == ("invalid_tenant" if code == 90002 else "invalid_request")


def instance(world: World, endpoint: str, version: str = "1.1") -> tuple[int, dict[str, object]]:
    query = f"api-version={version}&authorization_endpoint={endpoint}"
    answer = world.request("instance_discovery", tenant="common", query=query)
    return answer.status, json.loads(answer.body)


def test_instance_discovery_of_the_real_host(world: World) -> None:
    assert instance(world, f"{PUBLIC}/contoso.example/oauth2/v2.0/authorize") == snapshot(
        (
            200,
            {
                "tenant_discovery_endpoint": "https://login.microsoftonline.com/contoso.example/v2.0/.well-known/openid-configuration",
                "api-version": "1.1",
                "metadata": [
                    {
                        "preferred_network": "login.microsoftonline.com",
                        "preferred_cache": "login.windows.net",
                        "aliases": [
                            "login.microsoft.com",
                            "login.microsoftonline.com",
                            "login.windows.net",
                            "sts.windows.net",
                        ],
                    }
                ],
            },
        )
    )


def test_instance_discovery_of_an_own_host(world: World) -> None:
    assert instance(world, f"{BASE}/common/oauth2/v2.0/authorize", "1.0") == snapshot(
        (
            200,
            {
                "tenant_discovery_endpoint": "https://localhost:8443/common/v2.0/.well-known/openid-configuration",
                "api-version": "1.0",
                "metadata": [
                    {
                        "preferred_network": "localhost:8443",
                        "preferred_cache": "localhost:8443",
                        "aliases": ["localhost:8443"],
                    }
                ],
            },
        )
    )


@pytest.mark.parametrize("endpoint", ["https://evil.example/common/oauth2/v2.0/authorize", "http://localhost/x", ""])
def test_unknown_instances(world: World, endpoint: str) -> None:
    status, body = instance(world, endpoint)
    assert (status, body["error"], body["error_codes"]) == (400, "invalid_instance", [50049])


def test_user_realm(world: World) -> None:
    known = document(world, "user_realm", tenant="common", upn="Ada@Contoso.Example", base_url=PUBLIC)
    assert known == snapshot(
        {
            "ver": "1.0",
            "account_type": "Managed",
            "domain_name": "contoso.example",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }
    )
    unknown = document(world, "user_realm", tenant="common", upn="eve@elsewhere.example", base_url=PUBLIC)
    assert unknown == snapshot(
        {
            "ver": "1.0",
            "account_type": "Unknown",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }
    )


def test_documents_can_be_read_by_pages_elsewhere(world: World) -> None:
    headers = world.request("discovery_v2").headers
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in world.request("token_v2", form=world.client_credentials()).headers
