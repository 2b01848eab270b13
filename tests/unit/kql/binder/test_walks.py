"""Graph patterns and scan against plain readings of their pages, over random graphs and rows."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from vedette.testing import run_kql

Edges = list[tuple[int, int]]
MODES = ["all", "none", "unique_edges"]


def edges_of(seed: int) -> Edges:
    chance = random.Random(seed)
    nodes = chance.randint(3, 6)
    return [(chance.randrange(nodes), chance.randrange(nodes)) for _ in range(chance.randint(3, 9))]


def graph(edges: Edges) -> str:
    values = ", ".join(f"{source}, {target}, {number}" for number, (source, target) in enumerate(edges))
    return f"datatable(s: long, t: long, k: long)[{values}] | make-graph s --> t with_node_id=id"


def walks(edges: Edges, longest: int, mode: str) -> Iterator[tuple[list[int], list[int]]]:
    """Edges and nodes of every walk of one edge or more."""
    pending: list[tuple[list[int], list[int]]] = [([], [node]) for node in {node for edge in edges for node in edge}]
    while pending:
        path, nodes = pending.pop()
        if path:
            yield path, nodes
        for number, (source, target) in enumerate(edges):
            repeated = (mode == "unique_edges" and number in path) or (mode == "none" and target in nodes)
            if len(path) < longest and source == nodes[-1] and not repeated:
                pending.append(([*path, number], [*nodes, target]))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mode", MODES)
def test_paths_are_all_walks(seed: int, mode: str) -> None:
    edges = edges_of(seed)
    _, rows = run_kql(graph(edges) + f" | graph-match cycles={mode} (a)-[e*1..3]->(b) project a.id, map(e, k), b.id")
    expected = [(nodes[0], path, nodes[-1]) for path, nodes in walks(edges, 3, mode)]
    assert sorted(rows) == sorted(expected)


@pytest.mark.parametrize("seed", range(4))
def test_shortest_paths_are_the_shortest_walks(seed: int) -> None:
    edges = edges_of(seed)
    found: dict[tuple[int, int], Counter[int]] = {}
    for path, nodes in walks(edges, 4, "all"):
        found.setdefault((nodes[0], nodes[-1]), Counter())[len(path)] += 1
    pattern = "(a)-[e*1..4]->(b) project a.id, b.id, array_length(e)"
    _, rows = run_kql(graph(edges) + f" | graph-shortest-paths {pattern}")
    assert {(a, b): length for a, b, length in rows} == {ends: min(lengths) for ends, lengths in found.items()}
    _, rows = run_kql(graph(edges) + f" | graph-shortest-paths output=all {pattern}")
    assert Counter((a, b) for a, b, _ in rows) == {ends: lengths[min(lengths)] for ends, lengths in found.items()}


State = tuple[int | None, int]
"""What a step remembers: x of step a, and the match."""


def meets(step: int, x: int, state: State | None) -> bool:
    """The conditions of `a: x % 3 == 0; b: x > a.x; c: x == 5`."""
    if step == 1:
        return state is not None and state[0] is not None and x > state[0]
    return x % 3 == 0 if step == 0 else x == 5


def scanned(rows: list[int]) -> list[tuple[int, int, int]]:
    """Row, step and match, as the page describes the logic."""
    states: list[State | None] = [None, None, None]
    found: list[tuple[int, int, int]] = []
    matches = 0
    for x in rows:
        for step in (2, 1, 0):
            before = states[step - 1] if step else None
            own = states[step]
            if before is not None and meets(step, x, before):
                states[step - 1], states[step] = None, before
            elif step == 0 and meets(step, x, own):
                matches += own is None
                states[0] = (x, matches - 1 if own is None else own[1])
            elif own is None or not meets(step, x, own):
                continue
            current = states[step]
            assert current is not None
            found.append((x, step, current[1]))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_scan_does_as_its_page_says(seed: int) -> None:
    chance = random.Random(seed)
    values = [chance.randrange(6) for _ in range(20)]
    rows = ", ".join(f"{place}, {value}" for place, value in enumerate(values))
    steps = "step a: x % 3 == 0 => k = 0; step b: x > a.x => k = 1; step c: x == 5 => k = 2;"
    scan = f"scan with_match_id=m declare (k: long) with ({steps})"
    assert run_kql(f"datatable(i: long, x: long)[{rows}] | sort by i asc | {scan} | project x, k, m")[1] == scanned(
        values
    )
