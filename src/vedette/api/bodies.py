"""Request bodies of JSON surfaces: read once into a frozen struct. Names are matched without regard to case."""

import re
from typing import TypeVar

import msgspec

from vedette.errors import InvalidRequestError

T = TypeVar("T", bound=msgspec.Struct)

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PLACE = re.compile(r"at `\$\.(\w+)")


def read_object(body: bytes, type_: type[T], *, ignore_unknown: bool = False) -> T:
    """The body as `type_`. OData annotations are skipped; a property that the struct lacks is refused by name."""
    names = {field.encode_name.lower(): field.encode_name for field in msgspec.structs.fields(type_)}
    known: dict[str, object] = {}
    for name, value in _decode(body).items():
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


def _decode(body: bytes) -> dict[str, object]:
    try:
        value = msgspec.json.decode(body.removeprefix(_BYTE_ORDER_MARK))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequestError("BodyNotJson") from error
    if not isinstance(value, dict):
        raise InvalidRequestError("BodyNotAnObject")
    return value


def _value_error(text: str, known: dict[str, object]) -> InvalidRequestError:
    missing = re.match(r"Object missing required field `(\w+)`", text)
    if missing:
        return InvalidRequestError("MissingParameter", parameter=missing[1])
    place = _PLACE.search(text)
    return InvalidRequestError("InvalidBodyValue", property=place[1] if place else next(iter(known), ""))
