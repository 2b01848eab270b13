"""JSON text rewritten: in its canonical form, or with a value put at a path. Numbers stay as they are written."""

from __future__ import annotations

import json
import re

_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\['(?P<quoted>[^']*)'\]")


class _Digits(str):
    """A number as it is written."""

    __slots__ = ()


def dynamic_to_json(value: str) -> str:
    """The value with the keys of its bags in order, without blanks."""
    return _written(_sorted(_read(value)))


def bag_set_path(bag: str, path: str, value: str) -> str | None:
    """The bag with the value at a path such as `$.a.b`, whose bags are made where they are missing."""
    whole = _read(bag)
    names = [found["name"] or found["quoted"] for found in _STEP.finditer(path)]
    if not isinstance(whole, dict) or not names:
        return None
    place = whole
    for name in names[:-1]:
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
    place[names[-1]] = _read(value)
    return _written(whole)


def _read(text: str) -> object:
    """The value; a text that is no JSON is the string itself."""
    try:
        return json.loads(text, parse_float=_Digits, parse_int=_Digits)
    except ValueError:
        return text


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _written(value: object) -> str:
    if isinstance(value, _Digits):
        return str(value)
    if isinstance(value, dict):
        members = (f"{json.dumps(key, ensure_ascii=False)}:{_written(each)}" for key, each in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
