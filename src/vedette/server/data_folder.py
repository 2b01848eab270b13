"""The data folder: made, recognised, and held by one server at a time.

A folder of ours carries `vedette.json`. A folder that holds other things and no such file is somebody else's and is
left alone, except for what people put there on purpose: `vedette.toml` and log files.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from vedette.errors import UsageError
from vedette.lake.filelock import try_lock
from vedette.settings import FILE_NAME

FORMAT = 1
"""Raised when a newer layout of the folder could not be read by this version."""

MARKER = "vedette.json"
_OPENING_MODE = 0o700


class Marker(msgspec.Struct, frozen=True):
    """Content of `vedette.json`."""

    format: int
    made_by: str


class DataFolder(msgspec.Struct, frozen=True):
    """Paths inside the data folder. Build it with `open_data_folder`."""

    root: Path

    @property
    def tls(self) -> Path:
        """Local CA and server certificate."""
        return self.root / "tls"

    @property
    def lake(self) -> Path:
        """Telemetry."""
        return self.root / "lake"

    @property
    def quarantine(self) -> Path:
        """Lines that could not be read, a file a batch."""
        return self.root / "quarantine"

    @property
    def master_key(self) -> Path:
        """The installation's root key."""
        return self.root / "master.key"

    @property
    def demo_file(self) -> Path:
        """What `--demo` made, credentials included."""
        return self.root / "demo.json"

    @property
    def run(self) -> Path:
        """What only means something while a server runs."""
        return self.root / "run"

    @property
    def state_file(self) -> Path:
        """Where a running server answers."""
        return self.run / "server.json"

    @property
    def rules(self) -> Path:
        """Detection rules that the owner applied."""
        return self.root / "rules"

    @property
    def clock_file(self) -> Path:
        """How far the clock was moved."""
        return self.root / "clock.json"

    @property
    def administrator_token(self) -> Path:
        """What lets whoever can read this folder administer the server that runs on it."""
        return self.run / "administrator.token"

    @property
    def snapshots(self) -> Path:
        """Saved copies of the state."""
        return self.root / "snapshots"


def open_data_folder(root: Path) -> DataFolder:
    """The folder, made if need be. Raises UsageError when it is not usable or not ours."""
    folder = DataFolder(root)
    try:
        root.mkdir(mode=_OPENING_MODE, parents=True, exist_ok=True)
        _claim(folder)
        folder.run.mkdir(mode=_OPENING_MODE, exist_ok=True)
    except FileExistsError as error:
        raise UsageError(f"{error.filename} is not a folder.") from error
    except NotADirectoryError as error:
        raise UsageError(f"{root} cannot be a folder: a part of the path is a file.") from error
    except OSError as error:
        raise UsageError(f"The data folder {root} cannot be used: {error.strerror}.") from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise UsageError(f"The data folder {root} is not writable.")
    return folder


def existing_data_folder(root: Path) -> DataFolder:
    """The folder of an installation that is there already. Raises UsageError when there is none."""
    if not (root / MARKER).is_file():
        raise UsageError(f"{root} is not a data folder of Vedette; start one with: vedette up --data {root}")
    return open_data_folder(root)


@contextmanager
def held(folder: DataFolder, *, shared: bool = False) -> Iterator[None]:
    """Hold the folder for one server, or for one of the parts (`shared`) that together are one.

    The lock ends with the process, however it ends: there are no stale locks.
    """
    path = folder.run / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not try_lock(descriptor, shared=shared):
            raise UsageError(f"Another Vedette server is running on the data folder {folder.root}.")
        yield
    finally:
        os.close(descriptor)


def is_held(folder: DataFolder) -> bool:
    """Whether a server is running on the folder."""
    try:
        descriptor = os.open(folder.run / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


def _claim(folder: DataFolder) -> None:
    path = folder.root / MARKER
    if path.exists():
        _check_marker(path)
        return
    if any(not _is_neutral(entry) for entry in folder.root.iterdir()):
        raise UsageError(f"{folder.root} holds files that are not Vedette's; choose another or an empty folder.")
    from vedette import __version__

    path.write_bytes(msgspec.json.encode(Marker(FORMAT, __version__)) + b"\n")


def _check_marker(path: Path) -> None:
    try:
        marker = msgspec.json.decode(path.read_bytes(), type=Marker)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is damaged.") from error
    if marker.format > FORMAT:
        raise UsageError(f"{path.parent} was made by a newer Vedette ({marker.made_by}); please update.")


def _is_neutral(entry: Path) -> bool:
    return entry.name == FILE_NAME or entry.suffix == ".log"


class ServerState(msgspec.Struct, frozen=True):
    """Content of `run/server.json`."""

    pid: int
    base_url: str
    ca_file: str | None
    certificate: str | None
    """The server's own certificate; None: it speaks plain HTTP."""
    minting: bool


def read_state(folder: DataFolder) -> ServerState | None:
    """Where the folder's running server answers; None when none runs."""
    if not is_held(folder):
        return None
    try:
        return msgspec.json.decode(folder.state_file.read_bytes(), type=ServerState)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def write_private(path: Path, document: object) -> None:
    """Write a JSON file that only its owner can read, in one step."""
    write_private_text(path, json.dumps(msgspec.to_builtins(document), indent=2, ensure_ascii=False) + "\n")


def write_private_text(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
