"""Rows for benchmarks: mapped rows of real telemetry, multiplied over many devices and the last thirty days."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from vedette.lake.schema import stored_tables

DEVICES = 500
DAYS = 30
TICKS_PER_DAY = 864_000_000_000

Rows = Mapping[str, pa.Table]


def multiplied(base: Rows, counts: Mapping[str, int], batches: int, now: int) -> Iterator[Rows]:
    """So many rows of every table, in `batches` batches: rows drawn from `base`, at new times and on new devices.

    The batches follow one another in time, as in a running system.
    """
    random = np.random.default_rng(20)
    span = DAYS * TICKS_PER_DAY // batches
    for number in range(batches):
        start = now - DAYS * TICKS_PER_DAY + number * span
        yield {
            name: _sample(name, base[name], count // batches, (start, start + span), random)
            for name, count in counts.items()
        }


def _sample(name: str, table: pa.Table, count: int, period: tuple[int, int], random: np.random.Generator) -> pa.Table:
    sampled = table.take(pa.array(random.integers(0, table.num_rows, count)))
    time_column = stored_tables()[name].time_column
    if time_column is not None:
        times = pa.array(random.integers(*period, count))
        sampled = _replaced(sampled, time_column, times)
    numbers = random.integers(0, DEVICES, count)
    sampled = _replaced(sampled, "DeviceId", _named("{:040x}", numbers))
    return _replaced(sampled, "DeviceName", _named("host{:04d}.contoso.example", numbers))


def _named(pattern: str, numbers: np.ndarray) -> pa.Array:
    names = pa.array([pattern.format(number) for number in range(DEVICES)])
    return names.take(pa.array(numbers))


def _replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    if name not in table.column_names:
        return table
    return table.set_column(table.column_names.index(name), name, values)
