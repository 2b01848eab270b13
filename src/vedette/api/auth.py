"""Who is calling, and may they: bearer token → principal → permission, all before a handler runs. Default closed."""

import hmac
import ipaddress
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from vedette.context import EVERYTHING, DataScope, Principal, Tenant
from vedette.contracts.operations import OperationContract, OperationsDocument
from vedette.contracts.user_rights import Family, may, needed_right, roles_with, user_scope
from vedette.errors import PermissionDeniedError, UnauthenticatedError
from vedette.identity.errors import TokenError


class TokenVerifier(Protocol):
    """Verifies bearer tokens (`identity.tokens.verifier`)."""

    def verify(self, token: str) -> Principal:
        """The principal of a good token. Raises a TokenError."""
        ...


DENIED_BY_PART = {"directory": "InsufficientPrivileges"}
"""Parts of surfaces that word a refusal in their own way."""

TenantLookup = Callable[[str], Tenant | None]
"""The tenant of this id, or None."""


class Authenticator:
    """Turns the Authorization header into a principal and its tenant."""

    def __init__(self, verifier: TokenVerifier, tenants: TenantLookup) -> None:
        self._verifier = verifier
        self._tenants = tenants

    def authenticate(self, headers: Mapping[str, str], document: OperationsDocument) -> tuple[Principal, Tenant]:
        """The caller of a request to that surface. Raises UnauthenticatedError or a TokenError."""
        principal, tenant = self.verify(headers)
        if principal.audience not in document.audiences:
            raise UnauthenticatedError("TokenWrongAudience")
        return principal, tenant

    def verify(self, headers: Mapping[str, str]) -> tuple[Principal, Tenant]:
        """Whose token it is, for whichever surface. Raises UnauthenticatedError or a TokenError."""
        principal = self._verifier.verify(bearer_token(headers))
        tenant = self._tenants(principal.tenant_id)
        if tenant is None:
            raise UnauthenticatedError("TokenNotTrusted")
        return principal, tenant

    def holder(self, error: TokenError) -> tuple[Principal, Tenant] | None:
        """Whose a refused token is, where its signature proved that."""
        tenant = None if error.holder is None else self._tenants(error.holder.tenant_id)
        return None if error.holder is None or tenant is None else (error.holder, tenant)


class Administrators:
    """Who may do what concerns the whole installation: default closed.

    Whoever can read the running server's folder has its local token; an application needs the operation's role, in the
    home tenant: other tenants' administrators cannot give it to anybody.
    """

    def __init__(
        self, authenticator: Authenticator, local_token: Callable[[], str | None], home: Callable[[], Tenant | None]
    ) -> None:
        self._authenticator = authenticator
        self._local_token = local_token
        self._home = home

    def admit(
        self, headers: Mapping[str, str], document: OperationsDocument, operation: OperationContract
    ) -> tuple[Principal, Tenant] | None:
        """The application that may; None for the holder of the local token. Raises what the caller has to hear."""
        local = self._local_token()
        if local and hmac.compare_digest(bearer_token(headers).encode(), local.encode()):
            return None
        principal, tenant = self._authenticator.authenticate(headers, document)
        if principal.kind != "application":
            raise PermissionDeniedError
        require(operation, principal)
        home = self._home()
        if home is None or home.tenant_id != tenant.tenant_id:
            raise PermissionDeniedError
        return principal, tenant


class Scrapers:
    """Who may read what the server counts, which names its tenants.

    With a token, whoever has it; without one, whoever is on this machine, unless a proxy stands in front: then all seem
    to be. The holder of the local token may in any case.
    """

    def __init__(
        self,
        token: Callable[[], str | None] = lambda: None,
        local_token: Callable[[], str | None] = lambda: None,
        *,
        behind_proxy: bool = False,
    ) -> None:
        self._token = token
        self._local_token = local_token
        self._behind_proxy = behind_proxy

    def admit(self, headers: Mapping[str, str], client_address: str) -> None:
        """Raises UnauthenticatedError."""
        token = self._token()
        if token is None and not self._behind_proxy and is_loopback(client_address):
            return
        given = bearer_token(headers).encode()
        if not any(good and hmac.compare_digest(given, good.encode()) for good in (token, self._local_token())):
            raise UnauthenticatedError("TokenNotTrusted")


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def bearer_token(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header. Raises UnauthenticatedError if there is none.

    Connectors exist that send a token without its scheme: what has the three parts of one is read as one.
    """
    text = headers.get("authorization", "").strip()
    if " " not in text and text.count(".") == 2:
        return text
    scheme, _, token = text.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("TokenMissing")
    return token.strip()


def require(operation: OperationContract, principal: Principal) -> None:
    """Check the operation's permissions: any one is enough. Raises PermissionDeniedError that lists what would do.

    An application is judged by its roles; a user by the scopes of the application that acts for them, and besides by
    the user's own directory roles: an application can do no more for somebody than they could do themselves. A user's
    app roles open nothing here.
    """
    if principal.kind == "application":
        wanted, held, code = operation.application, principal.roles, "MissingRoles"
    else:
        wanted, held, code = operation.delegated, principal.scopes, "MissingScopes"
    _require_any(operation, wanted, held, code)
    if operation.besides:
        _require_any(operation, operation.besides, held, code)
    if principal.kind == "user":
        _require_right(operation, principal)


def _require_any(operation: OperationContract, wanted: Collection[str], held: frozenset[str], code: str) -> None:
    if held.isdisjoint(wanted):
        code = DENIED_BY_PART.get(operation.part, code)
        raise PermissionDeniedError(code, required=",".join(wanted), present=",".join(sorted(held)))


def _require_right(operation: OperationContract, principal: Principal) -> None:
    right = needed_right(operation, _family(principal))
    if not may(principal, right):
        code = DENIED_BY_PART.get(operation.part, "UserRoleMissing")
        name = right.name if right is not None else operation.handler
        raise PermissionDeniedError(code, right=name, roles=", ".join(roles_with(right).values()))


def scope_of(operation: OperationContract, principal: Principal) -> DataScope:
    """What of the tenant's data the caller sees in an operation: a person as much as the role that allows it covers."""
    if principal.kind == "application":
        return EVERYTHING
    return user_scope(principal, needed_right(operation, _family(principal)))


def _family(principal: Principal) -> Family:
    return "graph" if principal.audience == "graph" else "defender"
