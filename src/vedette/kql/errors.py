"""Errors of the language: each has a stable code, a place, a reason as data, and perhaps a hint."""

import dataclasses

from vedette.errors import VedetteError


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A piece of the query text: offset and length in characters."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """Offset behind the last character."""
        return self.start + self.length


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing wrong with a query. Code and message come from `diagnostics.toml`; line and column count from 1."""

    code: str
    message: str
    span: Span
    line: int
    column: int
    hint: str | None = None
    severity: str = "error"


class KqlError(VedetteError):
    """A query that cannot be compiled. `diagnostics` has every error found, in order of position, at least one."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics
        first = diagnostics[0]
        super().__init__(f"{first.code}: {first.message} (line {first.line}, column {first.column})")
