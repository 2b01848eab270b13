"""Places of addresses, from databases written here."""

import json
from pathlib import Path

import numpy as np
import pytest

from vedette.errors import SettingsError
from vedette.hunting.native_functions import host_functions
from vedette.hunting.places import PlaceDatabase
from vedette.kql.native.batches import Texts
from vedette.kql.native.registry import NativeUse

maxminddb = pytest.importorskip("maxminddb")
mmdb_writer = pytest.importorskip("mmdb_writer")

SYDNEY = {
    "city": {"names": {"en": "Sydney", "de": "Sydney (de)"}},
    "country": {"iso_code": "AU", "names": {"en": "Australia"}},
    "location": {"latitude": -33.8715, "longitude": 151.2006},
    "subdivisions": [{"iso_code": "NSW", "names": {"en": "New South Wales"}}, {"names": {"en": "further down"}}],
}
IN_SYDNEY = {
    "country": "Australia",
    "state": "New South Wales",
    "city": "Sydney",
    "latitude": -33.8715,
    "longitude": 151.2006,
}


def database(path: Path, records: dict[str, object], kind: str = "Test-City", ip_version: int = 6) -> PlaceDatabase:
    netaddr = pytest.importorskip("netaddr")
    writer = mmdb_writer.MMDBWriter(ip_version, kind, ipv4_compatible=ip_version == 6, float_type="f64")
    for network, record in records.items():
        writer.insert_network(netaddr.IPSet([network]), record)
    writer.to_db_file(str(path))
    return PlaceDatabase(path)


def places(found: PlaceDatabase, *addresses: str) -> list[object]:
    texts = Texts(addresses, np.arange(len(addresses)))
    return [json.loads(each) for each in found.geo_info_from_ip_address(texts)]


def test_a_database_of_cities(tmp_path: Path) -> None:
    found = database(tmp_path / "c.mmdb", {"20.53.203.0/24": SYDNEY, "2a03:2880::/32": {"country": "Ireland"}})
    assert places(found, "20.53.203.50", " 20.53.203.1 ", "8.8.8.8", "2a03:2880::1", "no address", "") == [
        IN_SYDNEY,
        IN_SYDNEY,
        {},
        {"country": "Ireland"},
        {},
        {},
    ]
    found.close()


def test_a_database_of_countries_knows_no_cities(tmp_path: Path) -> None:
    record = {"registered_country": {"names": {"en": "Norway"}}}
    found = database(tmp_path / "c.mmdb", {"1.2.3.0/24": record}, "Test-Country", 4)
    assert places(found, "1.2.3.4", "::1") == [{"country": "Norway"}, {}]
    found.close()


def test_a_database_of_networks_knows_no_places(tmp_path: Path) -> None:
    record = {"autonomous_system_number": 64_500, "autonomous_system_organization": "Example"}
    found = database(tmp_path / "a.mmdb", {"1.2.3.0/24": record}, "Test-ASN")
    assert places(found, "1.2.3.4") == [{}]
    found.close()


def test_a_file_that_is_no_database_is_a_setting_to_mend(tmp_path: Path) -> None:
    (tmp_path / "x.mmdb").write_text("nothing")
    for name in ("x.mmdb", "missing.mmdb"):
        with pytest.raises(SettingsError, match=name):
            PlaceDatabase(tmp_path / name)


def test_the_hosts_database_stands_in_for_the_languages_function(tmp_path: Path) -> None:
    import pyarrow as pa

    found = database(tmp_path / "c.mmdb", {"20.53.203.0/24": SYDNEY})
    column = pa.chunked_array([["20.53.203.50", None]])
    (without,), (with_,) = (host_functions([NativeUse("geo_info_from_ip_address")], each) for each in (None, found))
    assert without.batch(column).to_pylist() == ["{}", None]
    assert json.loads(with_.batch(column).to_pylist()[0]) == IN_SYDNEY
    found.close()
