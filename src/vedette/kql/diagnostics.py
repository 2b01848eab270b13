"""Turns what went wrong into `Diagnostic` values: code and wording from `diagnostics.toml`, place from the text."""

import dataclasses
import functools
import importlib.resources
import tomllib
from collections.abc import Mapping

from vedette.kql.errors import Diagnostic, KqlError, Span


@dataclasses.dataclass(frozen=True, slots=True)
class DiagnosticFact:
    """One record of `diagnostics.toml`."""

    code: str
    message: str
    severity: str = "error"


@functools.cache
def diagnostic_facts() -> Mapping[str, DiagnosticFact]:
    """All records by name."""
    text = (importlib.resources.files("vedette.kql") / "diagnostics.toml").read_text("utf-8")
    return {name: DiagnosticFact(**record) for name, record in tomllib.loads(text).items()}


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of an offset. Lines end at \\n; a \\r before it belongs to its line."""
    before = text.rfind("\n", 0, offset)
    return text.count("\n", 0, offset) + 1, offset - before


class Diagnostics:
    """Collects the diagnostics of one query text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[Diagnostic] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def has_errors(self) -> bool:
        """Whether something has been found that is more than a warning."""
        return any(each.severity == "error" for each in self._found)

    def report(self, name: str, span: Span, /, *, hint: str | None = None, **fields: str | int) -> None:
        """Add the diagnostic of that name at `span`; `fields` fill its message."""
        fact = diagnostic_facts()[name]
        line, column = position(self._text, span.start)
        message = fact.message.format_map(fields)
        self._found.append(Diagnostic(fact.code, message, span, line, column, hint, fact.severity))

    def found(self) -> tuple[Diagnostic, ...]:
        """All diagnostics in order of position, each once."""
        return tuple(sorted(dict.fromkeys(self._found), key=lambda each: (each.span.start, each.span.length)))

    def raise_errors(self) -> None:
        """Raise `KqlError` with everything found if any of it is an error."""
        if self.has_errors:
            raise KqlError(self.found())
