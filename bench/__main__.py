"""Runs the benchmarks named on the command line, or all. A module of this package that has `measure()` is one."""

import argparse
import importlib
import pkgutil
import signal
import sys

import bench
from bench.measurement import Measurement, show, show_table

BUDGET_SECONDS = 600
"""What is not measured by then is reported as not measured."""

FIRST = ("processes", "ingest")
"""The short ones come first."""


class OutOfTimeError(Exception):
    """The budget is used up."""


def main() -> int:
    """Exit code 0 when everything was measured and every goal is met, 3 otherwise."""
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_")]
    modules = {name: importlib.import_module(f"bench.{name}") for name in names}
    runnable = {name: module for name, module in modules.items() if hasattr(module, "measure")}
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(runnable)}; default: all")
    chosen = parser.parse_args().names or sorted(runnable, key=lambda name: (name not in FIRST, name))
    if unknown := set(chosen) - set(runnable):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    measured: list[Measurement] = []
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.alarm(BUDGET_SECONDS)
    unfinished = list(chosen)
    try:
        for name in chosen:
            for measurement in runnable[name].measure():
                show(measurement)
                measured.append(measurement)
            unfinished.remove(name)
    except OutOfTimeError:
        print(f"not finished within {BUDGET_SECONDS} s: {', '.join(unfinished)}", file=sys.stderr)
    signal.alarm(0)
    show_table(measured)
    return 0 if not unfinished and all(measurement.met is not False for measurement in measured) else 3


def _out_of_time(*_: object) -> None:
    raise OutOfTimeError


if __name__ == "__main__":
    sys.exit(main())
