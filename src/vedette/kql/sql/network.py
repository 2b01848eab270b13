"""IP addresses, and functions of the host that have no meaning here."""

from __future__ import annotations

from vedette.kql.plan import Call, Literal
from vedette.kql.sql import tree
from vedette.kql.sql.base import Family, Scalars
from vedette.kql.sql.conversions import converted
from vedette.kql.sql.literals import dynamic_members
from vedette.kql.sql.tree import Sql
from vedette.kql.types import ScalarType

_NO_HOST = "has no meaning outside the real service"

family = Family(
    unsupported={
        "current_cluster_endpoint": _NO_HOST, "current_database": _NO_HOST, "current_principal": _NO_HOST,
        "current_principal_details": _NO_HOST, "current_principal_is_member_of": _NO_HOST, "extent_id": _NO_HOST,
        "extent_tags": _NO_HOST, "row_id": _NO_HOST, "cursor_after": _NO_HOST, "cursor_before_or_at": _NO_HOST,
        "cursor_current": _NO_HOST,
    }
)  # fmt: skip


@family.rule("format_ipv4", "format_ipv4_mask")
def _format(scalars: Scalars, call: Call) -> Sql:
    address, *rest = call.arguments
    bits = scalars.value(rest[0]) if rest else tree.number(32)
    value = scalars.value(address)
    if address.type is ScalarType.STRING:
        number = tree.call("kql_ipv4_address", value)
        own = tree.call("kql_ipv4_prefix", value)
        bits = tree.call("least", own, bits) if rest else own
    else:
        number = converted(value, address.type, ScalarType.LONG)
    if call.function == "format_ipv4":
        return tree.call("kql_format_ipv4_number", number, bits)
    return tree.call("kql_format_ipv4_masked", number, bits)


def _texts(scalars: Scalars, call: Call) -> Sql:
    """The arguments after the first as one list of text."""
    members = call.arguments[1:]
    if len(members) == 1 and members[0].type is ScalarType.DYNAMIC:
        constant = members[0]
        if isinstance(constant, Literal):
            return tree.array([tree.text(str(each.value)) for each in dynamic_members(constant, ScalarType.STRING)])
        return tree.call("kql_strings", scalars.value(constant))
    return tree.array(scalars.values(members))


@family.rule("ipv4_is_in_any_range", "ipv6_is_in_any_range")
def _in_any_range(scalars: Scalars, call: Call) -> Sql:
    name = call.function.replace("range", "list")
    return tree.call(f"kql_{name}", scalars.value(call.arguments[0]), _texts(scalars, call))


@family.rule("has_any_ipv4", "has_any_ipv4_prefix")
def _has_any(scalars: Scalars, call: Call) -> Sql:
    return tree.call(f"kql_{call.function}", scalars.value(call.arguments[0]), _texts(scalars, call))
