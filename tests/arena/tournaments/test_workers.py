"""Work spread over processes."""

import contextlib
import math
import os

import pytest

from arena.errors import ArenaError
from arena.tournaments.workers import unordered


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_comes_back_with_its_result(jobs):
    assert sorted(unordered(math.factorial, [3, 4, 5], jobs)) == [(3, 6), (4, 24), (5, 120)]


def test_one_job_works_in_this_process_and_only_when_asked():
    done = []
    work = unordered(done.append, [1, 2, 3], 1)
    next(work)
    assert done == [1]


def test_the_error_of_a_task_comes_through():
    with (
        pytest.raises(ValueError, match="factorial"),
        contextlib.closing(unordered(math.factorial, [-1, -2], 2)) as work,
    ):
        list(work)


def test_a_worker_that_dies_is_one_clear_line():
    with pytest.raises(ArenaError, match="a worker process died, perhaps for want of memory; try --jobs 1"):
        list(unordered(os._exit, [1, 1], 2))
