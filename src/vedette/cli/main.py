"""The `vedette` command: finds the subcommand, runs it, and turns errors into one sentence and an exit code."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from vedette import __version__
from vedette.cli.output import DONE, FAILED, NOT_ALLOWED, USAGE, say
from vedette.errors import UsageError, VedetteError


def build_app() -> Any:
    """The command tree. The modules of commands import what is heavy only when a command runs."""
    from cyclopts import App, Parameter

    from vedette.cli import app as applications
    from vedette.cli import (
        clock,
        devicegroup,
        explain,
        fault,
        function,
        hunt,
        ingest,
        migrate,
        role,
        rules,
        seed,
        server,
        snapshot,
        tenant,
        token,
        user,
    )

    app = App(
        name="vedette",
        help="An open, self-hosted implementation of the system behind the Microsoft Defender XDR APIs.",
        version=__version__,
        help_format="plaintext",
        help_on_error=False,
        result_action="return_value",
        default_parameter=Parameter(show_default=_worth_showing),
    )
    app.command(server.up)
    app.command(server.serve)
    app.command(server.worker)
    app.command(server.bootstrap)
    app.command(server.status)
    app.command(server.migrate)
    app.command(server.reset)
    app.command(ingest.ingest)
    app.command(explain.explain)
    app.command(migrate.migrate_check, name="migrate-check")
    app.command(hunt.hunt)
    app.command(function.commands())
    app.command(seed.seed)
    app.command(clock.clock)
    app.command(applications.commands())
    app.command(tenant.commands())
    app.command(user.commands())
    app.command(devicegroup.commands())
    app.command(role.commands())
    for name, help_text, commands in (
        ("rules", "Detection rules.", (rules.list_, rules.run, rules.check, rules.apply)),
        ("token", "Access tokens.", (token.mint,)),
        (
            "fault",
            "Faulty answers on order, for tests of clients.",
            (fault.add, fault.list_, fault.remove, fault.clear),
        ),
        (
            "snapshot",
            "Copies of the whole state, for test suites.",
            (snapshot.save, snapshot.restore, snapshot.delete, snapshot.list_),
        ),
    ):
        group = App(name=name, help=help_text)
        for command in commands:
            group.command(command, name=command.__name__.rstrip("_"))
        app.command(group)
    return app


def _worth_showing(default: object) -> str | None:
    """A default in the help: one that is nothing says nothing."""
    return None if default in ("", (), None) or default is False else str(default)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; its exit code."""
    try:
        result = build_app()(list(arguments), exit_on_error=False, print_error=False)
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        say(f"vedette: {' '.join(str(error).split())}")
        return code
    return result if isinstance(result, int) else DONE


def exit_code(error: Exception) -> int | None:
    """The exit code of an error that people are told about in one sentence; None for a defect of ours."""
    from cyclopts import CycloptsError

    from vedette.client.errors import AuthenticationError, ResponseError

    if isinstance(error, CycloptsError | UsageError):
        return USAGE
    if isinstance(error, AuthenticationError) or (isinstance(error, ResponseError) and error.status in (401, 403)):
        return NOT_ALLOWED
    return FAILED if isinstance(error, VedetteError) else None


def main() -> None:
    """Entry point of the console script.

    Leaves without tearing the interpreter down: everything is closed by now, and the engine's binding would otherwise
    report its own module as leaked on standard error.
    """
    code = run(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
