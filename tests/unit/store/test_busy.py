"""A database that others keep busy is told as that, to be asked again later."""

from pathlib import Path

import pytest
from sqlalchemy import text

from vedette.api.faults import FaultContext, render_fault
from vedette.errors import ApiError
from vedette.store.engine import Store


def impatient(folder: Path) -> Store:
    """A store whose one pooled connection does not wait for others."""
    store = Store.in_folder(folder)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    return store


def test_a_writer_that_waited_in_vain_may_try_again(tmp_path: Path) -> None:
    holder, waiting = Store.in_folder(tmp_path), impatient(tmp_path)
    try:
        with holder.begin(), pytest.raises(ApiError) as caught, waiting.begin():
            pytest.fail("two writers at once")
        assert caught.value.code == "StoreBusy"
        with waiting.begin() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
    finally:
        holder.close()
        waiting.close()


@pytest.mark.parametrize("surface", ["graph", "defender", "login", "portal", "ingest"])
def test_clients_are_asked_to_come_back(surface: str) -> None:
    context = FaultContext(surface=surface, request_id="r", correlation_id="c", now=0.0, base_url="https://localhost")
    answer = render_fault(ApiError("StoreBusy", retry_after=1), context)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
