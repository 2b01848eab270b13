"""Settings: built-in defaults < `vedette.toml` in the data folder < `VEDETTE_*` variables < command-line flags.

One flat frozen struct; a setting has the same name in the file (`web_processes`), the environment
(`VEDETTE_WEB_PROCESSES`) and, where it has a flag, on the command line (`--web-processes`). Unknown names are refused.
"""

import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from vedette.errors import SettingsError

PREFIX = "VEDETTE_"
NOT_SETTINGS = frozenset({"VEDETTE_SHARED"})
"""Variables of our prefix that are not the server's: the folder of test data."""

FILE_NAME = "vedette.toml"


def user_data_folder() -> Path:
    """The platform's folder for an application's data: what `data` is when nobody says otherwise."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "vedette"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "vedette"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "vedette"


Profile = Literal["default", "microsoft"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. The descriptions are the reference that `docs/operations.md` is checked against."""

    data: Annotated[Path, Meta(description="Folder that holds everything the server keeps.")]
    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="Port to listen on.")] = 8443
    tls_cert: Annotated[Path | None, Meta(description="Own certificate (PEM), in place of the local CA's.")] = None
    tls_key: Annotated[Path | None, Meta(description="Private key of the own certificate (PEM).")] = None
    behind_proxy: Annotated[bool, Meta(description="Serve plain HTTP, on loopback only, to a reverse proxy.")] = False
    accept_host: Annotated[
        tuple[str, ...],
        Meta(description="Host names to answer to beside localhost and the real services' names."),
    ] = ()
    single: Annotated[bool, Meta(description="Run web and background work in one process.")] = False
    web_processes: Annotated[int, Meta(ge=0, le=64, description="Web processes; 0 is one per core, at most 2.")] = 0
    profile: Annotated[Profile, Meta(description="`microsoft` applies the documented limits of the real service.")] = (
        "default"
    )
    demo: Annotated[bool, Meta(description="Provide demo tenants, users, applications and a demo attack.")] = False
    allow_minting: Annotated[bool, Meta(description="Let `vedette token mint` sign tokens (always on in a demo).")] = (
        False
    )
    load: Annotated[tuple[Path, ...], Meta(description="Telemetry files or folders to read in at the start.")] = ()
    access_token_seconds: Annotated[
        int, Meta(ge=5, le=86_400, description="Lifetime of access tokens; seconds are for tests of expiry.")
    ] = 3599
    cae_token_seconds: Annotated[
        int,
        Meta(
            ge=5,
            le=86_400,
            description="The same for clients that can be told to renew a token earlier (capability `cp1`).",
        ),
    ] = 86_400
    refresh_token_seconds: Annotated[
        int, Meta(ge=5, description="How long a refresh token lives without being used.")
    ] = 90 * 86_400
    authorization_code_seconds: Annotated[
        int, Meta(ge=1, le=600, description="How long an authorization code can be redeemed.")
    ] = 600
    device_code_seconds: Annotated[
        int, Meta(ge=1, le=900, description="How long a person has to finish a device sign-in.")
    ] = 900
    rotate_refresh_tokens: Annotated[
        bool, Meta(description="End a refresh token when it is used, and its whole family when it is used again.")
    ] = False
    session_seconds: Annotated[
        int, Meta(ge=5, description="How long a browser stays signed in, unless its user asked to stay.")
    ] = 86_400
    signing_key_days: Annotated[
        int, Meta(ge=1, description="After how many days a tenant's signing key is replaced.")
    ] = 90
    lake_flush_seconds: Annotated[
        float, Meta(gt=0, le=60, description="Longest time an event waits in the log before its segment is written.")
    ] = 2.0
    hunting_memory_mb: Annotated[int, Meta(ge=64, description="Memory of one hunting query, in MiB.")] = 1024
    hunting_seconds: Annotated[float, Meta(gt=0, description="Longest time one hunting query may take.")] = 200.0
    egress_hosts: Annotated[
        tuple[str, ...],
        Meta(description="Host names or patterns that the server may fetch from: `externaldata`, key sets of issuers."),
    ] = ()
    egress_private_hosts: Annotated[
        tuple[str, ...], Meta(description="As `egress_hosts`, also with private addresses and without TLS.")
    ] = ()
    egress_mirror: Annotated[
        Path | None, Meta(description="Folder `<host>/<path>` of files served in place of the network.")
    ] = None
    geo_database: Annotated[
        Path | None,
        Meta(description="File in MaxMind's format for `geo_info_from_ip_address`; without it no place is known."),
    ] = None
    action_pending_seconds: Annotated[
        float, Meta(ge=0, description="How long a machine action or investigation waits before it begins.")
    ] = 1.0
    action_running_seconds: Annotated[
        float, Meta(ge=0, description="How long a simulated machine action or an investigation takes.")
    ] = 5.0
    action_outcomes: Annotated[
        tuple[str, ...],
        Meta(description="Simulated actions that do not succeed: `Isolate=Failed`, `LiveResponse=TimeOut`."),
    ] = ()
    action_webhook: Annotated[
        str, Meta(description="URL that carries machine actions out, in place of the simulation; see `egress_hosts`.")
    ] = ""
    action_webhook_key: Annotated[
        Path | None, Meta(description="File with the key of the signatures of requests to `action_webhook`.")
    ] = None
    metrics_token_file: Annotated[
        Path | None,
        Meta(description="File with the bearer token that `/metrics` wants; without it only this machine may read it."),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least severe message that is logged.")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "console"], Meta(description="Form of the log; `auto` is console on a terminal.")
    ] = "auto"


