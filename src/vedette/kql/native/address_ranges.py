"""Ranges of IPv4 addresses as CIDR blocks."""

from __future__ import annotations

import ipaddress
import json


def ipv4_range_to_cidr_list(first: str, last: str) -> str | None:
    """The fewest blocks that cover exactly the range, None where an end is no address or they are out of order."""
    try:
        ends = ipaddress.IPv4Address(first.strip()), ipaddress.IPv4Address(last.strip())
        return json.dumps([str(block) for block in ipaddress.summarize_address_range(*ends)])
    except ValueError:
        return None
