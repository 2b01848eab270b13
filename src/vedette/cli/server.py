"""Commands around the server process: up, serve, worker, bootstrap, status, migrate, reset."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from vedette.cli.locate import data_path
from vedette.cli.output import DONE, FAILED, print_json, print_table, say
from vedette.errors import UsageError

Many = Parameter(consume_multiple=True, negative=())
Switch = Parameter(negative=())


def up(
    *,
    data: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    behind_proxy: Annotated[bool | None, Switch] = None,
    accept_host: Annotated[tuple[str, ...] | None, Many] = None,
    demo: Annotated[bool | None, Switch] = None,
    single: Annotated[bool | None, Switch] = None,
    web_processes: int | None = None,
    profile: Literal["default", "microsoft"] | None = None,
    load: Annotated[tuple[Path, ...] | None, Many] = None,
    allow_minting: Annotated[bool | None, Switch] = None,
    log_level: Literal["debug", "info", "warning", "error"] | None = None,
    log_format: Literal["auto", "json", "console"] | None = None,
) -> int:
    """Run the server in front until Ctrl-C. Prints `ready https://HOST:PORT` when it answers.

    Parameters
    ----------
    data
        Folder that holds everything the server keeps (default: the platform's user data folder).
    host
        Address to listen on (default: 127.0.0.1).
    port
        Port to listen on (default: 8443).
    tls_cert
        Own certificate (PEM), in place of the local CA's.
    tls_key
        Private key of the own certificate (PEM).
    behind_proxy
        Serve plain HTTP, on loopback only, to a reverse proxy.
    accept_host
        Host names to answer to beside localhost and the real services' names.
    demo
        Provide demo tenants, users, applications and a demo attack.
    single
        Run web and background work in one process.
    web_processes
        Web processes (default: one per core, at most 2).
    profile
        `microsoft` applies the documented limits of the real service.
    load
        Telemetry files or folders to read into the home tenant.
    allow_minting
        Let `vedette token mint` sign tokens.
    log_level
        Least severe message that is logged (default: info).
    log_format
        Form of the log (default: text on a terminal, else JSON lines).
    """
    from vedette.settings import load_settings

    flags = {name: value for name, value in locals().items() if name != "load_settings"}
    settings = load_settings(flags, os.environ)
    from vedette.server.up import run_server

    code: int = run_server(settings)
    return code


def serve(
    *,
    data: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    behind_proxy: Annotated[bool | None, Switch] = None,
    accept_host: Annotated[tuple[str, ...] | None, Many] = None,
    web_processes: int | None = None,
    profile: Literal["default", "microsoft"] | None = None,
    log_level: Literal["debug", "info", "warning", "error"] | None = None,
    log_format: Literal["auto", "json", "console"] | None = None,
) -> int:
    """Run the web part of a server alone, for containers; `vedette worker` on the same folder does the rest.

    Parameters
    ----------
    data
        Folder that holds everything the server keeps (default: the platform's user data folder).
    host
        Address to listen on (default: 127.0.0.1).
    port
        Port to listen on (default: 8443).
    tls_cert
        Own certificate (PEM), in place of the local CA's.
    tls_key
        Private key of the own certificate (PEM).
    behind_proxy
        Serve plain HTTP, on loopback only, to a reverse proxy.
    accept_host
        Host names to answer to beside localhost and the real services' names.
    web_processes
        Web processes (default: one per core, at most 2).
    profile
        `microsoft` applies the documented limits of the real service.
    log_level
        Least severe message that is logged (default: info).
    log_format
        Form of the log (default: text on a terminal, else JSON lines).
    """
    flags = dict(locals())
    from vedette.server.up import run_web
    from vedette.settings import load_settings

    code: int = run_web(load_settings(flags, os.environ))
    return code


def worker(
    *,
    data: Path | None = None,
    profile: Literal["default", "microsoft"] | None = None,
    log_level: Literal["debug", "info", "warning", "error"] | None = None,
    log_format: Literal["auto", "json", "console"] | None = None,
) -> int:
    """Run the background work of a server alone, for containers: detections, deliveries, upkeep of the lake.

    Parameters
    ----------
    data
        The data folder that `vedette serve` works on.
    profile
        `microsoft` applies the documented limits of the real service.
    log_level
        Least severe message that is logged (default: info).
    log_format
        Form of the log (default: text on a terminal, else JSON lines).
    """
    flags = dict(locals())
    from vedette.server.up import run_worker
    from vedette.settings import load_settings

    code: int = run_worker(load_settings(flags, os.environ))
    return code


def bootstrap(*, client: str | None = None, domain: str = "home.vedette.example", data: Path | None = None) -> int:
    """Print a one-time link to the page that makes the first tenant and its administrator.

    With --client, make a tenant and an application with every permission without a browser; prints them as JSON.

    Parameters
    ----------
    client
        Name of the application to make.
    domain
        Domain of the home tenant, if there is none yet.
    data
        The server's data folder.
    """
    from vedette.server.bootstrap import bootstrap_client, bootstrap_link

    if client is None:
        sys.stdout.write(bootstrap_link(data_path(data)) + "\n")
        say("Open it in a browser within an hour. It works once.")
        return DONE
    print_json(bootstrap_client(data_path(data), client, domain))
    return DONE


def status(*, data: Path | None = None, json: Annotated[bool, Switch] = False) -> int:
    """Tell whether the server of a data folder runs, where, and whether it can answer.

    Parameters
    ----------
    data
        The server's data folder.
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


def migrate(*, data: Path | None = None) -> int:
    """Bring a data folder to this version's schema. `vedette up` does so by itself.

    Parameters
    ----------
    data
        The server's data folder.
    """
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


def reset(*, data: Path | None = None, yes: Annotated[bool, Switch] = False) -> int:
    """Delete everything in a data folder but its certificates and snapshots. A running server goes on as newly started.

    Parameters
    ----------
    data
        The server's data folder.
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
