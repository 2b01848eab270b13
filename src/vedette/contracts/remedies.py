"""What refusals mean in plain words, and the commands that mend them."""

import functools
from collections.abc import Mapping

import msgspec

from vedette.contracts.loader import data_folder, load_document


class RemedyContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One refusal explained. Texts and commands may hold `{fields}` of the refusal's own text."""

    means: str
    mend: str
    commands: tuple[str, ...] = ()
    setting: str = ""
    """The setting that decides about it."""


class RemediesDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of remedies."""

    login: Mapping[str, RemedyContract]
    """By the keys of the login service's refusals."""
    api: Mapping[str, RemedyContract]
    """By the keys of the APIs' faults; those without an entry say all in their own text."""


@functools.cache
def load_remedies() -> RemediesDocument:
    """All remedies."""
    return load_document(data_folder() / "remedies.toml", RemediesDocument)
