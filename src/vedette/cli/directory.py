"""What the commands about the directory share: a connection, and how results are printed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vedette.cli.locate import credentials
from vedette.cli.output import print_json, print_table
from vedette.cli.parameters import Output

if TYPE_CHECKING:
    from vedette.client.directory import Directory


@contextmanager
def directory(data: Path | None) -> Iterator["Directory"]:
    """The directory of the demo's or the environment's application."""
    from vedette.client.credentials import TokenSource
    from vedette.client.directory import Directory
    from vedette.client.transport import Transport

    found = credentials(data)
    with Transport(found.base_url, found.ca_file) as transport:
        yield Directory(transport, TokenSource(transport, found))


def show_list(entities: Sequence[Mapping[str, Any]], columns: Mapping[str, str], output: Output) -> None:
    """Entities as a table of `columns` (member by heading), or whole as JSON."""
    if output == "json":
        print_json(list(entities))
    else:
        print_table(list(columns), [[each.get(member) for member in columns.values()] for each in entities])


def show_one(entity: Mapping[str, Any], output: Output) -> None:
    """One entity as name and value, or as JSON."""
    members = {name: value for name, value in entity.items() if not name.startswith("@")}
    if output == "json":
        print_json(members)
        return
    rows = [(name, ", ".join(map(str, value)) if isinstance(value, list) else value) for name, value in members.items()]
    print_table(("what", "value"), rows)
