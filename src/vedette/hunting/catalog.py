"""The advanced-hunting schema as the KQL compiler's catalog: contract tables, their old names, Defender's functions."""

import dataclasses
import functools
import hashlib
import importlib.resources
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from typing import Literal

from vedette.contracts.renames import load_renames
from vedette.contracts.tables import TableContract, load_tables, physical_names
from vedette.contracts.workspace import Columns, workspace_aliases, workspace_columns, workspace_tables
from vedette.hunting.derived import as_stored, derived_tables
from vedette.kql.catalog import TableColumn, TableSchema
from vedette.kql.types import ScalarType
from vedette.lake.schema import INGESTION_TIME

WORKSPACE_TIME = "TimeGenerated"
"""The name that a Log Analytics workspace gives to the time column."""
WORKSPACE_NAME = "Type"
"""The column of a Log Analytics workspace that holds the name of each row's table."""

_Form = Literal["served", "documented", "workspace"]

# Relations behind Defender's functions. They are read by name only: no wildcard, search or find sees them.
_HIDDEN_TABLES: Mapping[str, tuple[tuple[str, ScalarType], ...]] = {
    "$FileProfile": (
        ("SHA1", ScalarType.STRING),
        ("SHA256", ScalarType.STRING),
        ("MD5", ScalarType.STRING),
        ("FileSize", ScalarType.INT),
        ("GlobalPrevalence", ScalarType.INT),
        ("GlobalFirstSeen", ScalarType.DATETIME),
        ("GlobalLastSeen", ScalarType.DATETIME),
        ("Signer", ScalarType.STRING),
        ("Issuer", ScalarType.STRING),
        ("SignerHash", ScalarType.STRING),
        ("IsCertificateValid", ScalarType.BOOL),
        ("IsRootSignerMicrosoft", ScalarType.BOOL),
        ("SignatureState", ScalarType.STRING),
        ("IsExecutable", ScalarType.BOOL),
        ("ThreatName", ScalarType.STRING),
        ("Publisher", ScalarType.STRING),
        ("SoftwareName", ScalarType.STRING),
        ("ProfileAvailability", ScalarType.STRING),
    ),
}


class ContractCatalog:
    """Catalog over the contract's tables.

    `TimeGenerated` resolves to the time column, and `Type` to the table's name, without being among the columns, unless
    `workspace_names` is false. `workspace` gives every table the columns of a Log Analytics workspace instead, and adds
    tables and functions that only workspaces have: for analysis only, as none of that is stored.
    """

    def __init__(self, *, workspace: bool = False, workspace_names: bool = True) -> None:
        self._form: _Form = "workspace" if workspace else "served" if workspace_names else "documented"

    @property
    def version(self) -> str:
        """A digest of all schemas and function texts."""
        return f"{_digest()}-{self._form}"

    def table(self, name: str) -> TableSchema | None:
        """The table of that name, of that old name, or one of the relations behind Defender's functions."""
        return _schemas(self._form).get(name)

    def table_names(self) -> Iterable[str]:
        """Current names, for wildcards and hints."""
        return (*load_tables(), *workspace_tables()) if self._form == "workspace" else load_tables().keys()

    def function(self, name: str) -> str | None:
        """KQL text of one of Defender's functions."""
        return _functions(self._form).get(name)

    def function_names(self) -> Iterable[str]:
        """Names of Defender's functions."""
        return _functions(self._form).keys()


@functools.cache
def _functions(form: _Form) -> Mapping[str, str]:
    folder = importlib.resources.files("vedette.hunting") / "functions"
    found = _functions_in(folder)
    return found | _functions_in(folder / "workspace") if form == "workspace" else found


def _functions_in(folder: Traversable) -> dict[str, str]:
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".kql")]
    return {entry.name.removesuffix(".kql"): entry.read_text("utf-8") for entry in files}


@functools.cache
def _digest() -> str:
    digest = hashlib.sha256()
    for name, schema in sorted(_schemas("served").items()):
        digest.update(f"{name}{schema.columns}{schema.aliases}".encode())
    for name, text in sorted(_functions("workspace").items()):
        digest.update(f"{name}{text}".encode())
    return digest.hexdigest()[:16]


@functools.cache
def _schemas(form: _Form) -> Mapping[str, TableSchema]:
    schemas = {name: _schema(table, form) for name, table in load_tables().items()}
    for rename in load_renames().tables:
        if rename.old not in schemas and rename.new in schemas:
            schemas[rename.old] = schemas[rename.new]
    for name, columns in _HIDDEN_TABLES.items():
        schemas[name] = TableSchema(name, tuple(TableColumn(each, type_, each) for each, type_ in columns))
    for name in derived_tables():
        if name in schemas:
            schemas[as_stored(name)] = dataclasses.replace(schemas[name], name=as_stored(name))
    if form == "workspace":
        schemas |= {name: _workspace_schema(name, columns) for name, columns in workspace_tables().items()}
    return schemas


def _workspace_schema(name: str, columns: Columns) -> TableSchema:
    physical = physical_names(tuple(each for each, _ in columns))
    return TableSchema(
        name,
        tuple(
            TableColumn(each, ScalarType(type_), stored)
            for (each, type_), stored in zip(columns, physical, strict=True)
        ),
        WORKSPACE_TIME,
    )


def _schema(table: TableContract, form: _Form) -> TableSchema:
    physical = physical_names(tuple(each.name for each in table.columns))
    columns = [
        TableColumn(column.name, ScalarType(column.type), stored, column.description)
        for column, stored in zip(table.columns, physical, strict=True)
    ]
    by_name = {each.name: each for each in columns}
    aliases = [
        (rename.old, rename.new)
        for rename in load_renames().columns
        if table.name in rename.tables and rename.old not in by_name and rename.new in by_name
    ]
    if form == "workspace":
        further = [each for each in workspace_columns(table.name) if each[0] not in by_name]
        columns += [TableColumn(name, ScalarType(type_), name) for name, type_ in further]
    if form == "served":
        aliases += workspace_aliases(table.name).items()
        if table.time_column is not None and WORKSPACE_TIME not in by_name:
            aliases.append((WORKSPACE_TIME, table.time_column))
    return TableSchema(
        table.name,
        tuple(columns),
        table.time_column,
        tuple(aliases),
        table.description,
        INGESTION_TIME,
        WORKSPACE_NAME if form == "served" else None,
    )
