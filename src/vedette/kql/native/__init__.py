"""KQL functions that SQL cannot express: computed in Python, registered only for queries that use one.

`natives.toml` lists every one with its cost, which docs/kql.md repeats. Nothing here knows SQL or the engine: hosts
register what `registry.natives_named` gives them.
"""
