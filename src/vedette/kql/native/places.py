"""Places of IP addresses. The language knows none: a host with a database of places puts its own function here."""

from __future__ import annotations

from vedette.kql.native.batches import Texts

NO_PLACE = "{}"
"""What an address without a known place answers (page geo-info-from-ip-address-function)."""


def geo_info_from_ip_address(addresses: Texts) -> list[str]:
    """The documented answer where nothing is known."""
    return [NO_PLACE] * addresses.codes.size
