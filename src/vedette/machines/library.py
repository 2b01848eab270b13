"""The live-response library: files that commands put on machines or run there."""

import hashlib
from collections.abc import Iterable

import msgspec
from sqlalchemy import select

from vedette.errors import InvalidRequestError
from vedette.machines.tables import LIBRARY_FILES
from vedette.store.tenancy import TenantRepository

MAX_BYTES = 20 * 1024 * 1024
_SHOWN = [column for column in LIBRARY_FILES.columns if column.name not in ("tenant_id", "content")]


class LibraryFile(msgspec.Struct, frozen=True):
    """A file of the library, its content left out."""

    file_name: str
    sha256: str
    description: str
    parameters_description: str | None
    has_parameters: bool
    created: int
    last_update: int
    created_by: str


class NewLibraryFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be."""

    file_name: str
    content: bytes
    created_by: str
    description: str = ""
    parameters_description: str | None = None
    has_parameters: bool = False
    may_override: bool = False


class LibraryFiles(TenantRepository):
    """The library of one tenant."""

    def all(self) -> list[LibraryFile]:
        """Every file by name."""
        statement = select(*_SHOWN).where(self.own(LIBRARY_FILES)).order_by(LIBRARY_FILES.c.file_name)
        return [LibraryFile(**row._mapping) for row in self.connection.execute(statement)]

    def get(self, file_name: str) -> LibraryFile | None:
        """One file, or None."""
        matches = (self.own(LIBRARY_FILES), LIBRARY_FILES.c.file_name == file_name)
        row = self.connection.execute(select(*_SHOWN).where(*matches)).first()
        return None if row is None else LibraryFile(**row._mapping)

    def contents(self, file_names: Iterable[str]) -> dict[str, bytes]:
        """What is in those of the files that exist."""
        names = sorted(set(file_names))
        if not names:
            return {}
        statement = self.select(LIBRARY_FILES).where(LIBRARY_FILES.c.file_name.in_(names))
        return {row.file_name: row.content for row in self.connection.execute(statement)}

    def put(self, new: NewLibraryFile, now: int) -> LibraryFile:
        """Store a file. Raises InvalidRequestError if its name is taken and it may not override."""
        known = self.get(new.file_name)
        if known is not None and not new.may_override:
            raise InvalidRequestError("LibraryFileExists", name=new.file_name)
        values: dict[str, object] = {
            "sha256": hashlib.sha256(new.content).hexdigest(),
            "description": new.description,
            "parameters_description": new.parameters_description,
            "has_parameters": new.has_parameters,
            "last_update": now,
            "created_by": new.created_by,
            "content": new.content,
        }
        if known is None:
            self.insert(LIBRARY_FILES, file_name=new.file_name, created=now, **values)
        else:
            matches = LIBRARY_FILES.c.file_name == new.file_name
            self.connection.execute(self.update(LIBRARY_FILES).where(matches).values(values))
        stored = self.get(new.file_name)
        assert stored is not None
        return stored

    def remove(self, file_name: str) -> bool:
        """Delete a file; False if there is none."""
        statement = self.delete(LIBRARY_FILES).where(LIBRARY_FILES.c.file_name == file_name)
        return self.connection.execute(statement).rowcount == 1
