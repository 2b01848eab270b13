"""Values of seeds: times, also such as `-PT1H` (an hour before now), lists and objects."""

from collections.abc import Mapping, Sequence
from typing import Any

from vedette.clock import TICKS_PER_SECOND
from vedette.detections.durations import parse_duration
from vedette.odata.dates import parse_ticks
from vedette.server.seed_errors import invalid


def list_of(value: object, path: str) -> Sequence[Any]:
    """A list."""
    if not isinstance(value, list):
        raise invalid(path, "expected a list")
    return value


def object_of(value: object, path: str) -> Mapping[str, Any]:
    """An object with names as keys."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise invalid(path, "expected an object")
    return value


def ticks_of(value: object, now: int, path: str) -> int:
    """A time: ISO 8601, or a negative duration from now."""
    if isinstance(value, str):
        if value.startswith("-P"):
            try:
                return now - parse_duration(value[1:]) * TICKS_PER_SECOND
            except ValueError as error:
                raise invalid(path, "expected a duration such as -PT1H") from error
        if (ticks := parse_ticks(value)) is not None:
            return ticks
    raise invalid(path, "expected a time such as 2026-11-23T08:00:00Z or -PT1H")
