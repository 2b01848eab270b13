"""The page that an error's `error_uri` leads to."""

import json

import pytest

from tests.unit.identity.world import World


def test_the_error_uri_leads_to_a_page_about_the_code(world: World) -> None:
    refused = json.loads(world.request("token_v2", form=world.client_credentials(client_secret="x")).body)
    query = refused["error_uri"].partition("?")[2]
    page = world.request("error_page", query=query)
    assert page.status == 200
    assert page.media_type.startswith("text/html")
    assert b"AADSTS7000215" in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("code", ["", "1", "<script>alert(1)</script>", "9" * 5000, "७०००२१५"])
def test_any_other_code_is_unknown(world: World, code: str) -> None:
    page = world.request("error_page", query=f"code={code}")
    assert page.status == 404
    assert b"<script" not in page.body
