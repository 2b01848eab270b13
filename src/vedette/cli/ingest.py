"""The command that sends telemetry to a server."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from vedette.cli.locate import credentials
from vedette.cli.output import DONE, PARTIAL, console, print_table, say
from vedette.errors import UsageError

RESOURCE = "api://vedette"
OPERATION = "/ingest/v1/events"
FOLLOW_SECONDS = 1.0


def ingest(
    *paths: Path,
    format: str = "auto",
    batch_id: str | None = None,
    follow: Annotated[bool, Parameter(negative=())] = False,
    data: Path | None = None,
) -> int:
    """Send files to a server, each as one batch. The same file twice is taken in once.

    Parameters
    ----------
    paths
        Files (JSON lines, EVTX; plain, .gz, .zip, .tar.gz) or folders of them.
    format
        Format of the records; found out by itself if not named.
    batch_id
        Id of the batch, for exactly one file (default: from its content).
    follow
        Keep sending what is added to exactly one file of JSON lines, until Ctrl-C.
    data
        Data folder of a demo to send to (default: the environment's AZURE_… application).
    """
    files = list(_files(paths))
    if not files:
        raise UsageError("Name at least one file or folder.")
    if (follow or batch_id) and len(files) != 1:
        raise UsageError("--follow and --batch-id are for exactly one file.")
    headers = {"Vedette-Format": format} if format != "auto" else {}
    with _Sender(data, headers) as sender:
        if follow:
            return _follow(sender, files[0])
        return _send_all(sender, files, batch_id)


class _Sender:
    """Sends batches with one connection and one application's tokens."""

    def __init__(self, data: Path | None, headers: Mapping[str, str]) -> None:
        from vedette.client.credentials import TokenSource
        from vedette.client.transport import Transport

        found = credentials(data)
        self.transport = Transport(found.base_url, found.ca_file)
        self._tokens = TokenSource(self.transport, found)
        self._headers = headers

    def __enter__(self) -> "_Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()

    def file(self, path: Path, batch_id: str | None, progress: Any = None) -> dict[str, Any]:
        from vedette.client.transport import checked

        headers = self._for(path.name, batch_id)
        receipt: dict[str, Any] = checked(
            self.transport.upload(OPERATION, path, headers=headers, progress=progress)
        ).json()
        return receipt

    def lines(self, name: str, content: bytes) -> dict[str, Any]:
        from vedette.client.transport import checked

        receipt: dict[str, Any] = checked(self.transport.post(OPERATION, content, headers=self._for(name, None))).json()
        return receipt

    def _for(self, name: str, batch_id: str | None) -> dict[str, str]:
        batch = {"Vedette-Batch-Id": batch_id} if batch_id else {}
        return {**self._tokens.headers(RESOURCE), **self._headers, **batch, "Vedette-Source": _header_safe(name)}


def _send_all(sender: _Sender, files: list[Path], batch_id: str | None) -> int:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    receipts = []
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console(error=True), transient=True) as progress:
        for path in files:
            task = progress.add_task(path.name, total=path.stat().st_size)
            receipts.append(sender.file(path, batch_id, lambda sent, task=task: progress.advance(task, sent)))
            progress.remove_task(task)
    rows = [_row(path.name, receipt) for path, receipt in zip(files, receipts, strict=True)]
    print_table(("file", "accepted", "quarantined", "rows", "batch", ""), rows)
    return PARTIAL if any(receipt["quarantined"] for receipt in receipts) else DONE


def _follow(sender: _Sender, path: Path) -> int:
    """Send whole lines as they are added, starting with what is there."""
    quarantined = 0
    with path.open("rb") as file:
        rest = b""
        try:
            while True:
                lines, rest = _whole_lines(rest + file.read())
                if lines:
                    receipt = sender.lines(path.name, lines)
                    quarantined += receipt["quarantined"]
                    say(f"{receipt['batchId']}: {receipt['accepted']} accepted, {receipt['quarantined']} quarantined")
                else:
                    time.sleep(FOLLOW_SECONDS)
        except KeyboardInterrupt:
            return PARTIAL if quarantined else DONE


def _whole_lines(content: bytes) -> tuple[bytes, bytes]:
    end = content.rfind(b"\n") + 1
    return content[:end], content[end:]


def _row(name: str, receipt: Mapping[str, Any]) -> tuple[object, ...]:
    rows = sum(receipt["rows"].values())
    again = "again" if receipt["duplicate"] else ""
    return name, receipt["accepted"], receipt["quarantined"], rows, receipt["batchId"], again


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise UsageError(f"There is no file {path}.")
        if path.is_file():
            yield path
        else:
            yield from sorted(
                entry
                for entry in path.rglob("*")
                if entry.is_file() and not any(part.startswith(".") for part in entry.relative_to(path).parts)
            )


def _header_safe(name: str) -> str:
    return name.encode("ascii", "replace").decode()
