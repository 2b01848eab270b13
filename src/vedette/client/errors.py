"""What can go wrong between a client and a server.

ClientError
├── ConnectionFailedError   nobody answers, or TLS is not trusted
├── AuthenticationError     no token: wrong or missing credentials (exit code 4)
└── ResponseError           an answer that is not 2xx, with the service's own code and message
"""

from vedette.errors import VedetteError


class ClientError(VedetteError):
    """Base of the client's errors. `str(error)` is one clear sentence."""


class ConnectionFailedError(ClientError):
    """The server cannot be reached, or its certificate is not trusted."""


class AuthenticationError(ClientError):
    """The login service gave no token. `aadsts` is its number, where it named one."""

    def __init__(self, message: str, aadsts: int | None = None) -> None:
        self.aadsts = aadsts
        super().__init__(message)


class ResponseError(ClientError):
    """The service refused. `code` and `message` are what the body says."""

    def __init__(self, status: int, code: str, message: str, *, request_id: str = "") -> None:
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        super().__init__(f"{message} ({code}, HTTP {status})" if code else f"{message} (HTTP {status})")
