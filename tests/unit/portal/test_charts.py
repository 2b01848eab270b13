"""Charts as shapes: which columns they are made of, and where the shapes stand."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pytest

from vedette.clock import to_ticks
from vedette.hunting.results import QueryStatistics, Results
from vedette.kql.compiled import ResultColumn
from vedette.kql.types import ScalarType
from vedette.portal.charts import HEIGHT, MAXIMUM_SERIES, MAXIMUM_SLICES, WIDTH, Chart, Shape, chart_of

STRING, LONG, REAL, TIME = ScalarType.STRING, ScalarType.LONG, ScalarType.REAL, ScalarType.DATETIME
ARROW = {STRING: pa.string(), LONG: pa.int64(), REAL: pa.float64(), TIME: pa.int64()}
KINDS = ("barchart", "columnchart", "piechart", "timechart", "linechart", "areachart", "scatterchart", "card")


def results(kind: str, columns: dict[str, ScalarType], rows: Sequence[Sequence[object]], **asked: str) -> Results:
    data = [pa.array([row[at] for row in rows], ARROW[type_]) for at, type_ in enumerate(columns.values())]
    return Results(
        tuple(ResultColumn(name, type_) for name, type_ in columns.items()),
        pa.table(data, names=list(columns)),
        QueryStatistics(0.0, 0.0, 0, 0, 0, 1, 1),
        render={"visualization": kind, **asked},
    )


def counts(kind: str, **asked: str) -> Results:
    return results(kind, {"Name": STRING, "Count": LONG}, [("a", 1), ("b", 4), ("c", -2)], **asked)


def drawn(asked: Results) -> Chart:
    chart = chart_of(asked)
    assert chart is not None
    return chart


def of(chart: Chart, tag: str) -> list[Shape]:
    return [each for each in chart.shapes if each.tag == tag and each.colour is not None]


def test_bars_are_as_long_as_their_values() -> None:
    a, b, c = of(drawn(counts("columnchart")), "rect")
    assert float(b.attributes["height"]) == pytest.approx(4 * float(a.attributes["height"]), abs=0.5)
    assert float(c.attributes["y"]) == pytest.approx(float(a.attributes["y"]) + float(a.attributes["height"]), abs=0.2)
    assert b.title == "b, Count: 4"
    a, b, _ = of(drawn(counts("barchart")), "rect")
    assert float(b.attributes["width"]) == pytest.approx(4 * float(a.attributes["width"]), abs=0.5)


def test_times_stand_where_they_are() -> None:
    begin = to_ticks(1_763_899_200.0)
    rows = [(begin, 1), (begin + 10, 5), (begin + 40, 3)]
    chart = drawn(results("timechart", {"Count": LONG, "At": TIME}, [(value, at) for at, value in rows], title="Runs"))
    first, second, third = (float(each.attributes["cx"]) for each in of(chart, "circle"))
    assert second - first == pytest.approx((third - first) / 4, abs=0.2)
    assert chart.title == "Runs"
    assert len(of(chart, "path")) == 1


def test_texts_make_series_and_columns_can_be_named() -> None:
    rows = [(1, "x", 2, 9), (2, "x", 3, 9), (1, "y", 4, 9)]
    columns = {"At": LONG, "Who": STRING, "Count": LONG, "Other": LONG}
    chart = drawn(results("linechart", columns, rows, ycolumns="Count"))
    assert chart.legend == ("x", "y")
    chart = drawn(results("linechart", columns, rows, xcolumn="Count", ycolumns="Other", series="Who"))
    assert [each.title for each in of(chart, "circle")] == ["2, x: 9", "3, x: 9", "4, y: 9"]


def test_a_pie_is_whole_and_puts_small_slices_together() -> None:
    chart = drawn(counts("piechart"))
    assert [each.title for each in of(chart, "path")] == ["b: 4 (80.0 %)", "a: 1 (20.0 %)"]
    many = results("piechart", {"Name": STRING, "Count": LONG}, [(str(each), each) for each in range(1, 40)])
    slices = of(drawn(many), "path")
    assert len(slices) == MAXIMUM_SLICES
    assert slices[-1].title.startswith("Others")
    (whole,) = of(drawn(results("piechart", {"Name": STRING, "Count": LONG}, [("a", 3)])), "path")
    assert whole.title == "a: 3 (100.0 %)"


def test_a_card_shows_the_first_row() -> None:
    chart = drawn(results("card", {"Count": LONG, "Name": STRING}, [(42, "a"), (1, "b")]))
    assert [each.text for each in chart.shapes] == ["42", "Count", "a", "Name"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_stays_inside_the_picture(kind: str) -> None:
    rows = [(to_ticks(1_763_899_200.0) + at * 7, f"s{at % 20}", at**3 - 500.0 if at % 5 else None) for at in range(300)]
    chart = drawn(results(kind, {"At": TIME, "Who": STRING, "Value": REAL}, rows))
    assert len(chart.legend) <= MAXIMUM_SERIES
    for shape in chart.shapes:
        for name in ("x", "cx"):
            assert 0 <= float(shape.attributes.get(name, "0")) <= WIDTH
        for name in ("y", "cy"):
            assert 0 <= float(shape.attributes.get(name, "0")) <= HEIGHT
        assert "nan" not in re.sub(r"[^a-z]", "", str(shape.attributes))


@pytest.mark.parametrize(
    "asked",
    [
        counts("table"),
        counts("treemap"),
        results("timechart", {"Name": STRING}, [("a",)]),
        results("columnchart", {"Name": STRING, "Count": LONG}, []),
        results("columnchart", {"Name": STRING, "Value": REAL}, [("a", float("nan")), ("b", None)]),
        results("piechart", {"Name": STRING, "Other": STRING}, [("a", "b")]),
    ],
)
def test_what_makes_no_chart_has_none(asked: Results) -> None:
    assert chart_of(asked) is None
