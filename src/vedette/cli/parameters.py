"""Options that several commands take: type, name and help of each, once."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

Many = Parameter(consume_multiple=True, negative=())
Switch = Parameter(negative=())

Texts = Annotated[tuple[str, ...], Many]
OptionalTexts = Annotated[tuple[str, ...] | None, Many]
Tenant = Annotated[str | None, Parameter(help="GUID or domain (default: the home tenant).")]
Output = Annotated[Literal["table", "json"], Parameter(name=("--output", "-o"), help="Form of the result.")]
ServerFolder = Annotated[Path | None, Parameter(help="The server's data folder.")]
DemoFolder = Annotated[Path | None, Parameter(help="A demo's data folder.")]

# Of a server process. Without a value the settings decide: a file, the environment, the default.
DataFolder = Annotated[
    Path | None,
    Parameter(help="Folder that holds everything the server keeps (default: the platform's user data folder)."),
]
Host = Annotated[str | None, Parameter(help="Address to listen on (default: 127.0.0.1).")]
Port = Annotated[int | None, Parameter(help="Port to listen on (default: 8443).")]
TlsCert = Annotated[Path | None, Parameter(help="Own certificate (PEM), in place of the local CA's.")]
TlsKey = Annotated[Path | None, Parameter(help="Private key of the own certificate (PEM).")]
BehindProxy = Annotated[bool | None, Switch, Parameter(help="Serve plain HTTP, on loopback only, to a reverse proxy.")]
AcceptHost = Annotated[
    tuple[str, ...] | None,
    Many,
    Parameter(help="Host names to answer to beside localhost and the real services' names."),
]
WebProcesses = Annotated[int | None, Parameter(help="Web processes (default: one per core, at most 2).")]
Profile = Annotated[
    Literal["default", "microsoft"] | None,
    Parameter(help="`microsoft` applies the documented limits of the real service."),
]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"] | None,
    Parameter(help="Least severe message that is logged (default: info)."),
]
LogFormat = Annotated[
    Literal["auto", "json", "console"] | None,
    Parameter(help="Form of the log (default: text on a terminal, else JSON lines)."),
]
