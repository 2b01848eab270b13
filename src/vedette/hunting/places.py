"""Places of IP addresses, from a database in MaxMind's format that the user supplies: cities, countries, or both."""

import functools
import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vedette.errors import SettingsError
from vedette.kql.native.batches import Texts
from vedette.kql.native.places import NO_PLACE

if TYPE_CHECKING:
    pass

_REMEMBERED = 65_536
_LANGUAGE = "en"


class PlaceDatabase:
    """One database, mapped into memory for as long as the process lives. Thread-safe."""

    def __init__(self, path: Path) -> None:
        """Raises SettingsError for a file that is no such database, or without the package that reads them."""
        try:
            import maxminddb
        except ImportError as error:
            raise SettingsError("The setting geo_database needs the extra vedette[geo].") from error
        try:
            self._reader: maxminddb.Reader = maxminddb.open_database(path)
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            raise SettingsError(f"{path} cannot be read as a database of places: {error}.") from error
        self._known = functools.lru_cache(_REMEMBERED)(self._look_up)

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def geo_info_from_ip_address(self, addresses: Texts) -> list[str]:
        """What the function of the language answers for each of a column of addresses."""
        places = [self._known(each) for each in addresses.distinct]
        return [places[code] for code in addresses.codes.tolist()]

    def _look_up(self, text: str) -> str:
        try:
            address = ipaddress.ip_address(text.strip())
        except ValueError:
            return NO_PLACE
        if address.version == 6 and self._reader.metadata().ip_version == 4:
            return NO_PLACE
        found = self._reader.get(address)
        return json.dumps(_place(found), ensure_ascii=False) if isinstance(found, dict) else NO_PLACE


def _place(record: Mapping[str, Any]) -> dict[str, object]:
    """The documented members, as far as the database has them; one of networks and their owners has none."""
    subdivisions = record.get("subdivisions") or [{}]
    location = record.get("location") or {}
    members = {
        "country": _name(record.get("country") or record.get("registered_country")),
        "state": _name(subdivisions[0]),
        "city": _name(record.get("city")),
        "latitude": location.get("latitude"),
        "longitude": location.get("longitude"),
    }
    return {name: value for name, value in members.items() if value is not None}


def _name(part: object) -> str | None:
    """The English name of a part of a record; some databases write plain text."""
    if isinstance(part, str):
        return part or None
    names = part.get("names") if isinstance(part, Mapping) else None
    name = names.get(_LANGUAGE) if isinstance(names, Mapping) else None
    return name if isinstance(name, str) else None
