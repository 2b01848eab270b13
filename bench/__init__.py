"""Benchmarks: `python -m bench [NAME…]`. Each prints ratios and rates that mean something on the machine it ran on."""
