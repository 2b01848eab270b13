"""Frozen values that say on whose behalf something happens. Handed down as arguments; there are no globals."""

from typing import Literal

import msgspec


class Tenant(msgspec.Struct, frozen=True):
    """One customer organisation. `tenant_id` is a lower-case GUID, `domain` its initial verified domain."""

    tenant_id: str
    domain: str
    display_name: str


class RoleGrant(msgspec.Struct, frozen=True):
    """What one assignment of a custom role brings: rights, and over which data. None is all of it."""

    rights: frozenset[str]
    device_groups: frozenset[int] | None = None
    sources: frozenset[str] | None = None
    """Keys of data sources."""


class DataScope(msgspec.Struct, frozen=True):
    """Which part of its tenant's data a caller sees. Without limits: all of it."""

    device_groups: frozenset[int] | None = None
    """Only machines of these device groups; None is of all."""
    hidden_device_groups: frozenset[int] = frozenset()
    """And none of these, whose user access leaves the caller out."""
    sources: frozenset[str] | None = None
    """Only what comes from these data sources; None is from all."""

    @property
    def narrows_devices(self) -> bool:
        """Whether there may be machines that the caller does not see."""
        return self.device_groups is not None or bool(self.hidden_device_groups)

    @property
    def is_limited(self) -> bool:
        """Whether the caller sees anything less than everything."""
        return self.narrows_devices or self.sources is not None


EVERYTHING = DataScope()
"""What applications see, and the server itself."""


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
    role_grants: tuple[RoleGrant, ...] = ()
    """What the user's custom roles bring; none for an application."""
    hidden_device_groups: frozenset[int] = frozenset()
    """Device groups that other people than this user were given access to."""
    display_name: str = ""
    """The application's name, or the user's principal name."""
    token_id: str = ""
    """`uti`, for audit rows."""
    not_before: int = 0
    """`nbf` of the token, in Unix seconds."""
    client_capabilities: frozenset[str] = frozenset()
    """What the client said it can do (claim `xms_cc`)."""


class RequestContext(msgspec.Struct, frozen=True):
    """What every service call below the API knows about its caller. The tenant is the token's, never the URL's."""

    tenant: Tenant
    principal: Principal
    request_id: str
    correlation_id: str
    base_url: str
    """`https://host[:port]` as the client addressed it, without a trailing slash."""
    scope: DataScope = EVERYTHING
    """What of the tenant's data the caller sees in this operation."""
    quota: str = "none"
    """Quota class of the operation: its limits hold for what it runs."""
