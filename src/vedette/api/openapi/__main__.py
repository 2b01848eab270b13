"""Writes the OpenAPI documents into a folder: `python -m vedette.api.openapi FOLDER`."""

import sys
from pathlib import Path

import msgspec

from vedette.api.openapi.document import FAMILIES, openapi_document


def write_documents(folder: Path) -> list[Path]:
    """Write every document as `<name>.json`; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, family in FAMILIES.items():
        path = folder / f"{name}.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(openapi_document(family)), indent=1) + b"\n")
        written.append(path)
    return written


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m vedette.api.openapi FOLDER")
    for document in write_documents(Path(sys.argv[1])):
        sys.stdout.write(f"{document}\n")
