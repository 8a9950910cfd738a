"""Work in threads: the results, their order, their exceptions, and their number."""

import threading
from collections.abc import Iterator

import pytest

from automix.audio.streams import prefetch
from automix.parallel.workers import (
    Workers,
    count_processors,
    count_workers,
    run_in_parallel,
    use_workers,
)


@pytest.fixture(autouse=True)
def _as_many_as_there_are() -> Iterator[None]:
    yield
    use_workers(None)


def at_the_same_time(count: int) -> list[int]:
    """Each call waits for all others: only as many threads as calls can finish."""
    barrier = threading.Barrier(count)
    return run_in_parallel(lambda number: barrier.wait(timeout=10) * 0 + number, range(count))


def test_four_workers_work_at_the_same_time_and_keep_the_order():
    use_workers(4)
    assert at_the_same_time(4) == [0, 1, 2, 3]


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_threads_is_what_was_asked(count):
    use_workers(count)
    assert count_workers() == count
    used = set(run_in_parallel(lambda _: threading.get_ident(), range(50)))
    assert len(used) <= count
    assert (threading.get_ident() in used) == (count == 1)


def test_unless_asked_there_is_one_for_each_processor():
    assert count_workers() == count_processors() >= 1


@pytest.mark.parametrize("count", [1, 4])
def test_an_exception_is_raised_where_the_results_are_wanted(count):
    use_workers(count)
    with pytest.raises(ZeroDivisionError):
        run_in_parallel(lambda number: 1 // number, range(3))
    with Workers(2) as workers, pytest.raises(ZeroDivisionError):
        workers.start(lambda number: 1 // number, 0)()


@pytest.mark.parametrize("count", [1, 4])
def test_one_piece_of_work_is_done_beside_others(count):
    use_workers(count)
    with Workers(3) as workers:
        squared = workers.start(lambda number: number**2, 7)
        assert workers.map(str, [1, 2]) == ["1", "2"]
        assert squared() == 49


def test_one_worker_reads_nothing_ahead():
    use_workers(1)
    seen = []
    items = prefetch(iter(lambda: seen.append(len(seen)) or len(seen), 5))
    assert next(items) == 1
    assert len(seen) == 1
    use_workers(2)
    assert list(prefetch(iter([1, 2, 3]))) == [1, 2, 3]
