"""`vedette token mint`: signs a token with the installation's keys, where its owner allowed that."""

import msgspec

from vedette.errors import UsageError
from vedette.identity.errors import DirectoryError
from vedette.identity.minting import MintOrder, mint
from vedette.server.addresses import base_url
from vedette.server.data_folder import existing_data_folder, read_state
from vedette.server.wiring import Services
from vedette.settings import Settings


def mint_token(settings: Settings, order: MintOrder) -> str:
    """The signed token. Raises UsageError where minting is not allowed or the order names what is not there."""
    folder = existing_data_folder(settings.data)
    state = read_state(folder)
    allowed = settings.allow_minting or folder.demo_file.exists() or (state is not None and state.minting)
    if not allowed:
        raise UsageError("Minting is off: start the server with --demo or --allow-minting, or set allow_minting.")
    services = Services(settings, folder)
    try:
        address = state.base_url if state is not None else base_url(settings)
        return mint(services.identity, msgspec.structs.replace(order, base_url=address)).value.reveal()
    except DirectoryError as error:
        raise UsageError(f"{error}.") from error
    finally:
        services.close()
