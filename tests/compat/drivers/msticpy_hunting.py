"""Runs under an interpreter that has msticpy: its drivers, with every query it ships, and what each was answered.

`python msticpy_hunting.py ENVIRONMENT` prints one JSON object. Queries are sent as msticpy sends them. Its files fold
lines, so a comment swallows what follows it: the query as its author wrote it, line by line, is printed beside.
"""

import datetime
import json
import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

import msticpy
from msticpy.data import QueryProvider

VALUES = {"datetime": datetime.datetime(2026, 11, 20), "list": ["alpha.example", "beta.example"], "int": 3}
BY_NAME = {"timestamp": "2026-11-20", "ip_address": "192.0.2.1", "protocol": "445", "cmd_line": "'whoami'"}


def main(environment: str) -> dict[str, object]:
    """What a probe and every shipped query were answered."""
    credentials = {name: os.environ[f"AZURE_{name.upper()}"] for name in ("tenant_id", "client_id", "client_secret")}
    provider = QueryProvider(environment)
    provider.connect(connection_str=";".join(f"{name}={value}" for name, value in credentials.items()))
    driver = provider._query_provider
    folder = Path(tempfile.mkdtemp())
    for path in (Path(msticpy.__file__).parent / "data" / "queries").glob("m*/*.yaml"):
        (folder / path.name).write_text(path.read_text().replace("\n", "\n\n"))
    written = QueryProvider(environment, query_paths=[str(folder)]).query_store
    answers = {}
    for name in sorted(provider.query_store.query_names):
        source = provider.query_store.get_query(name)
        values = {parameter: _value(source, parameter) for parameter in source.required_params}
        sent = source.create_query(formatters=driver.formatters, **values)
        as_written = written.get_query(name).create_query(formatters=driver.formatters, **values)
        answers[name] = {"sent": sent, "written": as_written, **_run(driver, sent)}
    return {"probe": _probe(provider, environment), "queries": answers}


def _value(source: object, parameter: str) -> object:
    kind = source.params[parameter].get("type", "str")
    return VALUES.get(kind) or BY_NAME.get(parameter, "x")


def _run(driver: object, query: str) -> dict[str, object]:
    options = {"body": True, "api_end": driver.api_suffix} if hasattr(driver, "api_suffix") else {"body": False}
    try:
        frame, answer = driver.query_with_results(query, **options)
    except Exception as error:  # noqa: BLE001 — of whatever kind, it is what the query was answered
        body = getattr(error, "response", None)
        return {"error": str(error) if body is None else body.json()["error"]["message"]}
    return {"columns": list(frame.columns), "is_answer": isinstance(answer, dict)}


def _probe(provider: object, environment: str) -> dict[str, str]:
    if environment == "SecurityGraph":
        return {}
    frame = provider.exec_query("DeviceProcessEvents | take 3 | project Timestamp, DeviceName, ProcessId")
    return {"rows": str(len(frame)), **{name: str(kind) for name, kind in frame.dtypes.items()}}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    json.dump(main(sys.argv[1]), sys.stdout)
