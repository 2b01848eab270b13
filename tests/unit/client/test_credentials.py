"""Where credentials come from, and that they do not show."""

import json
from pathlib import Path

from vedette.client.credentials import from_demo_file, from_environment

ENVIRONMENT = {
    "AZURE_AUTHORITY_HOST": "localhost:8443",
    "AZURE_TENANT_ID": "t",
    "AZURE_CLIENT_ID": "c",
    "AZURE_CLIENT_SECRET": "very-secret",
    "SSL_CERT_FILE": "/x/ca.pem",
}


def test_the_environment_is_read_as_azure_identity_reads_it() -> None:
    found = from_environment(ENVIRONMENT)
    assert found is not None
    assert (found.base_url, found.tenant_id, found.ca_file) == ("https://localhost:8443", "t", Path("/x/ca.pem"))


def test_half_an_environment_is_none() -> None:
    for name in ENVIRONMENT:
        if name.startswith("AZURE"):
            assert from_environment({key: value for key, value in ENVIRONMENT.items() if key != name}) is None


def test_the_secret_does_not_show() -> None:
    assert "very-secret" not in repr(from_environment(ENVIRONMENT))


def test_a_demo_offers_its_first_application_with_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    assert from_demo_file(path) is None
    apps = [
        {"kind": "public", "tenant_id": "t", "client_id": "p", "client_secret": None},
        {"kind": "confidential", "tenant_id": "t", "client_id": "c", "client_secret": "s"},
    ]
    path.write_text(json.dumps({"base_url": "https://h", "ca_file": None, "tenants": [], "apps": apps, "users": []}))
    found = from_demo_file(path)
    assert found is not None
    assert (found.client_id, found.ca_file) == ("c", None)
