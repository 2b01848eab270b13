import pyarrow as pa
import pytest

from vedette.contracts.tables import load_tables
from vedette.lake.errors import InvalidBatchError
from vedette.lake.schema import INGESTION_TIME, stored_tables


def test_every_contract_table_has_a_stored_form_with_distinct_names() -> None:
    tables = stored_tables()
    assert set(tables) == set(load_tables())
    for name, table in tables.items():
        names = [field.name.lower() for field in table.schema]
        assert len(set(names)) == len(names) == len(load_tables()[name].columns) + 1


def test_conform_fills_missing_columns_and_never_leaves_a_string_null() -> None:
    table = stored_tables()["DeviceProcessEvents"]
    rows = table.conform(
        pa.table({"FileName": pa.array(["a.exe", None]), "ProcessId": pa.array([7, None], pa.int32())})
    )
    assert rows["FileName"].to_pylist() == ["a.exe", ""]
    assert rows["DeviceName"].to_pylist() == ["", ""]
    assert rows["ProcessId"].to_pylist() == [7, None]
    assert rows["Timestamp"].to_pylist() == [None, None]
    assert rows.schema.names == [name for name in table.schema.names if name != INGESTION_TIME]


def test_conform_parses_guids_and_reads_json_text() -> None:
    guid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    name, column = next((t.name, f.name) for t in stored_tables().values() for f in t.schema if f.type == pa.uuid())
    rows = stored_tables()[name].conform(pa.table({column: [guid, ""]}))
    assert [value and str(value) for value in rows[column].to_pylist()] == [guid, None]
    rows = stored_tables()["CloudAppEvents"].conform(pa.table({"RawEventData": ['{"a":1}', None]}))
    assert rows["RawEventData"].type == pa.json_(pa.string())
    assert rows["RawEventData"].to_pylist() == ['{"a":1}', None]


@pytest.mark.parametrize(
    ("columns", "reason", "column"),
    [
        ({"filename": ["x"]}, "unknown_column", "filename"),
        ({"ProcessId": ["not a number"]}, "unsuitable_value", "ProcessId"),
        ({INGESTION_TIME: [1]}, "unknown_column", INGESTION_TIME),
    ],
)
def test_conform_refuses_what_cannot_be_stored(columns: dict[str, list[object]], reason: str, column: str) -> None:
    with pytest.raises(InvalidBatchError) as raised:
        stored_tables()["DeviceProcessEvents"].conform(pa.table(columns))
    assert (raised.value.reason, raised.value.table, raised.value.column) == (reason, "DeviceProcessEvents", column)
