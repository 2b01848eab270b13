"""Text to ticks inside the engine, all seven fractional digits kept."""

from sqlglot import exp

from vedette.clock import TICKS_PER_SECOND, UNIX_EPOCH_TICKS
from vedette.ingest.sql import binary, call, case, negation, number, text, try_cast

_SHAPE = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$"
_ZONE = r"([+-])(\d\d):?(\d\d)$"
_DIGITS = 7


def ticks_of_text(value: exp.Expression) -> exp.Expression:
    """Ticks of `YYYY-MM-DD[T ]HH:MM:SS[.f…][Z|±HH:MM]`; without a zone it is UTC. NULL if it is no such time."""
    seconds = call("epoch_us", try_cast(call("substr", value, 1, 19), "TIMESTAMP"))
    fraction = call("regexp_extract", call("substr", value, 20), r"^\.(\d{1,7})", 1)
    fraction = try_cast(call("rpad", fraction, _DIGITS, "0"), "BIGINT")
    ticks = binary(exp.Add, binary(exp.Mul, seconds, 10), number(UNIX_EPOCH_TICKS))
    ticks = binary(exp.Sub, binary(exp.Add, ticks, call("coalesce", fraction, 0)), _zone_ticks(value))
    return case((call("regexp_matches", value, _SHAPE), ticks))


def ticks_of_epoch(value: exp.Expression) -> exp.Expression:
    """Ticks of Unix seconds, given as text or number; exact to the microsecond."""
    micros = call("round", binary(exp.Mul, try_cast(value, "DOUBLE"), 1_000_000))
    return binary(exp.Add, binary(exp.Mul, try_cast(micros, "BIGINT"), 10), number(UNIX_EPOCH_TICKS))


def ticks_of_process_guid(value: exp.Expression) -> exp.Expression:
    """The start time in a Sysmon process GUID: its second and third group are the halves of a Unix time in seconds."""
    plain = call("ltrim", value, "{")
    seconds = try_cast(_hexadecimal(plain), "BIGINT")
    ticks = binary(exp.Add, binary(exp.Mul, seconds, TICKS_PER_SECOND), number(UNIX_EPOCH_TICKS))
    return case((binary(exp.GT, seconds, 0), ticks))


def _hexadecimal(plain: exp.Expression) -> exp.Expression:
    high, low = call("substr", plain, 15, 4), call("substr", plain, 10, 4)
    return exp.DPipe(this=exp.DPipe(this=text("0x"), expression=high), expression=low)


def _zone_ticks(value: exp.Expression) -> exp.Expression:
    sign = case(
        (exp.EQ(this=call("regexp_extract", value, _ZONE, 1), expression=text("-")), number(-1)), default=number(1)
    )
    hours = try_cast(call("regexp_extract", value, _ZONE, 2), "BIGINT")
    minutes = try_cast(call("regexp_extract", value, _ZONE, 3), "BIGINT")
    offset = binary(exp.Add, binary(exp.Mul, hours, 60), minutes)
    ticks = binary(exp.Mul, binary(exp.Mul, sign, offset), 60 * TICKS_PER_SECOND)
    is_utc = negation(call("regexp_matches", call("substr", value, 20), _ZONE))
    return case((is_utc, number(0)), default=ticks)
