"""IP addresses as text: their plain form, and their type in the product's words."""

from sqlglot import exp

from vedette.ingest.sql import binary, both, call, case, either, equals, is_null, number, text, try_cast

_MAPPED = "::ffff:"
_PRIVATE_6 = ("fc", "fd")
_LINK_LOCAL_6 = ("fe8", "fe9", "fea", "feb")


def plain_address(value: exp.Expression) -> exp.Expression:
    """The address without the prefix of an IPv4 address mapped into IPv6."""
    mapped = both(call("starts_with", call("lower", value), _MAPPED), call("contains", value, "."))
    return case((mapped, call("substr", value, len(_MAPPED) + 1)), default=value)


def address_type(value: exp.Expression) -> exp.Expression:
    """Public, Private, Loopback, LinkLocal, Multicast, Broadcast, Reserved or FourToSixMapping; else NULL."""
    lower = call("lower", value)
    return case(
        (is_null(value), exp.Null()),
        (call("starts_with", lower, _MAPPED), text("FourToSixMapping")),
        (call("contains", value, ":"), _type_6(lower)),
        (call("regexp_full_match", value, r"\d{1,3}(\.\d{1,3}){3}"), _type_4(value)),
    )


def _type_4(value: exp.Expression) -> exp.Expression:
    first, second = (try_cast(call("split_part", value, ".", part), "INTEGER") for part in (1, 2))
    return case(
        (equals(value, "255.255.255.255"), text("Broadcast")),
        (equals(first, 127), text("Loopback")),
        (both(equals(first, 169), equals(second, 254)), text("LinkLocal")),
        (_is_private(first, second), text("Private")),
        (exp.Between(this=first, low=number(224), high=number(239)), text("Multicast")),
        (either(equals(first, 0), binary(exp.GTE, first, 240)), text("Reserved")),
        default=text("Public"),
    )


def _is_private(first: exp.Expression, second: exp.Expression) -> exp.Expression:
    twelve_bits = both(equals(first, 172), exp.Between(this=second, low=number(16), high=number(31)))
    return either(equals(first, 10), twelve_bits, both(equals(first, 192), equals(second, 168)))


def _type_6(lower: exp.Expression) -> exp.Expression:
    return case(
        (either(equals(lower, "::1"), equals(lower, "0:0:0:0:0:0:0:1")), text("Loopback")),
        (either(equals(lower, "::"), equals(lower, "0:0:0:0:0:0:0:0")), text("Reserved")),
        (call("starts_with", lower, "ff"), text("Multicast")),
        (either(*(call("starts_with", lower, prefix) for prefix in _LINK_LOCAL_6)), text("LinkLocal")),
        (either(*(call("starts_with", lower, prefix) for prefix in _PRIVATE_6)), text("Private")),
        default=text("Public"),
    )
