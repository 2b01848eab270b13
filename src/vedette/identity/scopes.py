"""The `scope` and `resource` parameters: which resource is asked for, and which of its permissions."""

import msgspec

from vedette.contracts.permissions import load_resources
from vedette.identity.errors import OAuthError

DEFAULT_SCOPE = ".default"
OIDC_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})


class RequestedAccess(msgspec.Struct, frozen=True):
    """What a token is asked for. `resource` is the name as the client wrote it; `scopes` are its bare names."""

    resource: str
    scopes: frozenset[str]
    oidc: frozenset[str] = frozenset()

    @property
    def is_default(self) -> bool:
        """Whether everything that was consented to is asked for."""
        return DEFAULT_SCOPE in self.scopes


def parse_scope(text: str) -> RequestedAccess:
    """Read a v2 `scope`. Bare permission names, and OIDC scopes alone, are Graph's. Raises OAuthError."""
    accesses, oidc = parse_scopes(text)
    if len(accesses) > 1:
        raise OAuthError("scope_of_several_resources", scope=text)
    if not accesses:
        return RequestedAccess(_graph(), frozenset(), oidc)
    return accesses[0]


def parse_scopes(text: str) -> tuple[tuple[RequestedAccess, ...], frozenset[str]]:
    """Read the `scope` of an authorize request, which may name several resources. Raises OAuthError."""
    values = text.split()
    if not values:
        raise OAuthError("scope_invalid", scope=text)
    oidc = frozenset(value for value in values if value in OIDC_SCOPES)
    by_resource: dict[str, set[str]] = {}
    for resource, name in (_split(value) for value in values if value not in OIDC_SCOPES):
        if not name:
            raise OAuthError("scope_invalid", scope=text)
        if not resource:
            raise OAuthError("scope_without_resource", scope=text)
        by_resource.setdefault(resource, set()).add(name)
    return tuple(RequestedAccess(resource, frozenset(names), oidc) for resource, names in by_resource.items()), oidc


def parse_application_scope(text: str) -> RequestedAccess:
    """Read the `scope` of a client without a user: one resource with `/.default`. Raises OAuthError.

    OIDC scopes say nothing without a user and are passed over: MSAL for Java always sends three of them.
    """
    values = [value for value in text.split() if value not in OIDC_SCOPES]
    if any(not value.endswith(f"/{DEFAULT_SCOPE}") for value in values) or not values:
        raise OAuthError("scope_without_default", scope=text)
    return parse_scope(text)


def whole_resource(name: str) -> RequestedAccess:
    """What the v1 `resource` parameter asks for: everything that was consented to."""
    return RequestedAccess(name, frozenset({DEFAULT_SCOPE}))


def _split(value: str) -> tuple[str, str]:
    """Resource and permission name: `https://api.example//.default` is of `https://api.example/`."""
    resource, slash, name = value.rpartition("/")
    if not slash:
        return _graph(), value
    return resource, name


def _graph() -> str:
    return load_resources()["graph"].audiences[0]
