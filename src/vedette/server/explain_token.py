"""What a token allows, in words: who, where, until when, with which permissions, within what. Nothing is verified."""

import base64
import binascii
import datetime
import json
import shlex
from collections.abc import Mapping
from typing import Any

from vedette.contracts.operations import OperationContract, OperationsDocument, load_operations
from vedette.contracts.permissions import (
    ResourceContract,
    canonical_audience,
    directory_role,
    resources_by_audience,
)
from vedette.server.explanation import Explanation, Section

SHOWN_OPERATIONS = 4
"""How many operations are named for each permission; the rest is counted."""

ACCESS = ("scp", "roles", "idtyp", "appid", "azp")
"""Claims of which an access token has at least one."""

Claims = Mapping[str, Any]


def explain_token(text: str, now: float) -> Explanation | None:
    """A compact token explained; None if it is none."""
    document = decode_token(text)
    if document is None:
        return None
    header, claims = document["header"], document["claims"]
    resource = resources_by_audience().get(canonical_audience(str(claims.get("aud", ""))))
    sections = [_who(claims), _where(claims, resource), _life(claims, now)]
    if not any(claim in claims for claim in ACCESS):
        only = "An id_token tells the application who signed in. No API takes it: send the access token."
        sections.append(Section("What it allows", (only,)))
    elif resource is None:
        sections.append(Section("What it allows", ("Nothing here: it is for an API that this server does not have.",)))
    else:
        sections += [_allows(claims, resource), _bounds(claims)]
    signed = f"{header.get('alg', 'no algorithm')}, key {header.get('kid', 'unnamed')}"
    sections.append(Section("Mind", (f"Decoded, not verified: what it says may be a lie. Signed with {signed}.",)))
    return Explanation("A token", tuple(sections), document)


def decode_token(text: str) -> dict[str, Any] | None:
    """Header and claims of a token, not verified; None if it is none."""
    parts = text.split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(_unpadded(part)) for part in parts[:2])
    except (ValueError, binascii.Error):
        return None
    if not (isinstance(header, dict) and isinstance(claims, dict)):
        return None
    return {"note": "decoded, not verified", "header": header, "claims": claims}


def _who(claims: Claims) -> Section:
    app_id = claims.get("appid") or claims.get("azp") or claims.get("aud", "?")
    app = f"{claims['app_displayname']} ({app_id})" if "app_displayname" in claims else str(app_id)
    if _is_application(claims):
        return Section("Who", (f"The application {app}, for itself: the application context.",))
    person = (
        claims.get("upn") or claims.get("preferred_username") or claims.get("unique_name") or claims.get("oid", "?")
    )
    shown = f"{claims['name']} ({person})" if claims.get("name") else str(person)
    return Section("Who", (f"The application {app}, acting for {shown}: the user context.",))


def _where(claims: Claims, resource: ResourceContract | None) -> Section:
    api = resource.display_name if resource is not None else "an API unknown here"
    sentences = [
        f"Good for {api} ({claims.get('aud', 'no audience')}).",
        f"It opens the tenant {claims.get('tid', '?')} and no other.",
    ]
    if _is_application(claims):
        sentences.append("If the application is at home elsewhere, this is the partner context.")
    return Section("Where", (*sentences, f"Issued by {claims.get('iss', '?')}, version {claims.get('ver', '?')}."))


def _life(claims: Claims, now: float) -> Section:
    expires = claims.get("exp")
    if not isinstance(expires, int | float):
        return Section("Until when", ("It does not say when it ends.",))
    left = int(expires - now)
    if left <= 0:
        return Section("Until when", (f"It ended {_moment(expires)}, {_span(-left)} ago. Ask for a new one.",))
    begins = claims.get("nbf", 0)
    early = ("It is not valid yet: two clocks disagree.",) if begins > now + 60 else ()
    return Section("Until when", (f"{_moment(expires)}: {_span(left)} left.", *early))


def _allows(claims: Claims, resource: ResourceContract) -> Section:
    is_application = _is_application(claims)
    held = list(claims.get("roles", [])) if is_application else str(claims.get("scp", "")).split()
    if not held:
        key = "roles" if is_application else "scp"
        kind = "" if is_application else " --delegated"
        app, api = shlex.quote(str(claims.get("appid", "APP"))), shlex.quote(resource.display_name)
        return Section(
            "What it allows",
            (f"Nothing: it has no `{key}`. Configure a permission, grant it, ask for a new token:",),
            (
                f"vedette app permission add {app} PERMISSION{kind} --api {api}",
                f"vedette app consent {app}",
            ),
        )
    words = {role.value: role.display for role in resource.app_roles} | (
        {} if is_application else {scope.value: scope.display for scope in resource.scopes}
    )
    opened = _opened(resource, is_application)
    sentences = []
    for name in held:
        operations = opened.get(name, [])
        shown = ", ".join(operations[:SHOWN_OPERATIONS])
        more = f" and {len(operations) - SHOWN_OPERATIONS} more" if len(operations) > SHOWN_OPERATIONS else ""
        ends = f"Opens {shown}{more}." if operations else "Opens no operation of this server."
        sentences.append(f"{name}: {words.get(name, 'not a permission of this API')}. {ends}")
    return Section("What it allows", tuple(sentences))


def _opened(resource: ResourceContract, is_application: bool) -> dict[str, list[str]]:
    """Operations by permission."""
    opened: dict[str, list[str]] = {}
    for document in load_operations().values():
        if resource.key not in document.audiences:
            continue
        for operation in document.operations:
            if operation.status == "planned":
                continue
            for name in operation.application if is_application else operation.delegated:
                opened.setdefault(name, []).append(_line(document, operation))
    return opened


def _line(document: OperationsDocument, operation: OperationContract) -> str:
    return f"{operation.method} {next(iter(document.templates(operation)))}"


def _bounds(claims: Claims) -> Section:
    if _is_application(claims):
        return Section("What bounds it", ("Only these permissions and the tenant: no person stands behind it.",))
    roles = [role.display_name for each in claims.get("wids", []) if (role := directory_role(str(each))) is not None]
    shown = ", ".join(roles) or "none of the built-in ones"
    return Section(
        "What bounds it",
        (
            "It does no more than the person could do themselves, by the directory roles they have at each call.",
            f"When it was issued: {shown}.",
            "Device groups bound which machines the person sees.",
        ),
    )


def _is_application(claims: Claims) -> bool:
    kind = claims.get("idtyp")
    return kind == "app" or (kind is None and "scp" not in claims and claims.get("oid") == claims.get("sub"))


def _moment(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172_800 else f"{seconds // 86_400} days"


def _unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
