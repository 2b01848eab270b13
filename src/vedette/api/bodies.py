"""Request bodies of JSON surfaces: read once into a frozen struct. Names are matched without regard to case."""

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from vedette.errors import InvalidRequestError

T = TypeVar("T", bound=msgspec.Struct)

MAX_DEPTH = 100
"""Objects and arrays in each other. No body that is documented has more than ten."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PLACE = re.compile(r"at `\$\.(\w+)")


def read_object(body: bytes, type_: type[T], *, ignore_unknown: bool = False) -> T:
    """The body as `type_`. OData annotations are skipped; a property that the struct lacks is refused by name."""
    names = {field.encode_name.lower(): field.encode_name for field in msgspec.structs.fields(type_)}
    known: dict[str, object] = {}
    for name, value in read_members(body).items():
        if "@odata." in name:
            continue
        if name.lower() in names:
            known[names[name.lower()]] = value
        elif not ignore_unknown:
            raise InvalidRequestError("UnknownBodyProperty", property=name)
    try:
        return msgspec.convert(known, type_)
    except msgspec.ValidationError as error:
        raise _value_error(str(error), known) from error


def read_members(body: bytes) -> dict[str, Any]:
    """A body that is an object, whatever its members are. Raises InvalidRequestError."""
    value = read_json(body)
    if not isinstance(value, dict):
        raise InvalidRequestError("BodyNotAnObject")
    return value


def read_json(body: bytes) -> object:
    """A body that is JSON of a depth that code can walk. Raises InvalidRequestError."""
    try:
        value: object = msgspec.json.decode(body.removeprefix(_BYTE_ORDER_MARK))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequestError("BodyNotJson") from error
    if _is_deeper(value, MAX_DEPTH):
        raise InvalidRequestError("BodyNotJson")
    return value


def _is_deeper(value: object, depth: int) -> bool:
    """Whether a value nests more than so many objects and arrays."""
    level = [value]
    for _ in range(depth):
        level = [item for each in level if isinstance(each, dict | list) for item in _items(each)]
        if not level:
            return False
    return any(isinstance(each, dict | list) for each in level)


def _items(value: dict[str, object] | list[object]) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value


def _value_error(text: str, known: dict[str, object]) -> InvalidRequestError:
    missing = re.match(r"Object missing required field `(\w+)`", text)
    if missing:
        return InvalidRequestError("MissingParameter", parameter=missing[1])
    place = _PLACE.search(text)
    return InvalidRequestError("InvalidBodyValue", property=place[1] if place else next(iter(known), ""))
