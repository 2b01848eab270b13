"""Published hunting queries and documented examples: what they answer with, against Microsoft's analyser."""

import json
import statistics
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vedette.hunting.catalog import ContractCatalog
from vedette.kql import complete, hover
from vedette.testing import analyze_kql

FLOOR = tomllib.loads((Path(__file__).parent / "floor.toml").read_text())


def records(shared: Path, name: str) -> Iterator[dict[str, Any]]:
    with (shared / "conformance" / name).open() as lines:
        for line in lines:
            yield json.loads(line)


@pytest.mark.shared
@pytest.mark.parametrize("corpus", ["hunting_queries", "sentinel_queries"])
def test_published_queries(shared: Path, corpus: str) -> None:
    valid = bound = closed = equal = 0
    elapsed: list[float] = []
    for record in records(shared, f"{corpus}.jsonl"):
        official = record["official"]
        if official["syntax_errors"] or official["semantic_errors"]:
            continue
        valid += 1
        begun = time.perf_counter()
        analysis = analyze_kql(record["query"])
        elapsed.append(time.perf_counter() - begun)
        if analysis.errors:
            continue
        bound += 1
        if official["result_columns"] and not official["result_open"]:
            closed += 1
            equal += analysis.columns == [(each["name"], each["type"]) for each in official["result_columns"]]
    floor = FLOOR[corpus]
    assert 100 * bound / valid >= floor["bind"]
    assert 100 * equal / closed >= floor["schema"]
    assert 1000 * statistics.median(elapsed) <= floor["median_milliseconds"]


@pytest.mark.shared
def test_documented_examples(shared: Path) -> None:
    """Core examples: names of all that are scored, types of those whose names agree with the analyser's."""
    scored = named = typed = agreeing = 0
    for record in records(shared, "kql_docs.jsonl"):
        if not record["scored"] or record["area"] in {"geo", "series", "graph"}:
            continue
        scored += 1
        expected = record["expected"]
        analysis = analyze_kql(record["query"])
        if analysis.errors or analysis.open:
            continue
        names = [name for name, _ in analysis.columns]
        named += names in (expected["columns"], expected.get("columns_official"))
        if expected.get("types"):
            typed += 1
            agreeing += [type_ for _, type_ in analysis.columns] == expected["types"]
    floor = FLOOR["documented_examples"]
    assert 100 * named / scored >= floor["names"]
    assert agreeing >= floor["types_agreeing"], f"{agreeing} of the {typed} that bind"


@pytest.mark.shared
def test_broken_queries_get_positioned_errors(shared: Path) -> None:
    total = positioned = 0
    for record in records(shared, "broken_queries.jsonl"):
        total += 1
        analysis = analyze_kql(record["query"])
        positioned += bool(analysis.errors) and all(each.line >= 1 and each.column >= 1 for each in analysis.errors)
    assert 100 * positioned / total >= FLOOR["broken_queries"]["positioned"]


@pytest.mark.shared
def test_the_first_error_stands_where_the_official_one_does(shared: Path) -> None:
    """Of what Microsoft's parser refuses: the first error at most three characters from its first one."""
    total = near = 0
    for record in records(shared, "broken_queries.jsonl"):
        total += 1
        official = min(each["start"] for each in record["official"]["syntax_errors"])
        near += abs(analyze_kql(record["query"]).errors[0].span.start - official) <= 3
    assert 100 * near / total >= FLOOR["broken_queries"]["near"]


@pytest.mark.shared
def test_editors_are_answered_on_each_keystroke(shared: Path) -> None:
    catalog = ContractCatalog()
    elapsed: list[float] = []
    for record in list(records(shared, "hunting_queries.jsonl"))[::10]:
        query = record["query"]
        for position in (len(query) // 3, len(query) // 2, len(query)):
            begun = time.perf_counter()
            complete(query, position, catalog)
            hover(query, position, catalog)
            elapsed.append(time.perf_counter() - begun)
    assert 1000 * statistics.median(elapsed) <= FLOOR["editor"]["median_milliseconds"]