def setting_descriptions() -> Mapping[str, str]:
    """Every setting's name and what it is for, in order."""
    return {field.name: _description(field.type) for field in msgspec.structs.fields(Settings)}


def load_settings(flags: Mapping[str, object], environment: Mapping[str, str]) -> Settings:
    """Settings from all four sources. A flag whose value is None was not given. Raises SettingsError."""
    given = {name: value for name, value in flags.items() if value is not None}
    variables = _from_environment(environment)
    data = given.get("data") or variables.get("data") or user_data_folder()
    folder = Path(str(data)).expanduser().absolute()
    merged = {**_from_file(folder / FILE_NAME), **variables, **given, "data": folder}
    return _checked(_struct_from(merged))


def _from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    known = {field.name: field for field in msgspec.structs.fields(Settings)}
    values: dict[str, object] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known:
            raise SettingsError(f"The environment variable {variable} is not a setting of Vedette.")
        listed = _is_list(known[name].type)
        values[name] = [part.strip() for part in text.split(",") if part.strip()] if listed else text
    return values


def _from_file(path: Path) -> dict[str, object]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from error
    known = {field.name for field in msgspec.structs.fields(Settings)} - {"data"}
    for name in document:
        if name not in known:
            raise SettingsError(f"{path}: {name!r} is not a setting that belongs into this file.")
    return document


def _struct_from(values: Mapping[str, object]) -> Settings:
    converted: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        if field.name in values:
            try:
                converted[field.name] = msgspec.convert(values[field.name], field.type, strict=False, dec_hook=_to_path)
            except msgspec.ValidationError as error:
                raise SettingsError(
                    f"The setting {field.name} cannot be {values[field.name]!r}: {_reason(error)}."
                ) from error
    return Settings(**converted)


def _checked(settings: Settings) -> Settings:
    """The settings, unless two of them contradict each other."""
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise SettingsError("An own certificate needs both tls_cert and tls_key.")
    if bool(settings.action_webhook) != (settings.action_webhook_key is not None):
        raise SettingsError("A webhook of machine actions needs both action_webhook and action_webhook_key.")
    if settings.metrics_token_file is not None and not settings.metrics_token_file.is_file():
        raise SettingsError(f"There is no file {settings.metrics_token_file} with the token of /metrics.")
    if settings.behind_proxy and settings.tls_cert:
        raise SettingsError("Behind a proxy Vedette speaks plain HTTP: tls_cert and tls_key do not apply.")
    if settings.behind_proxy and settings.host not in {"127.0.0.1", "::1", "localhost"}:
        raise SettingsError("Behind a proxy Vedette listens on loopback only: host must be 127.0.0.1 or ::1.")
    return settings


def _to_path(type_: type, value: object) -> object:
    if type_ is Path and isinstance(value, str | Path):
        return Path(value).expanduser()
    raise msgspec.ValidationError("expected a path")


def _reason(error: msgspec.ValidationError) -> str:
    text = str(error).split(" - at ", maxsplit=1)[0]
    return text[:1].lower() + text[1:]


def _is_list(annotation: Any) -> bool:
    return getattr(get_args(annotation)[0], "__origin__", None) is tuple


def _description(annotation: Any) -> str:
    return next(str(meta.description) for meta in get_args(annotation)[1:] if meta.description)
