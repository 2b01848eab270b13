"""The parser against published queries: what Microsoft's accepts parses, what it refuses gets an error in place."""

import json
import statistics
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.kql.errors import KqlError
from vedette.kql.parser import parse, parse_tolerant

pytestmark = pytest.mark.shared

# Examples without a documented result, apart from management commands and what Microsoft's parser refuses as well.
PARSED_WITHOUT_RESULT = 1.0


def records(shared: Path, name: str) -> Iterator[dict[str, object]]:
    for line in (shared / "conformance" / f"{name}.jsonl").read_text("utf-8").split("\n"):
        if line:
            yield json.loads(line)


def errors(query: object) -> list[str]:
    assert isinstance(query, str)
    _, diagnostics = parse_tolerant(query)
    return [f"{each.code} {each.message} {each.line}:{each.column}" for each in diagnostics if each.severity == "error"]


@pytest.mark.parametrize("name", ["hunting_queries", "sentinel_queries"])
def test_published_queries_parse(shared: Path, name: str) -> None:
    refused = {str(each["id"]): found for each in records(shared, name) if (found := errors(each["query"]))}
    assert not refused


def test_broken_queries_get_an_error_in_place(shared: Path) -> None:
    for record in records(shared, "broken_queries"):
        query = record["query"]
        assert isinstance(query, str)
        with pytest.raises(KqlError) as caught:
            parse(query)
        for each in caught.value.diagnostics:
            assert 0 <= each.span.start <= each.span.end <= len(query), record["id"]
            line = query.split("\n")[each.line - 1]
            assert 1 <= each.column <= len(line) + 1, record["id"]


def test_documented_examples_parse(shared: Path) -> None:
    parsed = total = 0
    sketches = set(tomllib.loads(Path(__file__).with_name("sketches.toml").read_text("utf-8"))["refused"])
    refused: dict[str, list[str]] = {}
    for record in records(shared, "kql_docs"):
        found = errors(record["query"])
        if record["expected"] is None:
            needs = record["needs"]
            assert isinstance(needs, list)
            if "management command" not in needs and record["id"] not in sketches:
                total += 1
                parsed += not found
        elif found:
            refused[str(record["id"])] = found
    assert not refused
    assert parsed >= PARSED_WITHOUT_RESULT * total


def test_parsing_is_fast(shared: Path) -> None:
    queries = [str(each["query"]) for each in records(shared, "hunting_queries")]
    seconds: list[float] = []
    for query in queries:
        begin = time.perf_counter()
        parse_tolerant(query)
        seconds.append(time.perf_counter() - begin)
    # Measured 0.13 ms on a shared 2-core machine; the bound only catches a change of kind.
    assert statistics.median(seconds) < 0.002
