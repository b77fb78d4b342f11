"""Worker processes that stream what they make, and whose death costs only the work that was in their hands."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, NamedTuple, TypeVar

from arena.errors import ArenaError
from arena.threads import share_cores

Task = TypeVar("Task")
_GRACE_S = 3.0  # for a worker to end what it has begun

#: What does the work: a call for each kind of it, by name, that takes a task and yields items.
Work = Callable[[Any], Iterator[Any]]


class Item(NamedTuple, Generic[Task]):
    """Something that a task yielded."""

    task: Task
    value: Any


class Done(NamedTuple, Generic[Task]):
    """A task that came to its end.

    Attributes:
      seconds: that it took.
      error: what was raised, or None.
      is_lost: True where its worker died.
    """

    task: Task
    seconds: float
    error: Exception | None = None
    is_lost: bool = False


class Pool(Generic[Task]):
    """Workers that call methods of an object of their own; with one job, this process does the work itself.

    Args:
      maker: makes the object, and must pickle: a class. Its close() is called in the end.
      jobs: how many workers. They begin to start at once.
    """

    def __init__(self, maker: Callable[[], Any], jobs: int) -> None:
        self.jobs = jobs
        self._worker = None if jobs > 1 else maker()
        self._work: Iterator[Item[Task] | Done[Task]] | None = None
        self._maker = maker
        self._context = multiprocessing.get_context("spawn")  # forking a process that has threads is not safe
        self._idle: list[_Worker[Task]] = [_Worker(self._context, maker) for _ in range(jobs if jobs > 1 else 0)]
        self._busy: dict[Connection, _Worker[Task]] = {}

    @property
    def is_free(self) -> bool:
        """True where a worker waits for a task."""
        return bool(self._idle) if self.jobs > 1 else self._work is None

    @property
    def is_busy(self) -> bool:
        """True where a task is being worked on."""
        return bool(self._busy) or self._work is not None

    def begin(self, method: str, task: Task) -> None:
        """Gives a free worker a task: it calls `method` with it."""
        if self._worker is not None:
            self._work = _here(getattr(self._worker, method), task)
            return
        worker = self._idle.pop(0)
        self._busy[worker.connection] = worker
        worker.task, worker.begun_s = task, time.perf_counter()
        with contextlib.suppress(BrokenPipeError):  # it has died: next() finds that out
            worker.connection.send((method, task))

    def next(self) -> list[Item[Task] | Done[Task]]:
        """Waits until something comes from the busy workers, and returns it."""
        if self._work is not None:
            told = next(self._work)
            if isinstance(told, Done):
                self._work = None
            return [told]
        return [self._read(self._busy[connection]) for connection in wait(list(self._busy))]  # type: ignore[index]

    def close(self) -> None:
        """Ends all workers at once."""
        if self._worker is not None:
            if self._work is not None:
                self._work.close()  # type: ignore[attr-defined]
            self._worker.close()
        workers = [*self._idle, *self._busy.values()]
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.end()
        self._idle, self._busy = [], {}

    def _read(self, worker: _Worker[Task]) -> Item[Task] | Done[Task]:
        task = worker.task
        assert task is not None
        try:
            kind, value = worker.connection.recv()
        except (EOFError, OSError):
            self._busy.pop(worker.connection)
            worker.end()
            self._idle.append(_Worker(self._context, self._maker))
            seconds = time.perf_counter() - worker.begun_s
            return Done(task, seconds, ArenaError("a worker process died, perhaps for want of memory"), True)
        if kind == "item":
            return Item(task, value)
        self._idle.append(self._busy.pop(worker.connection))
        seconds, error = value
        return Done(task, seconds, error)


def _here(method: Work, task: Task) -> Iterator[Item[Task] | Done[Task]]:
    """Does the work in this process."""
    seconds, begin = 0.0, time.perf_counter()
    try:
        for value in method(task):
            seconds += time.perf_counter() - begin
            yield Item(task, value)
            begin = time.perf_counter()
    except Exception as error:
        yield Done(task, seconds + time.perf_counter() - begin, error)
    else:
        yield Done(task, seconds + time.perf_counter() - begin)


class _Worker(Generic[Task]):
    """One worker process, and this side of the pipe to it."""

    def __init__(self, context: Any, maker: Callable[[], Any]) -> None:
        self.connection, there = context.Pipe()
        self._process: SpawnProcess = context.Process(target=_serve, args=(there, maker, os.getpid()))
        self._process.start()
        there.close()
        self.task: Task | None = None
        self.begun_s = 0.0

    def terminate(self) -> None:
        self._process.terminate()

    def end(self) -> None:
        self._process.terminate()
        self._process.join(_GRACE_S)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self.connection.close()


def _serve(connection: Connection, maker: Callable[[], Any], parent: int) -> None:
    """Works until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the parent that ends its workers
    signal.signal(signal.SIGTERM, _leave)
    _die_with(parent)
    share_cores()
    worker = maker()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            method, task = connection.recv()
            for told in _here(getattr(worker, method), task):
                if isinstance(told, Item):
                    connection.send(("item", told.value))
                else:
                    connection.send(("done", (told.seconds, told.error and _portable(told.error))))


def _leave(*_: object) -> None:
    """Ends this process, and what its work has begun, once."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def _portable(error: Exception) -> Exception:
    """Returns an error that pickles, whatever `error` is made of."""
    if isinstance(error, ArenaError):
        return ArenaError(str(error))
    told = ArenaError(f"{type(error).__name__}: {error}")
    told.add_note("".join(traceback.format_exception(error)))
    return told


def _die_with(parent: int) -> None:
    """Ends this process as soon as its parent is gone, however that ended."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() != parent:  # it was gone already
            os._exit(1)
        return

    def watch() -> None:
        process = multiprocessing.parent_process()
        if process is not None:
            process.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
