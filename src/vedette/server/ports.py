"""Whether a server can listen where it is told to, and whether one answers there."""

import errno
import http.client
import socket
import ssl
from pathlib import Path

from vedette.errors import UsageError

_EPHEMERAL_WAIT = 1.0


def require_free(host: str, port: int) -> None:
    """Raise UsageError, in one sentence, when the address cannot be listened on."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise UsageError(f"The address {host} is not known: {error.strerror}.") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)  # where another listens, binding alone may succeed
        except OSError as error:
            raise UsageError(_sentence(host, port, error)) from error


def answers(host: str, port: int, path: str, context: ssl.SSLContext | None) -> bool:
    """Whether a GET of `path` is answered with 200."""
    connection = (
        http.client.HTTPSConnection(host, port, timeout=_EPHEMERAL_WAIT, context=context)
        if context
        else http.client.HTTPConnection(host, port, timeout=_EPHEMERAL_WAIT)
    )
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def probe_context(certificate: Path | None) -> ssl.SSLContext | None:
    """TLS settings for asking our own server whether it is up: exactly its certificate, whatever the names."""
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def probe_host(host: str) -> str:
    """Where to ask a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - read, not bound


def _sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use; choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs more rights than you have; choose one above 1023 with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine."
    return f"Port {port} on {host} cannot be used: {error.strerror}."
