"""Refusals of the login service: AADSTS numbers with their OAuth error, HTTP status and text."""

import functools
from collections.abc import Mapping
from typing import Literal

import msgspec

from vedette.contracts.loader import data_folder, load_document
from vedette.errors import ContractError


class LoginFaultContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One refusal. `status` is None for those that only ever travel in a redirect or stand on a page."""

    key: str
    """Vedette's own name of it, which code raises."""
    code: int
    """AADSTS number."""
    error: str
    text: str
    """Template; the error that is raised carries the values of its fields."""
    when: str
    confidence: Literal["documented", "observed", "inferred"]
    source: str
    name: str = ""
    status: int | None = None
    discovery_error: str | None = None
    """The OAuth error where it differs on the discovery endpoints."""
    suberror: str | None = None
    unreachable: str = ""
    """Why nothing here leads to it; empty: something does, and a test shows what."""
    help_page: bool = False
    """Whether the answer points to a page about the number (`error_uri`)."""


class LoginFaultsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of refusals."""

    faults: tuple[LoginFaultContract, ...]


@functools.cache
def load_login_faults() -> Mapping[int, LoginFaultContract]:
    """All refusals by AADSTS number."""
    document = load_document(data_folder("faults") / "login.toml", LoginFaultsDocument)
    faults = {fault.code: fault for fault in document.faults}
    if not len(faults) == len({fault.key for fault in document.faults}) == len(document.faults):
        raise ContractError("faults/login.toml: a key or code is declared twice")
    return faults


@functools.cache
def login_faults_by_key() -> Mapping[str, LoginFaultContract]:
    """All refusals by the key that code raises."""
    return {fault.key: fault for fault in load_login_faults().values()}
