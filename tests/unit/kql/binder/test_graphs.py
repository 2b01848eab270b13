"""Graphs: make-graph, patterns, paths, components, tables out of graphs, and what is wrong with them."""

import pytest

from vedette.kql.errors import KqlError
from vedette.testing import run_kql

STAFF = """
let people = datatable(name: string, age: long)
    ["Alice", 32, "Bob", 31, "Eve", 27, "Joe", 29, "Chris", 45, "Ben", 23, "Zoe", 60];
let reports = datatable(employee: string, manager: string)
    ["Bob", "Alice", "Chris", "Alice", "Eve", "Bob", "Ben", "Chris", "Joe", "Alice"];
reports | make-graph employee --> manager with people on name
"""
RING = """
datatable(s: string, t: string, w: long)["a", "b", 1, "b", "c", 2, "c", "a", 3]
| make-graph s --> t with_node_id=id
"""
LINES = """
datatable(s: string, t: string, line: string)[
    "Central", "North", "red", "North", "Central", "red", "Central", "South", "red", "South", "Central", "red",
    "South", "South-West", "red", "South-West", "South", "red", "South-West", "West", "red",
    "West", "South-West", "red",
    "Central", "East", "blue", "East", "Central", "blue", "Central", "West", "blue", "West", "Central", "blue"]
| make-graph s --> t with_node_id=station
"""


def rows(query: str) -> list[tuple[object, ...]]:
    return sorted(run_kql(query)[1], key=repr)


def code_of(query: str) -> str:
    with pytest.raises(KqlError) as caught:
        run_kql(query)
    return caught.value.diagnostics[0].code


# --- single edges -----------------------------------------------------------------------------------------------------


def test_directions() -> None:
    assert rows(RING + "| graph-match (a)-[e]->(b) project a.id, b.id, e.w") == [
        ("a", "b", 1), ("b", "c", 2), ("c", "a", 3)]  # fmt: skip
    assert rows(RING + "| graph-match (a)<-[e]-(b) project a.id, b.id") == [("a", "c"), ("b", "a"), ("c", "b")]
    assert len(rows(RING + "| graph-match (a)-[e]-(b) project a.id, b.id")) == 6
    assert len(rows(RING + "| graph-match (a)--(b) project a.id")) == 6


def test_loops_match_once() -> None:
    graph = 'datatable(s: string, t: string)["x", "x"] | make-graph s --> t with_node_id=id '
    assert rows(graph + "| graph-match (a)--(b) project a.id, b.id") == [("x", "x")]
    assert rows(graph + "| graph-match (a)-->(a) project a.id") == [("x",)]


def test_nodes_alone() -> None:
    assert rows(STAFF + "| graph-match (n) where n.age > 40 project n.name") == [("Chris",), ("Zoe",)]


def test_names_of_columns() -> None:
    columns, _ = run_kql(STAFF + '| graph-match (m)<-[r]-(e) project m.name, boss = r.manager, strcat(e.name, ""), m')
    assert columns == ["m_name", "boss", "Column1", "m"]


def test_an_element_is_a_bag() -> None:
    assert rows(RING + '| graph-match (a)-[e]->(b) where a.id == "a" project a, e') == [
        ({"id": "a"}, {"s": "a", "t": "b", "w": 1})
    ]


def test_several_sequences_share_nodes() -> None:
    star = STAFF + "| graph-match (x)-->(m)<--(y), (m)-->(top) project x.name, y.name, m.name, top.name"
    assert rows(star) == []
    star = (
        STAFF
        + "| graph-match (x)-->(top)<--(y), (z)-->(x) where strcmp(x.name, y.name) < 0 project x.name, y.name, z.name"
    )
    assert rows(star) == [("Bob", "Chris", "Eve"), ("Bob", "Joe", "Eve"), ("Chris", "Joe", "Ben")]


def test_missing_nodes_are_made() -> None:
    query = """
    datatable(s: string, t: string)["a", "ghost"]
    | make-graph s --> t with (datatable(k: string, v: long)["a", 1, "lonely", 2]) on k
    | graph-to-table nodes
    """
    assert rows(query) == [("a", 1), ("ghost", None), ("lonely", 2)]


def test_two_tables_of_nodes_are_merged() -> None:
    query = """
    datatable(s: string, t: string)["a", "b"]
    | make-graph s --> t
        with (datatable(k: string, x: long)["a", 1]) on k, (datatable(k: string, y: string)["a", "z"]) on k
    | graph-to-table nodes
    """
    assert rows(query) == [("a", 1, "z"), ("b", None, "")]


