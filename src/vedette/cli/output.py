"""What commands print: results on standard output, everything else on standard error; readable when narrow."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

DONE, FAILED, USAGE, PARTIAL, NOT_ALLOWED = range(5)
"""Exit codes: done, failed, usage, done in part, not signed in or not allowed."""

COLUMN_GAP = 3


def print_json(document: object) -> None:
    """A result for programs."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """A result for people; where the terminal is too narrow for the table, a block of `name: value` lines a row.

    Colours only on a terminal and never with NO_COLOR.
    """
    texts = [["" if value is None else str(value) for value in row] for row in rows]
    if _table_width(columns, texts) > terminal_width():
        _print_blocks(columns, texts, title)
        return
    from rich import box
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if texts and all(_is_number(row[number]) for row in texts) else "left")
    for row in texts:
        table.add_row(*row)
    console().print(table)


def terminal_width() -> int:
    """Columns of the terminal; 80 where there is none."""
    try:
        return int(os.environ.get("COLUMNS", "")) or 80
    except ValueError:
        pass
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 80


def console(*, error: bool = False) -> Any:
    """A rich console on standard output or standard error; it takes text as it is, without markup."""
    from rich.console import Console

    return Console(stderr=error, markup=False, highlight=False, emoji=False, width=terminal_width())


def say(text: str) -> None:
    """One line for the person at the terminal."""
    sys.stderr.write(text + "\n")


def _table_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    widths = [max(len(row[number]) for row in [columns, *rows]) for number in range(len(columns))]
    return sum(widths) + COLUMN_GAP * len(columns)


def _print_blocks(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    lines = [title] if title else []
    for row in rows:
        lines += [f"{name}: {value}" for name, value in zip(columns, row, strict=True) if value]
        lines.append("")
    sys.stdout.write("\n".join(lines).rstrip() + "\n")


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).replace("%", "").isdigit()
