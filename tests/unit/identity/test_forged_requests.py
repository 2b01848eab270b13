"""Forged and broken token requests (RFC 6749, 7523, 7636, 8628, 8693): each is refused by number, none yields a token.

A row is what is sent and what comes back. The rows change nothing that another row needs, so one world serves all.
"""

import json
import re
from collections.abc import Callable, Iterator

import msgspec
import pytest

from vedette.identity.directory.credentials import thumbprint

from .conftest import Template
from .forgery import (
    CURVE,
    DER,
    DEVICE_CODE,
    STRANGER,
    STRANGERS,
    STRANGERS_CHAIN,
    STRANGERS_DER,
    X5T,
    Sent,
    Stage,
    altered,
    basic,
    cut,
    keyed_with_the_certificate,
    prepared,
    raw,
    signed_by_the_customer,
    unsigned,
    used_code,
)
from .test_user_grants import REDIRECT, VERIFIER, challenge
from .world import MTP, PASSWORD, START, copy_world

Make = Callable[[Stage], Sent]
Answer = tuple[int, str, int]

ROWS: list[tuple[str, Make, Answer]] = [
    ("no grant_type", lambda s: Sent(form=s.ask(grant_type=None)), (400, "invalid_request", 900144)),
    ("empty grant_type", lambda s: Sent(form=s.ask(grant_type="")), (400, "invalid_request", 900144)),
    ("unknown grant", lambda s: Sent(form=s.ask(grant_type="implicit")), (400, "unsupported_grant_type", 70003)),
    (
        "grant in other letters",
        lambda s: Sent(form=s.ask(grant_type="Client_Credentials")),
        (400, "unsupported_grant_type", 70003),
    ),
    (
        "SAML bearer grant",
        lambda s: Sent(form=s.ask(grant_type="urn:ietf:params:oauth:grant-type:saml2-bearer")),
        (400, "unsupported_grant_type", 70003),
    ),
    (
        "token exchange",
        lambda s: Sent(
            form=s.ask(grant_type="urn:ietf:params:oauth:grant-type:token-exchange", subject_token=s.access_token)
        ),
        (400, "unsupported_grant_type", 70003),
    ),
    (
        "two grants in one",
        lambda s: Sent(form=s.ask(grant_type="client_credentials password")),
        (400, "unsupported_grant_type", 70003),
    ),
    (
        "GET with everything in the query",
        lambda s: Sent("token_get", query="grant_type=client_credentials"),
        (400, "invalid_request", 900561),
    ),
    (
        "everything in the query of a POST",
        lambda s: Sent(body=b"", query="grant_type=client_credentials&scope=x"),
        (400, "invalid_request", 900144),
    ),
    (
        "JSON in place of a form",
        lambda s: Sent(body=raw(json.dumps(s.ask())), headers={"content-type": "application/json"}),
        (400, "invalid_request", 900144),
    ),
    (
        "multipart in place of a form",
        lambda s: Sent(
            body=b"--x\r\ncontent-disposition: form-data; name=grant_type\r\n\r\npassword\r\n--x--",
            headers={"content-type": "multipart/form-data; boundary=x"},
        ),
        (400, "invalid_request", 900144),
    ),
    (
        "bytes that are no text",
        lambda s: Sent(body=b"grant_type=client_credentials&client_id=%ff"),
        (400, "invalid_request", 9002313),
    ),
    ("a NUL in a value", lambda s: Sent(form=s.ask(scope=f"{MTP}/.default\0")), (400, "invalid_request", 9002313)),
    (
        "more than a hundred fields",
        lambda s: Sent(form=s.ask() | {f"x{number}": "" for number in range(101)}),
        (400, "invalid_request", 9002313),
    ),
    (
        "grant_type twice",
        lambda s: Sent(body=raw("grant_type=password&grant_type=client_credentials")),
        (400, "invalid_request", 9002313),
    ),
    (
        "client_id twice",
        lambda s: Sent(
            body=raw(f"grant_type=client_credentials&client_id={STRANGER}&client_id={s.world.seed.app.app_id}")
        ),
        (400, "invalid_request", 9002313),
    ),
    (
        "client_secret twice",
        lambda s: Sent(
            body=raw(
                f"grant_type=client_credentials&client_id={s.world.seed.app.app_id}&client_secret=x&client_secret={s.world.seed.secret}"
            )
        ),
        (400, "invalid_request", 9002313),
    ),
    (
        "scope twice",
        lambda s: Sent(body=raw(f"grant_type=client_credentials&client_id={s.world.seed.app.app_id}&scope=a&scope=b")),
        (400, "invalid_request", 9002313),
    ),
    ("tenant that is no name", lambda s: Sent(form=s.ask(), tenant="not a tenant"), (400, "invalid_request", 900023)),
    ("tenant that climbs", lambda s: Sent(form=s.ask(), tenant="../../common"), (400, "invalid_request", 900023)),
    ("unknown tenant id", lambda s: Sent(form=s.ask(), tenant=STRANGER), (400, "invalid_request", 90002)),
    ("unknown domain", lambda s: Sent(form=s.ask(), tenant="nobody.example"), (400, "invalid_request", 90002)),
    (
        "client credentials at common",
        lambda s: Sent(
            form=s.ask(client_id=s.world.seed.partner.app_id, client_secret=s.world.seed.partner_secret),
            tenant="common",
        ),
        (400, "invalid_request", 9001023),
    ),
    (
        "client credentials at organizations",
        lambda s: Sent(
            form=s.ask(client_id=s.world.seed.partner.app_id, client_secret=s.world.seed.partner_secret),
            tenant="organizations",
        ),
        (400, "invalid_request", 90019),
    ),
    (
        "client credentials at consumers",
        lambda s: Sent(form=s.ask(), tenant="consumers"),
        (400, "invalid_request", 50194),
    ),
    ("no client_id", lambda s: Sent(form=s.ask(client_id=None)), (400, "invalid_request", 900144)),
    ("unknown client", lambda s: Sent(form=s.ask(client_id=STRANGER)), (400, "unauthorized_client", 700016)),
    (
        "client_id that is no id",
        lambda s: Sent(form=s.ask(client_id="' or 1=1 --")),
        (400, "unauthorized_client", 700016),
    ),
    (
        "client of one tenant in another",
        lambda s: Sent(form=s.ask(), tenant=s.world.seed.customer.tenant_id),
        (400, "unauthorized_client", 700016),
    ),
    ("no credential", lambda s: Sent(form=s.ask(client_secret=None)), (401, "invalid_client", 7000216)),
    ("empty secret", lambda s: Sent(form=s.ask(client_secret="")), (401, "invalid_client", 7000216)),
    ("wrong secret", lambda s: Sent(form=s.ask(client_secret="wrong")), (401, "invalid_client", 7000215)),
    (
        "secret in capitals",
        lambda s: Sent(form=s.ask(client_secret=s.world.seed.secret.swapcase())),
        (401, "invalid_client", 7000215),
    ),
    (
        "secret with a space",
        lambda s: Sent(form=s.ask(client_secret=s.world.seed.secret + " ")),
        (401, "invalid_client", 7000215),
    ),
    (
        "another application's secret",
        lambda s: Sent(form=s.ask(client_secret=s.world.seed.partner_secret)),
        (401, "invalid_client", 7000215),
    ),
    (
        "secret of a public client",
        lambda s: Sent(form=s.ask(client_id=s.world.seed.native.app_id)),
        (401, "invalid_client", 700025),
    ),
    (
        "public client for itself",
        lambda s: Sent(form=s.ask(client_id=s.world.seed.native.app_id, client_secret=None)),
        (401, "invalid_client", 7000216),
    ),
    (
        "secret sent by a page",
        lambda s: Sent(form=s.ask(), headers={"origin": "https://page.example"}),
        (400, "invalid_request", 9002313),
    ),
    (
        "secret in header and body",
        lambda s: Sent(form=s.ask(), headers=basic(f"{s.world.seed.app.app_id}:{s.world.seed.secret}")),
        (400, "invalid_request", 9002313),
    ),
    (
        "header of one client, body of another",
        lambda s: Sent(
            form=s.ask(client_secret=None, client_id=s.world.seed.partner.app_id),
            headers=basic(f"{s.world.seed.app.app_id}:{s.world.seed.secret}"),
        ),
        (400, "invalid_request", 9002313),
    ),
    (
        "header that is not base64",
        lambda s: Sent(form=s.ask(client_secret=None), headers={"authorization": "Basic %%%"}),
        (400, "invalid_request", 9002313),
    ),
    (
        "header without a colon",
        lambda s: Sent(form=s.ask(client_secret=None), headers=basic("only")),
        (400, "invalid_request", 9002313),
    ),
    (
        "header without a secret",
        lambda s: Sent(form=s.ask(client_secret=None), headers=basic(f"{s.world.seed.app.app_id}:")),
        (400, "invalid_request", 90014),
    ),
    (
        "header with a wrong secret",
        lambda s: Sent(form=s.ask(client_secret=None), headers=basic(f"{s.world.seed.app.app_id}:wrong")),
        (401, "invalid_client", 7000215),
    ),
    ("no scope", lambda s: Sent(form=s.ask(scope=None)), (400, "invalid_request", 900144)),
    ("scope of blanks", lambda s: Sent(form=s.ask(scope="  ")), (400, "invalid_scope", 1002012)),
    (
        "permission in place of .default",
        lambda s: Sent(form=s.ask(scope=f"{MTP}/Incident.Read.All")),
        (400, "invalid_scope", 1002012),
    ),
    (
        "two resources",
        lambda s: Sent(form=s.ask(scope=f"{MTP}/.default https://graph.microsoft.com/.default")),
        (400, "invalid_scope", 700022),
    ),
    (
        "unknown resource",
        lambda s: Sent(form=s.ask(scope="https://nobody.example/.default")),
        (400, "invalid_resource", 500011),
    ),
    (".default of nothing", lambda s: Sent(form=s.ask(scope="/.default")), (400, "invalid_scope", 700023)),
    ("resource at the v2 endpoint", lambda s: Sent(form=s.ask(resource=MTP)), (400, "invalid_request", 901002)),
    (
        "no resource at the v1 endpoint",
        lambda s: Sent("token_v1", form=s.ask(scope=None)),
        (400, "invalid_request", 900144),
    ),
    (
        "unknown resource at the v1 endpoint",
        lambda s: Sent("token_v1", form=s.ask(scope=None, resource="https://nobody.example")),
        (400, "invalid_resource", 500011),
    ),
    (
        "assertion without its type",
        lambda s: s.asserted(s.assertion(), client_assertion_type=None),
        (400, "invalid_request", 900144),
    ),
    (
        "assertion of another type",
        lambda s: s.asserted(
            s.assertion(), client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
        ),
        (400, "invalid_request", 900144),
    ),
    (
        "assertion and secret",
        lambda s: s.asserted(s.assertion(), client_secret=s.world.seed.secret),
        (400, "invalid_request", 9002313),
    ),
    ("assertion that is no JWT", lambda s: s.asserted("x.y.z"), (401, "invalid_client", 50012)),
    ("assertion under alg none", lambda s: s.asserted(unsigned(s.assertion())), (401, "invalid_client", 700027)),
    (
        "assertion by HMAC with the certificate",
        lambda s: s.asserted(keyed_with_the_certificate(s.assertion())),
        (401, "invalid_client", 700027),
    ),
    ("assertion by ES256", lambda s: s.asserted(s.assertion(alg="ES256", key=CURVE)), (401, "invalid_client", 700027)),
    ("assertion by RS512", lambda s: s.asserted(s.assertion(alg="RS512")), (401, "invalid_client", 700027)),
    (
        "assertion by a stranger's key",
        lambda s: s.asserted(s.assertion(key=STRANGERS)),
        (401, "invalid_client", 700027),
    ),
    ("assertion with the signature cut off", lambda s: s.asserted(cut(s.assertion())), (401, "invalid_client", 700027)),
    (
        "assertion with other claims",
        lambda s: s.asserted(altered(s.assertion(exp=START - 1000), exp=START + 1000)),
        (401, "invalid_client", 700027),
    ),
    (
        "assertion by an unknown certificate",
        lambda s: s.asserted(s.assertion(key=STRANGERS, header={"x5t": thumbprint(STRANGERS_DER, "sha1")})),
        (401, "invalid_client", 700027),
    ),
    (
        "assertion that brings a self-issued certificate",
        lambda s: s.asserted(s.assertion(key=STRANGERS, header={"x5t": X5T, "x5c": STRANGERS_CHAIN})),
        (401, "invalid_client", 700027),
    ),
    (
        "assertion with x5c alone",
        lambda s: s.asserted(s.assertion(key=STRANGERS, header={"x5c": STRANGERS_CHAIN})),
        (401, "invalid_client", 50012),
    ),
    (
        "assertion whose thumbprints disagree",
        lambda s: s.asserted(s.assertion(header={"x5t": X5T, "x5t#S256": thumbprint(STRANGERS_DER, "sha256")})),
        (401, "invalid_client", 700027),
    ),
    (
        "assertion with a SHA-1 thumbprint as SHA-256",
        lambda s: s.asserted(s.assertion(header={"x5t#S256": X5T})),
        (401, "invalid_client", 700027),
    ),
    ("assertion without a thumbprint", lambda s: s.asserted(s.assertion(header={})), (401, "invalid_client", 50012)),
    (
        "assertion with a kid that climbs",
        lambda s: s.asserted(s.assertion(key=STRANGERS, header={"kid": "../../../../dev/null"})),
        (401, "invalid_client", 50012),
    ),
    (
        "assertion with a kid that is SQL",
        lambda s: s.asserted(s.assertion(key=STRANGERS, header={"kid": "x' union select '1"})),
        (401, "invalid_client", 50012),
    ),
    (
        "assertion that brings its key",
        lambda s: s.asserted(s.assertion(key=STRANGERS, header={"x5t": X5T, "jwk": STRANGERS.as_dict(private=False)})),
        (401, "invalid_client", 700027),
    ),
    (
        "assertion that names a key set",
        lambda s: s.asserted(s.assertion(key=STRANGERS, header={"x5t": X5T, "jku": "https://evil.example/keys"})),
        (401, "invalid_client", 700027),
    ),
    (
        "assertion issued by another client",
        lambda s: s.asserted(s.assertion(iss=s.world.seed.partner.app_id)),
        (401, "invalid_client", 700021),
    ),
    (
        "assertion about another client",
        lambda s: s.asserted(s.assertion(sub=s.world.seed.partner.app_id)),
        (401, "invalid_client", 700021),
    ),
    ("assertion without an issuer", lambda s: s.asserted(s.assertion(iss=None)), (401, "invalid_client", 700021)),
    ("assertion without a subject", lambda s: s.asserted(s.assertion(sub=None)), (401, "invalid_client", 700021)),
    (
        "assertion for another server",
        lambda s: s.asserted(s.assertion(aud="https://login.elsewhere.example/token")),
        (401, "invalid_client", 50012),
    ),
    (
        "assertion for another tenant",
        lambda s: s.asserted(s.assertion(aud=s.endpoint(s.world.seed.customer.tenant_id))),
        (401, "invalid_client", 50012),
    ),
    ("assertion for nobody", lambda s: s.asserted(s.assertion(aud=None)), (401, "invalid_client", 50012)),
    ("assertion that is over", lambda s: s.asserted(s.assertion(exp=START - 301)), (401, "invalid_client", 700024)),
    ("assertion of the future", lambda s: s.asserted(s.assertion(nbf=START + 301)), (401, "invalid_client", 700024)),
    ("assertion without an end", lambda s: s.asserted(s.assertion(exp=None)), (401, "invalid_client", 50012)),
    ("assertion that ends true", lambda s: s.asserted(s.assertion(exp=True)), (401, "invalid_client", 50012)),
    ("assertion that ends in words", lambda s: s.asserted(s.assertion(exp="tomorrow")), (401, "invalid_client", 50012)),
    ("access token as assertion", lambda s: s.asserted(s.access_token), (401, "invalid_client", 700027)),
    (
        "assertion by the client of another tenant",
        lambda s: s.asserted(s.assertion(), client_id=s.world.seed.partner.app_id),
        (401, "invalid_client", 700027),
    ),
    ("no code", lambda s: s.redeem(None), (400, "invalid_request", 900144)),
    ("unknown code", lambda s: s.redeem("0.AAAA"), (400, "invalid_grant", 70000)),
    ("refresh token as code", lambda s: s.redeem(s.refresh_token), (400, "invalid_grant", 70000)),
    ("device code as code", lambda s: s.redeem(s.device_code()), (400, "invalid_grant", 70000)),
    ("code used twice", lambda s: s.redeem(used_code(s)), (400, "invalid_grant", 54005)),
    ("code of another client", lambda s: s.redeem(s.code(), client_id=s.other_native), (400, "invalid_grant", 70000)),
    (
        "code by a confidential client",
        lambda s: s.redeem(s.code(), client_id=s.world.seed.app.app_id, client_secret=s.world.seed.secret),
        (400, "invalid_grant", 70000),
    ),
    (
        "code at another tenant",
        lambda s: msgspec.structs.replace(s.redeem(s.code()), tenant=s.world.seed.customer.tenant_id),
        (400, "unauthorized_client", 700016),
    ),
    ("no redirect_uri", lambda s: s.redeem(s.code(), redirect_uri=None), (400, "invalid_request", 900144)),
    (
        "redirect_uri with a slash more",
        lambda s: s.redeem(s.code(), redirect_uri=REDIRECT + "/"),
        (400, "invalid_client", 50011),
    ),
    (
        "redirect_uri of another port",
        lambda s: s.redeem(s.code(), redirect_uri="http://localhost:50124"),
        (400, "invalid_client", 50011),
    ),
    (
        "redirect_uri of the attacker",
        lambda s: s.redeem(s.code(), redirect_uri="https://evil.example"),
        (400, "invalid_client", 50011),
    ),
    ("no verifier", lambda s: s.redeem(s.code(), code_verifier=None), (400, "invalid_grant", 50148)),
    ("empty verifier", lambda s: s.redeem(s.code(), code_verifier=""), (400, "invalid_grant", 501481)),
    ("wrong verifier", lambda s: s.redeem(s.code(), code_verifier="w" * 64), (400, "invalid_grant", 501481)),
    (
        "the challenge as verifier",
        lambda s: s.redeem(s.code(), code_verifier=challenge(VERIFIER)),
        (400, "invalid_grant", 501481),
    ),
    (
        "wrong plain verifier",
        lambda s: s.redeem(s.code(code_challenge=VERIFIER, code_challenge_method="plain"), code_verifier="w" * 64),
        (400, "invalid_grant", 501481),
    ),
    (
        "hash of a plain verifier",
        lambda s: s.redeem(
            s.code(code_challenge=VERIFIER, code_challenge_method="plain"), code_verifier=challenge(VERIFIER)
        ),
        (400, "invalid_grant", 501481),
    ),
    (
        "verifier without a challenge",
        lambda s: s.redeem(s.code(code_challenge=None, code_challenge_method=None)),
        (400, "invalid_grant", 501481),
    ),
    ("verifier too short", lambda s: s.redeem(s.code(), code_verifier="v" * 42), (400, "invalid_grant", 501481)),
    (
        "code with a secret of a public client",
        lambda s: s.redeem(s.code(), client_secret="x"),
        (401, "invalid_client", 700025),
    ),
    ("code for a blank scope", lambda s: s.redeem(s.code(), scope=" "), (400, "invalid_scope", 28003)),
    (
        "code for more than was consented",
        lambda s: s.redeem(s.code(), scope=f"{MTP}/Incident.ReadWrite"),
        (400, "invalid_grant", 65001),
    ),
    ("no refresh token", lambda s: s.refresh(refresh_token=None), (400, "invalid_request", 900144)),
    ("unknown refresh token", lambda s: s.refresh(refresh_token="0.AAAA"), (400, "invalid_grant", 70000)),
    ("access token as refresh token", lambda s: s.refresh(refresh_token=s.access_token), (400, "invalid_grant", 70000)),
    ("code as refresh token", lambda s: s.refresh(refresh_token=s.code()), (400, "invalid_grant", 70000)),
    ("refresh token of another client", lambda s: s.refresh(client_id=s.other_native), (400, "invalid_grant", 70000)),
    (
        "refresh token by a confidential client",
        lambda s: s.refresh(client_id=s.world.seed.app.app_id, client_secret=s.world.seed.secret),
        (400, "invalid_grant", 70000),
    ),
    (
        "refresh token at another tenant",
        lambda s: msgspec.structs.replace(s.refresh(), tenant=s.world.seed.customer.tenant_id),
        (400, "unauthorized_client", 700016),
    ),
    (
        "refresh token for another resource",
        lambda s: s.refresh(scope="https://graph.microsoft.com/User.Read"),
        (400, "invalid_grant", 65001),
    ),
    (
        "refresh token for more than was consented",
        lambda s: s.refresh(scope=f"{MTP}/Incident.ReadWrite"),
        (400, "invalid_grant", 65001),
    ),
    ("no device code", lambda s: s.native(DEVICE_CODE), (400, "invalid_request", 900144)),
    (
        "unknown device code",
        lambda s: s.native(DEVICE_CODE, device_code="0.AAAA"),
        (400, "bad_verification_code", 70018),
    ),
    (
        "device code before approval",
        lambda s: s.native(DEVICE_CODE, device_code=s.device_code()),
        (400, "authorization_pending", 70016),
    ),
    (
        "device code of another client",
        lambda s: s.native(DEVICE_CODE, device_code=s.device_code(), client_id=s.other_native),
        (400, "bad_verification_code", 70018),
    ),
    (
        "user code as device code",
        lambda s: s.native(DEVICE_CODE, device_code=s.device_code("user_code")),
        (400, "bad_verification_code", 70018),
    ),
    (
        "device code at another tenant",
        lambda s: msgspec.structs.replace(
            s.native(DEVICE_CODE, device_code=s.device_code()), tenant=s.world.seed.customer.tenant_id
        ),
        (400, "unauthorized_client", 700016),
    ),
    ("wrong password", lambda s: s.password(password="wrong"), (400, "invalid_grant", 50126)),
    ("password in capitals", lambda s: s.password(password=PASSWORD.reveal().upper()), (400, "invalid_grant", 50126)),
    ("unknown person", lambda s: s.password(username="nobody@contoso.example"), (400, "invalid_grant", 50034)),
    ("person of another tenant", lambda s: s.password(username="boss@fabrikam.example"), (400, "invalid_grant", 90072)),
    ("no user name", lambda s: s.password(username=None), (400, "invalid_request", 900144)),
    ("no password", lambda s: s.password(password=None), (400, "invalid_request", 900144)),
    (
        "password at common",
        lambda s: msgspec.structs.replace(s.password(), tenant="common"),
        (400, "invalid_request", 50194),
    ),
    (
        "password with the client's own name",
        lambda s: s.password(username=s.world.seed.native.app_id),
        (400, "invalid_grant", 50034),
    ),
    ("exchange without an assertion", lambda s: s.behalf(None), (400, "invalid_request", 900144)),
    (
        "exchange without a use",
        lambda s: s.behalf(s.for_api, requested_token_use=None),
        (400, "invalid_request", 900144),
    ),
    (
        "exchange for another use",
        lambda s: s.behalf(s.for_api, requested_token_use="logon"),
        (400, "invalid_request", 9002313),
    ),
    ("exchange of words", lambda s: s.behalf("x.y.z"), (400, "invalid_grant", 50013)),
    ("exchange of a token for another audience", lambda s: s.behalf(s.access_token), (400, "invalid_grant", 50013)),
    ("exchange of an id_token", lambda s: s.behalf(s.id_token), (400, "invalid_grant", 50013)),
    ("exchange of a refresh token", lambda s: s.behalf(s.refresh_token), (400, "invalid_grant", 50013)),
    (
        "exchange of an application's token",
        lambda s: s.behalf(s.world.token(scope=f"{s.world.seed.app.app_id}/.default")),
        (400, "invalid_grant", 7000114),
    ),
    (
        "exchange of another tenant's token",
        lambda s: s.behalf(signed_by_the_customer(s)),
        (400, "invalid_grant", 50013),
    ),
    ("exchange under alg none", lambda s: s.behalf(unsigned(s.for_api)), (400, "invalid_grant", 50013)),
    ("exchange of an HMAC", lambda s: s.behalf(keyed_with_the_certificate(s.for_api)), (400, "invalid_grant", 50013)),
    ("exchange with the signature cut off", lambda s: s.behalf(cut(s.for_api)), (400, "invalid_grant", 50013)),
    (
        "exchange with a later end",
        lambda s: s.behalf(altered(s.for_api, exp=START + 86_400)),
        (400, "invalid_grant", 50013),
    ),
    (
        "exchange with another person in it",
        lambda s: s.behalf(altered(s.for_api, oid=s.world.seed.boss.id)),
        (400, "invalid_grant", 50013),
    ),
    ("exchange with the client's own assertion", lambda s: s.behalf(s.assertion()), (400, "invalid_grant", 50013)),
    (
        "exchange by another client",
        lambda s: s.behalf(s.for_api, client_id=s.world.seed.partner.app_id, client_secret=s.world.seed.partner_secret),
        (400, "invalid_grant", 50013),
    ),
    (
        "exchange by a public client",
        lambda s: s.behalf(s.for_api, client_id=s.world.seed.native.app_id, client_secret=None),
        (401, "invalid_client", 7000216),
    ),
    (
        "exchange with a wrong secret",
        lambda s: s.behalf(s.for_api, client_secret="wrong"),
        (401, "invalid_client", 7000215),
    ),
    (
        "exchange at another tenant",
        lambda s: msgspec.structs.replace(s.behalf(s.for_api), tenant=s.world.seed.customer.tenant_id),
        (400, "unauthorized_client", 700016),
    ),
    (
        "exchange for more than was consented",
        lambda s: s.behalf(s.for_api, scope=f"{MTP}/Incident.ReadWrite"),
        (400, "invalid_grant", 65001),
    ),
]


