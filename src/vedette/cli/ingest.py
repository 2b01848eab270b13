"""The command that sends telemetry to a server."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from vedette.cli.locate import credentials
from vedette.cli.output import DONE, FAILED, NOT_ALLOWED, PARTIAL, console, print_table, say
from vedette.errors import UsageError

RESOURCE = "api://vedette"
OPERATION = "/ingest/v1/events"
FOLLOW_SECONDS = 1.0
FOLLOW_BYTES = 8 << 20
"""Largest batch of a followed file that had much in it already."""

COLUMNS = ("file", "events", "accepted", "no rule", "not kept", "quarantined", "rows", "batch", "note")


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

    def lines(self, name: str, content: bytes, offset: int) -> dict[str, Any]:
        """Send a piece of a file. The same text further down is another batch, a repetition of this one is not."""
        from vedette.client.transport import checked

        batch_id = f"{hashlib.sha256(content).hexdigest()[:32]}-{offset}"
        receipt: dict[str, Any] = checked(
            self.transport.post(OPERATION, content, headers=self._for(name, batch_id))
        ).json()
        return receipt

    def _for(self, name: str, batch_id: str | None) -> dict[str, str]:
        batch = {"Vedette-Batch-Id": batch_id} if batch_id else {}
        return {**self._tokens.headers(RESOURCE), **self._headers, **batch, "Vedette-Source": _header_safe(name)}


def _send_all(sender: _Sender, files: list[Path], batch_id: str | None) -> int:
    """Send every file; one that the server refuses does not keep the others back. The exit code."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from vedette.client.errors import ResponseError

    receipts: list[Mapping[str, Any]] = []
    refusals: list[tuple[Path, ResponseError]] = []
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    try:
        terminal = console(error=True)
        with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
            for path in files:
                task = progress.add_task(path.name, total=path.stat().st_size)
                try:
                    receipt = sender.file(path, batch_id, lambda sent, task=task: progress.advance(task, sent))
                    receipts.append({**receipt, "file": path.name})
                except ResponseError as error:
                    refusals.append((path, error))
                progress.remove_task(task)
    finally:  # what the server has taken in is reported, whatever happened after
        _print_receipts(receipts)
    for path, refusal in refusals:
        say(f"vedette: {path}: {refusal}")
    return _exit_code(receipts, [refusal.status for _, refusal in refusals])


def _exit_code(receipts: list[Mapping[str, Any]], refused: list[int]) -> int:
    if refused and not receipts:
        return NOT_ALLOWED if {401, 403}.issuperset(refused) else FAILED
    return PARTIAL if refused or any(receipt["quarantined"] for receipt in receipts) else DONE


def _print_receipts(receipts: list[Mapping[str, Any]]) -> None:
    if not receipts:
        return
    rows: list[tuple[object, ...]] = [
        (receipt["file"], *_counts(receipt), _shown_batch(receipt), _note(receipt)) for receipt in receipts
    ]
    if len(rows) > 1:
        totals = [sum(counts) for counts in zip(*(_counts(receipt) for receipt in receipts), strict=True)]
        rows.append(("all", *totals, None, None))
    used = [number for number in range(len(COLUMNS)) if number == 0 or any(row[number] for row in rows)]
    print_table([COLUMNS[number] for number in used], [[row[number] for number in used] for row in rows])


def _counts(receipt: Mapping[str, Any]) -> tuple[int, ...]:
    rows = sum(receipt["rows"].values())
    names = ("events", "accepted", "unmapped", "ignored", "quarantined")
    return *(receipt[name] for name in names), rows


def _shown_batch(receipt: Mapping[str, Any]) -> str | None:
    """The batch id where somebody needs it: it names the file of what was quarantined."""
    return str(receipt["batchId"]) if receipt["quarantined"] else None


def _note(receipt: Mapping[str, Any]) -> str:
    notes = ["taken in before"] if receipt["duplicate"] else []
    return ", ".join(notes + (["damaged"] if receipt["damaged"] else []))


def _follow(sender: _Sender, path: Path) -> int:
    """Send whole lines as they are added, starting with what is there."""
    quarantined, offset, rest = 0, 0, b""
    with path.open("rb") as file:
        try:
            while True:
                more = file.read(FOLLOW_BYTES)
                lines, rest = _whole_lines(rest + more)
                if lines:
                    receipt = sender.lines(path.name, lines, offset)
                    offset += len(lines)
                    quarantined += receipt["quarantined"]
                    say(f"{receipt['batchId']}: {receipt['accepted']} accepted, {receipt['quarantined']} quarantined")
                elif not more:
                    time.sleep(FOLLOW_SECONDS)
        except KeyboardInterrupt:
            return PARTIAL if quarantined else DONE


def _whole_lines(content: bytes) -> tuple[bytes, bytes]:
    end = content.rfind(b"\n") + 1
    return content[:end], content[end:]


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
