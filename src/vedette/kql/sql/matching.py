"""String predicates: has, contains, startswith and their kin. A constant needle is turned into the cheapest exact test:
a case-insensitive substring search first, and a regular expression for term boundaries only on rows that pass it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from vedette.kql.plan import Call, Expression, Literal
from vedette.kql.sql import tree
from vedette.kql.sql.base import Family, Scalars, SubqueryMember, UnsupportedError, text_of
from vedette.kql.sql.literals import dynamic_members
from vedette.kql.sql.regex import RegexError, translate
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

family = Family()

_DELIMITER = r"[\x00-/:-@\[-`{-\x7F]"
"""ASCII that is neither letter nor digit. The class of all Unicode delimiters takes RE2 a millisecond to compile,
several times a query: instead, `_words` puts blanks around those beyond ASCII, in the few texts that have any."""
_BOUNDARY_LEFT = f"(?:^|{_DELIMITER})"
_BOUNDARY_RIGHT = f"(?:$|{_DELIMITER})"
_FAR_DELIMITER = r"([^\x00-\x7F\p{L}\p{N}])"
_PREFILTERED = 8
"""Up to so many needles, substring searches before the regular expression pay off."""
_LONGEST_PATTERN = 16_000
"""Beyond this many characters RE2 may refuse a pattern: needles are then tried one by one."""

_TERM_TESTS = {
    "has": (True, True), "has_cs": (True, True), "hasprefix": (True, False), "hasprefix_cs": (True, False),
    "hassuffix": (False, True), "hassuffix_cs": (False, True),
}  # fmt: skip
_PLACES = {
    "contains": ("%", "%"), "startswith": ("", "%"), "endswith": ("%", ""),
}  # fmt: skip
_SENSITIVE = {"contains_cs": "contains", "startswith_cs": "starts_with", "endswith_cs": "suffix"}


def _plain(needle: str) -> bool:
    """Whether LIKE reads the text literally."""
    return not re.search(r"[%_\\]", needle)


def _insensitive(haystack: Sql, needle: str, before: str, after: str) -> Sql:
    if _plain(needle):
        return exp.ILike(this=tree.operand(haystack), expression=tree.text(before + needle + after))
    function = {("%", "%"): "contains", ("", "%"): "starts_with", ("%", ""): "suffix"}[before, after]
    return tree.call(function, tree.call("lower", haystack), tree.call("lower", tree.text(needle)))


def _escaped(needle: str) -> str:
    """The needle with the characters that mean something to RE2 quoted."""
    return "".join("\\" + each if each in r"\.+*?()|[]{}^$" else each for each in needle)


def _term_regex(needle: str, left: bool, right: bool) -> str:
    """The needle with a boundary at each edge where it is asked for and the needle has a term character there."""
    before = _BOUNDARY_LEFT if left and needle[0].isalnum() else ""
    after = _BOUNDARY_RIGHT if right and needle[-1].isalnum() else ""
    return before + _escaped(needle) + after


def _any_term_regex(needles: Sequence[str]) -> str:
    """One pattern for all needles: those with term characters at both edges share their boundaries."""
    terms = [each for each in needles if each[0].isalnum() and each[-1].isalnum()]
    others = [_term_regex(each, True, True) for each in needles if each not in terms]
    shared = f"{_BOUNDARY_LEFT}(?:{'|'.join(map(_escaped, terms))}){_BOUNDARY_RIGHT}"
    return "|".join([shared, *others] if terms else others)


def _words(haystack: Sql) -> Sql:
    """The text with each delimiter beyond ASCII between blanks."""
    apart = tree.call("regexp_replace", haystack, tree.text(_FAR_DELIMITER), tree.text(r" \1 "), tree.text("g"))
    if not isinstance(haystack, exp.Column):
        return apart
    is_ascii = tree.equal(tree.call("strlen", haystack), tree.call("length", haystack))
    return tree.when([(is_ascii, haystack)], apart)


def _has_far_delimiter(needle: str) -> bool:
    return any(not each.isascii() and not each.isalnum() for each in needle)


def _has_constant(function: str, haystack: Sql, needle: str) -> Sql:
    if not needle:
        return tree.boolean(True)
    if _has_far_delimiter(needle):
        return tree.call(f"kql_{function}", haystack, tree.text(needle))
    left, right = _TERM_TESTS[function]
    sensitive = function.endswith("_cs")
    pattern = _term_regex(needle, left, right)
    if sensitive:
        near: Sql = tree.call("contains", haystack, tree.text(needle))
    else:
        near = _insensitive(haystack, needle, "%", "%")
        pattern = "(?i)" + pattern
    if not ((needle[0].isalnum() and left) or (needle[-1].isalnum() and right)):
        return near
    return tree.both(near, tree.call("regexp_matches", _words(haystack), tree.text(pattern)))


@family.rule(*_TERM_TESTS)
def _has(scalars: Scalars, call: Call) -> Sql:
    haystack, needle = call.arguments
    constant = text_of(needle)
    if constant is not None:
        return _has_constant(call.function, scalars.value(haystack), constant)
    return tree.call(f"kql_{call.function}", scalars.value(haystack), scalars.value(needle))


@family.rule(*_PLACES)
def _place(scalars: Scalars, call: Call) -> Sql:
    haystack, needle = call.arguments
    constant = text_of(needle)
    if constant is not None:
        return _insensitive(scalars.value(haystack), constant, *_PLACES[call.function])
    return tree.call(f"kql_{call.function}", scalars.value(haystack), scalars.value(needle))


@family.rule(*_SENSITIVE)
def _sensitive(scalars: Scalars, call: Call) -> Sql:
    return tree.call(_SENSITIVE[call.function], *scalars.values(call.arguments))


@family.rule("equal_ci")
def _equal_ci(scalars: Scalars, call: Call) -> Sql:
    left, right = (tree.call("lower", scalars.value(each)) for each in call.arguments)
    return tree.equal(left, right)


_SPLIT = "\x1f"
"""Stands between texts that are searched at once: no term holds it, and no needle that anybody writes."""
_SEARCHED_AT_ONCE = 4


def gathered(alternatives: Sequence[Expression]) -> list[Expression]:
    """The alternatives of an `or`, where many texts are searched for the same needle (`search` does that with all
    columns of a table) as one search through all of the texts."""
    found: dict[tuple[str, str], list[Expression]] = {}
    result: list[Expression] = []
    for each in alternatives:
        needle = _searched_needle(each)
        if needle is None:
            result.append(each)
        else:
            assert isinstance(each, Call)
            found.setdefault((each.function, needle), []).append(each)
    for searches in found.values():
        result += searches if len(searches) < _SEARCHED_AT_ONCE else [_search_through(searches)]
    return result


def _searched_needle(expression: Expression) -> str | None:
    if not isinstance(expression, Call) or expression.function not in {*_TERM_TESTS, "contains", "contains_cs"}:
        return None
    needle = text_of(expression.arguments[1])
    return needle if needle and _SPLIT not in needle else None


def _search_through(searches: Sequence[Expression]) -> Expression:
    calls = [each for each in searches if isinstance(each, Call)]
    texts = tuple(each.arguments[0] for each in calls)
    return Call(calls[0].type, calls[0].function, (Call(ScalarType.STRING, "strcat_delim", (
        Literal(ScalarType.STRING, _SPLIT), *texts)), calls[0].arguments[1]))  # fmt: skip


def _negation_of(positive: str) -> None:
    """`!has` is the negation of `has`: both are two-valued over strings, which are never null."""

    @family.rule(f"not_{positive}")
    def lower(scalars: Scalars, call: Call) -> Sql:
        return tree.negation(scalars.value(Call(call.type, positive, call.arguments)))


for _name in (*_TERM_TESTS, *_PLACES, *_SENSITIVE, "equal_ci"):
    _negation_of(_name)


@family.rule("matches_regex")
def _matches_regex(scalars: Scalars, call: Call) -> Sql:
    source, pattern = call.arguments
    constant = text_of(pattern)
    if constant is None:
        computed = scalars.value(pattern)
        if isinstance(computed, exp.Literal):
            return tree.call("regexp_matches", scalars.value(source), regex_literal(computed.name, "matches regex"))
        if computed.find(exp.Column) is None:
            raise UnsupportedError("matches regex", "the pattern must be a text or come from the rows")
        matched = tree.attempt(tree.call("regexp_matches", scalars.value(source), computed))
        return tree.coalesce(matched, tree.boolean(False))
    return tree.call("regexp_matches", scalars.value(source), regex_literal(constant, "matches regex"))


def regex_literal(pattern: str, where: str) -> Sql:
    """A constant pattern, checked and translated. Raises UnsupportedError that names the construct."""
    try:
        return tree.text(translate(pattern))
    except RegexError as error:
        raise UnsupportedError(where, f"regular expression: {error.reason}") from error


# --- has_any, has_all -----------------------------------------------------------------------------------------------


def _constant_needles(members: tuple[Expression, ...]) -> list[str] | None:
    needles: list[str] = []
    for member in members:
        if not isinstance(member, Literal):
            return None
        if member.type is ScalarType.DYNAMIC:
            needles += [str(each.value) for each in dynamic_members(member, ScalarType.STRING)]
        else:
            needles.append("" if member.value is None else str(member.value))
    return needles


def _any_constant(haystack: Sql, needles: list[str]) -> Sql:
    """One pass over the text for all needles."""
    if not needles:
        return tree.boolean(False)
    if "" in needles:
        return tree.boolean(True)
    needles = list(dict.fromkeys(each.lower() for each in needles))
    if len(needles) == 1:
        return _has_constant("has", haystack, needles[0])
    pattern = "(?i)" + _any_term_regex(needles)
    if len(pattern) > _LONGEST_PATTERN or any(map(_has_far_delimiter, needles)):
        return tree.call("kql_has_any_list", haystack, tree.array([tree.text(each.lower()) for each in needles]))
    exact = tree.call("regexp_matches", _words(haystack), tree.text(pattern))
    if len(needles) > _PREFILTERED:
        return exact
    return tree.both(tree.either(*(_insensitive(haystack, each, "%", "%") for each in needles)), exact)


def _needle_list(scalars: Scalars, members: tuple[Expression, ...]) -> Sql:
    """All needles as one list of text."""
    lists: list[Sql] = []
    for member in members:
        value = scalars.value(member)
        if member.type is ScalarType.DYNAMIC:
            lists.append(tree.coalesce(tree.call("kql_strings_lower", value), tree.array([tree.text("")])))
        else:
            lists.append(
                tree.array([tree.call("lower", scalars.value(Call(ScalarType.STRING, "tostring", (member,))))])
            )
    return lists[0] if len(lists) == 1 else tree.call("list_concat", *lists)


def _haystack(scalars: Scalars, operand: Expression) -> Sql:
    return scalars.value(
        operand if operand.type is ScalarType.STRING else Call(ScalarType.STRING, "tostring", (operand,))
    )


@family.rule("has_any")
def _has_any(scalars: Scalars, call: Call) -> Sql:
    operand, *members = call.arguments
    needles = _constant_needles(tuple(members))
    if needles is not None:
        return _any_constant(_haystack(scalars, operand), needles)
    return tree.call("kql_has_any_list", _haystack(scalars, operand), _needle_list(scalars, tuple(members)))


@family.rule("has_all")
def _has_all(scalars: Scalars, call: Call) -> Sql:
    operand, *members = call.arguments
    needles = _constant_needles(tuple(members))
    if needles is None:
        return tree.call("kql_has_all_list", _haystack(scalars, operand), _needle_list(scalars, tuple(members)))
    if "" in needles:
        return tree.boolean(False)
    return tree.both(tree.boolean(True), *(_has_constant("has", _haystack(scalars, operand), each) for each in needles))


def _subquery_list(scalars: Scalars, member: Expression) -> Sql:
    """The set of needles, computed once for the whole query."""
    assert isinstance(member, SubqueryMember)
    item: Sql = tree.column("item")
    if member.type is not ScalarType.STRING:
        item = tree.coalesce(tree.cast(item, "VARCHAR"), tree.text(""))
        if member.type is ScalarType.DYNAMIC:
            item = tree.call("kql_tostring_dynamic", tree.column("item"))
    gathered = tree.coalesce(tree.distinct("list", tree.call("lower", item)), tree.array([]))
    query = exp.Select(expressions=[tree.aliased(gathered, "value")])
    query = query.from_(scalars.subqueries.column_subquery(member.plan), copy=False)
    return scalars.subqueries.single_value(query, ScalarType.DYNAMIC)


@family.rule("has_any subquery")
def _has_any_subquery(scalars: Scalars, call: Call) -> Sql:
    operand, member = call.arguments
    return tree.call("kql_has_any_list", _haystack(scalars, operand), _subquery_list(scalars, member))


@family.rule("has_all subquery")
def _has_all_subquery(scalars: Scalars, call: Call) -> Sql:
    operand, member = call.arguments
    return tree.call("kql_has_all_list", _haystack(scalars, operand), _subquery_list(scalars, member))
