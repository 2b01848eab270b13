"""Completions and hover texts; `█` is where the cursor stands."""

from collections.abc import Iterable

import pytest

from vedette.kql import complete, hover
from vedette.kql.catalog import Catalog, TableColumn, TableSchema
from vedette.kql.editor.situation import Place, situation_at
from vedette.kql.types import ScalarType

STRING = ScalarType.STRING


_TABLES = {
    "DeviceEvents": TableSchema(
        "DeviceEvents",
        (
            TableColumn("Timestamp", ScalarType.DATETIME, "timestamp"),
            TableColumn("DeviceName", STRING, "device_name", "Name of the device"),
            TableColumn("FileName", STRING, "file_name"),
        ),
        description="What devices did",
    ),
    "EmailEvents": TableSchema("EmailEvents", (TableColumn("Subject", STRING, "subject"),)),
}


class TwoTables:
    """A catalog of two tables."""

    version = "1"

    def table(self, name: str) -> TableSchema | None:
        return _TABLES.get(name)

    def table_names(self) -> Iterable[str]:
        return _TABLES

    def function(self, name: str) -> str | None:
        return {"Shells": "(since: timespan) { DeviceEvents }"}.get(name)

    def function_names(self) -> Iterable[str]:
        return ("Shells",)


CATALOG: Catalog = TwoTables()


def completions(marked: str) -> list[tuple[str, str]]:
    found = complete(marked.replace("█", ""), marked.index("█"), CATALOG)
    return [(each.text, each.kind) for each in found]


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        ("Dev█", ("DeviceEvents", "table")),
        ("let x = 1; let y = Ema█", ("EmailEvents", "table")),
        ("DeviceEvents | wh█", ("where", "operator")),
        ("DeviceEvents | where File█", ("FileName", "column")),
        ("DeviceEvents | where tolower(File█", ("FileName", "column")),
        ("DeviceEvents | project q = FileName | where █", ("q", "column")),
        ("DeviceEvents | join kind=inner (Ema█) on a", ("EmailEvents", "table")),
        ("DeviceEvents | join kind=inner (EmailEvents | where Su█) on a", ("Subject", "column")),
        ("DeviceEvents | join (EmailEvents) on $left.Dev█", ("DeviceName", "column")),
        ("DeviceEvents | summarize cou█", ("count", "aggregate")),
        ("DeviceEvents | summarize n = count() by Dev█", ("DeviceName", "column")),
        ("let limit_ = 5; DeviceEvents | take lim█", ("limit_", "variable")),
        ("let f = () { DeviceEvents | where Dev█ }; f()", ("DeviceName", "column")),
        ("print tolow█", ("tolower", "scalar")),
        ("She█", ("Shells", "function")),
        ("DeviceEvents | invoke She█", ("Shells", "function")),
        ("DeviceEvents | project FileName, n = | where Fi█", ("FileName", "column")),
        ("DeviceEvents | project FileName, tolower(a b) | where Fi█", ("FileName", "column")),
        ("DeviceEvents | summarize n = count(), m = | where n█", ("n", "column")),
        ("DeviceEvents | mv-apply x = FileName on (summ█", ("summarize", "operator")),
    ],
)
def test_the_first_completion(marked: str, first: tuple[str, str]) -> None:
    assert completions(marked)[0] == first


def test_a_broken_item_leaves_the_others_of_its_operator() -> None:
    assert "DeviceName" not in {name for name, _ in completions("DeviceEvents | project FileName, n = | where █")}


@pytest.mark.parametrize(
    "marked", ['DeviceEvents | where FileName == "Dev█"', "DeviceEvents // Dev█", "DeviceEvents | where FileName.De█"]
)
def test_nothing_is_offered_where_nothing_fits(marked: str) -> None:
    assert completions(marked) == []


def test_plugins_are_offered_unless_they_are_refused() -> None:
    assert completions("DeviceEvents | evaluate autoc█")[0] == ("autocluster", "plugin")
    assert completions("DeviceEvents | evaluate http_req█") == []
    text = "DeviceEvents | evaluate http_request('x')"
    found = hover(text, text.index("http"), CATALOG)
    assert found is not None
    assert "not supported" in found.text


def test_behind_a_pipe_stand_operators_only() -> None:
    assert {kind for _, kind in completions("DeviceEvents | █")} == {"operator"}


def test_a_completion_replaces_the_word_that_is_written() -> None:
    (found, *_) = complete("DeviceEvents | where File", 25, CATALOG)
    assert (found.span.start, found.span.end, found.detail) == (21, 25, "string")


def test_any_position_of_a_query_has_a_situation() -> None:
    text = (
        "let x = (DeviceEvents | where a in (\"b\", @'c')); x | join kind=inner (EmailEvents) on $left.a == $right.b;"
    )
    for position in range(len(text) + 1):
        situation = situation_at(text, position)
        assert situation.word.end == position
        assert isinstance(situation.place, Place)
        complete(text, position, CATALOG)
        hover(text, position, CATALOG)


@pytest.mark.parametrize(
    ("marked", "title", "text"),
    [
        ("DeviceEvents | where Device█Name == 1", "DeviceName: string", "Name of the device"),
        ("DeviceEv█ents | take 1", "DeviceEvents: table", "What devices did"),
        ("let x = 1; print █x", "x: variable", ""),
        ("She█lls(1h)", "Shells: function", "Shells(since: timespan)"),
        ("DeviceEvents | where tolow█er(FileName) == 1", "tolower: scalar function", "tolower("),
    ],
)
def test_hover(marked: str, title: str, text: str) -> None:
    found = hover(marked.replace("█", ""), marked.index("█"), CATALOG)
    assert found is not None
    assert found.title == title
    assert found.text.startswith(text)


def test_hover_over_nothing_known() -> None:
    assert hover("DeviceEvents | where nothing == 1", 23, CATALOG) is None
    assert hover("DeviceEvents | where 1 == 1", 21, CATALOG) is None