def test_numbers_as_ids() -> None:
    query = "datatable(s: long, t: int)[1, 2, 2, 3] | make-graph s --> t with_node_id=id"
    assert rows(query + "| graph-match (a)-[e*2..2]->(b) project a.id, b.id") == [(1, 3)]


def test_empty_graph() -> None:
    empty = "datatable(s: string, t: string)[] | make-graph s --> t with_node_id=id"
    assert rows(empty + "| graph-match (a)-[e*1..3]->(b) project a.id, map(e, s)") == []
    assert rows(empty + "| graph-shortest-paths (a)-[e*1..3]->(b) project a.id") == []
    assert rows(empty + "| graph-mark-components | graph-to-table nodes") == []


# --- paths ------------------------------------------------------------------------------------------------------------


def test_documented_reports() -> None:
    query = (
        STAFF
        + """
    | graph-match (alice)<-[r*1..5]-(e) where alice.name == "Alice" and e.age < 30
      project e.name, e.age, path = map(r, manager), inner = map(inner_nodes(r), name), hops = array_length(r)
    """
    )
    assert rows(query) == [
        ("Ben", 23, ["Alice", "Chris"], ["Chris"], 2),
        ("Eve", 27, ["Alice", "Bob"], ["Bob"], 2),
        ("Joe", 29, ["Alice"], [], 1),
    ]


def test_lists_are_in_the_order_of_the_pattern_whichever_end_is_known() -> None:
    known_right = STAFF + '| graph-match (e)-[r*1..5]->(m) where m.name == "Alice" and e.name == "Ben"'
    known_left = STAFF + '| graph-match (m)<-[r*1..5]-(e) where m.name == "Alice" and e.name == "Ben"'
    assert rows(known_right + " project map(r, manager)") == [(["Chris", "Alice"],)]
    assert rows(known_left + " project map(r, manager)") == [(["Alice", "Chris"],)]


@pytest.mark.parametrize(
    ("cycles", "count"),
    [("unique_edges", 9), ("all", 15), ("none", 6)],
)
def test_cycles(cycles: str, count: int) -> None:
    query = RING + f"| graph-match cycles={cycles} (a)-[e*1..5]->(b) project a.id, b.id"
    assert len(rows(query)) == count


def test_cycles_across_elements() -> None:
    both = "(a)-[x*1..2]->(b)-[y*1..2]->(c)"
    assert len(rows(RING + f"| graph-match cycles=all {both} project a.id")) == 12
    assert len(rows(RING + f"| graph-match {both} project a.id")) == 9
    assert len(rows(RING + f"| graph-match cycles=none {both} project a.id")) == 3
    assert rows(RING + "| graph-match cycles=none (a)-->(b)-->(c)-->(a) project a.id") == []
    assert len(rows(RING + "| graph-match (a)-->(b)-->(c)-->(a) project a.id")) == 3


def test_paths_of_no_length() -> None:
    query = RING + "| graph-match (a)-[e*0..1]->(b) project a.id, b.id, map(e, w), all(e, w > 5), any(e, w > 0)"
    assert rows(query) == [
        ("a", "a", [], True, False), ("a", "b", [1], False, True),
        ("b", "b", [], True, False), ("b", "c", [2], False, True),
        ("c", "a", [3], False, True), ("c", "c", [], True, False),
    ]  # fmt: skip


def test_conditions_on_every_edge() -> None:
    query = RING + "| graph-match (a)-[e*1..3]->(b) where {} project a.id, b.id"
    expected = [("a", "b"), ("a", "c"), ("b", "c")]
    assert rows(query.format("all(e, w < 3)")) == expected
    assert rows(query.format("e.w < 3")) == expected
    assert rows(query.format("any(e, w == 3) and array_length(e) == 1")) == [("c", "a")]
    assert rows(query.format('all(inner_nodes(e), id != "a") and a.id == "b"')) == [("b", "a"), ("b", "c")]
    assert rows(query.format('any(inner_nodes(e), id == "a") and array_length(e) == 2')) == [("c", "b")]
    assert rows(query.format("not(all(e, w < 3)) and array_length(e) == 1")) == [("c", "a")]


