"""Faults of the resource APIs: for every error code that code raises, the status, wire code and text of a surface.

`shared.toml` words all of them once; a surface's own file restates what that surface words differently.
"""

import functools
from collections.abc import Mapping

import msgspec

from vedette.contracts.loader import data_folder, load_document
from vedette.errors import ContractError

SHARED = "shared"


class FaultContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a surface words one fault. `message` and `headers` are `str.format` templates over the error's fields."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = {}
    source: str = ""
    """Where the wording comes from; empty: Vedette's own; `not verified`: a guess."""


class FaultRestatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a surface words differently; None keeps the shared value."""

    status: int | None = None
    code: str | None = None
    message: str | None = None
    source: str = ""


class SharedFaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of shared faults."""

    surface: str
    faults: Mapping[str, FaultContract]


class RestatedFaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A surface's file."""

    surface: str
    faults: Mapping[str, FaultRestatement]


@functools.cache
def load_faults(surface: str) -> Mapping[str, FaultContract]:
    """The faults of a surface by the code that errors carry. A surface without a file has the shared ones."""
    folder = data_folder("faults")
    faults = dict(load_document(folder / f"{SHARED}.toml", SharedFaults).faults)
    own = folder / f"{surface}.toml"
    if surface == SHARED or not own.is_file():
        return faults
    for code, restated in load_document(own, RestatedFaults).faults.items():
        if code not in faults:
            raise ContractError(f"faults/{surface}.toml: {code} is not among the shared faults")
        faults[code] = _restate(faults[code], restated)
    return faults


def _restate(fault: FaultContract, restated: FaultRestatement) -> FaultContract:
    return FaultContract(
        status=fault.status if restated.status is None else restated.status,
        code=fault.code if restated.code is None else restated.code,
        message=fault.message if restated.message is None else restated.message,
        headers=fault.headers,
        source=restated.source or fault.source,
    )
