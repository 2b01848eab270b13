"""Finds calls of the older Defender APIs in a connector's log, HAR file or source tree. Reads text; runs nothing.

An address is found with its host, or by its path alone: in a log always, in a source tree only if the tree names one of
the hosts somewhere, since other products have paths such as `/api/incidents` too.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from vedette.contracts.migration import CallMigration, Migration, load_migration
from vedette.errors import UsageError

SOURCE_SUFFIXES = frozenset(
    {
        ".bash",
        ".bicep",
        ".cfg",
        ".cjs",
        ".conf",
        ".cs",
        ".env",
        ".go",
        ".har",
        ".http",
        ".ini",
        ".ipynb",
        ".java",
        ".js",
        ".json",
        ".jsx",
        ".kql",
        ".kt",
        ".log",
        ".md",
        ".mjs",
        ".php",
        ".properties",
        ".ps1",
        ".psd1",
        ".psm1",
        ".py",
        ".rb",
        ".rs",
        ".sh",
        ".tf",
        ".toml",
        ".ts",
        ".tsx",
        ".txt",
        ".xml",
        ".yaml",
        ".yml",
    }
)
SKIPPED_FOLDERS = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__", "dist", "build", ".tox"})
MAXIMUM_FILE = 64 * 2**20
WINDOW = 4
"""How many lines before and after an address its method may stand."""

Kind = Literal["call", "resource", "permission", "field"]


class Place(msgspec.Struct, frozen=True):
    """Where something was found. In a HAR file `line` counts its entries."""

    file: str
    line: int


class Finding(msgspec.Struct, frozen=True):
    """One old thing: a call, a resource of tokens, a permission, a field. `is_certain`: host or method say so."""

    kind: Kind
    what: str
    place: Place
    call: str = ""
    is_certain: bool = True


_END = r"(?![A-Za-z0-9_])"
_ID = r"/(?:\d+|\{[^}]*\}|%[sdv]|\$\{?\(?[\w.]+|:\w+|<\w+>|[\"'`]\s*[+.,&]|da[0-9_\-]+|[0-9a-f]{8}-[0-9a-f-]{27})"
_HAR_START = re.compile(r'\s*\{\s*"log"\s*:\s*\{\s*"(?:version|creator|entries|pages|browser)"')
_METHOD = re.compile(
    r"(?<![A-Za-z])(GET|POST|PATCH)(?![A-Za-z])|HttpMethod\.(Get|Post|Patch)"
    r"|(?i:(?:requests|session|client|http|axios|api)\w*\.(get|post|patch)\w*\()"
    r"|(?i:(?:-Method\s+|method[\"']?\s*[:=]\s*)[\"']?(get|post|patch))"
)
_ALONE = re.compile(r"[\"'`](?:\$?\{[^{}]*\})?$")
"""What stands before a path that begins a text, or follows one value in it."""
_PREFIX = r"(?P<prefix>/?api/(?:v1\.0/)?|/)?"


def check(path: Path) -> list[Finding]:
    """Everything old in a file or tree, in order. Raises UsageError for what cannot be read."""
    if not path.exists():
        raise UsageError(f"There is nothing at {path}.")
    files = sorted(_files(path)) if path.is_dir() else [path]
    texts = {file: text for file in files if (text := _read(file)) is not None}
    if path.is_file() and not texts:
        raise UsageError(f"{path} is not a text of at most {MAXIMUM_FILE // 2**20} MiB.")
    facts = _Facts(load_migration())
    is_tree = path.is_dir()
    names_a_host = any(facts.host.search(text) for text in texts.values())
    findings: list[Finding] = []
    for file, text in texts.items():
        shown = str(file.relative_to(path)) if is_tree else file.name
        entries = _har(text) if _is_har(file, text) else None
        source = _Source(
            shown,
            entries if entries is not None else text.splitlines(),
            is_log=not is_tree or entries is not None or file.suffix.lower() == ".log",
            names_a_host=facts.host.search(text) is not None,
        )
        findings += _in_lines(facts, source, paths_alone=names_a_host or source.is_log)
    return findings


class _Source(msgspec.Struct, frozen=True):
    """A file in lines. A log says what happened: each line stands for itself."""

    file: str
    lines: Sequence[str]
    is_log: bool
    names_a_host: bool


class _Facts:
    """The patterns of what is looked for."""

    def __init__(self, migration: Migration) -> None:
        self.migration = migration
        hosts = "|".join(f"(?:{host})" for host in migration.hosts)
        self.host = re.compile(f"(?i)(?<![a-z0-9.-])(?:{hosts})(?![a-z0-9.-]*[a-z0-9]\\.)")
        names = "|".join(re.escape(name) for name in sorted(migration.permissions, key=len, reverse=True))
        self.permission = re.compile(f"(?<![A-Za-z0-9])(?:{names})(?![A-Za-z0-9.])")
        paths = sorted({call.path.removesuffix("/{id}") for call in migration.calls}, key=len, reverse=True)
        tails = "|".join(re.escape(path[1:]) for path in paths)
        self.path = re.compile(f"(?i)(?<![A-Za-z0-9_]){_PREFIX}(?P<tail>{tails}){_END}(?P<id>{_ID})?")

    def calls(self, tail: str, *, with_id: bool) -> list[CallMigration]:
        """The calls of an address."""
        path = f"/{tail.lower()}" + ("/{id}" if with_id else "")
        return [call for call in self.migration.calls if call.path == path]


def _in_lines(facts: _Facts, source: _Source, *, paths_alone: bool) -> Iterator[Finding]:
    found = False
    for number, line in enumerate(source.lines):
        place = Place(source.file, number + 1)
        hosts = list(facts.host.finditer(line))
        calls = list(_calls(facts, source, number, place, paths_alone=paths_alone))
        yield from calls
        if not calls:
            yield from (Finding("resource", match[0], place) for match in hosts)
        yield from (Finding("permission", match[0], place) for match in facts.permission.finditer(line))
        found = found or bool(calls or hosts)
    if found and not source.is_log:
        yield from _fields(facts, source.file, source.lines)


def _calls(facts: _Facts, source: _Source, number: int, place: Place, *, paths_alone: bool) -> Iterator[Finding]:
    line = source.lines[number]
    for match in facts.path.finditer(line):
        host = any(host.end() <= match.start() <= host.end() + 8 for host in facts.host.finditer(line))
        if not (host or (paths_alone and _is_path(match, source, line))):
            continue
        candidates = facts.calls(match["tail"], with_id=match["id"] is not None)
        after = _method(line[match.end() :]) if source.is_log else _method_nearby(source.lines, number)
        method = _method(line[: match.start()]) or after
        fitting = [call for call in candidates if call.method == method]
        if not fitting and method and source.is_log:
            continue  # a log says which method it was: that one is not of these APIs
        for call in fitting or candidates:
            certain = bool(fitting) or len(candidates) == 1
            yield Finding("call", f"{call.method} /api{call.path}", place, call.id, is_certain=certain)


def _is_path(match: re.Match[str], source: _Source, line: str) -> bool:
    """Whether it looks like an address and not like a word: below /api, two segments, or a quoted suffix.

    `/alerts` ends addresses of machines, files and other products too: it has to stand alone, beside a host.
    """
    if (match["prefix"] or "").lower().strip("/").startswith("api") or "/" in match["tail"]:
        return True
    if match["prefix"] != "/":
        return False
    before = line[: match.start()]
    if match["tail"].lower() == "incidents":
        return before.rstrip().endswith(('"', "'", "`", "}"))
    return source.names_a_host and _ALONE.search(before) is not None


def _method(text: str) -> str:
    """The last method that a text names."""
    names = [next(group for group in match.groups() if group) for match in _METHOD.finditer(text)]
    return names[-1].upper() if names else ""


def _method_nearby(lines: Sequence[str], number: int) -> str:
    """The method of a call that is spread over lines: the nearest one that is named, upwards first."""
    for distance in range(WINDOW + 1):
        for near in dict.fromkeys((number - distance, number + distance)):
            if 0 <= near < len(lines) and (method := _method(lines[near])):
                return method
    return ""


def _fields(facts: _Facts, file: str, lines: Sequence[str]) -> Iterator[Finding]:
    """Where fields are used whose names nothing else would have."""
    names = {
        old.rpartition(".")[2]
        for call in facts.migration.calls
        for old, new in facts.migration.fields_of(call)
        if old.rpartition(".")[2] != new.partition(" ")[0].rpartition(".")[2]
    } - set(facts.migration.common_names)
    pattern = re.compile(rf"(?:[\"'`.])({'|'.join(sorted(names))})(?![A-Za-z0-9_(])")
    for number, line in enumerate(lines):
        for name in dict.fromkeys(pattern.findall(line)):
            yield Finding("field", name, Place(file, number + 1), is_certain=False)


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and path.suffix.lower() in SOURCE_SUFFIXES and not SKIPPED_FOLDERS.intersection(parts):
            yield path


def _read(path: Path) -> str | None:
    """The text; None for what is none, is too large, or leads out of reach."""
    try:
        if path.stat().st_size > MAXIMUM_FILE:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # what PowerShell's `>` writes
        return content.decode("utf-16", "replace")
    return None if b"\x00" in content[:8192] else content.decode("utf-8-sig", "replace")


def _is_har(file: Path, text: str) -> bool:
    """By its name, or a JSON document that begins as they do."""
    return file.suffix.lower() == ".har" or _HAR_START.match(text) is not None


def _har(text: str) -> list[str]:
    """The requests of a HAR file, one line each. Raises UsageError."""
    try:
        document = msgspec.json.decode(text, type=_Har)
    except msgspec.MsgspecError as error:
        raise UsageError("The HAR file is damaged.") from error
    return [f"{entry.request.method} {entry.request.url}" for entry in document.log.entries]


class _Request(msgspec.Struct, frozen=True):
    method: str
    url: str


class _Entry(msgspec.Struct, frozen=True):
    request: _Request


class _Log(msgspec.Struct, frozen=True):
    entries: tuple[_Entry, ...]


class _Har(msgspec.Struct, frozen=True):
    log: _Log