@pytest.fixture(scope="module")
def stage(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    path, master_key, seed = template
    world = copy_world(path, tmp_path_factory.mktemp("forged"), master_key, seed)
    yield prepared(world)
    world.store.close()


@pytest.mark.parametrize(("make", "expected"), [pytest.param(make, answer, id=name) for name, make, answer in ROWS])
def test_no_forged_request_yields_a_token(stage: Stage, make: Make, expected: Answer) -> None:
    sent = make(stage)
    answer = stage.world.request(
        sent.handler,
        tenant=sent.tenant,
        form=sent.form,
        body=sent.body,
        headers=sent.headers,
        query=sent.query,
    )
    body = json.loads(answer.body)
    assert (answer.status, body.get("error"), body.get("error_codes")) == (expected[0], expected[1], [expected[2]])
    assert not [name for name in body if name.endswith("_token")]
    assert re.search(rb"ey[\w-]{8,}\.ey", answer.body) is None
    assert answer.headers["cache-control"].startswith("no-store")


def test_the_table_is_long_and_its_names_differ() -> None:
    assert len({name for name, _, _ in ROWS}) == len(ROWS) >= 80


def test_the_good_requests_beside_the_forged_ones_are_answered(stage: Stage) -> None:
    """A table of refusals would hold for a server that refuses everything."""
    good = [
        Sent(form=stage.ask()),
        stage.asserted(stage.assertion()),
        stage.asserted(stage.assertion(alg="PS256", header={"x5t#S256": thumbprint(DER, "sha256")})),
        stage.password(),
        stage.refresh(),
        stage.redeem(stage.code()),
        stage.behalf(stage.for_api),
    ]
    for sent in good:
        answer = stage.world.request("token_v2", form=sent.form)
        assert answer.status == 200, answer.body
