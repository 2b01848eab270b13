"""What an editor shows for the word under the pointer: a column's type, a table's columns, a function's signatures."""

import dataclasses

from vedette.kql.catalog import EMPTY, Catalog, TableSchema
from vedette.kql.diagnostics import Diagnostics
from vedette.kql.editor.completion import columns_in_reach
from vedette.kql.editor.situation import Situation, situation_at
from vedette.kql.errors import Span
from vedette.kql.functions import registry
from vedette.kql.lexer import tokenize
from vedette.kql.parser.cursor import WORDS

_DOCUMENTATION = "https://learn.microsoft.com/kusto/query/"
_KINDS: tuple[registry.Kind, ...] = ("aggregate", "scalar", "window", "plugin")


@dataclasses.dataclass(frozen=True, slots=True)
class Hover:
    """`title` is one line, `text` perhaps several; `span` is the word they are about."""

    span: Span
    title: str
    text: str = ""


def hover(text: str, position: int, catalog: Catalog = EMPTY) -> Hover | None:
    """What is known of the word at `position`, None if nothing is."""
    tokens = tokenize(text, Diagnostics(text))
    for at, (start, end) in enumerate(zip(tokens.starts, tokens.ends, strict=True)):
        if start <= position <= end and tokens.kinds[at] in WORDS:
            return _hover(text[start:end], Span(start, end - start), tokens.kinds[at + 1] == "(", text, catalog)
    return None


def _hover(word: str, span: Span, is_call: bool, text: str, catalog: Catalog) -> Hover | None:
    stored = catalog.function(word)
    if is_call or stored is not None:
        return (_function(word, span) if is_call else None) or _stored(word, span, stored)
    situation = situation_at(text, span.start)
    for column in columns_in_reach(situation, catalog):
        if column.name == word:
            return Hover(span, f"{column.name}: {column.type.value}", _description(word, situation, catalog))
    table = catalog.table(word)
    if table is not None:
        return _table(table, span)
    if word in situation.variables:
        return Hover(span, f"{word}: variable")
    return None


def _stored(word: str, span: Span, text: str | None) -> Hover | None:
    return None if text is None else Hover(span, f"{word}: function", f"{word}{text.partition('{')[0].strip()}")


def _function(word: str, span: Span) -> Hover | None:
    for kind in _KINDS:
        function = registry.find(kind, word)
        if function is not None:
            lines = [f"{word}{signature}" for signature in function.record.signatures]
            if function.record.refused:
                lines.append(f"not supported: {function.record.refused}")
            if function.record.source:
                lines.append(f"{_DOCUMENTATION}{function.record.source}")
            return Hover(span, f"{word}: {kind} function", "\n".join(lines))
    return None


def _table(table: TableSchema, span: Span) -> Hover:
    columns = "\n".join(f"{each.name}: {each.type.value}" for each in table.columns)
    return Hover(span, f"{table.name}: table", f"{table.description}\n{columns}".strip())


def _description(column: str, situation: Situation, catalog: Catalog) -> str:
    """What the first table of the pipeline that has the column says of it."""
    tokens = tokenize(situation.pipeline, Diagnostics(situation.pipeline))
    for start, end in zip(tokens.starts, tokens.ends, strict=True):
        table = catalog.table(situation.pipeline[start:end])
        for each in table.columns if table is not None else ():
            if each.name == column:
                return each.description
    return ""
