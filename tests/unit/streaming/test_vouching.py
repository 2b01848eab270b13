"""Validation tokens, as a receiver checks them: signature, issuer, audience, time and publisher."""

import json

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.unit.identity.world import World
from tests.unit.streaming.test_reach import subscription
from vedette.contracts.notifications import load_notifications
from vedette.streaming.vouching import Voucher

OTHER_APP = "99999999-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("https://graph.microsoft.com", "https://sts.windows.net"),
        ("https://localhost:8443", "https://localhost:8443"),
    ],
)
@pytest.mark.parametrize("app_id", [None, OTHER_APP])
def test_a_receiver_finds_it_good(world: World, base_url: str, root: str, app_id: str | None) -> None:
    tenant_id = world.seed.home.tenant_id
    wanted = msgspec.structs.replace(subscription(world, "creator"), base_url=base_url, notification_url_app_id=app_id)
    token = Voucher(world.services).token(tenant_id, wanted)
    keys = KeySet.import_key_set(json.loads(world.request("keys_v1", tenant="common").body))
    decoded = jwt.decode(token, keys, algorithms=["RS256"])
    claims, now = decoded.claims, world.services.now()
    assert claims["aud"] == (app_id or world.seed.app.app_id)
    assert (claims["iss"], claims["tid"], claims["ver"]) == (f"{root}/{tenant_id}/", tenant_id, "1.0")
    assert claims["appid"] == load_notifications().publisher_app_id
    assert claims["nbf"] <= now < claims["exp"]
    assert decoded.header["kid"] == decoded.header["x5t"]
