"""Charts that a query's `render` asks for, as shapes of an SVG: what is drawn, not how it is written down.

The table beside it stays the answer; a chart shows at most so many points and series, and says nothing of its own.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from vedette.hunting.results import Results
from vedette.kql.types import ScalarType

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 12, 12, 40
_NAMES = 170  # where names stand at the left
_INNER_WIDTH, _INNER_HEIGHT = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

MAXIMUM_POINTS, MAXIMUM_SERIES, MAXIMUM_SLICES = 400, 8, 12
_COLOURS = 8
_LABELS = 6

_NUMBERS = frozenset({ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL})
_TIMES = frozenset({ScalarType.DATETIME, ScalarType.TIMESPAN})
_BARS = frozenset({"barchart", "columnchart"})
_LINES = frozenset({"timechart", "linechart", "areachart", "stackedareachart", "scatterchart"})
_KINDS = _BARS | _LINES | {"piechart", "card"}


class Shape(NamedTuple):
    """A rectangle, path, circle or text. `colour` counts the palette, `title` is what pointing at it tells."""

    tag: str
    attributes: Mapping[str, str]
    colour: int | None = None
    title: str = ""
    text: str = ""


class Chart(NamedTuple):
    """One chart. `legend` names the colours where there are several."""

    kind: str
    title: str
    shapes: tuple[Shape, ...]
    legend: tuple[str, ...]


class _Point(NamedTuple):
    label: str
    position: float
    value: float


Series = dict[str, list[_Point]]


def chart_of(results: Results) -> Chart | None:
    """The chart of an answer, None where none is asked for, or where its columns do not make one."""
    asked = results.render or {}
    kind = asked.get("visualization", "")
    if kind not in _KINDS or not results.data.num_rows:
        return None
    title = asked.get("title", "")
    if kind == "card":
        return Chart(kind, title, tuple(_card(results)), ())
    series = _series(results, asked)
    if not series:
        return None
    if kind == "piechart":
        return Chart(kind, title, tuple(_pie(series)), ())
    return Chart(kind, title, tuple(_plot(kind, series)), tuple(series) if len(series) > 1 else ())


def _series(results: Results, asked: Mapping[str, str]) -> Series:
    """Numbers by series: of the columns asked for, else of all; a column of text splits them."""
    types = {each.name: each.type for each in results.columns}
    x = asked.get("xcolumn", "") if asked.get("xcolumn") in types else _first_x(results)
    wanted = _listed(asked.get("ycolumns")) or [name for name, type_ in types.items() if type_ in _NUMBERS]
    y = [name for name in wanted if types.get(name) in _NUMBERS and name != x]
    if x is None or not y:
        return {}
    splitting = _listed(asked.get("series")) or [
        name for name, type_ in types.items() if type_ is ScalarType.STRING and name != x
    ]
    positions = {each.name: index for index, each in enumerate(results.columns)}
    cut = pa.Table.slice(results.data, 0, MAXIMUM_POINTS * MAXIMUM_SERIES)
    labels = results.__class__(results.columns, cut, results.statistics).values("text")
    found: Series = {}
    for row in range(cut.num_rows):
        prefix = ", ".join(str(labels[positions[name]][row]) for name in splitting if name in positions)
        for name in y:
            value = cut.column(positions[name])[row].as_py()
            if value is None or not math.isfinite(value):
                continue
            label = ": ".join(part for part in (prefix, name if len(y) > 1 or not prefix else "") if part)
            if label not in found and len(found) == MAXIMUM_SERIES:
                continue
            text = "" if labels[positions[x]][row] is None else str(labels[positions[x]][row])
            position = _position(cut.column(positions[x])[row].as_py(), types[x])
            found.setdefault(label, []).append(_Point(text, position, float(value)))
    return {name: points[:MAXIMUM_POINTS] for name, points in found.items()}


def _first_x(results: Results) -> str | None:
    """A time, else the first column."""
    times = [each.name for each in results.columns if each.type is ScalarType.DATETIME]
    return times[0] if times else results.columns[0].name if len(results.columns) > 1 else None


def _position(value: object, type_: ScalarType) -> float:
    return float(value) if isinstance(value, int | float) and type_ in _NUMBERS | _TIMES else math.nan


def _listed(names: str | None) -> list[str]:
    return [each.strip() for each in names.split(",") if each.strip()] if names else []


# --- what has axes


def _plot(kind: str, series: Series) -> list[Shape]:
    values = [point.value for points in series.values() for point in points]
    low, high = min(0.0, *values), max(0.0, *values)
    if low == high:
        high = low + 1
    flat = kind == "barchart"
    shapes = _scale(low, high, flat=flat)
    if kind in _BARS:
        return shapes + _bars(series, low, high, flat=flat)
    return shapes + _lines(kind, series, low, high)


def _scale(low: float, high: float, *, flat: bool) -> list[Shape]:
    """Lines across the chart at round values."""
    shapes = []
    for value in _steps(low, high):
        share = (value - low) / (high - low)
        if flat:
            x = _NAMES + share * (WIDTH - _NAMES - _RIGHT)
            line = _line(x, _TOP, x, _TOP + _INNER_HEIGHT)
            text = _text(x, HEIGHT - _BOTTOM + 18, _number(value), "middle")
        else:
            y = _TOP + (1 - share) * _INNER_HEIGHT
            line = _line(_LEFT, y, WIDTH - _RIGHT, y)
            text = _text(_LEFT - 6, y + 4, _number(value), "end")
        shapes += [line, text]
    return shapes


def _steps(low: float, high: float) -> list[float]:
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step) + 1)]


def _bars(series: Series, low: float, high: float, *, flat: bool) -> list[Shape]:
    labels = list(dict.fromkeys(point.label for points in series.values() for point in points))
    length, room = (WIDTH - _NAMES - _RIGHT, _INNER_HEIGHT) if flat else (_INNER_HEIGHT, _INNER_WIDTH)
    slot = room / len(labels)
    thick = slot * 0.8 / len(series)
    shapes = []
    for colour, (name, points) in enumerate(series.items()):
        for point in points:
            begin = labels.index(point.label) * slot + slot * 0.1 + colour * thick
            first, last = sorted(((0 - low) / (high - low), (point.value - low) / (high - low)))
            box = (
                (_NAMES + first * length, _TOP + begin, (last - first) * length, thick)
                if flat
                else (_LEFT + begin, _TOP + (1 - last) * length, thick, (last - first) * length)
            )
            attributes = dict(zip(("x", "y", "width", "height"), map(_decimal, box), strict=True))
            shapes.append(Shape("rect", attributes, colour % _COLOURS, _told(name, point)))
    for index in _some(len(labels)):
        middle = index * slot + slot / 2
        shapes.append(
            _text(_NAMES - 6, _TOP + middle + 4, _short(labels[index], 24), "end")
            if flat
            else _text(_LEFT + middle, HEIGHT - _BOTTOM + 18, _short(labels[index], 18), "middle")
        )
    return shapes


def _lines(kind: str, series: Series, low: float, high: float) -> list[Shape]:
    labels = list(dict.fromkeys(point.label for points in series.values() for point in points))
    placed = {each.label: each.position for points in series.values() for each in points}
    if any(math.isnan(each) for each in placed.values()):
        placed = {label: float(index) for index, label in enumerate(labels)}
    first, last = min(placed.values()), max(placed.values())
    across = (last - first) or 1.0

    def at(point: _Point) -> tuple[float, float]:
        x = _LEFT + (placed[point.label] - first) / across * _INNER_WIDTH
        return x, _TOP + (1 - (point.value - low) / (high - low)) * _INNER_HEIGHT

    shapes = []
    for colour, (name, points) in enumerate(series.items()):
        ordered = sorted(points, key=lambda point: placed[point.label])
        if kind != "scatterchart":
            shapes.append(_curve(kind, [at(each) for each in ordered], colour, low, high))
        for point in ordered:
            x, y = at(point)
            attributes = {"cx": _decimal(x), "cy": _decimal(y), "r": "3"}
            shapes.append(Shape("circle", attributes, colour % _COLOURS, _told(name, point)))
    for label in (sorted(labels, key=lambda each: placed[each])[index] for index in _some(len(labels), 4)):
        x = _LEFT + (placed[label] - first) / across * _INNER_WIDTH
        anchor = "start" if x < _LEFT + 60 else "end" if x > WIDTH - _RIGHT - 60 else "middle"
        shapes.append(
            _text(
                x, HEIGHT - _BOTTOM + 18, label[:16].replace("T", " ") if _is_time(label) else _short(label, 18), anchor
            )
        )
    return shapes


def _curve(kind: str, places: Sequence[tuple[float, float]], colour: int, low: float, high: float) -> Shape:
    line = " L".join(f"{_decimal(x)} {_decimal(y)}" for x, y in places)
    if kind not in {"areachart", "stackedareachart"}:
        return Shape("path", {"d": f"M{line}", "class": "line"}, colour % _COLOURS)
    ground = _decimal(_TOP + (1 - (0 - low) / (high - low)) * _INNER_HEIGHT)
    begin, end = _decimal(places[0][0]), _decimal(places[-1][0])
    return Shape("path", {"d": f"M{line} L{end} {ground} L{begin} {ground} Z", "class": "area"}, colour % _COLOURS)


# --- what has none


def _pie(series: Series) -> list[Shape]:
    """Slices of the first series, the smallest together; or one for each series where those are single values."""
    single = len(series) > 1 and all(len(points) == 1 for points in series.values())
    slices = (
        [(name, points[0].value) for name, points in series.items()]
        if single
        else [(point.label, point.value) for point in next(iter(series.values()))]
    )
    slices = sorted(((name, value) for name, value in slices if value > 0), key=lambda each: -each[1])
    if len(slices) > MAXIMUM_SLICES:
        rest = sum(value for _, value in slices[MAXIMUM_SLICES - 1 :])
        slices = [*slices[: MAXIMUM_SLICES - 1], ("Others", rest)]
    total = sum(value for _, value in slices)
    shapes, begin = [], 0.0
    for index, (name, value) in enumerate(slices):
        end = begin + value / total
        told = f"{name}: {_number(value)} ({100 * value / total:.1f} %)"
        shapes.append(Shape("path", {"d": _slice(begin, end), "class": "slice"}, index % _COLOURS, told))
        y = 24 + index * 22
        shapes.append(Shape("rect", {"x": "330", "y": str(y - 11), "width": "14", "height": "14"}, index % _COLOURS))
        shapes.append(_text(352, y, _short(told, 48), "start"))
        begin = end
    return shapes


def _slice(begin: float, end: float) -> str:
    radius, x, y = 130, 150, 150
    if end - begin > 1 - 1e-9:  # an arc cannot end where it begins
        return f"M{x - radius} {y} a{radius} {radius} 0 1 0 {2 * radius} 0 a{radius} {radius} 0 1 0 {-2 * radius} 0 Z"
    (x1, y1), (x2, y2) = (
        (x + radius * math.sin(2 * math.pi * at), y - radius * math.cos(2 * math.pi * at)) for at in (begin, end)
    )
    wide = int(end - begin > 0.5)
    start, stop = f"{_decimal(x1)} {_decimal(y1)}", f"{_decimal(x2)} {_decimal(y2)}"
    return f"M{x} {y} L{start} A{radius} {radius} 0 {wide} 1 {stop} Z"


def _card(results: Results) -> list[Shape]:
    """The values of the first row, with their names."""
    shown = list(zip((each.name for each in results.columns), results.values("text"), strict=True))[:4]
    wide = WIDTH / len(shown)
    shapes = []
    for index, (name, values) in enumerate(shown):
        x = wide * (index + 0.5)
        value = "" if values[0] is None else str(values[0])
        big = _text(x, 150, _short(value, int(80 / len(shown))), "middle")
        shapes += [
            big._replace(attributes={**big.attributes, "class": "big"}),
            _text(x, 185, _short(name, 30), "middle"),
        ]
    return shapes


# --- small parts


def _line(x1: float, y1: float, x2: float, y2: float) -> Shape:
    return Shape("path", {"d": f"M{_decimal(x1)} {_decimal(y1)} L{_decimal(x2)} {_decimal(y2)}", "class": "rule"})


def _text(x: float, y: float, text: str, anchor: str) -> Shape:
    return Shape("text", {"x": _decimal(x), "y": _decimal(y), "text-anchor": anchor}, text=text)


def _told(series: str, point: _Point) -> str:
    return f"{point.label}, {series}: {_number(point.value)}"


def _some(count: int, most: int = _LABELS) -> Iterable[int]:
    """Indices at even distances, few enough for their labels to have room."""
    return range(0, count, max(1, math.ceil(count / most)))


def _is_time(label: str) -> bool:
    """Whether a label is a moment as answers have it; a chart shows it to the minute."""
    return len(label) > 19 and label[4] == label[7] == "-" and label[10] == "T"


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _decimal(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
