"""One measured figure, and how figures are shown: a line of JSON each, and a table at the end."""

import json
import sys
from collections.abc import Sequence
from typing import Literal

import msgspec

Better = Literal["lower", "higher"]


class Measurement(msgspec.Struct, frozen=True):
    """`goal` is met from which side `better` says; `peer` names what the value is compared with."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    better: Better = "lower"
    peer: str | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.better == "lower" else self.value >= self.goal


def show(measurement: Measurement) -> None:
    """Print one JSON line."""
    fields = {name: getattr(measurement, name) for name in ("name", "value", "unit", "goal", "met", "peer")}
    print(json.dumps(fields), flush=True)


def show_table(measurements: Sequence[Measurement]) -> None:
    """Print all of them as a table, on standard error."""
    words = {True: "yes", False: "NO", None: ""}
    rows = [("name", "value", "unit", "goal", "met", "peer")] + [
        (m.name, f"{m.value:.3g}", m.unit, "" if m.goal is None else f"{m.goal:g}", words[m.met], m.peer or "")
        for m in measurements
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), file=sys.stderr)
