"""Who administers a running server from the machine it runs on: whoever can read its folder."""

from vedette.server.data_folder import DataFolder


def local_token(folder: DataFolder) -> str | None:
    """The token of the local administrator; None where no server runs."""
    try:
        return folder.administrator_token.read_text(encoding="utf-8") or None
    except FileNotFoundError:
        return None
