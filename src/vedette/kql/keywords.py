"""The words that KQL's grammar knows, and where each may still stand as a plain name.

Read off the answers of Microsoft's published parser (npm @kusto/language-service-next 12.4.1), asked word by word.
Everything else of letters, digits and underscores is a name. Keywords are case-sensitive.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Usable as names everywhere, without brackets.
NAME_KEYWORDS = _words(
    """
    access alias best_effort bin bool consume count database dataformat datetime_pattern declare default
    distinct edges entity_group evaluate extend facet filter fork from getschema graph guid id
    inline_external_table join let limit lookup mvapply mvexpand nodes null nulls on optional order output
    pack parse partition __partitionby pattern plotly query_parameters range reduce regex render restrict scan
    serialize sort step summarize take top typeof uuid view with with_node_id
    """
)

# Usable where a name is introduced (`extend by = 1`), not where one is referred to.
DECLARABLE_KEYWORDS = _words(
    """
    accumulate as by contains datatable earliest externaldata find has in invoke latest materialize mdm of
    print sample sample-distinct search set sql title to top-hitters top-nested toscalar totable verbose
    viewers where
    """
)

# Usable where a column is referred to, not where one is introduced.
REFERABLE_KEYWORDS = frozenset(["kind", "with_source", "withsource"])

TYPE_KEYWORDS = _words(
    """
    bool boolean char date datetime decimal double dynamic float guid int int8 int16 int32 int64 byte long
    real string time timespan uint uint8 uint16 uint32 uint64 ulong uniqueid uuid
    """
)

# Words with a role in the grammar, or kept for management commands: not names unless bracketed.
RESERVED_KEYWORDS = _words(
    """
    __contextual_datatable __crossCluster __crossDB __executeAndCache __id __isFuzzy __noWithSource
    __packedColumn __projectAway __sourceColumnIndex and anomalychart areachart asc assert-schema bagexpansion
    barchart between cachingpolicy callout cancel card columnchart commands-and-queries containscs contains_cs
    cycles dataexport datascope decodeblocks desc encodingpolicy endswith endswith_cs expandoutput
    extent_tags_retention external_data first flags force_remote granny-asc granny-desc graph-mark-components
    graph-match graph-shortest-paths graph-to-table graph-where-edges graph-where-nodes harddelete
    hardretention has_all has_any has_cs hasprefix hasprefix_cs hassuffix hassuffix_cs hotcache isfuzzy
    journal ladderchart last like likecs linechart macro-expand make-graph make-series matches
    materialized-view-combine materialized-views missing mv-apply mv-expand nooptimization notcontains
    notcontainscs notlike notlikecs or others parse-kv parse-where partitioned-by pathformat piechart
    pivotchart project project-away project-by-names project-keep project-rename project-reorder project-smart
    queries query_results relaxed restricted_view_access row_level_security rowstore rowstore_references
    rowstore_sealinfo rowstorepolicy rowstores scatterchart seal seals set-or-append set-or-replace shards
    simple softdelete softretention stackedareachart startswith startswith_cs statistics
    storedqueryresultcontainers tablepurge timechart timeline timepivot treemap union unrestrictedviewers
    views with_itemindex with_match_id with_step_name writeaheadlog
    """
)

KEYWORDS = NAME_KEYWORDS | DECLARABLE_KEYWORDS | REFERABLE_KEYWORDS | TYPE_KEYWORDS | RESERVED_KEYWORDS

# String and list operators that carry a `!`, and the tilde forms: the lexer reads them as one token each.
MARKED_OPERATORS = (
    "!between",
    *("!contains_cs", "!contains", "!endswith_cs", "!endswith", "!startswith_cs", "!startswith"),
    *("!hasprefix_cs", "!hasprefix", "!hassuffix_cs", "!hassuffix", "!has_cs", "!has"),
    *("!in~", "!in"),
)
