"""The parser against Microsoft's own, form by form. Runs where KUSTO_LANGUAGE names the folder of its npm package."""

import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.kql.diagnostics import Diagnostics
from vedette.kql.functions.registry import Kind, find
from vedette.kql.lexer import tokenize
from vedette.kql.parser import parse_tolerant
from vedette.testing import analyze_kql

ACCEPTED_AND_REFUSED = Path(__file__).with_name("forms.txt")

MUTANTS = 3_000
AGREEMENT = 0.99
"""Of queries with one token changed: how many both parsers accept, or both refuse. Measured 0.994 to 0.996."""

REFUSED_SPECIALLY = frozenset(
    {"cluster", "database", "entity_group", "external_table", "graph", "materialized_view", "stored_query_result"}
)
"""Functions that reach outside: the binder refuses them, and the registry does not describe them."""

BOUND_SPECIALLY = frozenset({"column_names_of", "table"})
"""Functions of tables, which no signature describes."""

_KINDS: dict[str, tuple[Kind, ...]] = {
    "functions": ("scalar", "window"),
    "aggregates": ("aggregate",),
    "plugins": ("plugin",),
}


def official(arguments: list[str], lines: str = "") -> str:
    node, folder = shutil.which("node"), os.environ.get("KUSTO_LANGUAGE")
    if node is None or folder is None:
        pytest.skip("needs node, and KUSTO_LANGUAGE set to the folder of @kusto/language-service-next")
    script = Path(__file__).with_name("official.js")
    command = [node, str(script), *arguments]
    return subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=300).stdout


def official_errors(queries: list[str]) -> list[int]:
    lines = "\n".join(json.dumps(each) for each in queries)
    return [int(each) for each in official([], lines).split()]


def is_refused(query: str) -> bool:
    _, diagnostics = parse_tolerant(query)
    return any(each.severity == "error" for each in diagnostics)


def test_forms_are_accepted_as_by_the_official_parser() -> None:
    lines = ACCEPTED_AND_REFUSED.read_text("utf-8").splitlines()
    queries = [line for line in lines if line and not line.startswith("//")]
    differing = [
        query
        for query, errors in zip(queries, official_errors(queries), strict=True)
        if is_refused(query) != bool(errors)
    ]
    assert not differing


@pytest.mark.shared
def test_changed_queries_are_accepted_as_by_the_official_parser(shared: Path) -> None:
    queries = list(mutants(shared, random.Random(20)))
    errors = official_errors(queries)
    differing = [query for query, each in zip(queries, errors, strict=True) if is_refused(query) != bool(each)]
    assert len(differing) <= (1 - AGREEMENT) * len(queries), differing


def test_every_name_of_the_official_analyser_is_known_or_refused_by_name() -> None:
    unknown = [
        name
        for family, names in json.loads(official(["names"])).items()
        for name in names
        if name not in REFUSED_SPECIALLY | BOUND_SPECIALLY and not any(find(kind, name) for kind in _KINDS[family])
    ]
    assert not unknown
    for name in REFUSED_SPECIALLY - {"entity_group"}:
        assert {each.code for each in analyze_kql(f"{name}('x')").errors} <= {"VK3002", "VK3005"}


def mutants(shared: Path, chance: random.Random) -> Iterator[str]:
    """Published queries and examples, each with one token left out, doubled, swapped, replaced or put in."""
    queries: list[str] = []
    for name in ("kql_docs", "hunting_queries", "sentinel_queries"):
        lines = (shared / "conformance" / f"{name}.jsonl").read_text("utf-8").split("\n")
        found = (json.loads(line)["query"] for line in lines if line)
        queries += [query for query in found if len(query) < 700 and not query.lstrip().startswith(".")]
    pool = [text for query in chance.sample(queries, 300) for text, _, _ in tokens(query)]
    for _ in range(MUTANTS):
        yield mutant(chance.choice(queries), pool, chance)


def mutant(query: str, pool: list[str], chance: random.Random) -> str:
    found = tokens(query)
    text, start, end = found[at := chance.randrange(len(found))]
    other = chance.choice(pool)
    following = found[min(at + 1, len(found) - 1)]
    return chance.choice(
        [
            query[:start] + query[end:],
            f"{query[:start]}{text} {query[start:]}",
            query[:start] + following[0] + query[end : following[1]] + text + query[following[2] :],
            query[:start] + other + query[end:],
            f"{query[:start]}{other} {query[start:]}",
        ]
    )


def tokens(query: str) -> list[tuple[str, int, int]]:
    """Text, start and end of every token."""
    found = tokenize(query, Diagnostics(query))
    spans = zip(found.starts, found.ends, strict=True)
    return [(query[start:end], start, end) for start, end in spans if end > start]
