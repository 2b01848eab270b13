"""What hunting answers look like per surface: names of types, form of dynamic values, and how well each is known."""

import functools
from collections.abc import Mapping
from typing import Literal

import msgspec

from vedette.contracts.loader import data_folder, load_document

Evidence = Literal["documented", "seen", "unverified"]


class PerSurface(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fact as each family of surfaces shows it."""

    defender: str
    graph: str
    evidence: Evidence
    note: str = ""


class DynamicValues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of dynamic values."""

    defender: Literal["json", "text"]
    graph: Literal["json", "text"]
    evidence: Evidence
    note: str = ""


class HuntingAnswers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    type_names: Mapping[str, PerSurface]
    """By KQL type."""
    dynamic_values: DynamicValues
    statistics: PerSurface


@functools.cache
def load_hunting_answers() -> HuntingAnswers:
    """The facts, loaded once."""
    return load_document(data_folder() / "hunting_answers.toml", HuntingAnswers)
