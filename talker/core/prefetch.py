"""Work that overlaps: the steps of a stream each in a thread of their own, none far ahead of the next.

What the steps do at length (kernels, convolutions, pipes) leaves Python's lock free, so threads are enough.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

S = TypeVar("S")
T = TypeVar("T")

_LOOK_UP_S = 0.1  # how often a step that waits for room looks whether anybody still wants its items


class _End(NamedTuple):
    error: BaseException | None


def ahead(
    items: Iterable[T],
    held: int,  # at most so many items are made before they are asked for
) -> Generator[T, None, None]:
    """The same items in the same order, made by a thread of its own.

    An error in the making is raised where the items are asked for. Closing (leave it to `contextlib.closing`) ends the
    thread after the item at hand, and closes `items` in turn: so a chain of steps ends as one.
    """
    made: queue.Queue[tuple[T] | _End] = queue.Queue(held)
    unwanted = threading.Event()

    def put(item: tuple[T] | _End) -> None:
        while not unwanted.is_set():
            with contextlib.suppress(queue.Full):
                return made.put(item, timeout=_LOOK_UP_S)

    def work() -> None:
        error = None
        try:
            with _closed_after(items):
                for item in items:
                    put((item,))
                    if unwanted.is_set():
                        break
        except BaseException as raised:
            error = raised
        put(_End(error))

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while not isinstance(item := made.get(), _End):
            yield item[0]
        if item.error is not None:
            raise item.error
    finally:
        unwanted.set()
        worker.join()


def side_by_side(
    work: Callable[[S], T],
    items: Iterable[S],
    workers: int | None = None,  # None: one for each core
    prepare: Callable[[], None] | None = None,  # run once in every worker's thread
) -> Generator[T, None, None]:
    """`work` of every item, so many items at a time; what comes of them comes in their order.

    An error in the work or in the items ends all, and closing does: what was begun is awaited, and `items` are closed.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    waiting: deque[Future[T]] = deque()
    with _closed_after(items), ThreadPoolExecutor(workers, initializer=prepare) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > workers:  # one is at hand for whoever is done first
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _closed_after(items: Iterable[S]) -> contextlib.AbstractContextManager[object]:
    return contextlib.closing(items) if hasattr(items, "close") else contextlib.nullcontext()
