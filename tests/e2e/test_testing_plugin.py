"""The pytest plugin as a user enables it."""

import pytest

pytest_plugins = ["pytester"]

TEST = """
import ssl, urllib.parse, urllib.request
pytest_plugins = ["vedette.testing"]

def test_a_token(vedette_server, vedette_app, vedette_clock):
    vedette_clock.advance(1)
    form = {"grant_type": "client_credentials", "client_id": vedette_app["client_id"],
            "client_secret": vedette_app["client_secret"], "resource": "https://graph.microsoft.com"}
    url = f"{vedette_server.base_url}/{vedette_app['tenant_id']}/oauth2/token"
    tls = ssl.create_default_context(cafile=vedette_server.ca_file)
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), context=tls) as answer:
        assert answer.status == 200
"""


def test_its_fixtures_work(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TEST)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
