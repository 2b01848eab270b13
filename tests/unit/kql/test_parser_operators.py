import pytest

from vedette.kql import syntax
from vedette.kql.errors import KqlError
from vedette.kql.parser import parse


def operator(text: str) -> syntax.TabularOperator:
    """The last operator of a query over T, or of a query that begins with it."""
    (statement,) = parse(f"T | {text}").statements
    assert isinstance(statement, syntax.ExpressionStatement)
    pipe = statement.expression
    assert isinstance(pipe, syntax.PipeExpression)
    return pipe.operators[-1]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("where x", "WhereOperator"),
        ("filter x", "WhereOperator"),
        ("project", "ProjectOperator"),
        ("project a, b = f(c), (d, e) = g(h)", "ProjectOperator"),
        ("project-away a*, *b, ['c d'], *1", "ProjectAwayOperator"),
        ("project-keep a, b*", "ProjectKeepOperator"),
        ("project-rename a = b, ['c d'] = e", "ProjectRenameOperator"),
        ("project-reorder b* granny-desc, a asc, *", "ProjectReorderOperator"),
        ("project-by-names a, dynamic(['b'])", "ProjectByNamesOperator"),
        ("extend by = 1, ['x y'] = 2", "ExtendOperator"),
        ("summarize", "SummarizeOperator"),
        ("summarize by a", "SummarizeOperator"),
        ("summarize hint.strategy=shuffle n = count(), max(a) by bin(t, 1d), b = c", "SummarizeOperator"),
        ("distinct *", "DistinctOperator"),
        ("count", "CountOperator"),
        ("count as n", "CountOperator"),
        ("join kind=inner hint.strategy=broadcast (U | take 1) on a, $left.b == $right.c", "JoinOperator"),
        ("join kind = leftanti (U) on a", "JoinOperator"),
        ("join U on a", "JoinOperator"),
        ("lookup kind=leftouter U on a", "LookupOperator"),
        ("union withsource=s isfuzzy=true (U | take 1), V*, database('d').W*", "UnionOperator"),
        ("sort by a asc nulls last, f(b)", "SortOperator"),
        ("order by a", "SortOperator"),
        ("top 5 by a desc nulls first", "TopOperator"),
        ("top-nested 2 of a with others = 'x' by s = sum(b) desc, top-nested of c by max(d)", "TopNestedOperator"),
        ("top-hitters 5 of a by b", "TopHittersOperator"),
        ("take 5", "TakeOperator"),
        ("limit n", "TakeOperator"),
        ("sample 5", "SampleOperator"),
        ("sample-distinct 5 of a", "SampleDistinctOperator"),
        ("mv-expand kind=array with_itemindex=i a, b = c.d to typeof(long) limit 5", "MvExpandOperator"),
        ("mvexpand bagexpansion=array a", "MvExpandOperator"),
        ("mv-apply a to typeof(long) limit 3 on (where a > 1 | summarize max(a))", "MvApplyOperator"),
        ("parse kind=regex flags=Ui a with * 'x' b: long @'\\d' ['c d']", "ParseOperator"),
        ("parse-where a with 'x' b", "ParseWhereOperator"),
        ("parse-kv a as (b: string) with (pair_delimiter=';', greedy=true)", "ParseKvOperator"),
        ("make-series n = count() default=0 on t from a to b step 1d by c", "MakeSeriesOperator"),
        ("make-series kind=nonempty avg(x) on t in range(a, b, 1d)", "MakeSeriesOperator"),
        ("serialize n = row_number()", "SerializeOperator"),
        ("invoke f(a)", "InvokeOperator"),
        ("evaluate hint.distribution=single pivot(a, sum(b)) : (*, x: long)", "EvaluateOperator"),
        (
            "scan with_match_id=m declare (x: long = 0) with (step a: true; step b output=all: x > 1 => x = a.x;)",
            "ScanOperator",
        ),
        ("partition hint.strategy=native by a (top 1 by b)", "PartitionOperator"),
        ("partition by a { U | where b == a }", "PartitionOperator"),
        ("render timechart", "RenderOperator"),
        ("render barchart with (title='x', ycolumns=a, b, kind=stacked)", "RenderOperator"),
        ("render barchart kind=stacked by a, b", "RenderOperator"),
        ("as hint.materialized=true U", "AsOperator"),
        ("consume decodeblocks=true", "ConsumeOperator"),
        ("facet by a, b with (where c | take 1)", "FacetOperator"),
        ("fork (where a | count) n = (take 1)", "ForkOperator"),
        ("reduce by a with threshold=0.1, characters='-'", "ReduceOperator"),
        ("getschema", "GetSchemaOperator"),
        ("search kind=case_sensitive in (T, U*) 'x' and a: 'y'", "SearchOperator"),
        ("find in (T, U) where a == 1 project b, c: long, pack(*)", "FindOperator"),
        ("assert-schema (a: long)", "AssertSchemaOperator"),
        ("make-graph a --> b with U on c, V on d", "MakeGraphOperator"),
        ("make-graph a --> b with_node_id=n", "MakeGraphOperator"),
        (
            "graph-match cycles=none (a)-[e*1..5]->(b)<-[f]-(c), (b)--() where a.x == 1 project e, y = b.z",
            "GraphMatchOperator",
        ),
        ("graph-shortest-paths output=all (a)-[e*1..5]->(b) project e", "GraphShortestPathsOperator"),
        ("graph-to-table nodes as N with_node_id=i, edges", "GraphToTableOperator"),
        ("graph-mark-components kind=weak with_component_id=c", "GraphMarkComponentsOperator"),
        ("graph-where-nodes a == 1", "GraphWhereNodesOperator"),
        ("graph-where-edges a == 1", "GraphWhereEdgesOperator"),
    ],
)
def test_every_operator_has_its_node(text: str, name: str) -> None:
    assert type(operator(text)).__name__ == name


