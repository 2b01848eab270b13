"""One locked-down DuckDB instance per query: it can read the files it was opened for and nothing else.

Opening an instance costs about 12 ms, so the next one is opened ahead, in the background, while it knows no tenant.
"""

import contextlib
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa
from sqlglot import exp

Configuration = dict[str, str | bool | int | float | list[str]]

_CONFIGURATION: Configuration = {
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "temp_directory": "",
}

_SETTINGS = """
    SET enable_profiling = 'no_output';
    SET enable_external_file_cache = false;
    SET parquet_metadata_cache = true;
"""
"""An instance that answers one query reads hardly a byte twice: copies of what it read cost more than they spare.
Footers alone it needs again, as a query is bound several times."""


class SessionPool:
    """Hands out fresh instances. None is ever used twice."""

    def __init__(self, threads: int | None) -> None:
        self._threads = threads
        self._spares: queue.SimpleQueue[duckdb.DuckDBPyConnection] = queue.SimpleQueue()
        self._refill_lock = threading.Lock()
        self._refill: threading.Thread | None = None
        self._closed = False

    @contextlib.contextmanager
    def session(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """An instance without restrictions yet, closed at the end."""
        try:
            connection = self._spares.get_nowait()
        except queue.Empty:
            connection = self._open()
        try:
            yield connection
        finally:
            self._retire(connection)

    def close(self) -> None:
        """Close the spare instance."""
        with self._refill_lock:
            self._closed = True
            refill = self._refill
        if refill is not None:
            refill.join()
        with contextlib.suppress(queue.Empty):
            self._spares.get_nowait().close()

    def _open(self) -> duckdb.DuckDBPyConnection:
        configuration = dict(_CONFIGURATION)
        if self._threads is not None:
            configuration["threads"] = self._threads
        connection = duckdb.connect(config=configuration)
        connection.execute(_SETTINGS)
        return connection

    def _retire(self, used: duckdb.DuckDBPyConnection) -> None:
        """Close the used instance and open the next, both in the background unless that is busy."""
        with self._refill_lock:
            if not self._closed and (self._refill is None or not self._refill.is_alive()):
                # Not a daemon: an interpreter that exits while DuckDB starts would abort.
                self._refill = threading.Thread(target=self._renew, args=(used,), name="duckdb-spare")
                self._refill.start()
                return
        used.close()

    def _renew(self, used: duckdb.DuckDBPyConnection) -> None:
        used.close()
        if self._spares.empty():
            self._spares.put(self._open())


def lock_down(
    connection: duckdb.DuckDBPyConnection,
    relations: Mapping[str, str],
    tables: Mapping[str, pa.Table],
    files: Sequence[str],
    memory: int,
) -> None:
    """Give the session its relations (name to SELECT), in-memory tables and files; then close every other door."""
    for name, rows in tables.items():
        connection.register(name, rows)
    for name, select in relations.items():
        connection.execute(f"CREATE TEMP VIEW {exp.to_identifier(name, quoted=True).sql('duckdb')} AS {select}")
    connection.execute("SET allowed_paths = ?", [list(files)])
    connection.execute(
        f"SET memory_limit = '{memory // 2**20}MiB'; SET enable_external_access = false; SET lock_configuration = true"
    )
