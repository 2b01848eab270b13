import datetime
import gzip
import io
import zipfile
from collections.abc import Mapping

import pyarrow as pa
import pytest
from pyarrow import parquet

from vedette.hunting.errors import ExternalDataError
from vedette.hunting.externals import load_external
from vedette.kql.compiled import ExternalRead, ResultColumn
from vedette.kql.types import ScalarType

CSV = b'\xef\xbb\xbfName,Count,Seen\r\n"a, b",7,2024-05-01T00:00:00Z\r\nc,x,never\r\n'
COLUMNS = {"Name": ScalarType.STRING, "Count": ScalarType.LONG, "Seen": ScalarType.DATETIME}


def load(
    content: bytes,
    format_: str = "csv",
    uri: str = "https://feeds.example/list.csv",
    columns: Mapping[str, ScalarType] = COLUMNS,
    **properties: str,
) -> list[dict[str, object]]:
    described = tuple(ResultColumn(name, type_) for name, type_ in columns.items())
    read = ExternalRead("external_0", (uri,), format_, described, properties)
    loaded = load_external(read, lambda url: content)
    assert loaded.name == "external_0"
    rows: list[dict[str, object]] = loaded.data.to_pylist()
    return rows


def test_csv_with_types_and_a_header_left_out() -> None:
    assert load(CSV, ignoreFirstRecord="true") == [
        {"Name": "a, b", "Count": 7, "Seen": 638_501_184_000_000_000},
        {"Name": "c", "Count": None, "Seen": None},
    ]
    assert len(load(CSV)) == 3


def test_text_is_a_row_a_line() -> None:
    line = {"Line": ScalarType.STRING}
    assert load(b"one\r\ntwo, 2\n", "txt", columns=line) == [{"Line": "one"}, {"Line": "two, 2"}]
    assert load(b"", "txt", columns=line) == []
    assert load(b"one\ntwo", "raw", columns=line) == [{"Line": "one\ntwo"}]


def test_json_properties_by_name() -> None:
    columns = {"Name": ScalarType.STRING, "Tags": ScalarType.DYNAMIC, "Ok": ScalarType.BOOL}
    expected = [{"Name": "a", "Tags": "[1,2]", "Ok": True}, {"Name": "", "Tags": None, "Ok": None}]
    array = b'[{"Name":"a","Tags":[1, 2],"Ok":true,"More":1},\n {"Other":0}]'
    assert load(array, "multijson", columns=columns) == expected
    assert load(b'{"Name":"a",\n"Tags":[1,2],"Ok":"true"}\n{}', "multijson", columns=columns) == expected
    assert load(b'{"Name":"a","Tags":[1,2],"Ok":true}\n{}\n', "json", columns=columns) == expected


def test_the_extension_tells_format_and_packing() -> None:
    line = {"Line": ScalarType.STRING}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.txt", "a,b\n")
    assert load(b"a,b\n", "", "https://feeds.example/list.txt", line) == [{"Line": "a,b"}]
    assert load(gzip.compress(b"a,b\n"), "", "https://feeds.example/list.txt.gz", line) == [{"Line": "a,b"}]
    assert load(packed.getvalue(), "txt", "https://feeds.example/list.zip", line) == [{"Line": "a,b"}]
    assert load(b"a,b\n", "", "https://feeds.example/list", line) == [{"Line": "a"}]


@pytest.mark.parametrize(
    ("content", "format_", "uri"),
    [
        (b"x", "parquet", "https://feeds.example/x"),
        (b"not gzip", "txt", "https://feeds.example/x.gz"),
        (b"not zip", "txt", "https://feeds.example/x.zip"),
        (b"[1", "multijson", "https://feeds.example/x"),
        (b"7", "json", "https://feeds.example/x"),
    ],
)
def test_content_of_another_kind_is_refused_by_name(content: bytes, format_: str, uri: str) -> None:
    with pytest.raises(ExternalDataError) as raised:
        load(content, format_, uri)
    assert raised.value.fields["uri"] == uri


def test_parquet_by_the_names_of_its_columns() -> None:
    moment = datetime.datetime(2024, 5, 1, tzinfo=datetime.UTC)
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"Seen": [moment], "Name": ["a"], "Other": [1]}), buffer)
    assert load(buffer.getvalue(), "parquet") == [{"Name": "a", "Count": None, "Seen": 638_501_184_000_000_000}]
    with pytest.raises(ExternalDataError):
        load(b"PAR1", "parquet")


@pytest.mark.parametrize(
    ("format_", "content", "mapping"),
    [
        (
            "multijson",
            b'[{"n": {"in ner": "a"}, "c": [1, 7]}]',
            """[{"Column": "Name", "Properties": {"Path": "$.n['in ner']"}}, {"Column": "Count", "Path": "$.c[1]"}]""",
        ),
        (
            "csv",
            b"7,x,a",
            """[{"Name": "Name", "Ordinal": 2}, {"Column": "Count", "Properties": {"Ordinal": "0"}}]""",
        ),
    ],
)
def test_an_ingestion_mapping_tells_where_columns_are(format_: str, content: bytes, mapping: str) -> None:
    expected = [{"Name": "a", "Count": 7, "Seen": None}]
    assert load(content, format_, ingestionMapping=mapping) == expected
    with pytest.raises(ExternalDataError):
        load(content, format_, ingestionMapping="no mapping")