def test_degrees() -> None:
    query = (
        STAFF
        + """
    | graph-match (m)<-[r*1..3]-(e) where node_degree_in(m) == 3 and any(inner_nodes(r), node_degree_in() > 0)
      project m.name, e.name, map(inner_nodes(r), strcat(name, " ", node_degree_in())), node_degree_out(e)
    """
    )
    assert rows(query) == [("Alice", "Ben", ["Chris 1"], 1), ("Alice", "Eve", ["Bob 1"], 1)]
    assert rows(STAFF + "| graph-match (n) where node_degree_in(n) + node_degree_out(n) == 0 project n.name") == [
        ("Zoe",)
    ]


def test_labels_of_transient_graphs_are_empty() -> None:
    assert rows(RING + '| graph-match (a)-[e*1..1]->(b) where a.id == "a" project labels(a), map(e, labels())') == [
        ([], [[]])
    ]


def test_outer_variables_are_known_inside() -> None:
    query = (
        "let least = 2;" + RING.strip() + "| graph-match (a)-[e*1..2]->(b) where all(e, w >= least) project a.id, b.id"
    )
    assert rows(query) == [("b", "a"), ("b", "c"), ("c", "a")]


def test_graph_as_variable_and_function() -> None:
    query = """
    let edges = datatable(s: string, t: string)["a", "b"];
    let graph_of = (T: (s: string, t: string)) { T | make-graph s --> t with_node_id=id };
    let g = graph_of(edges);
    union (g | graph-match (a)-->(b) project a.id), (g | graph-to-table nodes | project a_id = id)
    """
    assert rows(query) == [("a",), ("a",), ("b",)]


# --- shortest paths ---------------------------------------------------------------------------------------------------

SHORTEST = """
| graph-shortest-paths {}(start)-[c*{}]->(end) where start.station == "South-West" and end.station == "North"{}
  project path = map(c, t), lines = map(c, line)
"""


def test_any_shortest_path() -> None:
    assert rows(LINES + SHORTEST.format("", "1..5", "")) == [(["South", "Central", "North"], ["red", "red", "red"])]


def test_all_shortest_paths() -> None:
    expected = [
        (["South", "Central", "North"], ["red", "red", "red"]),
        (["West", "Central", "North"], ["red", "blue", "red"]),
    ]
    assert rows(LINES + SHORTEST.format("output=all ", "1..5", "")) == expected
    assert rows(LINES + SHORTEST.format("output=all ", "2..5", "")) == expected


def test_shortest_path_is_one_that_fulfils_the_conditions() -> None:
    blue = SHORTEST.format("", "1..5", ' and any(c, line == "blue")')
    assert rows(LINES + blue) == [(["West", "Central", "North"], ["red", "blue", "red"])]
    red = SHORTEST.format("", "1..5", ' and all(inner_nodes(c), station != "South")')
    assert rows(LINES + red) == [(["West", "Central", "North"], ["red", "blue", "red"])]
    assert rows(LINES + SHORTEST.format("", "1..2", "")) == []


def test_shortest_paths_of_all_pairs() -> None:
    query = RING + "| graph-shortest-paths (a)-[e*1..9]->(b) project a.id, b.id, array_length(e)"
    assert rows(query) == [
        ("a", "a", 3), ("a", "b", 1), ("a", "c", 2), ("b", "a", 2), ("b", "b", 3), ("b", "c", 1),
        ("c", "a", 1), ("c", "b", 2), ("c", "c", 3),
    ]  # fmt: skip


# --- components, partitions, tables -----------------------------------------------------------------------------------

FAMILIES = """
datatable(child: string, parent: string)["Alice", "Bob", "Carol", "Alice", "Eve", "Frank", "Frank", "Mallory"]
| make-graph child --> parent with_node_id=name
"""


def test_components() -> None:
    query = FAMILIES + "| graph-mark-components with_component_id=family | graph-to-table nodes"
    assert rows(query) == [
        ("Alice", 0), ("Bob", 0), ("Carol", 0), ("Eve", 1), ("Frank", 1), ("Mallory", 1)]  # fmt: skip
    query = FAMILIES + '| graph-mark-components | graph-match (n) where n.name == "Eve" project n.ComponentId'
    assert rows(query) == [(1,)]


def test_strong_components() -> None:
    query = """
    datatable(s: string, t: string)["a", "b", "b", "a", "b", "c", "c", "d", "d", "c"]
    | make-graph s --> t with_node_id=id
    | graph-mark-components kind=strong with_component_id=c
    | graph-to-table nodes
    """
    assert rows(query) == [("a", 0), ("b", 0), ("c", 1), ("d", 1)]


