"""Values of PATCH bodies that are enums: any documented spelling in, the stored name out."""

import msgspec

from vedette.contracts.enums import load_enums
from vedette.errors import InvalidRequestError

Text = str | msgspec.UnsetType
OptionalText = str | msgspec.UnsetType | None


def enum_value(enum: str, property_: str, value: OptionalText) -> Text:
    """The stored name of an enum value; null means `unknown`. Raises InvalidRequestError naming the property."""
    if isinstance(value, msgspec.UnsetType):
        return value
    contract = load_enums()[enum]
    stored = contract.parse("unknown" if value is None else value)
    if stored is None:
        raise InvalidRequestError("InvalidBodyValue", property=property_)
    return stored
