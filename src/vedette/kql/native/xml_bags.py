"""XML text as a property bag: elements, attributes as `@name`, text as `#text`. Entities are not expanded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from xml.parsers import expat

_LONGEST = 1_048_576
_DEEPEST = 256

Bag = dict[str, object]


class _Reader:
    """Builds the bag while expat reads. `stack` holds the open elements: their bag and the pieces of their text."""

    def __init__(self) -> None:
        self.root: Bag = {}
        self.stack: list[tuple[str, Bag, list[str]]] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self.stack) >= _DEEPEST:
            raise ValueError("too deep")
        self.stack.append((name, {f"@{key}": value for key, value in attributes.items()}, []))

    def text(self, piece: str) -> None:
        if self.stack:
            self.stack[-1][2].append(piece)

    def end(self, _name: str) -> None:
        name, bag, pieces = self.stack.pop()
        text = "".join(pieces).strip()
        _add(self.stack[-1][1] if self.stack else self.root, name, _value(bag, text))


def _value(bag: Bag, text: str) -> object:
    if not bag:
        return text or None
    return {**bag, "#text": text} if text else bag


def _add(parent: Bag, name: str, value: object) -> None:
    """Elements of the same name become an array."""
    if name not in parent:
        parent[name] = value
        return
    found = parent[name]
    parent[name] = [*found, value] if isinstance(found, list) else [found, value]


def _no_entities(*_details: object) -> None:
    raise ValueError("entities are not expanded")


def parse_xml(text: str) -> str | None:
    """The bag as JSON, None where the text is no XML or too long."""
    data = text.encode("utf-8")
    if len(data) > _LONGEST:
        return None
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _no_entities
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError):
        return None
    return json.dumps(reader.root)