@pytest.mark.parametrize(
    "text",
    [
        "print a = 1, 2",
        "range x from 1 to 10 step 1",
        "union T, U*",
        "search in (T) 'x'",
        "find 'x'",
        "evaluate f(x)",
        "macro-expand isfuzzy=true entity_group [database('a')] as X (let y = 1; X.T | take 1)",
    ],
)
def test_operators_that_begin_a_query(text: str) -> None:
    (statement,) = parse(text).statements
    assert isinstance(statement, syntax.ExpressionStatement)
    assert isinstance(statement.expression, syntax.PipeExpression)
    assert isinstance(statement.expression.source, syntax.TabularOperator)


def test_parameters_are_found_by_name() -> None:
    join = operator("join kind=inner hint.strategy=shuffle U on a")
    kind = join.parameter("kind")
    assert isinstance(kind, syntax.NameReference)
    assert kind.name == "inner"
    assert join.parameter("hint.strategy") is not None
    assert join.parameter("hint.remote") is None


def test_variable_edges() -> None:
    match = operator("graph-match (a)-[e*1..3]->(b)<--(c)--(d)")
    assert isinstance(match, syntax.GraphMatchOperator)
    edges = [each for each in match.patterns[0].elements if isinstance(each, syntax.GraphEdge)]
    assert [(each.direction, each.variable) for each in edges] == [("-->", True), ("<--", False), ("--", False)]


def test_a_parse_pattern_keeps_its_parts() -> None:
    parse_operator = operator("parse a with * 'x' 'y' b: long ['c d']")
    assert isinstance(parse_operator, syntax.ParseOperator)
    star, text, typed, untyped = parse_operator.pattern
    assert isinstance(star, syntax.ParseStar)
    assert isinstance(text, syntax.ParseText)
    assert text.text == "xy"
    assert isinstance(typed, syntax.ParseColumn)
    assert typed.type is not None
    assert isinstance(untyped, syntax.ParseColumn)
    assert untyped.type is None


def test_tables_of_their_own() -> None:
    text = """
        let a = datatable (x: long, ['y z']: string) [1, "a" 'b', -2, "c",];
        let b = externaldata (x: string) [h@"u", "v"] with (format="csv", ignoreFirstRecord=true);
        let c = inline_external_table (x: string) kind=storage partition by (p: datetime = bin(x, 1d))
            pathformat=(p "/a") dataformat=csv (h"u") with (fileExtension=".csv");
        let d = materialize(T | take 1);
        print toscalar(d | count), typeof(long), typeof(a: long, *)
    """
    kinds = [type(each.expression).__name__ for each in parse(text).statements if isinstance(each, syntax.LetStatement)]
    assert kinds == ["DataTable", "ExternalData", "InlineExternalTable", "Materialize"]


@pytest.mark.parametrize(
    "text",
    [
        "take",
        "where",
        "extend",
        "distinct",
        "join",
        "join bogus=inner (U) on a",
        "lookup U",
        "top 5",
        "mv-apply a",
        "parse a with",
        "make-series count() on t",
        "scan with (step a: true)",
        "render",
        "fork (take 1), (take 2)",
        "evaluate bag_unpack",
        "graph-match a",
        "find in (T) a == 1",
        "project-rename a",
        "invoke f",
    ],
)
def test_unfinished_operators_are_refused(text: str) -> None:
    with pytest.raises(KqlError):
        operator(text)
