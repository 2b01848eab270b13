"""The registry of functions and the choice among their overloads."""

import pytest

from vedette.errors import ContractError
from vedette.kql.functions.registry import find, functions, operator_named
from vedette.kql.functions.resolution import common_type, resolve
from vedette.kql.functions.signature import parse_signature
from vedette.kql.types import ScalarType as T


@pytest.mark.parametrize("kind", ["scalar", "aggregate", "window", "operator", "internal"])
def test_every_record_is_sound(kind: str) -> None:
    known = functions(kind)  # type: ignore[arg-type]
    assert known
    for function in known.values():
        assert function.canonical in known
        for signature in function.signatures:
            assert len({each.name for each in signature.parameters}) == len(signature.parameters), function.name


def test_legacy_names_lead_to_their_successors() -> None:
    assert [find("scalar", name).canonical for name in ("todynamic", "iif", "extractjson", "pack", "notempty")] == [
        "parse_json", "iff", "extract_json", "bag_pack", "isnotempty",
    ]  # fmt: skip
    assert find("aggregate", "makeset").canonical == "make_set"


def test_symbols() -> None:
    assert [operator_named(each) for each in ("+", "==", "=~", "!has_cs", "in~", "matches regex", "!between")] == [
        "add", "equal", "equal_ci", "not_has_cs", "in_ci", "matches_regex", "not_between",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "types", "converted", "result"),
    [
        ("add", (T.INT, T.INT), (T.INT, T.INT), T.LONG),
        ("add", (T.DATETIME, T.TIMESPAN), (T.DATETIME, T.TIMESPAN), T.DATETIME),
        ("subtract", (T.DATETIME, T.DATETIME), (T.DATETIME, T.DATETIME), T.TIMESPAN),
        ("divide", (T.TIMESPAN, T.TIMESPAN), (T.TIMESPAN, T.TIMESPAN), T.REAL),
        ("multiply", (T.DYNAMIC, T.REAL), (T.REAL, T.REAL), T.REAL),
        ("equal", (T.DYNAMIC, T.STRING), (T.STRING, T.STRING), T.BOOL),
        ("less", (T.INT, T.REAL), (T.REAL, T.REAL), T.BOOL),
        ("has", (T.DYNAMIC, T.STRING), (T.STRING, T.STRING), T.BOOL),
    ],
)
def test_operators(name: str, types: tuple[T, ...], converted: tuple[T, ...], result: T) -> None:
    resolution = resolve("operator", name, types)
    assert resolution is not None
    assert (resolution.types, resolution.result) == (converted, result)


def test_repeated_parameters_take_turns() -> None:
    resolution = resolve("scalar", "case", (T.BOOL, T.INT, T.BOOL, T.LONG, T.REAL))
    assert resolution is not None
    assert resolution.types == (T.BOOL, T.REAL, T.BOOL, T.REAL, T.REAL)


def test_no_overload() -> None:
    assert resolve("operator", "add", (T.STRING, T.LONG)) is None
    assert resolve("operator", "less", (T.STRING, T.DATETIME)) is None
    assert resolve("operator", "has", (T.STRING, T.LONG)) is None
    assert resolve("scalar", "hourofday", (T.STRING,)) is None
    assert resolve("scalar", "substring", (T.STRING,)) is None


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ((T.INT, T.LONG), T.LONG),
        ((T.DYNAMIC, T.STRING), T.STRING),
        ((T.STRING, T.LONG), None),
        ((T.GUID, T.GUID), T.GUID),
    ],
)
def test_common_type(types: tuple[T, ...], expected: T | None) -> None:
    assert common_type(types) is expected


@pytest.mark.parametrize("text", ["long", "(x: nothing) -> long", "(x) -> long", "(x: long sometimes) -> long"])
def test_malformed_signatures_are_refused(text: str) -> None:
    with pytest.raises(ContractError):
        parse_signature(text)
