"""Runs the benchmarks named on the command line, or all. A module of this package that has `measure()` is one."""

import argparse
import importlib
import pkgutil
import sys

import bench
from bench.measurement import Measurement, show, show_table


def main() -> int:
    """Exit code 0 when every goal is met, 3 otherwise."""
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_")]
    modules = {name: importlib.import_module(f"bench.{name}") for name in names}
    runnable = {name: module for name, module in modules.items() if hasattr(module, "measure")}
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(runnable)}; default: all")
    chosen = parser.parse_args().names or list(runnable)
    if unknown := set(chosen) - set(runnable):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    measured: list[Measurement] = []
    for name in chosen:
        for measurement in runnable[name].measure():
            show(measurement)
            measured.append(measurement)
    show_table(measured)
    return 0 if all(measurement.met is not False for measurement in measured) else 3


if __name__ == "__main__":
    sys.exit(main())
