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


STATE = """
import ssl, time, urllib.request
pytest_plugins = ["vedette.testing"]

def faults(admin):
    return [each["kind"] for each in admin.faults()]

def test_changes(vedette_state, vedette_admin, vedette_clock):
    vedette_admin.seed(b'{"alerts": [{"title": "Rehearsal"}]}')
    vedette_admin.add_fault({"kind": "503"})
    vedette_clock.advance(86_400)
    assert vedette_clock.time() > time.time() + 86_000
    assert faults(vedette_admin) == ["503"]

def test_finds_none_of_them(vedette_state, vedette_admin, vedette_clock):
    assert faults(vedette_admin) == []
    assert abs(vedette_clock.time() - time.time()) < 60
"""


def test_what_a_test_changes_is_undone_in_every_copy(pytester: pytest.Pytester) -> None:
    """Two workers, each with a server of its own, side by side."""
    pytester.makepyfile(test_one=STATE, test_two=STATE)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "xdist", "-n", "2", "--dist", "loadfile")
    result.assert_outcomes(passed=4)
