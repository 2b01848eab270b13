"""Whether dynamic columns hold JSON text: asked before a batch is accepted, so that no query fails on it."""

from typing import Protocol

import pyarrow as pa

from vedette.lake.errors import InvalidBatchError


class JsonValidator(Protocol):
    """Tells whether every text of a column is JSON; vectorised. Engines offer one."""

    def __call__(self, texts: pa.ChunkedArray) -> bool: ...


def require_json(table_name: str, rows: pa.Table, is_json: JsonValidator) -> None:
    """Raise InvalidBatchError naming the first dynamic column that holds something else than JSON or null."""
    for field in rows.schema:
        if not isinstance(field.type, pa.JsonType):
            continue
        column = rows.column(field.name)
        if column.null_count == len(column):
            continue
        texts = pa.chunked_array([chunk.storage for chunk in column.chunks], pa.string())
        if not is_json(texts):
            raise InvalidBatchError("not_json", table=table_name, column=field.name)
