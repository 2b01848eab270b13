"""User agents, by the pattern collection of the ua-parser project."""

from __future__ import annotations

import functools
import json

from ua_parser import parse_device, parse_os
from ua_parser import parse_user_agent as parse_browser

_REMEMBERED = 4096

Part = dict[str, str]


def parse_user_agent(text: str, wanted: str) -> str | None:
    """What `wanted` names (browser, os, device: one name, or a JSON array of them) as a bag."""
    try:
        parsed = json.loads(wanted)
    except ValueError:
        parsed = wanted
    names = parsed if isinstance(parsed, list) else [parsed]
    found: dict[str, Part] = {}
    for name in names:
        known = _PARTS.get(str(name).lower())
        if known is None:
            return None
        found[known[0]] = known[1](text)
    return json.dumps(found)


@functools.lru_cache(_REMEMBERED)
def _browser(text: str) -> Part:
    found = parse_browser(text)
    if found is None:
        return {"Family": "Other", "MajorVersion": "", "MinorVersion": "", "Patch": ""}
    return {
        "Family": found.family,
        "MajorVersion": found.major or "",
        "MinorVersion": found.minor or "",
        "Patch": found.patch or "",
    }


@functools.lru_cache(_REMEMBERED)
def _system(text: str) -> Part:
    found = parse_os(text)
    if found is None:
        return {"Family": "Other", "MajorVersion": "", "MinorVersion": "", "Patch": "", "PatchMinor": ""}
    return {
        "Family": found.family,
        "MajorVersion": found.major or "",
        "MinorVersion": found.minor or "",
        "Patch": found.patch or "",
        "PatchMinor": found.patch_minor or "",
    }


@functools.lru_cache(_REMEMBERED)
def _device(text: str) -> Part:
    found = parse_device(text)
    if found is None:
        return {"Family": "Other", "Brand": "", "Model": ""}
    return {"Family": found.family, "Brand": found.brand or "", "Model": found.model or ""}


_PARTS = {"browser": ("Browser", _browser), "os": ("OperatingSystem", _system), "device": ("Device", _device)}
