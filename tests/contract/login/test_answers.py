"""Bodies and headers of the token endpoints, word for word."""
# ruff: noqa: E501 — wire texts stand on one line, as they are sent

import base64
import json

from inline_snapshot import snapshot

from tests.unit.identity.world import MTP, REQUEST_ID, World

CORRELATION = "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d"


def test_success_on_v2(world: World) -> None:
    answer = world.request("token_v2", form=world.client_credentials())
    body = json.loads(answer.body)
    assert body.pop("access_token").count(".") == 2
    assert body == snapshot({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599})
    assert answer.media_type == "application/json"


def test_success_on_v1_has_numbers_as_strings(world: World) -> None:
    answer = world.request("token_v1", form=world.client_credentials(scope=None, resource=MTP))
    body = json.loads(answer.body)
    assert body.pop("access_token").count(".") == 2
    assert body == snapshot(
        {
            "token_type": "Bearer",
            "expires_in": "3599",
            "ext_expires_in": "3599",
            "expires_on": "1800003599",
            "not_before": "1800000000",
            "resource": "https://api.security.microsoft.com",
        }
    )


def test_headers(world: World) -> None:
    headers = {"client-request-id": CORRELATION, "return-client-request-id": "true"}
    answer = world.request("token_v2", form=world.client_credentials(), headers=headers)
    assert answer.headers == snapshot(
        {
            "cache-control": "no-store, no-cache",
            "pragma": "no-cache",
            "x-ms-request-id": "11111111-2222-3333-4444-555555555555",
            "x-ms-ests-server": "vedette",
            "x-ms-clitelem": "1,0,0,,",
            "client-request-id": "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d",
        }
    )


def test_headers_of_a_refusal(world: World) -> None:
    answer = world.request("token_v2", form=world.client_credentials(client_secret="wrong"))
    assert answer.headers == snapshot(
        {
            "cache-control": "no-store, no-cache",
            "pragma": "no-cache",
            "x-ms-request-id": "11111111-2222-3333-4444-555555555555",
            "x-ms-ests-server": "vedette",
            "x-ms-clitelem": "1,7000215,0,,",
        }
    )


def refusal(world: World, **changes: str | None) -> tuple[int, dict[str, object]]:
    tenant = changes.pop("tenant", "") or ""
    answer = world.request(
        "token_v2",
        tenant=tenant,
        form=world.client_credentials(**changes),
        headers={"client-request-id": CORRELATION.upper()},
    )
    text = answer.body.decode().replace(world.seed.app.app_id, "{app}").replace(world.seed.home.tenant_id, "{home}")
    return answer.status, json.loads(text)


def test_wrong_secret(world: World) -> None:
    assert refusal(world, client_secret="wrong") == snapshot(
        (
            401,
            {
                "error": "invalid_client",
                "error_description": "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'. Trace ID: 11111111-2222-3333-4444-555555555555 Correlation ID: 0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d Timestamp: 2027-01-15 08:00:00Z",
                "error_codes": [7000215],
                "timestamp": "2027-01-15 08:00:00Z",
                "trace_id": "11111111-2222-3333-4444-555555555555",
                "correlation_id": "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d",
                "error_uri": "https://localhost:8443/error?code=7000215",
            },
        )
    )


def test_unknown_application(world: World) -> None:
    assert refusal(world, client_id="00000000-0000-4000-8000-000000000000") == snapshot(
        (
            400,
            {
                "error": "unauthorized_client",
                "error_description": "AADSTS700016: Application with identifier '00000000-0000-4000-8000-000000000000' was not found in the directory 'Contoso'. It has not been installed by an administrator of the tenant or consented to by any user in it; check that the request names the right tenant. Trace ID: 11111111-2222-3333-4444-555555555555 Correlation ID: 0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d Timestamp: 2027-01-15 08:00:00Z",
                "error_codes": [700016],
                "timestamp": "2027-01-15 08:00:00Z",
                "trace_id": "11111111-2222-3333-4444-555555555555",
                "correlation_id": "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d",
                "error_uri": "https://localhost:8443/error?code=700016",
            },
        )
    )


