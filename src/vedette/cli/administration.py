"""How commands reach the server that runs on a data folder, if one does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vedette.errors import UsageError

if TYPE_CHECKING:
    from vedette.client.administration import Administration


@contextmanager
def running(data: Path) -> "Iterator[Administration | None]":
    """The running server of a folder, as its local administrator; None where none runs."""
    from vedette.client.administration import Administration
    from vedette.client.transport import Transport
    from vedette.server.administrator import local_token
    from vedette.server.data_folder import existing_data_folder, read_state

    folder = existing_data_folder(data)
    state, token = read_state(folder), local_token(folder)
    if state is None or token is None:
        yield None
        return
    with Transport(state.base_url, Path(state.ca_file) if state.ca_file else None) as transport:
        yield Administration(transport, token)


@contextmanager
def administration(data: Path) -> "Iterator[Administration]":
    """The running server of a folder. Raises UsageError where none runs."""
    with running(data) as found:
        if found is None:
            raise UsageError(f"No server runs on {data}; start one with: vedette up --data {data}")
        yield found
