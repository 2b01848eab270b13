"""What the functions of mapping rules mean, as SQL over columns. A missing field, `-` and the empty text are NULL.

Functions: lower upper trim short int hexint bool bits basename dirname exe domain account hash utc guidtime epoch ip
iptype reg_key reg_value reg_type reg_data logon_failure json coalesce concat eq ne isin has startswith re iff pick xml
path field devid loc rem and or not, and every table of `contracts/data/mappings/vocabulary.toml`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from sqlglot import exp

from vedette.contracts.mappings import Orientation, load_vocabulary
from vedette.ingest import addresses, times
from vedette.ingest.errors import RuleError
from vedette.ingest.expressions import Call, Expression, Field, Null, Number, Text
from vedette.ingest.sql import (
    binary,
    both,
    bound,
    call,
    case,
    concat,
    either,
    equals,
    is_null,
    negation,
    number,
    text,
    try_cast,
)

Kind = Literal["text", "long", "bool", "ticks", "null"]

OUTGOING = "_outgoing"
"""Boolean column of oriented rules: the source is the device."""


class Typed(NamedTuple):
    """A value: its SQL, and what kind of value that is."""

    node: exp.Expression
    kind: Kind


class Scope(NamedTuple):
    """What names in an expression refer to."""

    where: str
    fields: Mapping[str, Typed]
    orientation: Orientation | None = None


Function = Callable[[Scope, Call], Typed]


def translate(expression: Expression, scope: Scope) -> Typed:
    """The SQL of `expression`. Raises RuleError for an unknown field or function, or a wrong argument."""
    match expression:
        case Field(name):
            return _field(scope, name)
        case Text(value):
            return Typed(text(value), "text")
        case Number(value):
            return Typed(number(value), "long")
        case Null():
            return Typed(exp.Null(), "null")
        case Call(name):
            return _function(scope, name)(scope, expression)


def as_text(value: Typed) -> exp.Expression:
    """The value as text."""
    return value.node if value.kind in ("text", "null") else try_cast(value.node, "VARCHAR")


def as_long(value: Typed) -> exp.Expression:
    """The value as a whole number; text may be decimal or `0x…`."""
    return value.node if value.kind == "long" else try_cast(value.node, "BIGINT")


def _field(scope: Scope, name: str) -> Typed:
    if name not in scope.fields:
        raise RuleError(scope.where, f"no field {name!r} here")
    return scope.fields[name]


def _function(scope: Scope, name: str) -> Function:
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    if name in load_vocabulary().tables:
        return _of_text(lambda x: _looked_up(name, x))
    raise RuleError(scope.where, f"no function {name!r}")


def _arguments(scope: Scope, expression: Call, least: int, most: int | None = None) -> list[Typed]:
    count = len(expression.arguments)
    if count < least or (most is not None and count > most):
        raise RuleError(scope.where, f"{expression.function} does not take {count} arguments")
    return [translate(argument, scope) for argument in expression.arguments]


def _literal(scope: Scope, expression: Call, index: int) -> str:
    argument = expression.arguments[index] if index < len(expression.arguments) else None
    if not isinstance(argument, Text):
        raise RuleError(scope.where, f"argument {index + 1} of {expression.function} has to be a text literal")
    return argument.value


def _of_text(build: Callable[[exp.Expression], exp.Expression], kind: Kind = "text") -> Function:
    def function(scope: Scope, expression: Call) -> Typed:
        (value,) = _arguments(scope, expression, 1, 1)
        return Typed(build(as_text(value)), kind)

    return function


def _with_literal(build: Callable[[exp.Expression, str], exp.Expression], kind: Kind = "text") -> Function:
    def function(scope: Scope, expression: Call) -> Typed:
        value, _ = _arguments(scope, expression, 2, 2)
        return Typed(build(as_text(value), _literal(scope, expression, 1)), kind)

    return function


def _empty_as_null(node: exp.Expression) -> exp.Expression:
    return call("nullif", node, "")


def _starts(node: exp.Expression, prefix: str) -> exp.Expression:
    return call("starts_with", node, prefix)


def _basename(x: exp.Expression) -> exp.Expression:
    windows = call("split_part", x, "\\", -1)
    return _empty_as_null(case((call("contains", x, "\\"), windows), default=call("split_part", x, "/", -1)))


def _dirname(x: exp.Expression) -> exp.Expression:
    length = binary(exp.Sub, call("length", x), call("length", call("coalesce", _basename(x), "")))
    return _empty_as_null(call("left", x, call("greatest", binary(exp.Sub, length, 1), 0)))


def _executable(x: exp.Expression) -> exp.Expression:
    quoted = call("regexp_extract", x, r'^\s*"([^"]+)"', 1)
    known = call("regexp_extract", x, r"(?i)^\s*(.+?\.(?:exe|sys|dll|com|bat|cmd|ps1|scr))(?:[\s,]|$)", 1)
    return call("coalesce", _empty_as_null(quoted), _empty_as_null(known), call("split_part", call("trim", x), " ", 1))


def _domain(x: exp.Expression) -> exp.Expression:
    return case((call("contains", x, "\\"), _empty_as_null(call("split_part", x, "\\", 1))))


def _account(x: exp.Expression) -> exp.Expression:
    return _empty_as_null(call("split_part", x, "\\", -1))


def truth_of_text(x: exp.Expression) -> exp.Expression:
    """Whether the text says yes or no; NULL for anything else."""
    lower = call("lower", x)
    yes, no = (exp.In(this=lower, expressions=[text(word) for word in words]) for words in (_YES, _NO))
    return case((yes, exp.true()), (no, exp.false()))


_YES, _NO = ("true", "1", "yes"), ("false", "0", "no")


def _hash(x: exp.Expression, algorithm: str) -> exp.Expression:
    digits = call("split_part", call("split_part", x, f"{algorithm}=", 2), ",", 1)
    return case((negation(equals(call("ltrim", digits, "0"), "")), call("lower", digits)))


def _registry_key(path: exp.Expression) -> exp.Expression:
    def with_long_root(x: exp.Expression) -> exp.Expression:
        branches = [
            (_starts(call("upper", x), prefix), concat(root, call("substr", x, len(prefix) + 1)))
            for prefix, root in load_vocabulary().registry_roots.items()
        ]
        return case(*branches, default=x)

    return bound(path, with_long_root)


def _registry_value(x: exp.Expression) -> exp.Expression:
    return call("nullif", call("split_part", x, "\\", -1), "(Default)")


def _registry_type(x: exp.Expression) -> exp.Expression:
    return case(
        (is_null(x), exp.Null()),
        (_starts(x, "DWORD ("), text("Dword")),
        (_starts(x, "QWORD ("), text("Qword")),
        (equals(x, "Binary Data"), text("Binary")),
        default=text("String"),
    )


def _registry_data(x: exp.Expression) -> exp.Expression:
    inside = call("substr", call("rtrim", x, ")"), len("DWORD (") + 1)
    high, low = (try_cast(part, "UBIGINT") for part in _halves(inside))
    quad = binary(exp.Add, binary(exp.Mul, high, 1 << 32), low)
    return case(
        (_starts(x, "DWORD ("), try_cast(try_cast(inside, "BIGINT"), "VARCHAR")),
        (_starts(x, "QWORD ("), try_cast(quad, "VARCHAR")),
        (equals(x, "Binary Data"), exp.Null()),
        default=x,
    )


def _halves(inside: exp.Expression) -> tuple[exp.Expression, exp.Expression]:
    return call("split_part", inside, "-", 1), call("split_part", inside, "-", 2)


def _looked_up(table: str, x: exp.Expression) -> exp.Expression:
    contract = load_vocabulary().tables[table]
    result = exp.Case(this=call("lower", x), default=text(contract.default) if contract.default else None)
    for key, value in contract.values.items():
        result.append("ifs", exp.If(this=text(key.lower()), true=text(value)))
    return result


def _logon_failure(scope: Scope, expression: Call) -> Typed:
    status, substatus = (as_text(value) for value in _arguments(scope, expression, 2, 2))
    return Typed(call("coalesce", _looked_up("logon_failure", substatus), _looked_up("logon_failure", status)), "text")


def _xml(x: exp.Expression, path: str) -> exp.Expression:
    *outer, last = (f"<(?:[\\w.]+:)?{re.escape(name)}(?:\\s[^>]*)?>" for name in path.split("/"))
    pattern = "(?s)" + "".join(f"{element}.*?" for element in outer) + last + "(.*?)</"
    document = case((call("contains", x, "<"), x), default=_unescaped(x))
    return _empty_as_null(_unescaped(call("regexp_extract", document, pattern, 1)))


def _unescaped(x: exp.Expression) -> exp.Expression:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        x = call("replace", x, entity, character)
    return x


def _json(scope: Scope, expression: Call) -> Typed:
    if expression.arguments or not expression.named:
        raise RuleError(scope.where, "json takes named arguments only")
    members = []
    for name, argument in expression.named:
        value = translate(argument, scope).node
        members.append(concat(f'"{name}":', try_cast(call("to_json", value), "VARCHAR")))
    joined = call("concat_ws", ",", *members)
    return Typed(case((negation(equals(joined, "")), concat("{", joined, "}"))), "text")


def _unified(values: list[Typed]) -> tuple[list[exp.Expression], Kind]:
    kinds = {value.kind for value in values} - {"null"}
    if len(kinds) == 1:
        return [value.node for value in values], kinds.pop()
    return [as_text(value) for value in values], "text"


def _coalesce(scope: Scope, expression: Call) -> Typed:
    nodes, kind = _unified(_arguments(scope, expression, 1))
    return Typed(call("coalesce", *nodes), kind)


def _concat(scope: Scope, expression: Call) -> Typed:
    return Typed(concat(*(as_text(value) for value in _arguments(scope, expression, 1))), "text")


def _equality(scope: Scope, expression: Call) -> Typed:
    (left, right), _ = _unified(_arguments(scope, expression, 2, 2))
    return Typed(equals(left, right), "bool")


def _inequality(scope: Scope, expression: Call) -> Typed:
    return Typed(negation(_equality(scope, expression).node), "bool")


def _isin(scope: Scope, expression: Call) -> Typed:
    (value, *choices), _ = _unified(_arguments(scope, expression, 2))
    return Typed(exp.In(this=value, expressions=choices), "bool")


def _regex(x: exp.Expression, pattern: str) -> exp.Expression:
    return _empty_as_null(call("trim", call("regexp_extract", x, pattern, 1), " \t\r\n"))


def _iff(scope: Scope, expression: Call) -> Typed:
    condition, *values = _arguments(scope, expression, 3, 3)
    (then, otherwise), kind = _unified(values)
    return Typed(case((condition.node, then), default=otherwise), kind)


def _pick(scope: Scope, expression: Call) -> Typed:
    subject, *rest = _arguments(scope, expression, 3)
    default = rest.pop() if len(rest) % 2 else Typed(exp.Null(), "null")
    values, kind = _unified([*rest[1::2], default])
    pairs = zip(rest[::2], values, strict=False)
    branches = [(equals(as_text(subject), as_text(key)), value) for key, value in pairs]
    return Typed(case(*branches, default=values[-1]), kind)


def _bits(x: exp.Expression, mask: str) -> exp.Expression:
    return exp.NEQ(this=binary(exp.BitwiseAnd, try_cast(x, "BIGINT"), int(mask, 16)), expression=number(0))


def _path(x: exp.Expression, path: str) -> exp.Expression:
    return _empty_as_null(call("json_extract_string", x, path if path.startswith("$") else f"$.{path}"))


def _named_field(scope: Scope, expression: Call) -> Typed:
    return _field(scope, _literal(scope, expression, 0))


def _device_id(scope: Scope, expression: Call) -> Typed:
    if expression.arguments != (Field("_host"),):
        raise RuleError(scope.where, "devid is of _host")
    return _field(scope, "_device_id")


def _end(*, local: bool) -> Function:
    parts = {"ip": 0, "port": 1, "name": 2}

    def function(scope: Scope, expression: Call) -> Typed:
        if scope.orientation is None:
            raise RuleError(scope.where, "the rule has no orientation")
        index = parts[_literal(scope, expression, 0)]
        ends = [scope.orientation.source[index], scope.orientation.destination[index]]
        source, destination = (_field(scope, end).node if end else exp.Null() for end in ends)
        if not local:
            source, destination = destination, source
        return Typed(case((_field(scope, OUTGOING).node, source), default=destination), "text")

    return function


def _logical(combine: Callable[..., exp.Expression]) -> Function:
    def function(scope: Scope, expression: Call) -> Typed:
        nodes = [exp.Paren(this=value.node) for value in _arguments(scope, expression, 1)]
        return Typed(exp.Paren(this=combine(*nodes)), "bool")

    return function


_FUNCTIONS: Mapping[str, Function] = {
    "lower": _of_text(lambda x: call("lower", x)),
    "upper": _of_text(lambda x: call("upper", x)),
    "trim": _of_text(lambda x: _empty_as_null(call("trim", x, " \t\r\n"))),
    "short": _of_text(lambda x: call("split_part", x, ".", 1)),
    "int": _of_text(lambda x: try_cast(x, "BIGINT"), "long"),
    "hexint": _of_text(lambda x: try_cast(x, "BIGINT"), "long"),
    "bool": _of_text(truth_of_text, "bool"),
    "bits": _with_literal(_bits, "bool"),
    "basename": _of_text(_basename),
    "dirname": _of_text(_dirname),
    "exe": _of_text(_executable),
    "domain": _of_text(_domain),
    "account": _of_text(_account),
    "hash": _with_literal(_hash),
    "utc": _of_text(times.ticks_of_text, "ticks"),
    "guidtime": _of_text(times.ticks_of_process_guid, "ticks"),
    "epoch": _of_text(times.ticks_of_epoch, "ticks"),
    "ip": _of_text(addresses.plain_address),
    "iptype": _of_text(addresses.address_type),
    "reg_key": _of_text(_registry_key),
    "reg_value": _of_text(_registry_value),
    "reg_type": _of_text(_registry_type),
    "reg_data": _of_text(_registry_data),
    "logon_failure": _logon_failure,
    "json": _json,
    "coalesce": _coalesce,
    "concat": _concat,
    "eq": _equality,
    "ne": _inequality,
    "isin": _isin,
    "has": _with_literal(lambda x, part: call("contains", x, part), "bool"),
    "startswith": _with_literal(_starts, "bool"),
    "re": _with_literal(_regex),
    "iff": _iff,
    "pick": _pick,
    "xml": _with_literal(_xml),
    "path": _with_literal(_path),
    "field": _named_field,
    "devid": _device_id,
    "loc": _end(local=True),
    "rem": _end(local=False),
    "and": _logical(both),
    "or": _logical(either),
    "not": _logical(negation),
}
