"""ISO 8601 durations, as far as schedules need them: `PT15M`, `PT1H30M`, `P7D`."""

import re

_DURATION = re.compile(r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?)?")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def parse_duration(text: str) -> int:
    """Seconds of a duration. Raises ValueError for anything else, for months and years, and for nothing at all."""
    match = _DURATION.fullmatch(text)
    seconds = sum(int(value) * _SECONDS[unit] for unit, value in match.groupdict(default="0").items()) if match else 0
    if seconds == 0:
        raise ValueError(f"{text!r} is not a duration such as PT1H or P7D")
    return seconds
