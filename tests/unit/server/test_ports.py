"""A port in use and addresses that are not ours are told apart before anything is started."""

import socket

import pytest

from vedette.errors import UsageError
from vedette.server.ports import require_free


def test_a_free_port_is_fine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    require_free("127.0.0.1", port)


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} on 127.0.0.1 is in use; choose another with --port"):
            require_free("127.0.0.1", port)


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="no SO_REUSEPORT here")
def test_another_server_that_shares_its_port_is_noticed() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        with pytest.raises(UsageError, match="in use"):
            require_free("127.0.0.1", server.getsockname()[1])


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UsageError, match="not an address of this machine"):
        require_free("192.0.2.1", 8443)