def test_partitioned_graphs_are_apart() -> None:
    query = """
    datatable(s: string, t: string, tenant: string)["a", "b", "one", "b", "c", "two", "x", "y", "two"]
    | make-graph s --> t with_node_id=id partitioned-by tenant (
        {})
    """
    assert rows(query.format("graph-match (a)-[e*1..2]->(b) project a.id, b.id, map(e, tenant)")) == [
        ("a", "b", ["one"]), ("b", "c", ["two"]), ("x", "y", ["two"])]  # fmt: skip
    assert rows(query.format("graph-mark-components | graph-to-table nodes")) == [
        ("a", 0), ("b", 0), ("b", 0), ("c", 0), ("x", 1), ("y", 1)]  # fmt: skip


def test_tables_of_a_graph() -> None:
    columns, found = run_kql(RING + "| graph-to-table edges with_source_id=from_id with_target_id=to_id")
    assert columns == ["from_id", "to_id", "s", "t", "w"]
    ids = {row[2]: row[0] for row in found}
    assert all(row[1] == ids[row[3]] for row in found)
    both = RING + "| graph-to-table nodes as N with_node_id=n, edges as E with_source_id=n; N | join kind=inner E on n"
    assert len(rows(both)) == 3


def test_documented_hashes() -> None:
    query = """
    datatable(s: string, t: string)["Alice", "Bob"] | make-graph s --> t with_node_id=name
    | graph-to-table nodes with_node_id=NodeId
    """
    assert rows(query) == [(-3122868243544336885, "Alice"), (-7133945255344544237, "Bob")]


def test_filters_on_graphs() -> None:
    query = RING + '| graph-where-nodes id != "c" | graph-where-edges w < 3'
    assert rows(query + "| graph-to-table nodes") == [("a",), ("b",)]
    assert rows(query + "| graph-to-table edges") == [("a", "b", 1)]


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("print x = 1 | graph-match (a)-->(b) project a.id", "KS106"),
        (RING, "KS106"),
        (RING + "| where w > 1", "KS106"),
        (RING + "| graph-match (a), (b) project a.id", "VK2006"),
        (RING + "| graph-match (a)-[e]->(b)-[e]->(c) project a.id", "KS201"),
        (RING + "| graph-match (a)-[e]->(b) project map(e, w)", "KS234"),
        (RING + "| graph-match (a)-[e*1..2]->(b) project inner_nodes(e)", "KS118"),
        (RING + "| graph-match (a)-[e*1..2]->(b) where e.w > a.w project a.id", "KS142"),
        (RING + "| graph-match (a)-[e*1..2]->(b) where e.s == a.id project a.id", "VK2008"),
        (RING + "| graph-match (a)-[e*1..2]->(b) project node_degree_in(e)", "KS142"),
        (RING + "| graph-match (a)-[e]->(b) project a.nothing", "KS142"),
        (RING + "| graph-match cycles=some (a)-[e]->(b) project a.id", "KS140"),
        (RING + "| graph-match (a)-[e]->(b)", "KS006"),
        (RING + "| graph-shortest-paths (a)-[e]->(b) project a.id", "VK2007"),
        (RING + "| graph-shortest-paths output=some (a)-[e*1..2]->(b) project a.id", "KS140"),
        (RING + "| graph-mark-components kind=odd | graph-to-table nodes", "KS140"),
        ("datatable(s: string, t: long)[] | make-graph s --> t | graph-to-table edges", "KS205"),
        ("datatable(s: string, t: string)[] | make-graph s --> nowhere | graph-to-table edges", "KS142"),
        ('graph("Model") | graph-match (a) project a.id', "VK3002"),
    ],
)
def test_refusals(query: str, code: str) -> None:
    assert code_of(query) == code


def test_node_id_is_the_text_of_the_id() -> None:
    graph = "datatable(s: long, t: long)[1, 2, 2, 3] | make-graph s --> t with_node_id=id "
    query = (
        graph + "| graph-match (a)-[e*2..2]->(b) project begin = node_id(a), within = map(inner_nodes(e), node_id())"
    )
    assert run_kql(query) == (["begin", "within"], [("1", ["2"])])
    wrong = graph + "| graph-match (a)-[e]->(b) project node_id(e)"
    assert code_of(wrong) == code_of(graph + "| graph-match (a)-[e]->(b) project node_degree_in(e)")
