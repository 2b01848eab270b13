"""Reads packaged contract data into frozen structs. Unknown keys are refused; each file is parsed once a process."""

import json
import tomllib
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TypeVar

import msgspec

from vedette.errors import ContractError

T = TypeVar("T")


def data_folder(name: str = "") -> Traversable:
    """The packaged folder `contracts/data/<name>`."""
    root = resources.files("vedette.contracts") / "data"
    return root / name if name else root


def load_document(path: Traversable, type_: type[T]) -> T:
    """Parse one TOML or JSON file as `type_`. Raises ContractError naming the file and the key."""
    text = path.read_text(encoding="utf-8")
    try:
        raw = tomllib.loads(text) if path.name.endswith(".toml") else json.loads(text)
        return msgspec.convert(raw, type_)
    except (ValueError, msgspec.ValidationError) as error:
        raise ContractError(f"contracts/data/…/{path.name}: {error}") from error


def load_folder(name: str, type_: type[T]) -> Iterator[T]:
    """Parse every TOML and JSON file of a folder, in order of name."""
    for path in sorted(data_folder(name).iterdir(), key=lambda entry: entry.name):
        if path.name.endswith((".toml", ".json")):
            yield load_document(path, type_)
