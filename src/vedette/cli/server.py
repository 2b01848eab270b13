"""Commands around the server process: up, serve, worker, bootstrap, status, migrate, reset."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from vedette.cli.locate import data_path
from vedette.cli.output import DONE, FAILED, print_json, print_table, say
from vedette.cli.parameters import (
    AcceptHost,
    BehindProxy,
    DataFolder,
    Host,
    LogFormat,
    LogLevel,
    Many,
    Port,
    Profile,
    ServerFolder,
    Switch,
    TlsCert,
    TlsKey,
    WebProcesses,
)
from vedette.errors import UsageError


def up(
    *,
    data: DataFolder = None,
    host: Host = None,
    port: Port = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    behind_proxy: BehindProxy = None,
    accept_host: AcceptHost = None,
    demo: Annotated[bool | None, Switch] = None,
    single: Annotated[bool | None, Switch] = None,
    web_processes: WebProcesses = None,
    profile: Profile = None,
    load: Annotated[tuple[Path, ...] | None, Many] = None,
    allow_minting: Annotated[bool | None, Switch] = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> int:
    """Run the server in front until Ctrl-C. Prints `ready https://HOST:PORT` when it answers.

    Parameters
    ----------
    demo
        Provide demo tenants, users, applications and a demo attack.
    single
        Run web and background work in one process.
    load
        Telemetry files or folders to read into the home tenant.
    allow_minting
        Let `vedette token mint` sign tokens.
    """
    from vedette.settings import load_settings

    flags = {name: value for name, value in locals().items() if name != "load_settings"}
    settings = load_settings(flags, os.environ)
    from vedette.server.up import run_server

    code: int = run_server(settings)
    return code


def serve(
    *,
    data: DataFolder = None,
    host: Host = None,
    port: Port = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    behind_proxy: BehindProxy = None,
    accept_host: AcceptHost = None,
    web_processes: WebProcesses = None,
    profile: Profile = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> int:
    """Run the web part of a server alone, for containers; `vedette worker` on the same folder does the rest."""
    flags = dict(locals())
    from vedette.server.up import run_web
    from vedette.settings import load_settings

    code: int = run_web(load_settings(flags, os.environ))
    return code


def worker(
    *,
    data: Path | None = None,
    profile: Profile = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> int:
    """Run the background work of a server alone, for containers: detections, deliveries, upkeep of the lake.

    Parameters
    ----------
    data
        The data folder that `vedette serve` works on.
    """
    flags = dict(locals())
    from vedette.server.up import run_worker
    from vedette.settings import load_settings

    code: int = run_worker(load_settings(flags, os.environ))
    return code


def bootstrap(*, client: str | None = None, domain: str = "home.vedette.example", data: ServerFolder = None) -> int:
    """Print a one-time link to the page that makes the first tenant and its administrator.

    With --client, make a tenant and an application with every permission without a browser; prints them as JSON.

    Parameters
    ----------
    client
        Name of the application to make.
    domain
        Domain of the home tenant, if there is none yet.
    """
    from vedette.server.bootstrap import bootstrap_client, bootstrap_link

    if client is None:
        sys.stdout.write(bootstrap_link(data_path(data)) + "\n")
        say("Open it in a browser within an hour. It works once.")
        return DONE
    print_json(bootstrap_client(data_path(data), client, domain))
    return DONE


def status(*, data: ServerFolder = None, json: Annotated[bool, Switch] = False) -> int:
    """Tell whether the server of a data folder runs, where, and whether it can answer.

    Parameters
    ----------
    json
        Print a JSON object in place of a table.
    """
    from vedette.server.status import read_status

    found = read_status(data_path(data))
    if json:
        print_json(found)
    else:
        _print_pairs(list(found.items()))
    return DONE if found["ready"] else FAILED


def migrate(*, data: ServerFolder = None) -> int:
    """Bring a data folder to this version's schema. `vedette up` does so by itself."""
    from vedette.server.data_folder import existing_data_folder
    from vedette.store.engine import Store
    from vedette.store.migrate import current_revision, upgrade

    store = Store.in_folder(existing_data_folder(data_path(data)).root)
    try:
        upgrade(store)
        say(f"schema {current_revision(store)}")
    finally:
        store.close()
    return DONE


def reset(*, data: ServerFolder = None, yes: Annotated[bool, Switch] = False) -> int:
    """Delete everything in a data folder but its certificates and snapshots. A running server goes on as newly started.

    Parameters
    ----------
    yes
        Do it without asking.
    """
    path = data_path(data)
    if not yes:
        raise UsageError(f"This deletes all tenants and telemetry in {path}; say so with --yes.")
    from vedette.cli.administration import running

    with running(path) as server:
        if server is not None:
            server.reset()
        else:
            from vedette.server.stored_state import wipe

            wipe(path)
    return DONE


def _print_pairs(pairs: Sequence[tuple[str, object]]) -> None:
    print_table(("what", "value"), pairs)
