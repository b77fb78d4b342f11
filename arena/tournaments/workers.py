"""Plain work spread over processes: one function, many tasks, one after the other or several at a time."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from arena.errors import ArenaError
from arena.threads import share_cores

Task = TypeVar("Task")
Result = TypeVar("Result")


def unordered(
    function: Callable[[Task], Result], tasks: Sequence[Task], jobs: int
) -> Generator[tuple[Task, Result], None, None]:
    """Yields (task, function(task)) as they get done; they are begun in the order given.

    With one job all happens in this process. Otherwise fresh processes do the work: `function`,
    tasks, results and errors must pickle. Close the iterator to end the workers early.

    Raises:
      ArenaError: a worker died.
    """
    if jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield task, function(task)
        return
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")  # forking a process that has threads is not safe
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), context, initializer=_begin)
    try:
        futures = {pool.submit(function, task): task for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException as error:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        if isinstance(error, BrokenProcessPool):
            raise ArenaError("a worker process died, perhaps for want of memory; try --jobs 1") from error
        raise
    finally:
        pool.shutdown()


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the parent that ends its workers
    share_cores()
