"""Revocation and new signing keys by command, in every process of a running server."""

import base64
import json
import time

from .conftest import XDR, Demo, vedette

PROBES = 40
"""Fresh connections, so that every web process is asked."""


def status(demo: Demo, token: str) -> int:
    with demo.server.client(headers={"Authorization": f"Bearer {token}"}) as client:
        return client.get("/api/incidents?$top=1").status_code


def kid(token: str) -> str:
    header = token.split(".", maxsplit=1)[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def test_revoked_tokens_fail_everywhere_within_a_second(demo: Demo) -> None:
    home, customer = demo.document["tenants"][:2]
    token, elsewhere = demo.token(XDR), demo.token(XDR, app=partner_of(demo), tenant=1)
    assert {status(demo, token) for _ in range(10)} == {200}
    vedette("tenant", "revoke-tokens", home["domain"], "--data", demo.server.data)
    time.sleep(1)
    assert {status(demo, token) for _ in range(PROBES)} == {401}
    assert {status(demo, elsewhere) for _ in range(10)} == {200}, customer["domain"]
    assert status(demo, demo.token(XDR)) == 200


def partner_of(demo: Demo) -> int:
    kinds = [app["kind"] for app in demo.document["apps"]]
    return kinds.index("multitenant")


def test_a_new_key_signs_everywhere_and_the_old_one_still_verifies(demo: Demo) -> None:
    before = demo.token(XDR)
    answer = vedette("tenant", "rotate-key", demo.document["tenants"][0]["domain"], "--data", demo.server.data)
    time.sleep(1)
    after = {kid(demo.token(XDR)) for _ in range(10)}
    assert after == {answer.stdout.split()[-1]}
    assert kid(before) not in after
    assert {status(demo, before) for _ in range(10)} == {200}
