"""`vedette migrate-check`: what of a connector has to change before the older Defender APIs end."""

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from vedette.cli.output import DONE, PARTIAL, print_json, terminal_width

if TYPE_CHECKING:
    from vedette.client.migration import Finding
    from vedette.contracts.migration import CallMigration, EntityMigration, Migration

OLD = frozenset({"call", "permission"})
"""What has to change. A host may serve calls that stay, and a field says nothing without a call."""

STAYING = "What is not listed (machines, actions, indicators, exports) has no replacement in Graph and stays as it is."
SHOWN_PLACES = 8
WIDEST = 100


def migrate_check(
    path: Path,
    /,
    *,
    output: Annotated[Literal["text", "json"], Parameter(name=("--output", "-o", "--format"))] = "text",
) -> int:
    """List calls of the older Defender APIs in a log, HAR file or source tree, with what replaces them in Graph.

    Exit code 0: nothing old was found; 3: something was.

    Parameters
    ----------
    path
        A connector's log or HAR file, or the folder of its source.
    output
        Form of the result.
    """
    from vedette.client.migration import check
    from vedette.contracts.migration import load_migration

    findings = check(path)
    migration = load_migration()
    if output == "json":
        print_json(_document(findings, migration))
    else:
        print("\n".join(_report(findings, migration)))
    return PARTIAL if any(finding.kind in OLD for finding in findings) else DONE


def _document(findings: Sequence["Finding"], migration: "Migration") -> dict[str, object]:
    calls = [
        {
            "call": f"{call.method} /api{call.path}",
            "replacement": call.replacement,
            "application": list(call.application),
            "delegated": list(call.delegated),
            "retires": call.retires or None,
            "fields": [{"from": old, "to": new} for old, new in migration.fields_of(call)],
            "values": {
                enum: [{"from": old, "to": new} for old, new in renames]
                for enum, renames in _values(call, migration).items()
            },
            "changes": list(call.changes),
            "source": migration.source_of(call),
            "places": [_place(finding) for finding in found],
        }
        for call, found in _by_call(findings, migration)
    ]
    return {
        "calls": calls,
        "resources": _grouped(findings, "resource", lambda _: migration.token.resource),
        "permissions": _grouped(findings, "permission", lambda name: migration.permissions[name]),
        "fields": _grouped(findings, "field", lambda name: _new_name(name, migration)),
    }


def _report(findings: Sequence["Finding"], migration: "Migration") -> Iterable[str]:
    if not any(finding.kind in OLD for finding in findings):
        yield "No call that Microsoft Graph replaces was found."
        return
    for call, found in _by_call(findings, migration):
        yield from _call_lines(call, found)
    named = {call.entity for call, _ in _by_call(findings, migration)}
    for name, entity in migration.entities.items():
        if name in named:
            yield from _entity_lines(name, entity)
    for kind, title, new in (
        ("resource", "Hosts and resources of tokens", lambda _: migration.token.resource),
        ("permission", "Permissions", lambda name: migration.permissions[name]),
        ("field", "Fields", lambda name: _new_name(name, migration)),
    ):
        groups = _grouped(findings, kind, new)
        if groups:
            yield title
            for group in groups:
                yield from _wrapped(f"{group['what']} -> {group['replacement']}", 2)
                yield from _wrapped(_places_text(group["places"]), 4)  # type: ignore[arg-type]
            yield ""
    yield from _wrapped(STAYING, 0)


def _call_lines(call: "CallMigration", found: Sequence["Finding"]) -> Iterable[str]:
    unsure = "" if any(finding.is_certain for finding in found) else "  (the method is not named nearby)"
    yield f"{call.method} /api{call.path}{unsure}"
    yield from _wrapped(f"-> {call.replacement}", 2)
    yield from _wrapped(f"ends {call.retires}" if call.retires else "no end is published", 2)
    yield from _wrapped(f"application permission: {' or '.join(call.application)}", 2)
    yield from _wrapped(f"delegated permission: {' or '.join(call.delegated)}", 2)
    yield from _wrapped(f"found in {_places_text([_place(finding) for finding in found])}", 2)
    for change in call.changes:
        yield from _wrapped(f"- {change}", 2)
    for old, new in call.fields:
        yield from _wrapped(f"- {old} -> {new}", 2)
    if call.entity:
        yield from _wrapped(f"- its shape: see {_title(call.entity)} below", 2)
    yield ""


def _entity_lines(name: str, entity: "EntityMigration") -> Iterable[str]:
    yield _title(name)
    for old, new in entity.fields:
        yield from _wrapped(f"{old} -> {new}", 2)
    for enum, renames in entity.values.items():
        yield from _wrapped(f"values of {enum}: {', '.join(f'{old} -> {new}' for old, new in renames)}", 2)
    yield ""


def _title(entity: str) -> str:
    return f"Shape of {entity.replace('_', ' ')}"


def _by_call(
    findings: Sequence["Finding"], migration: "Migration"
) -> Iterable[tuple["CallMigration", list["Finding"]]]:
    for call in migration.calls:
        found = [finding for finding in findings if finding.call == call.id]
        if found:
            yield call, found


def _grouped(findings: Sequence["Finding"], kind: str, new: object) -> list[dict[str, object]]:
    places: dict[str, list[dict[str, object]]] = defaultdict(list)
    for finding in findings:
        if finding.kind == kind:
            places[finding.what].append(_place(finding))
    return [
        {"what": what, "replacement": new(what), "places": found}  # type: ignore[operator]
        for what, found in places.items()
    ]


def _values(call: "CallMigration", migration: "Migration") -> Mapping[str, Sequence[tuple[str, str]]]:
    return migration.entities[call.entity].values if call.entity else {}


def _new_name(name: str, migration: "Migration") -> str:
    """What a field is called now, by whichever call answers it."""
    names = {
        new: None
        for call in migration.calls
        for old, new in migration.fields_of(call)
        if old.rpartition(".")[2] == name
    }
    return " or ".join(names)


def _place(finding: "Finding") -> dict[str, object]:
    return {"file": finding.place.file, "line": finding.place.line, "certain": finding.is_certain}


def _places_text(places: Sequence[Mapping[str, object]]) -> str:
    shown = ", ".join(f"{place['file']}:{place['line']}" for place in places[:SHOWN_PLACES])
    more = len(places) - SHOWN_PLACES
    return f"{shown} and {more} more" if more > 0 else shown


def _wrapped(text: str, indent: int) -> list[str]:
    width = min(terminal_width(), WIDEST)
    return textwrap.wrap(
        text,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
