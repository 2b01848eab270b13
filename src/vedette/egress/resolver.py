"""Names to addresses. The address that was checked is the one connected to, so that a name cannot change in between."""

import ipaddress
import socket
from typing import Protocol

from vedette.egress.errors import EgressFailedError, EgressRefusedError
from vedette.egress.policy import IpAddress, Target, check_address


class Resolver(Protocol):
    """Looks up all addresses of a host."""

    def addresses(self, host: str, port: int) -> list[IpAddress]:
        """In order of preference. Raises OSError."""
        ...


class SystemResolver:
    """The operating system's resolver."""

    def addresses(self, host: str, port: int) -> list[IpAddress]:
        """See `Resolver`."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def resolve(resolver: Resolver, target: Target, url: str) -> IpAddress:
    """An address of the target. One forbidden address among several refuses the name altogether."""
    try:
        addresses = resolver.addresses(target.host, target.port)
    except OSError as error:
        raise EgressFailedError(url, "name_not_found") from error
    if not addresses:
        raise EgressFailedError(url, "name_not_found")
    if not all(check_address(target, address) for address in addresses):
        raise EgressRefusedError(url, "address_not_allowed")
    return addresses[0]
