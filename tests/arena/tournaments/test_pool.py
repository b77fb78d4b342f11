"""Worker processes."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from arena.errors import UnknownName
from arena.tournaments.pool import Done, Item, Pool

WORKERS = '''
import os, time
from arena.errors import UnknownName

class Counter:
    """Counts."""
    def count(self, number):
        yield from range(number)
    def fail(self, number):
        yield number
        raise UnknownName("number", str(number), ["one"])
    def crash(self, number):
        yield number
        raise ZeroDivisionError("by zero")
    def die(self, number):
        yield number
        os._exit(3)
    def sleep(self, path):
        yield os.getpid()
        time.sleep(600)
    def close(self):
        pass
'''


@pytest.fixture
def counter(tmp_path, monkeypatch):
    (tmp_path / "counting_workers.py").write_text(WORKERS)
    monkeypatch.syspath_prepend(tmp_path)  # workers are given the same path
    import counting_workers

    yield counting_workers.Counter
    del sys.modules["counting_workers"]


@pytest.fixture(params=[1, 2])
def pool(request, counter):
    pool = Pool(counter, request.param)
    yield pool
    pool.close()


def finish(pool):
    told = []
    while pool.is_busy:
        told += pool.next()
    return told


def test_items_come_as_they_are_made_and_then_the_end(pool):
    pool.begin("count", 3)
    told = finish(pool)
    assert told[:3] == [Item(3, 0), Item(3, 1), Item(3, 2)]
    (done,) = told[3:]
    assert isinstance(done, Done) and done.task == 3 and done.error is None and done.seconds > 0


def test_a_worker_takes_one_task_after_the_other(pool):
    for number in range(1, 4):
        while not pool.is_free:
            pool.next()
        pool.begin("count", number)
    finish(pool)
    assert pool.is_free and not pool.is_busy


def test_an_error_ends_its_task_only(pool):
    for method, error in (("fail", UnknownName), ("crash", ZeroDivisionError)):
        pool.begin(method, 4)
        first, done = finish(pool)
        assert first == Item(4, 4) and not done.is_lost
        if pool.jobs == 1:
            assert isinstance(done.error, error)
        else:
            assert ("unknown number '4'" if method == "fail" else "ZeroDivisionError: by zero") in str(done.error)
    pool.begin("count", 1)
    assert finish(pool)[0] == Item(1, 0)


def test_a_worker_that_dies_loses_its_task_and_another_takes_its_place(counter):
    pool = Pool(counter, 2)
    try:
        for _ in range(3):
            pool.begin("die", 1)
            first, done = finish(pool)
            assert first == Item(1, 1)
            assert done.is_lost and str(done.error) == "a worker process died, perhaps for want of memory"
        pool.begin("count", 1)
        assert finish(pool)[0] == Item(1, 0)
    finally:
        pool.close()


def test_closing_ends_workers_in_the_middle_of_their_work(counter):
    pool = Pool(counter, 2)
    pool.begin("sleep", "")
    ((_, pid),) = pool.next()
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGTERM"])
def test_workers_end_with_the_process_that_began_them(counter, tmp_path, signal):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import os, signal
            from arena.tournaments.pool import Pool
            from counting_workers import Counter
            if __name__ == "__main__":
                pool = Pool(Counter, 2)
                pool.begin("sleep", "")
                pool.begin("sleep", "")
                pids = []
                while len(pids) < 2:
                    pids += [value for _, value in pool.next()]
                print(*pids, flush=True)
                os.kill(os.getpid(), signal.{signal})
            """
        )
    )
    environment = {**os.environ, "PYTHONPATH": f"{Path(__file__).parents[3]}:{tmp_path}"}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 2
    while any(is_running(pid) for pid in pids):  # they are told by the system, a moment later
        time.sleep(0.01)


def is_running(pid):
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
