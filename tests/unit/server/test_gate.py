"""Work and changes of the whole state keep apart, over processes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.errors import ApiError
from vedette.server.gate import StateGate


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[tuple[StateGate, StateGate]]:
    """Of two processes of one server."""
    pair = StateGate(tmp_path), StateGate(tmp_path)
    yield pair
    for gate in pair:
        gate.close()


def test_units_run_side_by_side(gates: tuple[StateGate, StateGate]) -> None:
    first, second = gates
    with first.unit(), first.unit(), second.unit():
        assert first.epoch == second.epoch == 0


def test_what_is_remembered_is_forgotten_before_the_next_unit_of_every_process(
    gates: tuple[StateGate, StateGate],
) -> None:
    first, second = gates
    forgotten: list[str] = []
    first.on_change(lambda: forgotten.append("first"))
    second.on_change(lambda: forgotten.append("second"))
    with first.unit(), first.change():
        assert forgotten == []
    assert forgotten == ["first"]
    with second.unit():
        assert forgotten == ["first", "second"]
    with first.unit(), second.unit():
        assert forgotten == ["first", "second"]
    assert (first.epoch, second.epoch) == (1, 1)


def test_a_pause_changes_nothing(gates: tuple[StateGate, StateGate]) -> None:
    first, second = gates
    with first.unit(), first.pause():
        pass
    assert second.epoch == 0


@pytest.mark.parametrize("other", [0, 1])
def test_a_change_gives_up_on_work_that_does_not_end(gates: tuple[StateGate, StateGate], other: int) -> None:
    first = gates[0]
    entered, leave = threading.Event(), threading.Event()

    def work() -> None:
        with gates[other].unit():
            entered.set()
            leave.wait()

    worker = threading.Thread(target=work)
    worker.start()
    entered.wait()
    with first.unit(), pytest.raises(ApiError, match="StateChanging"), first.change(seconds=0.02):
        pytest.fail("the state was changed under somebody's work")
    leave.set()
    worker.join()
    with first.unit(), first.change():
        pass
    assert first.epoch == 1


@pytest.mark.parametrize("other", [0, 1])
def test_work_waits_for_a_change(gates: tuple[StateGate, StateGate], other: int) -> None:
    order: list[str] = []
    started = threading.Event()

    def work() -> None:
        started.set()
        with gates[other].unit():
            order.append("work")

    with gates[0].unit(), gates[0].change():
        worker = threading.Thread(target=work)
        worker.start()
        started.wait()
        with pytest.raises(ApiError), gates[other].unit(seconds=0.02):
            pytest.fail("there was work within the change")
        order.append("change")
    worker.join()
    assert order == ["change", "work"]


@pytest.mark.parametrize("other", [0, 1])
def test_there_is_one_change_at_a_time(gates: tuple[StateGate, StateGate], other: int) -> None:
    with gates[0].change(0), pytest.raises(ApiError, match="StateChanging"), gates[other].change(0):
        pytest.fail("two changes at once")


def test_a_change_that_failed_counts_as_one(gates: tuple[StateGate, StateGate]) -> None:
    with pytest.raises(OSError, match="full"), gates[0].change(0):
        raise OSError("disk full")
    assert gates[1].epoch == 1
    with gates[1].unit():
        pass


def test_whoever_died_waiting_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "gate").write_bytes(b"\x00" * 6 + b"\xf0\x7f" + b"\x00" * 8)  # until the end of time
    gate = StateGate(tmp_path)
    with gate.unit(seconds=0.0):
        pass
    gate.close()
