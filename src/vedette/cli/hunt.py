"""`vedette hunt`: a query from the command line, with every one of its results."""

import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from vedette.cli.locate import data_path
from vedette.cli.output import DONE, FAILED, print_table, say
from vedette.cli.parameters import Output, ServerFolder, Tenant
from vedette.errors import ApiError, UsageError

if TYPE_CHECKING:
    from vedette.hunting.results import Results
    from vedette.kql.errors import KqlError

Values = Annotated[
    tuple[str, ...], Parameter(name="--param", negative=(), help="`NAME=VALUE`, for a declared parameter.")
]


def hunt(
    query: str,
    /,
    *,
    param: Values = (),
    timespan: str | None = None,
    tenant: Tenant = None,
    output: Output = "table",
    data: ServerFolder = None,
) -> int:
    """Run a hunting query and print all its results.

    Parameters
    ----------
    query
        The query, or `-` to read it from standard input.
    param
        Value for a parameter that the query declares with `declare query_parameters`.
    timespan
        How far back, as an ISO 8601 duration, or an interval.
    """
    from vedette.kql.errors import KqlError
    from vedette.server.hunting import run_query

    text = sys.stdin.read() if query == "-" else query
    try:
        results = run_query(data_path(data), tenant, text, timespan, _values(param))
    except KqlError as error:
        say_diagnostics(error)
        return FAILED
    except ApiError as error:
        say(f"vedette: {sentence(error)}")
        return FAILED
    if output == "json":
        sys.stdout.write(
            msgspec.json.format(msgspec.json.encode([_document(each) for each in results])).decode() + "\n"
        )
        return DONE
    for each in results:
        _print(each)
    return DONE


def say_diagnostics(error: "KqlError") -> None:
    """Every error of a query, a line each, with its place."""
    for each in error.diagnostics:
        hint = f" ({each.hint})" if each.hint else ""
        say(f"vedette: {each.line}:{each.column} {each.code}: {each.message}{hint}")


def sentence(error: ApiError) -> str:
    """What a refusal says to a person."""
    from vedette.contracts.faults import load_faults

    fault = load_faults("shared").get(error.code)
    return fault.message.format_map(error.fields) if fault and fault.message else error.code


def _values(pairs: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise UsageError(f"--param {pair}: write it as NAME=VALUE.")
        found[name] = value
    return found


def _document(results: "Results") -> dict[str, object]:
    columns = [{"name": column.name, "type": column.type.value} for column in results.columns]
    render = dict(results.render) if results.render else None
    return {"name": results.name, "columns": columns, "rows": results.rows(), "render": render}


def _print(results: "Results") -> None:
    rows = zip(*results.values("text"), strict=True)
    print_table([column.name for column in results.columns], [list(row) for row in rows], title=results.name or "")
    if results.render:
        instructions = ", ".join(f"{name}={value}" for name, value in results.render.items())
        say(f"render: {instructions}")
    if results.truncated:
        say("There are more rows than a query may return.")
