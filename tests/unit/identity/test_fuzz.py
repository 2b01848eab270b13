"""Whatever is sent: a refusal with one code, never an exception, never a token."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vedette.identity.errors import TokenError
from vedette.identity.grants.dispatch import GRANTS
from vedette.identity.tokens.verifier import Verifier

from .world import World

RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = (
    st.sampled_from(["client_id", "client_secret", "scope", "resource", "username", "password", "client_info"])
    | st.sampled_from(["code", "refresh_token", "device_code", "redirect_uri", "code_verifier"])
    | st.sampled_from(["client_assertion", "client_assertion_type"])
)
VALUES = st.text(max_size=60) | st.sampled_from(["https://graph.microsoft.com/.default", ".default", "openid"])


def refused(status: int, body: bytes) -> None:
    document = json.loads(body)
    assert status in {400, 401}, document
    assert len(document["error_codes"]) == 1
    assert "access_token" not in document


@RELAXED
@given(
    form=st.dictionaries(NAMES, VALUES, max_size=8),
    grant_type=st.sampled_from(sorted(GRANTS)) | VALUES,
    tenant=st.sampled_from(["contoso.example", "common", "organizations"]) | st.text(min_size=1, max_size=20),
    known_client=st.booleans(),
)
def test_forms(world: World, form: dict[str, str], grant_type: str, tenant: str, known_client: bool) -> None:
    if known_client:
        form = form | {"client_id": world.seed.native.app_id}
    for handler in ("token_v1", "token_v2"):
        answer = world.request(handler, tenant=tenant, form=form | {"grant_type": grant_type})
        refused(answer.status, answer.body)


@RELAXED
@given(body=st.binary(max_size=200), authorization=st.text(max_size=40))
def test_raw_bodies(world: World, body: bytes, authorization: str) -> None:
    answer = world.request("token_v2", body=body, headers={"authorization": f"Basic {authorization}"})
    refused(answer.status, answer.body)


@RELAXED
@given(token=st.text(max_size=120) | st.from_regex(r"\A[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}\Z"))
def test_tokens(world: World, token: str) -> None:
    with pytest.raises(TokenError):
        Verifier(world.services).verify(token)


@RELAXED
@given(position=st.integers(0, 2000), letter=st.sampled_from("ABCxyz019-_"))
def test_no_letter_of_header_or_payload_can_be_changed(world: World, position: int, letter: str) -> None:
    token = world.token()
    body, _, signature = token.rpartition(".")
    position %= len(body)
    forged = f"{body[:position]}{letter}{body[position + 1 :]}.{signature}"
    if forged != token:
        with pytest.raises(TokenError):
            Verifier(world.services).verify(forged)
