"""Frozen values that say on whose behalf something happens. Handed down as arguments; there are no globals."""

from typing import Literal

import msgspec


class Tenant(msgspec.Struct, frozen=True):
    """One customer organisation. `tenant_id` is a lower-case GUID, `domain` its initial verified domain."""

    tenant_id: str
    domain: str
    display_name: str


class Principal(msgspec.Struct, frozen=True):
    """The verified caller: an application, or a user through an application."""

    kind: Literal["application", "user"]
    tenant_id: str
    object_id: str
    """`oid`: the service principal's or the user's object id."""
    app_id: str
    """`appid`/`azp`: the client application that holds the token."""
    audience: str
    """Key of the resource application in the contract (`graph`, `mtp`, `wdatp`, `vedette`)."""
    roles: frozenset[str] = frozenset()
    """Application permissions, or a user's app roles (claim `roles`)."""
    scopes: frozenset[str] = frozenset()
    """Delegated permissions (claim `scp`)."""
    directory_roles: frozenset[str] = frozenset()
    """Template ids of the directory roles that the user has now; none for an application."""
    display_name: str = ""
    token_id: str = ""
    """`uti`, for audit rows."""


class RequestContext(msgspec.Struct, frozen=True):
    """What every service call below the API knows about its caller. The tenant is the token's, never the URL's."""

    tenant: Tenant
    principal: Principal
    request_id: str
    correlation_id: str
    base_url: str
    """`https://host[:port]` as the client addressed it, without a trailing slash."""
