"""Faults of the resource APIs: for every error code that code raises, the status, wire code and text of a surface."""

import functools
from collections.abc import Mapping

import msgspec

from vedette.contracts.loader import data_folder, load_document


class FaultContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a surface words one fault. `message` is a `str.format` template over the error's fields."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = {}
    """Further answer headers, templates as well."""
    source: str = ""
    """Where the wording comes from; empty: Vedette's own."""


class FaultsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All faults of one surface by the code that errors carry."""

    surface: str
    faults: Mapping[str, FaultContract]


@functools.cache
def load_faults(surface: str) -> FaultsDocument:
    """The faults of a surface, from `data/faults/<surface>.toml`."""
    return load_document(data_folder("faults") / f"{surface}.toml", FaultsDocument)
