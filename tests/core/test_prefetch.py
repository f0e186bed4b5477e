"""Steps of a stream in threads: the same items, none far ahead, all ended together."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from talker.core.prefetch import ahead, side_by_side

pytestmark = pytest.mark.usefixtures("no_thread_stays")


def test_items_come_in_order_and_few_are_held():
    made = []

    def items():
        for number in range(50):
            made.append(number)
            yield number

    taken = []
    with closing(ahead(items(), 3)) as stream:
        for number in stream:
            taken.append(number)
            time.sleep(0.002)
            assert len(made) <= len(taken) + 3 + 1  # three wait, one is in the maker's hand
    assert taken == made == list(range(50))


def test_steps_overlap():
    def slowly(items):
        for item in items:
            time.sleep(0.02)
            yield item

    started = time.monotonic()
    assert list(ahead(slowly(ahead(slowly(range(20)), 2)), 2)) == list(range(20))
    assert time.monotonic() - started < 0.7  # one after the other: 0.8 s and more


def test_an_error_arrives_where_the_items_are_asked_for():
    def items():
        yield 1
        raise ValueError("broken")

    stream = ahead(ahead(items(), 2), 2)
    assert next(stream) == 1
    with pytest.raises(ValueError, match="broken"):
        next(stream)


def test_closing_ends_a_whole_chain():
    closed = []

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.append("first")

    source = endless()  # held here, so that nothing else closes it

    def middle():
        with closing(ahead(source, 2)) as stream:
            yield from stream
        closed.append("never")

    before = threading.active_count()
    with closing(ahead(middle(), 2)) as stream:
        assert next(stream) == 0
        assert threading.active_count() == before + 2
    assert closed == ["first"]


def test_work_is_done_side_by_side_and_comes_in_order():
    busy, most, prepared, lock = set(), [0], [], threading.Lock()

    def work(item: int) -> int:
        with lock:
            busy.add(item)
            most[0] = max(most[0], len(busy))
        time.sleep(0.01 if item % 2 else 0.03)
        with lock:
            busy.remove(item)
        return 10 * item

    assert list(side_by_side(work, range(12), 3, lambda: prepared.append(threading.get_ident()))) == list(
        range(0, 120, 10)
    )
    assert most[0] == 3 and len(set(prepared)) == len(prepared) == 3


def test_side_by_side_an_error_or_an_early_end_ends_all():
    taken, ended = [], []

    def items():
        try:
            for item in range(1000):
                taken.append(item)
                yield item
        finally:
            ended.append(True)

    with pytest.raises(ZeroDivisionError) as error:
        list(side_by_side(lambda item: 1 / (item - 5), items(), 2))
    assert len(taken) < 12 and ended and error.value  # though the error, which is held, holds the items
    with closing(side_by_side(lambda item: item, items(), 2)) as stream:
        assert next(stream) == 0
    assert len(ended) == 2