def test_unknown_tenant(world: World) -> None:
    assert refusal(world, tenant="nobody.example") == snapshot(
        (
            400,
            {
                "error": "invalid_request",
                "error_description": "AADSTS90002: Tenant 'nobody.example' not found. Check that the tenant ID or domain is right and that the request goes to the right server. Trace ID: 11111111-2222-3333-4444-555555555555 Correlation ID: 0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d Timestamp: 2027-01-15 08:00:00Z",
                "error_codes": [90002],
                "timestamp": "2027-01-15 08:00:00Z",
                "trace_id": "11111111-2222-3333-4444-555555555555",
                "correlation_id": "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d",
                "error_uri": "https://localhost:8443/error?code=90002",
            },
        )
    )


def test_bad_scope(world: World) -> None:
    assert refusal(world, scope=f"{MTP}/Incident.Read.All") == snapshot(
        (
            400,
            {
                "error": "invalid_scope",
                "error_description": "AADSTS1002012: The provided value for scope https://api.security.microsoft.com/Incident.Read.All is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI). Trace ID: 11111111-2222-3333-4444-555555555555 Correlation ID: 0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d Timestamp: 2027-01-15 08:00:00Z",
                "error_codes": [1002012],
                "timestamp": "2027-01-15 08:00:00Z",
                "trace_id": "11111111-2222-3333-4444-555555555555",
                "correlation_id": "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d",
                "error_uri": "https://localhost:8443/error?code=1002012",
            },
        )
    )


def test_unknown_resource(world: World) -> None:
    assert refusal(world, scope="https://nobody.example/.default") == snapshot(
        (
            400,
            {
                "error": "invalid_resource",
                "error_description": "AADSTS500011: The resource principal named https://nobody.example was not found in the tenant named Contoso. The application has not been installed by the administrator of the tenant or consented to by any user in it; check that the request names the right tenant. Trace ID: 11111111-2222-3333-4444-555555555555 Correlation ID: 0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d Timestamp: 2027-01-15 08:00:00Z",
                "error_codes": [500011],
                "timestamp": "2027-01-15 08:00:00Z",
                "trace_id": "11111111-2222-3333-4444-555555555555",
                "correlation_id": "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d",
                "error_uri": "https://localhost:8443/error?code=500011",
            },
        )
    )


def test_unsupported_grant(world: World) -> None:
    assert refusal(world, grant_type="urn:ietf:params:oauth:grant-type:saml2-bearer") == snapshot(
        (
            400,
            {
                "error": "unsupported_grant_type",
                "error_description": "AADSTS70003: The app requested an unsupported grant type 'urn:ietf:params:oauth:grant-type:saml2-bearer'. Trace ID: 11111111-2222-3333-4444-555555555555 Correlation ID: 0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d Timestamp: 2027-01-15 08:00:00Z",
                "error_codes": [70003],
                "timestamp": "2027-01-15 08:00:00Z",
                "trace_id": "11111111-2222-3333-4444-555555555555",
                "correlation_id": "0d0d0d0d-0d0d-4d0d-8d0d-0d0d0d0d0d0d",
            },
        )
    )


def test_a_correlation_id_that_is_no_guid_is_not_echoed(world: World) -> None:
    headers = {"client-request-id": "x\r\nSet-Cookie: a=b", "return-client-request-id": "true"}
    answer = world.request("token_v2", form={}, headers=headers)
    assert answer.headers["client-request-id"] == json.loads(answer.body)["correlation_id"] == REQUEST_ID


def test_basic_authentication_is_challenged_when_it_fails(world: World) -> None:
    pair = base64.b64encode(f"{world.seed.app.app_id}:wrong".encode()).decode()
    form = world.client_credentials(client_id=None, client_secret=None)
    answer = world.request("token_v2", form=form, headers={"authorization": f"Basic {pair}"})
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Basic realm="vedette"')
    in_body = world.request("token_v2", form=world.client_credentials(client_secret="wrong"))
    assert "www-authenticate" not in in_body.headers


def test_getting_a_token_endpoint(world: World) -> None:
    answer = world.request("token_get")
    body = json.loads(answer.body)
    assert (answer.status, body["error"], body["error_codes"]) == (400, "invalid_request", [900561])
    assert body["error_description"].startswith("AADSTS900561: The endpoint only accepts POST requests.")


def test_a_form_in_the_body_of_a_get(world: World) -> None:
    form = world.client_credentials(scope=None, resource=MTP)
    answer = world.request("token_v1_get", form=form)
    assert (answer.status, json.loads(answer.body)["resource"]) == (200, MTP)
    for operation, sent in (("token_v1_get", None), ("token_get", form)):
        refused = world.request(operation, form=sent)
        assert (refused.status, json.loads(refused.body)["error_codes"]) == (400, [900561])
